#include "aux/detector_module_weights.h"

#include <optional>
#include <set>
#include <string_view>

namespace auxbench {
namespace {

// "heads.classes.p3.stem.conv.weight" without the level.
std::optional<std::string> shared_name(const std::string& name) {
  for (const std::string_view tower : {"heads.classes.", "heads.boxes."}) {
    if (!name.starts_with(tower)) continue;
    const auto end = name.find('.', tower.size());
    const auto level = std::string_view(name).substr(tower.size(), end - tower.size());
    if (level.size() == 2 && level[0] == 'p') return std::string(tower) + name.substr(end + 1);
  }
  return {};
}

}  // namespace

SafeTensors as_detector_module(SafeTensors contents, const NamedTensors& targets) {
  std::set<std::string> used;
  for (const auto& [name, target] : targets) {
    const auto shared = contents.tensors.contains(name) ? std::nullopt : shared_name(name);
    const auto found = shared ? contents.tensors.find(*shared) : contents.tensors.end();
    if (found == contents.tensors.end()) continue;
    contents.tensors[name] = found->second;
    used.insert(*shared);
  }
  for (const auto& name : used) contents.tensors.erase(name);
  return contents;
}

}  // namespace auxbench
