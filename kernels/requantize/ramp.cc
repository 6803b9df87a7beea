// Lines in the plane of x = acc ^ flip and code: which of them thresholds leave, and what is left of one in float.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/check.h"
#include "kernels/requantize/requantize.h"

namespace auxbench::requantize {
namespace {

struct Point {
  double x, height;
};

// What a line must not be above, and must not be below: between them its codes are those of the thresholds.
struct Gates {
  std::vector<Point> ceilings, floors;
};

struct Line {
  double slope = 0, offset = 0;
};

// Threshold j at T: code j - 1 at x = T - 1 and code j at T, where these are accumulators that can come.
Gates gates_of(const Thresholds& thresholds, int64_t padded, int64_t channel, int64_t lowest, int64_t highest) {
  Gates gates;
  for (int32_t j = 1; j <= thresholds.count; ++j) {
    const int64_t t = thresholds.values[static_cast<size_t>((j - 1) * padded + channel)];
    const double height = j - 0.5;
    if (t > lowest) gates.ceilings.push_back({static_cast<double>(std::min(t - 1, highest)), height});
    if (t <= highest) gates.floors.push_back({static_cast<double>(std::max(t, lowest)), height});
  }
  return gates;
}

// The slopes of lines below all ceilings and above all floors lie between these, if there are any.
std::pair<double, double> slopes_of(const Gates& gates) {
  double least = 0, most = std::numeric_limits<double>::infinity();
  for (const auto& ceiling : gates.ceilings)
    for (const auto& floor : gates.floors) {
      const double run = ceiling.x - floor.x, rise = ceiling.height - floor.height;
      if (run > 0) most = std::min(most, rise / run);
      if (run < 0) least = std::max(least, rise / run);
      if (run == 0 && rise <= 0) most = -1;
    }
  // A single step: any slope that turns a code from one accumulator to the next will do.
  return {least, std::isinf(most) ? least + 1 : most};
}

// Room of the line of this slope between what is above and below it, and its offset.
std::pair<double, double> room(const Gates& gates, double slope) {
  double above = std::numeric_limits<double>::infinity(), below = -above;
  for (const auto& ceiling : gates.ceilings) above = std::min(above, ceiling.height - slope * ceiling.x);
  for (const auto& floor : gates.floors) below = std::max(below, floor.height - slope * floor.x);
  if (std::isinf(above)) above = below + 1;
  if (std::isinf(below)) below = above - 1;
  return {above - below, (above + below) / 2};
}

// Room is a concave function of the slope. Golden sections would need fewer steps; these are few enough.
Line widest(const Gates& gates, double least, double most) {
  constexpr int kSteps = 60;
  for (int i = 0; i < kSteps; ++i) {
    const double a = least + (most - least) / 3, b = most - (most - least) / 3;
    if (room(gates, a).first < room(gates, b).first)
      least = a;
    else
      most = b;
  }
  const double slope = (least + most) / 2;
  return {slope, room(gates, slope).second};
}

// Whether the ramp has the codes asked for on both sides of every threshold, and stays an int32 at the ends.
bool agrees(const Epilogue& ramp, const Gates& gates, int32_t flip, int64_t channel, int64_t lowest, int64_t highest) {
  const auto acc = [flip](double x) { return static_cast<int32_t>(static_cast<int64_t>(x) ^ flip); };
  constexpr double kEnd = 1 << 30;
  for (const int64_t x : {lowest, highest}) {
    const double v = static_cast<double>(ramp.slope[channel]) * static_cast<double>(acc(static_cast<double>(x))) +
                     static_cast<double>(ramp.offset[channel]);
    if (!(std::abs(v) < kEnd)) return false;
  }
  const auto code = [&](const Point& point) { return code_of(ramp, acc(point.x), channel, 0); };
  return std::all_of(gates.ceilings.begin(), gates.ceilings.end(), [&](auto& p) { return code(p) < p.height; }) &&
         std::all_of(gates.floors.begin(), gates.floors.end(), [&](auto& p) { return code(p) > p.height; });
}

}  // namespace

bool find_ramp(const Thresholds& thresholds, int64_t channels, int32_t bound, Ramp& found) {
  AUXBENCH_CHECK(thresholds.count >= 0 && thresholds.count <= 255, "codes of a byte");
  const int64_t padded = padded_channels(channels), blocks = padded / kChannelBlock;
  Ramp made = {.slope = std::vector<float>(static_cast<size_t>(padded)),
               .offset = std::vector<float>(static_cast<size_t>(padded)),
               .ramped = std::vector<uint8_t>(static_cast<size_t>(blocks), 1)};
  Epilogue ramp = {.channels = channels, .count = thresholds.count};
  ramp.slope = made.slope.data();
  ramp.offset = made.offset.data();
  int64_t without = 0;
  for (int64_t channel = 0; channel < channels && 2 * without <= blocks; ++channel) {
    auto& ramped = made.ramped[static_cast<size_t>(channel / kChannelBlock)];
    if (ramped == 0) continue;
    const auto c = static_cast<size_t>(channel);
    const int32_t flip = thresholds.flip[c];
    const int64_t lowest = -int64_t{bound} + flip, highest = int64_t{bound} + flip;
    const auto gates = gates_of(thresholds, padded, channel, lowest, highest);
    const auto [least, most] = slopes_of(gates);
    const auto line = widest(gates, least, std::max(least, most));
    // x = -acc - 1 where the code falls
    made.slope[c] = static_cast<float>(flip == 0 ? line.slope : -line.slope);
    made.offset[c] = static_cast<float>(flip == 0 ? line.offset : line.offset - line.slope);
    if (least <= most && agrees(ramp, gates, flip, channel, lowest, highest)) continue;
    ramped = 0;
    ++without;
  }
  if (2 * without > blocks) return false;
  found = std::move(made);
  return true;
}

}  // namespace auxbench::requantize
