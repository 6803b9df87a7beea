// What each anchor of a batch is to find: worked out once a step, over all levels, and looked up by every output that is
// judged in it.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "metrics/detection/matcher.h"
#include "runner/tasks/task.h"

namespace auxbench {

// All on the CPU. P anchors of the level are positive: image by image, by place, then by anchor.
struct LevelTargets {
  LevelGrid grid;
  at::Tensor labels;                // [N, A, H W] int64: a class, kBackground or kIgnored
  at::Tensor image, anchor, place;  // [P] int64: where the positive ones are
  at::Tensor anchors, truths;       // [P, 4] double: corners
  at::Tensor codes;                 // [P, 4] double: the truths as outputs (coder.h)
  at::Tensor centreness;            // [P] double; of points alone
};

struct DetectionTargets {
  std::vector<LevelTargets> levels;  // finest first
  std::vector<int64_t> positives;    // anchors, of each image

  // LogicFault for a level that the pyramid has not.
  [[nodiscard]] const LevelTargets& level(int64_t number) const;
};

// padded: of the batch. Boxes may be none, may lie on each other, may be more than anchors (matcher.h says what becomes of
// them). LogicFault for a class outside [0, classes).
DetectionTargets assign_targets(const DetectorRules& rules, int64_t classes, const Extent& padded,
                                const Targets& targets);

}  // namespace auxbench
