#include "models/plain_names.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace auxbench {
namespace {

// Without the words that wrappers of modules put into names. A name that the network has stays as it is.
std::string without_wrappers(const std::string& name, const std::set<std::string>& wanted) {
  constexpr std::array<std::string_view, 4> kWrappers = {"module", "_orig_mod", "_fsdp_wrapped_module",
                                                         "_checkpoint_wrapped_module"};
  if (wanted.contains(name)) return name;
  std::string plain;
  for (size_t begin = 0; begin <= name.size();) {
    const auto end = std::min(name.find('.', begin), name.size());
    const auto word = std::string_view(name).substr(begin, end - begin);
    // The last word is the tensor's own.
    if (end == name.size() || std::find(kWrappers.begin(), kWrappers.end(), word) == kWrappers.end())
      plain.append(word).append(end < name.size() ? "." : "");
    begin = end + 1;
  }
  return plain;
}

// How much of every name is words that all of them share before a name that the network has: "model." or "net.backbone.".
// 0 where no such words lead to one.
size_t shared_words(const std::map<std::string, SafeTensor>& tensors, const std::set<std::string>& wanted) {
  if (tensors.empty()) return 0;
  const auto& first = tensors.begin()->first;
  for (size_t length = 0;;) {
    if (std::any_of(tensors.begin(), tensors.end(),
                    [&](const auto& item) { return wanted.contains(item.first.substr(length)); }))
      return length;
    length = first.find('.', length) + 1;
    const auto words = first.substr(0, length);
    if (length == 0 || !std::all_of(tensors.begin(), tensors.end(), [&](const auto& item) {
          return item.first.starts_with(words) && item.first.size() > length;
        }))
      return 0;
  }
}

}  // namespace

SafeTensors plain_names(SafeTensors contents, const std::set<std::string>& wanted, const std::string& place) {
  std::map<std::string, SafeTensor> plain;
  for (auto& [name, tensor] : contents.tensors)
    if (const auto own = without_wrappers(name, wanted); !plain.emplace(own, std::move(tensor)).second)
      refuse_data(place, own + " is given twice, with and without a wrapper's name before it");
  if (const auto length = shared_words(plain, wanted); length > 0) {
    std::map<std::string, SafeTensor> shorter;
    for (auto& [name, tensor] : plain) shorter[name.substr(length)] = std::move(tensor);
    plain = std::move(shorter);
  }
  contents.tensors = std::move(plain);
  return contents;
}

}  // namespace auxbench
