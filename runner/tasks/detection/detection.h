// Detection: boxes of things, by RetinaNet and FCOS as both flavours train and read them (metrics/detection/rules.h).
//
//   losses    "loss_class", "loss_box" and FCOS's "loss_centreness", weights 1 (detection_losses.h)
//   metrics   COCO's (metrics/coco_eval.h), in percent: "ap", "ap50", "ap75", "aps", "apm", "apl", "ar1", "ar10", "ar100";
//             one for which the truth has nothing to find is left out
//   outcomes  "detections" float32 [images, boxes, 6]: label, score, x0, y0, x1, y1 in the file's pixels, by falling
//             score, where boxes is what the flavour keeps of an image (100 | 300); rows without a box are -1
//   facts     "detection": {"categories": [names, by ascending id], "ap": [of each over all IoU thresholds, in percent, or
//             null without a truth], "precision50", "precision75": [at recalls 0, .01 .. 1, in percent, the mean over
//             categories]}, to a hundredth: what reports draw
#pragma once

#include "runner/tasks/task.h"

namespace auxbench {

const Task& detection();

}  // namespace auxbench
