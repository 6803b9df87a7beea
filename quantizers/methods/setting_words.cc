#include "quantizers/methods/setting_words.h"

#include <algorithm>

namespace auxbench {

std::optional<double> WordSetting::number_of(const std::string& word) const {
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) return std::nullopt;
  return static_cast<double>(found - words.begin());
}

const std::string& WordSetting::word_of(double number) const { return words.at(static_cast<size_t>(number)); }

const std::vector<WordSetting>& word_settings() {
  static const std::vector<WordSetting> kSettings = {
#define SETTING(method, name, ...) {method, name, {__VA_ARGS__}},
#include "quantizers/methods/setting_words.inc"
#undef SETTING
  };
  return kSettings;
}

const WordSetting* find_word_setting(const std::string& method, const std::string& name) {
  for (const auto& setting : word_settings())
    if (setting.method == method && setting.name == name) return &setting;
  return nullptr;
}

}  // namespace auxbench
