#include "reports/category_table.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/format.h"

namespace auxbench {
namespace {

// Over the columns that have a difference; none where none has.
std::optional<double> mean_difference(const DetectionPanel& panel, size_t category) {
  double sum = 0;
  int count = 0;
  for (const auto& line : panel.lines) {
    if (&line == &panel.lines[*panel.reference]) continue;
    const auto difference = category_difference(panel, line, category);
    sum += difference.value_or(0);
    count += difference ? 1 : 0;
  }
  return count == 0 ? std::nullopt : std::optional(sum / count);
}

// Those that a table shows, in its order; `of` is how many there are.
std::vector<size_t> shown_categories(const DetectionPanel& panel, size_t& of) {
  std::vector<std::pair<double, size_t>> all;
  for (size_t i = 0; i < panel.lines.front().mean.ap.size(); ++i)
    if (const auto mean = mean_difference(panel, i)) all.emplace_back(*mean, i);
  of = all.size();
  if (of > kMostCategoryRows) {
    std::sort(all.begin(), all.end());
    all.erase(all.begin() + kEndCategories, all.end() - kEndCategories);
  }
  std::vector<size_t> shown;
  for (const auto& [mean, category] : all) shown.push_back(category);
  return shown;
}

CategoryTable table_of(const DetectionPanel& panel) {
  CategoryTable table = {.title = panel.table + ": " + panel.row, .header = {"category"}};
  const auto& full = panel.lines[*panel.reference];
  table.header.push_back(title_with_runs(full));
  for (const auto& line : panel.lines)
    if (&line != &full) table.header.push_back(title_with_runs(line));
  for (const auto category : shown_categories(panel, table.categories)) {
    std::vector<std::string> row = {full.mean.categories[category], number_text(full.mean.ap[category].value_or(0))};
    for (const auto& line : panel.lines) {
      if (&line == &full) continue;
      const auto difference = category_difference(panel, line, category);
      row.push_back(difference ? signed_text(*difference) : "-");
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace

std::vector<CategoryTable> category_tables(const std::vector<DetectionPanel>& panels) {
  std::vector<CategoryTable> tables;
  for (size_t i = 0; i < panels.size() && i < kMostPanels; ++i)
    if (panels[i].reference && panels[i].lines.size() > 1)
      if (auto table = table_of(panels[i]); !table.rows.empty()) tables.push_back(std::move(table));
  return tables;
}

}  // namespace auxbench
