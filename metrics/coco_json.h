// COCO's two JSON formats: instances ("images", "annotations", "categories") and detection results (a list of
// {"image_id", "category_id", "bbox": [x, y, w, h], "score"}).
//
// Read as a stream: a file of any size costs no more memory than its boxes, and what is not needed here (segments,
// licences) is passed over. Refused with exit code 4, as "FILE: /annotations/17/bbox: WHAT": what is not JSON or is
// nested more than 64 deep; a missing or mistyped field; a size below zero, a number that is not finite; an id that
// comes twice; an annotation of an image or category that the file does not have. Boxes may reach beyond their image:
// COCO's own do.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "metrics/coco_eval.h"

namespace auxbench {

CocoTruth read_coco_truth(const std::filesystem::path& path);

// Detections of images that `truth` does not have are refused: they belong to another data set.
std::vector<CocoDetection> read_coco_detections(const std::filesystem::path& path, const CocoTruth& truth);

// The same from a stream; `place` stands for the file in messages.
CocoTruth parse_coco_truth(std::istream& file, const std::string& place);
std::vector<CocoDetection> parse_coco_detections(std::istream& file, const std::string& place, const CocoTruth& truth);

// The same format again, one detection a line; numbers read back as they are.
std::string coco_detections_json(const std::vector<CocoDetection>& detections);

}  // namespace auxbench
