#include "reports/code_table.h"

#include <algorithm>

#include "base/format.h"

namespace auxbench {
namespace {

using nlohmann::json;

// Facts may have been written by anybody: what is missing, or of another type, is not there.
const json* part(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found == object.end() ? nullptr : &*found;
}

std::optional<double> number(const json* object, const char* key) {
  const auto* found = object == nullptr ? nullptr : part(*object, key);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::vector<const json*> layers_of(const Record& record) {
  std::vector<const json*> layers;
  const auto codes = record.facts.find("codes");
  if (codes == record.facts.end() || !codes->second.is_array()) return layers;
  for (const auto& layer : codes->second)
    if (const auto* name = part(layer, "layer"); name != nullptr && name->is_string()) layers.push_back(&layer);
  return layers;
}

std::string percent(const std::optional<double>& share) { return share ? number_text(100 * *share) + " %" : "-"; }

std::string count(const std::optional<double>& number) { return number ? number_text(*number, 0) : "-"; }

bool on_one_level(const json& layer) {
  const auto* activations = part(layer, "activations");
  const bool clips = number(activations, "levels").value_or(0) > 2;
  return number(activations, "most").value_or(0) >= kOnOneLevel ||
         (clips && number(activations, "beyond").value_or(0) >= kBeyondClip);
}

}  // namespace

CodeTable code_table(const Record& record) {
  CodeTable table;
  table.header = {"layer",           "levels of activations", "on one level", "on the top level",
                  "beyond the clip", "levels of weights",     "on one level", "on the outermost two"};
  for (const auto* layer : layers_of(record)) {
    const auto *activations = part(*layer, "activations"), *weights = part(*layer, "weights");
    table.rows.push_back({part(*layer, "layer")->get<std::string>(), count(number(activations, "levels")),
                          percent(number(activations, "most")), percent(number(activations, "top")),
                          percent(number(activations, "beyond")), count(number(weights, "levels")),
                          percent(number(weights, "most")), percent(number(weights, "ends"))});
  }
  return table;
}

std::string code_text(const Record& record) {
  const auto table = code_table(record);
  if (table.rows.empty()) return "no codes are recorded: the cell is full precision, or of an older version\n";
  std::vector<size_t> widths;
  for (size_t i = 0; i < table.header.size(); ++i) {
    widths.push_back(table.header[i].size());
    for (const auto& row : table.rows) widths[i] = std::max(widths[i], row[i].size());
  }
  const auto line = [&](std::vector<std::string> cells) {
    std::string text;
    for (size_t i = 0; i < cells.size(); ++i) {
      std::replace_if(
          cells[i].begin(), cells[i].end(), [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }, ' ');
      const std::string space(widths[i] - cells[i].size(), ' ');
      text += i == 0 ? cells[i] + space : "  " + space + cells[i];
    }
    return text;
  };
  const auto layers = layers_of(record);
  std::string text = line(table.header) + "\n";
  for (size_t i = 0; i < table.rows.size(); ++i)
    text += line(table.rows[i]) + (on_one_level(*layers[i]) ? "  <- on one level" : "") + "\n";
  return text;
}

std::optional<OnOneLevel> layers_on_one_level(const Record& record) {
  OnOneLevel found;
  for (const auto* layer : layers_of(record)) {
    const auto most = number(part(*layer, "activations"), "most");
    if (!most) continue;
    ++found.of;
    if (!on_one_level(*layer)) continue;
    if (found.layers++ == 0) found.first = part(*layer, "layer")->get<std::string>();
    found.most = std::max(found.most, *most);
    found.beyond = std::max(found.beyond, number(part(*layer, "activations"), "beyond").value_or(0));
  }
  return found.layers == 0 ? std::nullopt : std::optional(found);
}

}  // namespace auxbench
