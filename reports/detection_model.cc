#include "reports/detection_model.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace auxbench {
namespace {

using nlohmann::json;

constexpr size_t kMostCategories = 1000;

bool is_percent(const json& value) {
  return value.is_number() && value.get<double>() >= 0 && value.get<double>() <= 100;
}

const json* list_in(const json& fact, const char* key) {
  const auto found = fact.find(key);
  return found != fact.end() && found->is_array() ? &*found : nullptr;
}

bool read_curve(const json& fact, const char* key, std::vector<double>& curve) {
  const auto* list = list_in(fact, key);
  if (list == nullptr || list->size() != kCurvePoints) return false;
  for (const auto& value : *list) {
    if (!is_percent(value)) return false;
    curve.push_back(value.get<double>());
  }
  return true;
}

bool read_categories(const json& fact, DetectionFacts& facts) {
  const auto *names = list_in(fact, "categories"), *ap = list_in(fact, "ap");
  if (names == nullptr || ap == nullptr || names->size() != ap->size() || names->size() > kMostCategories) return false;
  for (size_t i = 0; i < names->size(); ++i) {
    const auto &name = (*names)[i], &value = (*ap)[i];
    if (!name.is_string() || !(value.is_null() || is_percent(value))) return false;
    facts.categories.push_back(name.get<std::string>());
    facts.ap.push_back(value.is_null() ? std::nullopt : std::optional(value.get<double>()));
  }
  return true;
}

// The mean over the seen runs becomes the one over one more.
double next_mean(double mean, double value, int seen) { return mean + (value - mean) / (seen + 1); }

void add(const DetectionFacts& facts, DetectionLine& line) {
  if (line.runs == 0) {
    line.mean = facts;
    line.runs = 1;
    return;
  }
  for (size_t c = 0; c < facts.precision.size(); ++c)
    for (size_t i = 0; i < kCurvePoints; ++i)
      line.mean.precision[c][i] = next_mean(line.mean.precision[c][i], facts.precision[c][i], line.runs);
  // Runs of one data set have the same truths, so that all or none have the category's.
  for (size_t i = 0; i < facts.ap.size(); ++i) {
    auto& mean = line.mean.ap[i];
    mean = mean && facts.ap[i] ? std::optional(next_mean(*mean, *facts.ap[i], line.runs)) : std::nullopt;
  }
  ++line.runs;
}

DetectionPanel panel_of(const Table& table, const TableRow& row, const std::map<std::string, Record>& records) {
  DetectionPanel panel = {.table = table.title, .row = row.title, .reference = {}, .lines = {}};
  const std::vector<std::string>* categories = nullptr;
  std::vector<std::string> first;
  for (size_t i = 0; i < table.columns.size() && i < row.entries.size(); ++i) {
    DetectionLine line = {.column = table.columns[i].title, .place = i, .runs = 0, .mean = {}};
    for (const auto& id : row.entries[i].cells) {
      const auto record = records.find(id);
      if (record == records.end() || record->second.status != Status::completed) continue;
      const auto facts = detection_facts(record->second);
      if (!facts || (categories != nullptr && facts->categories != *categories)) continue;
      if (categories == nullptr) {
        first = facts->categories;
        categories = &first;
      }
      add(*facts, line);
    }
    if (line.runs == 0) continue;
    if (!panel.reference && table.columns[i].role == "full-precision") panel.reference = panel.lines.size();
    panel.lines.push_back(std::move(line));
  }
  return panel;
}

}  // namespace

std::optional<DetectionFacts> detection_facts(const Record& record) {
  const auto fact = record.facts.find("detection");
  if (fact == record.facts.end() || !fact->second.is_object()) return std::nullopt;
  DetectionFacts facts;
  if (!read_categories(fact->second, facts) || !read_curve(fact->second, "precision50", facts.precision[0]) ||
      !read_curve(fact->second, "precision75", facts.precision[1]))
    return std::nullopt;
  return facts;
}

std::vector<DetectionPanel> detection_panels(const Plan& plan, const std::map<std::string, Record>& records) {
  std::vector<DetectionPanel> panels;
  for (const auto& table : plan.tables)
    for (const auto& row : table.rows) {
      if (row.epoch) continue;  // records have them as they ended
      if (auto panel = panel_of(table, row, records); !panel.lines.empty()) panels.push_back(std::move(panel));
    }
  return panels;
}

std::optional<double> category_difference(const DetectionPanel& panel, const DetectionLine& line, size_t category) {
  if (!panel.reference) return std::nullopt;
  const auto &own = line.mean.ap[category], &full = panel.lines[*panel.reference].mean.ap[category];
  return own && full ? std::optional(*own - *full) : std::nullopt;
}

std::string title_with_runs(const DetectionLine& line) {
  return line.runs == 1 ? line.column : line.column + " (n = " + std::to_string(line.runs) + ")";
}

}  // namespace auxbench
