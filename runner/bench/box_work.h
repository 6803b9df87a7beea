// What stands between a detector's raw outputs and its boxes (metrics/detection/postprocess.h), beside its network in one
// race: on outputs that are made up (raw_outputs.h), by Detectron2's rules of RetinaNet. One thread. Torch-free.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runner/bench/race.h"
#include "runner/bench/raw_outputs.h"

namespace auxbench::bench {

class BoxWork {
 public:
  // image: as the network sees it; padded: multiples of 32.
  BoxWork(const Extent& image, const Extent& padded, int64_t classes, uint64_t seed);

  // "boxes-crowded", "boxes-full". They may outlive this.
  [[nodiscard]] std::vector<Contestant> contestants() const;

  // Of a network that took `own` seconds in each repetition in which they took theirs, in their order:
  //   {"crowded": {"found": boxes, "us": spread, "share": spread of boxes / (network + boxes)}, "full": likewise}
  [[nodiscard]] nlohmann::json beside(const std::vector<double>& own,
                                      const std::vector<std::vector<double>>& theirs) const;

 private:
  struct Kind {
    std::string name;
    std::shared_ptr<const RawOutputs> outputs;
    size_t found;
  };
  void add(const std::string& name, RawOutputs outputs);

  const DetectorRules& rules_;
  Extent image_;
  std::vector<Kind> kinds_;
};

}  // namespace auxbench::bench
