#include "datasets/image/augment.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/check.h"
#include "base/error.h"

namespace auxbench {
namespace {

constexpr int kTries = 10;
constexpr double kSmallestArea = 0.08;
constexpr double kFlattest = 3.0 / 4.0;  // width / height
constexpr double kWidest = 4.0 / 3.0;
constexpr int64_t kPadFraction = 8;
constexpr int64_t kParts = 25, kLeastPart = 20;  // of the shorter side

int64_t rounded(double value) { return static_cast<int64_t>(std::nearbyint(value)); }

double between(double low, double high, RandomStream& stream) { return low + (high - low) * stream.uniform(); }

// One of 0 .. last.
int64_t up_to(int64_t last, RandomStream& stream) {
  return static_cast<int64_t>(stream.below(static_cast<uint64_t>(last) + 1));
}

Warp whole(int64_t height, int64_t width) {
  return {.top = 0, .left = 0, .height = height, .width = width, .shift_y = 0, .shift_x = 0, .mirrored = false};
}

// When no try fits: the largest box in the centre whose ratio is allowed.
Warp centre_crop(int64_t height, int64_t width) {
  Warp warp = whole(height, width);
  const double ratio = static_cast<double>(width) / static_cast<double>(height);
  if (ratio < kFlattest) warp.height = rounded(static_cast<double>(width) / kFlattest);
  if (ratio > kWidest) warp.width = rounded(static_cast<double>(height) * kWidest);
  warp.top = (height - warp.height) / 2;
  warp.left = (width - warp.width) / 2;
  return warp;
}

Warp random_resized_crop(int64_t height, int64_t width, RandomStream& stream) {
  const auto area = static_cast<double>(height * width);
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const double target = area * between(kSmallestArea, 1.0, stream);
    const double ratio = std::exp(between(std::log(kFlattest), std::log(kWidest), stream));
    Warp warp = whole(rounded(std::sqrt(target / ratio)), rounded(std::sqrt(target * ratio)));
    if (warp.height < 1 || warp.width < 1 || warp.height > height || warp.width > width) continue;
    warp.top = up_to(height - warp.height, stream);
    warp.left = up_to(width - warp.width, stream);
    return warp;
  }
  return centre_crop(height, width);
}

// Where one row or column of the result comes from.
struct Tap {
  size_t low = 0, high = 0;
  float weight = 0;  // of high
  bool inside = false;
};

struct Axis {
  int64_t extent, box_begin, box_extent, shift;
  bool mirrored;
};

std::vector<Tap> taps_of(const Axis& axis) {
  std::vector<Tap> taps(static_cast<size_t>(axis.extent));
  for (int64_t i = 0; i < axis.extent; ++i) {
    const int64_t enlarged = (axis.mirrored ? axis.extent - 1 - i : i) + axis.shift;
    if (enlarged < 0 || enlarged >= axis.extent) continue;
    const double centre = (static_cast<double>(enlarged) + 0.5) * static_cast<double>(axis.box_extent);
    const double position =
        std::clamp(centre / static_cast<double>(axis.extent) - 0.5, 0.0, static_cast<double>(axis.box_extent - 1));
    const auto low = static_cast<int64_t>(position);
    const auto high = std::min(low + 1, axis.box_extent - 1);
    taps[static_cast<size_t>(i)] = {.low = static_cast<size_t>(axis.box_begin + low),
                                    .high = static_cast<size_t>(axis.box_begin + high),
                                    .weight = static_cast<float>(position - static_cast<double>(low)),
                                    .inside = true};
  }
  return taps;
}

struct PlaneJob {
  const uint8_t* pixels;
  size_t height, width;
  const Levels& levels;
  float* out;
  size_t step;
};

void write_enlarged(const PlaneJob& job, const std::vector<Tap>& rows, const std::vector<Tap>& columns) {
  float* out = job.out;
  for (const auto& row : rows) {
    const uint8_t* upper = job.pixels + row.low * job.width;
    const uint8_t* lower = job.pixels + row.high * job.width;
    for (const auto& column : columns) {
      const auto along = [&](const uint8_t* line) {
        const float first = job.levels[line[column.low]];
        return first + column.weight * (job.levels[line[column.high]] - first);
      };
      const float above = along(upper);
      *out = row.inside && column.inside ? above + row.weight * (along(lower) - above) : job.levels[0];
      out += job.step;
    }
  }
}

// The common case, without a box: rows are copied through the table.
void write_shifted(const PlaneJob& job, const Warp& warp) {
  const auto height = static_cast<int64_t>(job.height), width = static_cast<int64_t>(job.width);
  const int64_t first = std::max<int64_t>(0, -warp.shift_x), last = std::min(width, width - warp.shift_x);
  for (int64_t y = 0; y < height; ++y) {
    float* out = job.out + static_cast<size_t>(y * width) * job.step;
    const int64_t from = y + warp.shift_y;
    const bool inside = from >= 0 && from < height;
    const auto target = [&](int64_t x) { return static_cast<size_t>(warp.mirrored ? width - 1 - x : x) * job.step; };
    if (!inside || first > 0 || last < width)
      for (int64_t x = 0; x < width; ++x) out[static_cast<size_t>(x) * job.step] = job.levels[0];
    if (!inside) continue;
    const uint8_t* line = job.pixels + from * width;
    for (int64_t x = first; x < last; ++x) out[target(x)] = job.levels[line[x + warp.shift_x]];
  }
}

}  // namespace

Augmentation parse_augmentation(std::span<const std::string> names) {
  Augmentation result;
  for (const auto& name : names) {
    if (name == "random-resized-crop")
      result.random_resized_crop = true;
    else if (name == "pad-crop")
      result.pad_crop = true;
    else if (name == "flip")
      result.flip = true;
    else if (name == "square-crop")
      result.square_crop = true;
    else if (name == "short-side")
      result.short_side = true;
    else
      throw UserError(
          ExitCode::invalid_suite,
          "augment: unknown \"" + name + "\", use random-resized-crop, pad-crop, square-crop, short-side or flip");
  }
  return result;
}

void refuse_short_side(const Augmentation& augmentation) {
  if (augmentation.short_side)
    throw UserError(ExitCode::invalid_suite, "augment: short-side is for images with boxes; these have one size");
}

Warp draw_warp(const Augmentation& augmentation, int64_t height, int64_t width, RandomStream& stream) {
  Warp warp = augmentation.random_resized_crop ? random_resized_crop(height, width, stream) : whole(height, width);
  if (augmentation.pad_crop) {
    const int64_t pad = std::max<int64_t>(1, height / kPadFraction);
    warp.shift_y = up_to(2 * pad, stream) - pad;
    warp.shift_x = up_to(2 * pad, stream) - pad;
  }
  if (augmentation.flip) warp.mirrored = stream.below(2) == 1;
  return warp;
}

int64_t draw_short_side(const Augmentation& augmentation, int64_t size, RandomStream& stream) {
  if (!augmentation.short_side) return size;
  const auto parts = kLeastPart + up_to(kParts - kLeastPart, stream);
  return std::max<int64_t>(1, (2 * size * parts + kParts) / (2 * kParts));
}

Levels normalisation_levels(float mean, float std) {
  AUXBENCH_CHECK(std > 0, "a standard deviation above zero");
  Levels levels{};
  for (size_t byte = 0; byte < levels.size(); ++byte) levels[byte] = (static_cast<float>(byte) / 255.0F - mean) / std;
  return levels;
}

void write_plane(std::span<const uint8_t> plane, int64_t height, int64_t width, const Warp& warp, const Levels& levels,
                 std::span<float> out, size_t step) {
  const auto size = static_cast<size_t>(height * width);
  AUXBENCH_CHECK(size > 0 && plane.size() == size && out.size() > (size - 1) * step, "planes of height x width");
  AUXBENCH_CHECK(warp.top >= 0 && warp.left >= 0 && warp.height > 0 && warp.width > 0 &&
                     warp.top + warp.height <= height && warp.left + warp.width <= width,
                 "a box inside the image");
  const PlaneJob job = {.pixels = plane.data(),
                        .height = static_cast<size_t>(height),
                        .width = static_cast<size_t>(width),
                        .levels = levels,
                        .out = out.data(),
                        .step = step};
  if (warp.height == height && warp.width == width) return write_shifted(job, warp);
  const Axis down = {
      .extent = height, .box_begin = warp.top, .box_extent = warp.height, .shift = warp.shift_y, .mirrored = false};
  const Axis across = {.extent = width,
                       .box_begin = warp.left,
                       .box_extent = warp.width,
                       .shift = warp.shift_x,
                       .mirrored = warp.mirrored};
  write_enlarged(job, taps_of(down), taps_of(across));
}

}  // namespace auxbench
