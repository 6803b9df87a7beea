#include "runner/bench/kernel_suite.h"

#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "models/list/models.h"
#include "runner/plan/language.h"

namespace auxbench {
namespace {

using nlohmann::json;

constexpr int64_t kLargest = 1 << 20;  // of a size
constexpr int kMostRows = 10000;

struct Key {
  const char* name;
  enum class Type { string, strings, integer, integers, number, boolean, list, object } type;
  bool required = false;
  int64_t least = 0, most = kLargest;
};
using Type = Key::Type;

const std::vector<Key> kSuiteKeys = {{"$schema", Type::string},
                                     {"kind", Type::string, true},
                                     {"name", Type::string},
                                     {"title", Type::string},
                                     {"repetitions", Type::integer, false, 1, 1000},
                                     {"seconds", Type::number},
                                     {"cold_mib", Type::integer, false, 1, 65536},
                                     {"layers", Type::list},
                                     {"sets", Type::object},
                                     {"tables", Type::list, true}};
const std::vector<Key> kLayerKeys = {{"name", Type::string, true},        {"h", Type::integer, true, 1},
                                     {"w", Type::integer, true, 1},       {"c", Type::integer, true, 1},
                                     {"out", Type::integer, true, 1},     {"r", Type::integer, false, 1, 64},
                                     {"stride", Type::integer, false, 1}, {"pad", Type::integer, false, 0, 64}};
const std::vector<Key> kTableKeys = {{"id", Type::string, true},    {"title", Type::string},
                                     {"note", Type::string},        {"layers", Type::strings},
                                     {"networks", Type::strings},   {"image", Type::integer, false, 32, 4096},
                                     {"bits", Type::strings, true}, {"threads", Type::integers, false, 1, 1024},
                                     {"weights", Type::strings},    {"kernels", Type::strings},
                                     {"against", Type::strings},    {"plot", Type::boolean},
                                     {"on_request", Type::boolean}};

// The keys of one object, each there at most once and of its type.
class Checker {
 public:
  Checker(const LocatedJson& suite, const std::string& pointer) : suite_(suite), pointer_(pointer) {}

  void check(const json& value, const std::vector<Key>& keys) const {
    if (!value.is_object()) refuse_at(suite_, pointer_, "expected an object");
    std::vector<std::string> names;
    for (const auto& key : keys) names.emplace_back(key.name);
    for (const auto& [name, inner] : value.items()) {
      const auto found = std::find(names.begin(), names.end(), name);
      const auto child = child_pointer(pointer_, name);
      if (found == names.end()) refuse_at(suite_, child, "unknown key" + suggestion(name, names));
      check_value(child, inner, keys[static_cast<size_t>(found - names.begin())]);
    }
    for (const auto& key : keys)
      if (key.required && !value.contains(key.name)) refuse_at(suite_, pointer_, std::string("no ") + key.name);
  }

 private:
  void check_value(const std::string& pointer, const json& value, const Key& key) const {
    switch (key.type) {
      case Type::string:
        return expect(value.is_string(), pointer, "a string");
      case Type::boolean:
        return expect(value.is_boolean(), pointer, "true or false");
      case Type::object:
        return expect(value.is_object(), pointer, "an object");
      case Type::list:
        return expect(value.is_array(), pointer, "a list");
      case Type::integer:
        return check_integer(pointer, value, key);
      case Type::number:
        return expect(value.is_number() && value.get<double>() > 0 && value.get<double>() <= 60, pointer,
                      "a number of seconds above 0 and up to 60");
      case Type::strings:
      case Type::integers:
        expect(value.is_array() && !value.empty(), pointer, "a list that is not empty");
        for (size_t i = 0; i < value.size(); ++i) {
          const auto child = child_pointer(pointer, i);
          if (key.type == Type::integers)
            check_integer(child, value[i], key);
          else
            expect(value[i].is_string(), child, "a string");
        }
    }
  }

  void check_integer(const std::string& pointer, const json& value, const Key& key) const {
    expect(value.is_number_integer(), pointer, "a whole number");
    // Unsigned numbers beyond int64 are none that is allowed either.
    const auto number = value.get<double>();
    if (number < static_cast<double>(key.least) || number > static_cast<double>(key.most))
      refuse_at(
          suite_, pointer,
          "expected " + std::to_string(key.least) + " to " + std::to_string(key.most) + ", found " + value.dump());
  }

  void expect(bool holds, const std::string& pointer, const std::string& what) const {
    if (!holds) refuse_at(suite_, pointer, "expected " + what);
  }

  const LocatedJson& suite_;
  std::string pointer_;
};

template <typename List>
std::string joined(const List& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

struct Bits {
  int weight = 8, activation = 8;
};

class Reader {
 public:
  Reader(const LocatedJson& suite, const KernelSuiteRequest& request) : suite_(suite), request_(request) {}

  KernelSuite read(const std::string& stem) {
    const auto& root = suite_.value;
    Checker(suite_, "").check(root, kSuiteKeys);
    if (root.at("kind") != "kernels") refuse_at(suite_, "/kind", "expected kernels, found " + root.at("kind").dump());
    result_.name = root.value("name", stem);
    if (root.contains("name")) check_folder_name(suite_, "/name", result_.name);
    result_.title = root.value("title", result_.name);
    result_.repetitions = root.value("repetitions", result_.repetitions);
    result_.seconds = root.value("seconds", result_.seconds);
    result_.cold_mib = root.value("cold_mib", result_.cold_mib);
    if (root.contains("layers")) read_layers(root.at("layers"));
    if (root.contains("sets")) read_sets(root.at("sets"));
    const auto& tables = root.at("tables");
    if (tables.empty()) refuse_at(suite_, "/tables", "a suite needs a table");
    for (size_t i = 0; i < tables.size(); ++i) read_table(tables[i], child_pointer("/tables", i));
    if (result_.races.empty())
      throw UserError(ExitCode::usage, suite_.at("") + ": no rows are left" +
                                           (request_.only.empty() ? ": all tables are on request"
                                                                  : " after --only " + joined(request_.only)) +
                                           "; its tables: " + joined(ids_));
    return std::move(result_);
  }

 private:
  void read_layers(const json& list) {
    for (size_t i = 0; i < list.size(); ++i) {
      const auto pointer = child_pointer("/layers", i);
      const auto& value = list[i];
      Checker(suite_, pointer).check(value, kLayerKeys);
      const auto integer = [&](const char* key, int64_t otherwise) { return value.value(key, otherwise); };
      const ConvLayerSpec layer = {.name = value.at("name"),
                                   .h = integer("h", 0),
                                   .w = integer("w", 0),
                                   .c = integer("c", 0),
                                   .out = integer("out", 0),
                                   .r = integer("r", 1),
                                   .stride = integer("stride", 1),
                                   .pad = integer("pad", 0)};
      if (layer.name.empty() || layer.name.find('/') != std::string::npos)
        refuse_at(suite_, pointer + "/name", "a layer's name is not empty and has no slashes");
      if (layer.h + 2 * layer.pad < layer.r || layer.w + 2 * layer.pad < layer.r)
        refuse_at(suite_, pointer, "the kernel is larger than the padded image");
      if (!layers_.try_emplace(layer.name, layer).second)
        refuse_at(suite_, pointer + "/name", "a layer " + layer.name + " stands here already");
    }
  }

  void read_sets(const json& sets) {
    for (const auto& [name, list] : sets.items()) {
      const auto pointer = child_pointer("/sets", name);
      if (layers_.contains(name)) refuse_at(suite_, pointer, "a layer has this name");
      if (!list.is_array()) refuse_at(suite_, pointer, "expected a list of layers");
      for (size_t i = 0; i < list.size(); ++i) {
        const auto child = child_pointer(pointer, i);
        if (!list[i].is_string()) refuse_at(suite_, child, "expected a string");
        const auto word = list[i].get<std::string>();
        if (!layers_.contains(word)) refuse_at(suite_, child, "no layer " + word + suggestion(word, known_layers()));
        sets_[name].push_back(word);
      }
    }
  }

  [[nodiscard]] std::vector<std::string> known_layers() const {
    std::vector<std::string> names;
    for (const auto& [name, layer] : layers_) names.push_back(name);
    for (const auto& [name, list] : sets_) names.push_back(name);
    return names;
  }

  // The strings under `key`, each of `known`; `otherwise` where the table does not say.
  std::vector<std::string> words(const json& table, const std::string& pointer, const char* key,
                                 const std::string& what, const std::vector<std::string>& known,
                                 std::vector<std::string> otherwise) const {
    if (!table.contains(key)) return otherwise;
    const auto list = table.at(key).get<std::vector<std::string>>();
    for (size_t i = 0; i < list.size(); ++i)
      if (std::find(known.begin(), known.end(), list[i]) == known.end())
        refuse_at(suite_, child_pointer(child_pointer(pointer, key), i),
                  "unknown " + what + " " + list[i] + suggestion(list[i], known) + "; known: " + joined(known));
    return list;
  }

  [[nodiscard]] std::vector<Bits> bits_of(const json& table, const std::string& pointer) const {
    std::vector<Bits> found;
    const auto& list = table.at("bits");
    for (size_t i = 0; i < list.size(); ++i) {
      const auto word = list[i].get<std::string>();
      const bool formed = word.size() == 4 && word[0] == 'w' && word[2] == 'a' &&
                          std::string("12348").find(word[1]) != std::string::npos && word[3] >= '1' && word[3] <= '8';
      if (!formed)
        refuse_at(suite_, child_pointer(pointer + "/bits", i),
                  "unknown bits " + word + ", expected wWaA with W 1, 2, 3, 4 or 8 and A 1 to 8");
      found.push_back({word[1] - '0', word[3] - '0'});
    }
    return found;
  }

  void read_table(const json& value, const std::string& pointer) {
    Checker(suite_, pointer).check(value, kTableKeys);
    KernelTableSpec table = {.id = value.at("id"),
                             .title = value.value("title", value.at("id").get<std::string>()),
                             .note = value.value("note", std::string()),
                             .plot = value.value("plot", false)};
    if (std::find(ids_.begin(), ids_.end(), table.id) != ids_.end())
      refuse_at(suite_, pointer + "/id", "a table " + table.id + " stands here already");
    ids_.push_back(table.id);
    if (value.contains("layers") == value.contains("networks"))
      refuse_at(suite_, pointer, "a table has either layers or networks");
    const bool on_request = value.value("on_request", false);
    std::vector<int> threads = value.value("threads", std::vector<int>{1});
    if (request_.threads) threads = {*request_.threads};
    const auto bits = bits_of(value, pointer);
    if (value.contains("layers"))
      read_layer_table(value, pointer, bits, threads, on_request, table);
    else
      read_network_table(value, pointer, bits, threads, on_request, table);
    if (!table.rows.empty()) result_.tables.push_back(std::move(table));
  }

  void read_layer_table(const json& value, const std::string& pointer, const std::vector<Bits>& bits,
                        const std::vector<int>& threads, bool on_request, KernelTableSpec& table) {
    if (value.contains("image")) refuse_at(suite_, pointer + "/image", "is for networks");
    const auto places = words(value, pointer, "weights", "weights", {"hot", "cold"}, {"hot"});
    const auto kernels = words(value, pointer, "kernels", "kernel", request_.kernels, {});
    const std::vector<std::string> everyone(std::begin(kLayerOpponents), std::end(kLayerOpponents));
    const auto against = words(value, pointer, "against", "opponent", everyone, everyone);
    for (const auto& word : words(value, pointer, "layers", "layer", known_layers(), {})) {
      const auto set = sets_.find(word);
      const std::vector<std::string> names = set == sets_.end() ? std::vector{word} : set->second;
      for (const auto& layer : names)
        for (const int count : threads)
          for (const auto& place : places) {
            const KernelRace race = {.name = layer + "/" + std::to_string(count) + "t/" + place,
                                     .layer = layers_.at(layer),
                                     .threads = count,
                                     .cold = place == "cold",
                                     .against = against};
            const auto end = "/" + std::to_string(count) + "t/" + place;
            for (const auto& pair : bits) {
              const auto name = layer + "/" + bits_text(pair) + end;
              add({.name = name, .weight_bits = pair.weight, .activation_bits = pair.activation}, race, on_request,
                  table);
              for (const auto& kernel : kernels)
                add({.name = name + "/" + kernel,
                     .weight_bits = pair.weight,
                     .activation_bits = pair.activation,
                     .kernel = kernel},
                    race, on_request, table);
            }
          }
    }
  }

  void read_network_table(const json& value, const std::string& pointer, const std::vector<Bits>& bits,
                          const std::vector<int>& threads, bool on_request, KernelTableSpec& table) {
    for (const char* key : {"weights", "kernels", "against"})
      if (value.contains(key)) refuse_at(suite_, child_pointer(pointer, key), "is for layers");
    constexpr int64_t kUsual = 224;
    const auto image = value.value("image", kUsual);
    std::vector<std::string> known;
    for (const auto& model : kModels)
      if (model.exists && model.task == "classification") known.emplace_back(model.name);
    for (const auto& network : words(value, pointer, "networks", "network", known, {}))
      for (const int count : threads) {
        const auto title = network + (image == kUsual ? "" : "-" + std::to_string(image));
        const auto end = "/" + std::to_string(count) + "t";
        const KernelRace race = {.name = title + end, .network = network, .image = image, .threads = count};
        for (const auto& pair : bits)
          add({.name = title + "/" + bits_text(pair) + end,
               .weight_bits = pair.weight,
               .activation_bits = pair.activation},
              race, on_request, table);
      }
  }

  static std::string bits_text(const Bits& bits) {
    return "w" + std::to_string(bits.weight) + "a" + std::to_string(bits.activation);
  }

  [[nodiscard]] bool wanted(const std::string& row, const std::string& table, bool on_request) const {
    if (request_.only.empty()) return !on_request;
    return std::any_of(request_.only.begin(), request_.only.end(), [&](const std::string& glob) {
      return fnmatch(glob.c_str(), row.c_str(), 0) == 0 || fnmatch(glob.c_str(), table.c_str(), 0) == 0;
    });
  }

  // Puts the row into its race, which is made where there is none yet, once; and into the table.
  void add(const KernelRow& row, const KernelRace& like, bool on_request, KernelTableSpec& table) {
    if (!wanted(row.name, table.id, on_request)) return;
    if (std::find(table.rows.begin(), table.rows.end(), row.name) == table.rows.end()) table.rows.push_back(row.name);
    if (std::ssize(table.rows) > kMostRows) refuse_at(suite_, "", "more than " + std::to_string(kMostRows) + " rows");
    auto race = std::find_if(result_.races.begin(), result_.races.end(),
                             [&](const KernelRace& each) { return each.name == like.name; });
    if (race == result_.races.end()) race = result_.races.insert(race, like);
    for (const auto& opponent : like.against)
      if (std::find(race->against.begin(), race->against.end(), opponent) == race->against.end())
        race->against.push_back(opponent);
    if (std::none_of(race->rows.begin(), race->rows.end(),
                     [&](const KernelRow& each) { return each.name == row.name; }))
      race->rows.push_back(row);
  }

  const LocatedJson& suite_;
  const KernelSuiteRequest& request_;
  std::map<std::string, ConvLayerSpec> layers_;
  std::map<std::string, std::vector<std::string>> sets_;
  std::vector<std::string> ids_;
  KernelSuite result_;
};

}  // namespace

KernelSuite load_kernel_suite(const std::filesystem::path& path, const KernelSuiteRequest& request) {
  const auto suite = read_located(path);
  return Reader(suite, request).read(printable(path.stem().string()));
}

}  // namespace auxbench
