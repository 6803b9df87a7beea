// Classification: one label an image.
//
//   loss     cross-entropy of the logits with the labels, mean over the batch
//   head     fc(mean over H, W of the map)
//   metrics  "top1", "top5" in percent (metrics/topk.h)
//   outcomes "predictions" int16 (the first choice), "in_top1", "in_top5" bool
#pragma once

#include "runner/tasks/task.h"

namespace auxbench {

const Task& classification();

}  // namespace auxbench
