// Boxes are sorted once and taken best first; each is held against the boxes kept of its class alone, which lie in
// blocks of their own. What is tested are the pairs that the definition tests, so that no later box is looked at once
// `most` are kept.
#include "kernels/box_nms/box_nms.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "base/check.h"
#include "kernels/box_nms/kernel.h"

namespace auxbench::box_nms {
namespace {

// Falling scores as rising whole numbers; -0 and 0 are the same.
uint32_t rank_of(float score) {
  const auto bits = std::bit_cast<uint32_t>(score + 0.0F);
  return (bits >> 31) != 0 ? bits : bits ^ 0x7fffffffU;
}

// rank << 32 | index of the boxes that take part, ascending. By digits from the lowest: boxes of one rank stay in the
// order of their indices, in which they begin.
std::vector<uint64_t> sorted_keys(const Boxes& boxes) {
  constexpr int kDigit = 8, kDigits = 4;
  constexpr uint64_t kMask = (1U << kDigit) - 1;
  std::vector<uint64_t> keys;
  keys.reserve(boxes.scores.size());
  for (size_t i = 0; i < boxes.scores.size(); ++i)
    if (takes_part(boxes, i)) keys.push_back(uint64_t{rank_of(boxes.scores[i])} << 32 | i);
  std::array<std::array<size_t, kMask + 1>, kDigits> starts = {};
  for (const auto key : keys)
    for (int d = 0; d < kDigits; ++d) ++starts[static_cast<size_t>(d)][key >> (32 + d * kDigit) & kMask];
  std::vector<uint64_t> other(keys.size());
  for (int d = 0; d < kDigits; ++d) {
    auto& start = starts[static_cast<size_t>(d)];
    if (std::find(start.begin(), start.end(), keys.size()) != start.end()) continue;  // one digit for all
    size_t sum = 0;
    for (auto& count : start) sum += std::exchange(count, sum);
    for (const auto key : keys) other[start[key >> (32 + d * kDigit) & kMask]++] = key;
    keys.swap(other);
  }
  return keys;
}

// Classes as numbers from 0.
class ClassNumbers {
 public:
  explicit ClassNumbers(std::span<const int32_t> classes) {
    if (classes.empty()) return;
    const auto [least, most] = std::minmax_element(classes.begin(), classes.end());
    first_ = *least;
    const auto spread = static_cast<uint64_t>(int64_t{*most} - *least) + 1;
    if (spread <= 1024 + 4 * classes.size()) {
      count_ = spread;
      return;
    }
    distinct_.assign(classes.begin(), classes.end());
    std::sort(distinct_.begin(), distinct_.end());
    distinct_.erase(std::unique(distinct_.begin(), distinct_.end()), distinct_.end());
    count_ = distinct_.size();
  }

  [[nodiscard]] size_t count() const { return count_; }
  [[nodiscard]] size_t of(int32_t label) const {
    if (distinct_.empty()) return static_cast<size_t>(int64_t{label} - first_);
    return static_cast<size_t>(std::lower_bound(distinct_.begin(), distinct_.end(), label) - distinct_.begin());
  }

 private:
  int32_t first_ = 0;
  size_t count_ = 1;
  std::vector<int32_t> distinct_;  // where classes are far apart
};

// No box overlaps it: its right side is left of its left side by more than any box is wide.
Block empty_block() {
  constexpr float kFar = std::numeric_limits<float>::infinity();
  Block block;
  for (size_t i = 0; i < kLanes; ++i) {
    block.x0[i] = block.y0[i] = kFar;
    block.x1[i] = block.y1[i] = -kFar;
    block.area[i] = 0;
  }
  return block;
}

// The boxes kept of one class.
struct Kept {
  std::vector<Block> blocks;
  size_t count = 0;

  void add(const Candidate& box) {
    static const Block kEmpty = empty_block();
    const size_t lane = count++ % kLanes;
    if (lane == 0) blocks.push_back(kEmpty);
    auto& block = blocks.back();
    block.x0[lane] = box.x0;
    block.y0[lane] = box.y0;
    block.x1[lane] = box.x1;
    block.y1[lane] = box.y1;
    block.area[lane] = box.area;
  }
};

}  // namespace

void check_arguments(const Boxes& boxes, float threshold) {
  AUXBENCH_CHECK(boxes.corners.size() == 4 * boxes.scores.size(), "four corners a score");
  AUXBENCH_CHECK(boxes.classes.empty() || boxes.classes.size() == boxes.scores.size(), "a class a score");
  AUXBENCH_CHECK(threshold >= 0, "a threshold of at least 0");
}

bool takes_part(const Boxes& boxes, size_t index) {
  const float* box = &boxes.corners[4 * index];
  return !std::isnan(boxes.scores[index]) && std::isfinite(box[0]) && std::isfinite(box[1]) && std::isfinite(box[2]) &&
         std::isfinite(box[3]);
}

std::vector<uint32_t> nms_with(const Kernel& kernel, const Boxes& boxes, float threshold, size_t most) {
  check_arguments(boxes, threshold);
  AUXBENCH_CHECK(boxes.scores.size() <= std::numeric_limits<uint32_t>::max(), "fewer boxes than indices");
  const ClassNumbers numbers(boxes.classes);
  std::vector<Kept> kept_of(numbers.count());
  std::vector<uint32_t> kept;
  if (most == 0) return kept;
  for (const auto key : sorted_keys(boxes)) {
    const auto index = static_cast<uint32_t>(key);
    const float* corners = &boxes.corners[4 * size_t{index}];
    const Candidate box = {corners[0], corners[1], corners[2], corners[3],
                           (corners[2] - corners[0]) * (corners[3] - corners[1])};
    auto& rivals = kept_of[boxes.classes.empty() ? 0 : numbers.of(boxes.classes[index])];
    if (kernel.suppressed(rivals.blocks.data(), rivals.blocks.size(), box, threshold)) continue;
    kept.push_back(index);
    if (kept.size() == most) break;
    rivals.add(box);
  }
  return kept;
}

std::vector<uint32_t> nms(const Boxes& boxes, float threshold, size_t most, const Isa& isa) {
  const auto kernels = all_kernels();
  const auto best = std::find_if(kernels.begin(), kernels.end(), [&](const Kernel* k) { return k->runs_on(isa); });
  return nms_with(**best, boxes, threshold, most);
}

}  // namespace auxbench::box_nms
