#include "models/detector_weights.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "models/plain_names.h"

namespace auxbench {
namespace {

constexpr std::string_view kBody = "backbone.body.", kHead = "head.", kOwnTower = ".conv.p", kSharedTower = ".conv.";
constexpr std::string_view kNormCounter = ".num_batches_tracked";

bool is_detector(const NamedTensors& targets) {
  return targets.contains(std::string(kBody) + "conv1.weight") &&
         targets.contains("head.classification_head.cls_logits.weight");
}

// Names in which a classifier's begin where a detector has kBody before them.
std::set<std::string> names_of_body(const NamedTensors& targets) {
  std::set<std::string> names;
  for (const auto& [name, tensor] : targets)
    if (name.starts_with(kBody)) names.insert(name.substr(kBody.size()));
  return names;
}

SafeTensors backbone_alone(SafeTensors contents, const NamedTensors& targets, const std::set<std::string>& body) {
  std::map<std::string, SafeTensor> named;
  for (auto& [name, tensor] : contents.tensors) {
    if (name == "fc.weight" || name == "fc.bias") continue;
    // A counter goes with its norm, also where the norm counts nothing here: import_tensors passes over it.
    const bool counter = name.ends_with(kNormCounter);
    const auto norm = counter ? name.substr(0, name.size() - kNormCounter.size()) + ".running_var" : name;
    named[body.contains(norm) ? std::string(kBody) + name : name] = std::move(tensor);
  }
  for (const auto& [name, target] : targets)
    if (!name.starts_with(kBody)) named.emplace(name, to_safetensor(target));
  contents.tensors = std::move(named);
  return contents;
}

// "a.1.2.weight" without the 2.
std::optional<std::string> without_level(const std::string& name) {
  const auto last = name.rfind('.');
  const auto before = last == std::string::npos || last == 0 ? std::string::npos : name.rfind('.', last - 1);
  if (before == std::string::npos) return {};
  const auto level = std::string_view(name).substr(before + 1, last - before - 1);
  if (level.size() != 1 || level < "0" || level > "9") return {};
  return name.substr(0, before) + name.substr(last);
}

// What a tensor of a head may be called where levels share more than here, the closest first.
std::vector<std::string> names_when_shared(const std::string& name) {
  std::vector<std::string> names;
  if (const auto at = name.find(kOwnTower); at != std::string::npos) {
    const auto level = name.find('.', at + kOwnTower.size());
    const auto number = std::stoi(name.substr(at + kOwnTower.size()));
    const auto shared = name.substr(0, at) + std::string(kSharedTower) + name.substr(level + 1);
    constexpr int kFirstLevel = 3;
    const auto last = shared.rfind('.');
    names.push_back(shared.substr(0, last) + "." + std::to_string(number - kFirstLevel) + shared.substr(last));
    names.push_back(shared);
  } else if (const auto shared = without_level(name)) {
    names.push_back(*shared);
  }
  return names;
}

}  // namespace

SafeTensors as_detector_weights(SafeTensors contents, const NamedTensors& targets, const std::string& place) {
  if (!is_detector(targets)) return contents;
  const auto body = names_of_body(targets);
  auto wanted = body;
  for (const auto& [name, tensor] : targets) wanted.insert(name);
  contents = plain_names(std::move(contents), wanted, place);
  if (contents.tensors.contains("conv1.weight") && !contents.tensors.contains(std::string(kBody) + "conv1.weight"))
    return backbone_alone(std::move(contents), targets, body);
  std::set<std::string> used;
  for (const auto& [name, target] : targets) {
    if (!name.starts_with(kHead) || contents.tensors.contains(name)) continue;
    for (const auto& shared : names_when_shared(name)) {
      const auto found = contents.tensors.find(shared);
      if (found == contents.tensors.end() || targets.contains(shared)) continue;
      contents.tensors[name] = found->second;
      used.insert(shared);
      break;
    }
  }
  for (const auto& name : used) contents.tensors.erase(name);
  return contents;
}

}  // namespace auxbench
