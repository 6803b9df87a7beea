// Uniform grids over an observed range: what min-max, percentile and MSE calibration share. For .cc files of this room.
//
//   n = 2^k - 1
//   activations  affine, per tensor; the range always reaches zero, and zero is exactly on the grid
//                s = (hi - lo)/n, z = round(-lo/s), q = s (clip(round(x/s) + z, 0, n) - z)
//   weights      symmetric, per output channel
//                s = max(-lo, hi) / (n/2), q = s clip(round(w/s), -2^(k-1), 2^(k-1) - 1)
//   dx = g inside the grid's ends, as LSQ's
//
// Weights are observed once. Activations are observed batch by batch: the first batch sets the range; after that it is
// widened to hold each batch's (average 0), or moves towards it: range <- average range + (1 - average) batch's.
// State: low, high. Settings: per_channel (1, weights), average (activations). Codes from -2^(k-1), or 0..n with an
// offset.
#pragma once

#include <functional>

#include "quantizers/quantizer.h"
#include "quantizers/settings.h"

namespace auxbench {

struct ObservedRange {
  at::Tensor low, high;  // [rows]
};

// The grid of a range: scale [rows], and for activations an offset, a whole multiple of the scale: -zero scale.
struct RangeGrid {
  at::Tensor scale, offset, zero;
};
RangeGrid grid_of(const ObservedRange& range, Role role, int bits);

// rows: [rows, numbers], all that share one range in a row. Returns finite ranges that hold zero.
using RangeSearch = std::function<ObservedRange(const at::Tensor& rows)>;

// Smallest and largest of each row, and zero.
ObservedRange full_range(const at::Tensor& rows);

// The ceil(share N)-th smallest of each row's N numbers. An order statistic does not add up: several processes
// (reduce.h) take the mean of theirs.
at::Tensor order_statistic(const at::Tensor& rows, double share);

// Reads the common settings from `reader`; `average` is the method's own default.
std::unique_ptr<Quantizer> make_observed_range(Role role, int bits, const RangeSearch& search, double average,
                                               SettingsReader& reader);

// For activations of methods that train: the range is the mean of those of the first `batches` tensors that are observed
// or seen in training, and from then on stays. Before them, in evaluation, the first tensor's own stands in. State: low,
// high, seen (how many tensors).
std::unique_ptr<Quantizer> make_calibrated_range(int bits, const RangeSearch& search, int64_t batches);

}  // namespace auxbench
