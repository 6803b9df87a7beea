#include "runner/plan/language.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <string_view>

#include "base/check.h"
#include "base/error.h"
#include "base/files/canonical_json.h"
#include "base/text.h"
#include "quantizers/methods/setting_words.h"

namespace auxbench {
namespace {

using nlohmann::json;

// Thousands of cells of a plan are checked key by key: by a tree, not down the list.
const LanguageKey* find_key(const std::string& object, const std::string& key) {
  using Keys = std::map<std::string_view, const LanguageKey*>;
  static const std::map<std::string_view, Keys> kIndex = [] {
    std::map<std::string_view, Keys> index;
    for (const auto& entry : suite_language()) index[entry.object][entry.key] = &entry;
    return index;
  }();
  const auto keys = kIndex.find(object);
  if (keys == kIndex.end()) return nullptr;
  const auto found = keys->second.find(key);
  return found == keys->second.end() ? nullptr : found->second;
}

std::vector<std::string> keys_of(const std::string& object) {
  std::vector<std::string> keys;
  for (const auto& entry : suite_language())
    if (entry.object == object) keys.push_back(entry.key);
  return keys;
}

size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

const json& part(const LocatedJson& suite, const std::string& pointer) {
  return suite.value.at(json::json_pointer(pointer));
}

void check_string(const LocatedJson& suite, const std::string& pointer, const LanguageKey& key, const json& value) {
  if (!value.is_string()) refuse_at(suite, pointer, "expected a string");
  const auto word = value.get<std::string>();
  if (!key.values.empty() && std::find(key.values.begin(), key.values.end(), word) == key.values.end())
    refuse_at(suite, pointer, "unknown " + key.key + " " + value.dump() + suggestion(word, key.values));
}

void check_number(const LocatedJson& suite, const std::string& pointer, const LanguageKey& key, const json& value,
                  bool whole) {
  if (whole ? !value.is_number_integer() : !value.is_number())
    refuse_at(suite, pointer, whole ? "expected a whole number" : "expected a number");
  if (value.get<double>() < key.least)
    refuse_at(suite, pointer, "expected at least " + json(key.least).dump() + ", found " + value.dump());
  const double most = whole ? std::min<double>(key.most, kLargestWhole) : key.most;
  if (value.get<double>() > most)
    refuse_at(suite, pointer, "expected at most " + canonical_json(most) + ", found " + value.dump());
}

bool is_bit_width(const std::string& key) { return key == "weight_bits" || key == "activation_bits"; }

void check_value(const LocatedJson& suite, const std::string& pointer, const LanguageKey& key, const json& value);

void check_settings(const LocatedJson& suite, const std::string& pointer, const LanguageKey& key, const json& value) {
  if (!value.is_object()) refuse_at(suite, pointer, "expected an object of names and numbers");
  for (const auto& [name, number] : value.items()) {
    const auto child = child_pointer(pointer, name);
    if (!key.values.empty() && std::find(key.values.begin(), key.values.end(), name) == key.values.end())
      refuse_at(suite, child, "unknown setting" + suggestion(name, key.values));
    if (!number.is_number()) refuse_at(suite, child, "expected a number");
  }
}

// The words that some method knows for a setting; none where it is a number.
std::vector<std::string> words_of(const std::string& name) {
  std::vector<std::string> words;
  for (const auto& setting : word_settings())
    if (setting.name == name) words.insert(words.end(), setting.words.begin(), setting.words.end());
  return words;
}

// A setting that takes a number. A word that another setting knows may mean that one.
void check_setting_number(const LocatedJson& suite, const std::string& pointer, const std::string& name,
                          const json& value) {
  if (value.is_number()) return;
  std::vector<std::string> names;
  for (const auto& setting : word_settings())
    if (value.is_string() && setting.number_of(value.get<std::string>())) names.push_back(setting.name);
  refuse_at(suite, pointer, "expected a number" + suggestion(name, names));
}

void check_quantizer_settings(const LocatedJson& suite, const std::string& pointer, const json& value) {
  if (!value.is_object()) refuse_at(suite, pointer, "expected an object of names, and numbers or words");
  for (const auto& [name, setting] : value.items()) {
    const auto child = child_pointer(pointer, name);
    const auto words = words_of(name);
    if (words.empty()) {
      check_setting_number(suite, child, name, setting);
      continue;
    }
    std::string all;
    for (const auto& word : words) all += (all.empty() ? "" : ", ") + word;
    if (!setting.is_string()) refuse_at(suite, child, "expected a word: " + all);
    const auto word = setting.get<std::string>();
    if (std::find(words.begin(), words.end(), word) == words.end()) {
      const auto near = suggestion(word, words);
      refuse_at(suite, child, "unknown " + name + " " + setting.dump() + (near.empty() ? ", known are " + all : near));
    }
  }
}

void check_list(const LocatedJson& suite, const std::string& pointer, const LanguageKey& key, const json& value,
                const std::string& type) {
  if (!value.is_array()) refuse_at(suite, pointer, "expected a list");
  const LanguageKey element = {key.object, key.key, type, key.values, key.least, key.most};
  for (size_t i = 0; i < value.size(); ++i) check_value(suite, child_pointer(pointer, i), element, value[i]);
}

void check_value(const LocatedJson& suite, const std::string& pointer, const LanguageKey& key, const json& value) {
  const auto& type = key.type;
  if (type == "string") {
    check_string(suite, pointer, key, value);
  } else if (type == "boolean") {
    if (!value.is_boolean()) refuse_at(suite, pointer, "expected true or false");
  } else if (type == "integer") {
    check_number(suite, pointer, key, value, true);
    if (is_bit_width(key.key) && value.get<int64_t>() > 8 && value.get<int64_t>() != 32)
      refuse_at(suite, pointer, "expected 1 to 8 bits, or 32 for full precision, found " + value.dump());
  } else if (type == "number") {
    check_number(suite, pointer, key, value, false);
  } else if (type == "strings" || type == "integers" || type == "numbers") {
    check_list(suite, pointer, key, value, type.substr(0, type.size() - 1));
  } else if (type.ends_with("[]")) {
    check_list(suite, pointer, key, value, type.substr(0, type.size() - 2));
  } else if (type == "object") {
    if (!value.is_object()) refuse_at(suite, pointer, "expected an object");
  } else if (type == "settings") {
    check_settings(suite, pointer, key, value);
  } else if (type == "quantizer settings") {
    check_quantizer_settings(suite, pointer, value);
  } else if (type == "any" || (type == "stage" && value.is_null())) {
    return;  // null: no such stage
  } else {
    check_object(suite, pointer, type);
  }
}

}  // namespace

const std::vector<std::string>& words_of(const std::string& object, const std::string& key) {
  const auto* entry = find_key(object, key);
  AUXBENCH_CHECK(entry != nullptr && !entry->values.empty(), "a key with words, not " + object + "." + key);
  return entry->values;
}

void refuse_at(const LocatedJson& suite, const std::string& pointer, const std::string& what) {
  throw UserError(ExitCode::invalid_suite, suite.at(pointer) + ": " + what);
}

std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
  const auto nearest = std::min_element(known.begin(), known.end(), [&](const auto& a, const auto& b) {
    return edit_distance(word, a) < edit_distance(word, b);
  });
  if (nearest == known.end() || edit_distance(word, *nearest) > std::max<size_t>(2, word.size() / 3)) return {};
  return ", did you mean " + *nearest + "?";
}

void check_object(const LocatedJson& suite, const std::string& pointer, const std::string& object) {
  const auto& value = part(suite, pointer);
  if (!value.is_object()) refuse_at(suite, pointer, "expected an object");
  for (const auto& [key, inner] : value.items()) {
    const auto child = child_pointer(pointer, key);
    const auto* entry = find_key(object, key);
    if (entry == nullptr) refuse_at(suite, child, "unknown key" + suggestion(key, keys_of(object)));
    check_value(suite, child, *entry, inner);
  }
}

void check_folder_name(const LocatedJson& suite, const std::string& pointer, const std::string& name) {
  constexpr size_t kLongest = 100;
  const bool fits = !name.empty() && name.size() <= kLongest && name != "." && name != ".." &&
                    name.find_first_of("/\\") == std::string::npos && printable(name) == name;
  if (!fits)
    refuse_at(
        suite, pointer,
        "names a folder: expected 1 to " + std::to_string(kLongest) + " bytes, no slashes, no control characters");
}

void check_cell_key(const LocatedJson& suite, const std::string& pointer, const std::string& key) {
  if (find_key("cell", key) == nullptr) refuse_at(suite, pointer, "unknown key" + suggestion(key, keys_of("cell")));
}

void check_cell_value(const LocatedJson& suite, const std::string& pointer, const std::string& key) {
  check_cell_key(suite, pointer, key);
  check_value(suite, pointer, *find_key("cell", key), part(suite, pointer));
}

}  // namespace auxbench
