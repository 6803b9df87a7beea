// What a detector computes beside its backbone, by arithmetic, for the price of a cell. For .cc files of this room.
//
// An image of shorter side s has s^2 4/3 pixels here, COCO's usual shape. Level l of the pyramid has a place every 2^l
// pixels each way; with c channels, backbone stages of C_3 .. C_5 channels, towers of t convolutions, A anchors a place
// and K classes, multiply-accumulates are
//
//   pyramid   sum over l = 3 .. 5 of places_l (C_l c + 9 c^2), P6 of C5: places_6 9 C_5 c, P7 of P6: places_7 9 c^2
//   heads     sum over l = 3 .. 7 of places_l 9 c (2 t c + A (K + 4))
#pragma once

#include "runner/plan/cell_spec.h"

namespace auxbench {

struct DetectorWork {
  double pixels = 0;   // of an image, as the network sees it
  double macs = 0;     // of pyramid and heads, an image
  double layers = 0;   // runs of a convolution of pyramid and heads, an image
  double numbers = 0;  // in the maps of pyramid and heads, an image
};

// Of a cell of task detection.
DetectorWork detector_work(const CellSpec& cell);

}  // namespace auxbench
