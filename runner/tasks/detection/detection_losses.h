// The losses of RetinaNet and FCOS over a batch of N images:
//
//   loss_class       sum over anchors that are not ignored and classes of the focal loss
//   loss_box         sum over positive anchors of L1 between deltas (RetinaNet) or 1 - GIoU of the boxes (FCOS)
//   loss_centreness  sum over positive locations of the cross-entropy of the centre-ness (FCOS)
//
// each image's sum divided by (LossRules::normaliser, with p positive anchors in the batch, p_i in image i)
//
//   moving_average   n <- .9 n + .1 max(1, p), once a step, from 100 (RetinaNet) or 300 (FCOS)      (Detectron2)
//   image            N max(1, p_i)                                                       (torchvision's RetinaNet)
//   batch            max(1, p)                                                                (torchvision's FCOS)
//
// p counts the anchors of all levels: an output with some levels only answers for its own anchors, by the same divisor,
// so that the losses of its levels add up to those of the whole. A batch without any box has the classes' loss, and
// zeros, with gradients of zero, for the others. What is not finite in an output is not finite in its loss.
#pragma once

#include <memory>

#include "metrics/detection/rules.h"
#include "runner/tasks/task.h"

namespace auxbench {

// begin_step() assigns the targets and moves the average; losses() needs it before it. LogicFault for outputs of other
// sizes than the batch's. `rules` must outlive it. The average is the module's buffer "normaliser", float64 on the CPU.
std::unique_ptr<TaskLosses> make_detection_losses(const DetectorRules& rules, int64_t classes);

}  // namespace auxbench
