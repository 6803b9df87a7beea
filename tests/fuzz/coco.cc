// COCO's two JSON formats. An input is a ground truth, then, after a NUL, its detections. Those that were read are
// written and read back as the same, and every number of the evaluation is one.
#include <algorithm>

#include "metrics/coco_json.h"
#include "tests/fuzz/target.h"

using namespace auxbench;

namespace {

bool same(const CocoBox& a, const CocoBox& b) { return a.x == b.x && a.y == b.y && a.w == b.w && a.h == b.h; }

bool same(const std::vector<CocoDetection>& left, const std::vector<CocoDetection>& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](const auto& a, const auto& b) {
    return a.image == b.image && a.category == b.category && same(a.box, b.box) && a.score == b.score;
  });
}

bool is_share(double number) { return number == -1 || (number >= 0 && number <= 1); }

std::vector<CocoDetection> detections_of(std::string_view text, const CocoTruth& truth) {
  return parse_coco_detections(text, "detections", truth);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto text = fuzz::text_of(data, size);
  const auto end = text.find('\0');
  fuzz::may_refuse(ExitCode::data_missing, [&] {
    const auto truth = parse_coco_truth(text.substr(0, end), "truth");
    const auto read = detections_of(end == std::string_view::npos ? "[]" : text.substr(end + 1), truth);
    AUXBENCH_CHECK(same(detections_of(coco_detections_json(read), truth), read), "the detections that were written");
    const auto numbers = evaluate_coco(truth, read).numbers;
    AUXBENCH_CHECK(std::all_of(numbers.begin(), numbers.end(), is_share), "numbers in [0, 1], or -1");
  });
  return 0;
}
