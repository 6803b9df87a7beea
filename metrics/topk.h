// Top-k classification accuracy, image by image.
//
// An image counts when its label is among the k largest logits. Ties go to the lower class index. A NaN logit is
// smaller than every number, and an image whose label's logit is NaN never counts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace auxbench {

struct TopK {
  std::vector<int64_t> predictions;  // first choice per image; -1 when every logit is NaN
  std::vector<bool> top1, top5;      // per image
};

// logits: images x classes, row-major. labels: one per image, in [0, classes). Appends to `result`.
void add_topk(std::span<const float> logits, std::span<const int64_t> labels, int64_t classes, TopK& result);

// Share of true in percent; 0 for none at all.
double percent(const std::vector<bool>& hits);

}  // namespace auxbench
