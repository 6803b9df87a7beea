// COCO's numbers of a detector over a set of images, batch by batch; what it keeps is the boxes found.
#pragma once

#include <memory>

#include "metrics/detection/rules.h"
#include "runner/tasks/task.h"

namespace auxbench {

// Reads TensorBatch::infos and NetworkOutput::levels; images may be undefined. Boxes are cut off at each image's own
// borders, not its padding's, and scaled to the file's pixels. `images` has the truth; both must outlive it. Throws
// UserError(data_missing) where the truth has no box but crowds: nothing can be judged by it.
std::unique_ptr<Evaluator> make_detection_evaluator(const DetectorRules& rules, const ImageSource& images);

}  // namespace auxbench
