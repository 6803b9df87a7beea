// COCO's two JSON formats: instances ("images", "annotations", "categories") and detection results (a list of
// {"image_id", "category_id", "bbox": [x, y, w, h], "score"}).
//
// Of a row only the fields that evaluation needs are looked at: the others may hold anything. What Python's json module
// reads is read alike: of two keys with one name the later counts, 3.0 is the whole number 3, NaN and infinities are
// allowed where nothing is needed (odd_json.h).
//
// Refused with exit code 4: what is not JSON, as "FILE:LINE:COLUMN: WHAT"; what is nested more than 64 deep or larger
// than 4 GiB; and as "FILE: /annotations/17/bbox: WHAT" a needed field that is missing or mistyped, a size below zero,
// an id that comes twice, an annotation of an image or category that the file does not have. Boxes may reach beyond
// their image: COCO's own do.
//
// A file is parsed as a whole (simdjson): memory grows with its size, to 5 times that of COCO's own files and 13 times
// that of the worst ones, until the rows are taken out.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/coco_eval.h"

namespace auxbench {

CocoTruth read_coco_truth(const std::filesystem::path& path);

// Detections of images that `truth` does not have are refused: they belong to another data set.
std::vector<CocoDetection> read_coco_detections(const std::filesystem::path& path, const CocoTruth& truth);

// The same from text; `place` stands for the file in messages.
CocoTruth parse_coco_truth(std::string_view text, const std::string& place);
std::vector<CocoDetection> parse_coco_detections(std::string_view text, const std::string& place,
                                                 const CocoTruth& truth);

// The same format again, one detection a line; numbers read back as they are.
std::string coco_detections_json(const std::vector<CocoDetection>& detections);

}  // namespace auxbench
