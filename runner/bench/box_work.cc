#include "runner/bench/box_work.h"

#include "base/check.h"
#include "runner/bench/figures.h"

namespace auxbench::bench {

BoxWork::BoxWork(const Extent& image, const Extent& padded, int64_t classes, uint64_t seed)
    : rules_(detector_rules("retinanet", "detectron2")), image_(image) {
  add("crowded", crowded_outputs(rules_, padded, classes, seed));
  add("full", full_outputs(rules_, padded, classes, seed));
}

void BoxWork::add(const std::string& name, RawOutputs outputs) {
  const size_t found = find_boxes(rules_, outputs.predictions(), image_, image_).size();
  kinds_.push_back({name, std::make_shared<const RawOutputs>(std::move(outputs)), found});
}

std::vector<Contestant> BoxWork::contestants() const {
  std::vector<Contestant> all;
  for (const auto& kind : kinds_)
    all.push_back({"boxes-" + kind.name, timed([outputs = kind.outputs, &rules = rules_, image = image_] {
                     find_boxes(rules, outputs->predictions(), image, image);
                   })});
  return all;
}

nlohmann::json BoxWork::beside(const std::vector<double>& own, const std::vector<std::vector<double>>& theirs) const {
  AUXBENCH_CHECK(theirs.size() == kinds_.size(), "the seconds of each contestant");
  auto entry = nlohmann::json::object();
  for (size_t i = 0; i < kinds_.size(); ++i) {
    std::vector<double> us, whole;
    for (size_t j = 0; j < own.size(); ++j) {
      us.push_back(1e6 * theirs[i].at(j));
      whole.push_back(theirs[i][j] + own[j]);
    }
    entry[kinds_[i].name] = {{"found", kinds_[i].found}, {"us", spread(us)}, {"share", paired(theirs[i], whole)}};
  }
  return entry;
}

}  // namespace auxbench::bench
