// Raw outputs of a RetinaNet for one image, made up: what its post-processing is timed on, since random weights give
// outputs that no trained detector gives. Torch-free.
#pragma once

#include <cstdint>
#include <vector>

#include "metrics/detection/postprocess.h"

namespace auxbench::bench {

// Of levels 3 to 7, [H, W, channels], as the integer engine has them.
struct RawOutputs {
  struct Level {
    LevelGrid grid;
    std::vector<float> classes, boxes;
  };
  std::vector<Level> levels;  // finest first

  // They look at this one's memory.
  [[nodiscard]] std::vector<LevelPrediction> predictions() const;
};

// padded: of the image, multiples of 32. Logits are drawn from [-9, -4) where there is nothing, far below the threshold, and
// from [-2.9, 3) where there is something; deltas from [-.5, .5).
//
//   crowded  around each of 100 objects 30 anchors of the level of its size say so, two in three of them of its class: as
//            many candidates as a trained detector finds in a full picture
//   full     on every level twice as many candidates as a level may keep, or one logit in a thousand where that is more,
//            anywhere and of any class: as much as post-processing can be given to do
RawOutputs crowded_outputs(const DetectorRules& rules, const Extent& padded, int64_t classes, uint64_t seed);
RawOutputs full_outputs(const DetectorRules& rules, const Extent& padded, int64_t classes, uint64_t seed);

}  // namespace auxbench::bench
