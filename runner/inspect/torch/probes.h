// Probes: the numbers a researcher holds against his own code. Files are safetensors; docs/probes.md names the tensors.
//
// The oracle tests call these functions, so that a probe and a test cannot disagree.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/files/safetensors.h"
#include "models/network.h"
#include "quantizers/quantizer.h"
#include "runner/plan/cell_spec.h"

namespace auxbench {

// Throw UserError(usage) naming the flag and what is wrong with what it gives: a shape, rank or type that the network or
// quantizer cannot take, a label out of range, a width or stride that makes no network, memory that is not there.

// in: "input", optionally "grad" of the same shape. Out, in float64: "values", "codes", "offset", "levels" and "scale",
// shaped to multiply the codes, or "basis"; learned parameters and state (docs/probes.md names both), with "grad" also
// "input_grad" and "NAME_grad" for each learned parameter.
SafeTensors probe_quantizer(const std::string& method, Role role, int bits, const QuantizerSettings& settings,
                            const SafeTensors& in);

struct ModelProbe {
  NetworkOptions network;  // classes and input channels are read off the weights
  bool taps = false;
};

// weights: torchvision's names, as import_tensors takes them. in: "input" [N, C, H, W], F32 or F64, whose type is used.
// Out: "logits", with taps also "stem" and "tap.0" ... Evaluation mode.
SafeTensors probe_model(const ModelProbe& probe, const SafeTensors& weights, const SafeTensors& in);

struct DetectorProbe {
  std::string model = "retinanet-resnet50";  // of models/list
  double width = 1;
  DetectorSpec detector;  // `channels` is read off the weights, as classes and input channels are
};

// weights: names of models/detector.h. in: "input" [N, C, H, W], F32 or F64, whose type is used, padded as a batch of
// training is; optionally "sizes" [N, 2], height and width without the padding; optionally the truth, of image I
// "boxes.I" [n, 4] (x0 y0 x1 y1) and "classes.I" [n]. Out, at full precision in evaluation mode: of level L "classes.L",
// "boxes.L" and FCOS's "centreness.L", raw; of image I "detections.I" [n, 6], label, score, x0 y0 x1 y1; with a truth the
// losses, each by its name, as in the first step of a training.
SafeTensors probe_detector(const DetectorProbe& probe, const SafeTensors& weights, const SafeTensors& in);

// weights: "model." and "aux." tensors to start from; the network's may also stand without "model.", as import_tensors
// takes them, and what quantizers learn may be missing: it is fitted to the batch. in: "input", "labels" (whole numbers);
// of a detection cell "input" and the truth as above.
// The cell's own loss and optimiser at its starting learning rate, training mode; its data set is not asked for. Out:
// "loss", "logits" (a detector's outputs as above) and "grad.NAME" of step 1, with H also "aux_loss" and "aux_logits"
// (a detector's "aux_loss_heads" and "aux_loss_backbone"); "losses" and "totals" (with all
// that the aids add) [steps]; "after.NAME" after the last step.
SafeTensors probe_step(const CellSpec& cell, const SafeTensors& weights, const SafeTensors& in, int steps,
                       bool float64);

}  // namespace auxbench
