// Activations clipped to a fixed range: DoReFa on [0,1], and its relu6 variants.
//
//   code = round(clip(x, 0, hi) * steps / unit)        value = code * unit / steps
//   dx = g where 0 <= x <= hi, 0 elsewhere; at the bounds themselves as `bounds` says
// DoReFa [0,1]: hi 1, steps 2^k - 1, unit 1. relu6, author's code: hi 6, steps 2^k - 1, unit 1.
// relu6, true bits: hi 6, steps 2^k - 1, unit 6.
#pragma once

#include "kernels/fake_quant/formula.h"

namespace auxbench::fake_quant {

enum class BoundGradient {
  pass,         // clamp: gradient at both bounds
  stop,         // relu6, hardtanh: none at either
  stop_at_zero  // relu followed by clamp: none at 0, gradient at hi
};

struct ClipGrid {
  double hi = 1;
  double steps = 3;
  double unit = 1;
  BoundGradient bounds = BoundGradient::pass;
};

template <typename T>
struct Clip : NoSums {
  using Config = ClipGrid;

  struct Element {
    T hi, steps_per_unit, first, last;

    AUXBENCH_DEVICE T code(T x) const { return round_even(clamp(x, T(0), hi) * steps_per_unit); }
    AUXBENCH_DEVICE T gradient(T x, T g, T*) const { return within(x, first, last) ? g : T(0); }
  } element;

  // first and last become the outermost numbers inside the open or closed interval: one comparison serves all.
  explicit Clip(const Config& grid)
      : element{static_cast<T>(grid.hi), static_cast<T>(grid.steps / grid.unit), T(0), static_cast<T>(grid.hi)} {
    if (grid.bounds != BoundGradient::pass) element.first = std::nextafter(T(0), T(1));
    if (grid.bounds == BoundGradient::stop) element.last = std::nextafter(element.hi, T(0));
  }

  AUXBENCH_DEVICE Element at(std::size_t) const { return element; }
};

}  // namespace auxbench::fake_quant
