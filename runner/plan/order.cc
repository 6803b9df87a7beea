#include "runner/plan/order.h"

#include <algorithm>
#include <set>
#include <string>

#include "runner/plan/axes.h"
#include "runner/plan/expand.h"
#include "runner/plan/language.h"

namespace auxbench {
namespace {

using nlohmann::json;

using Keys = std::set<std::string>;

const json& steps_of(const LocatedJson& suite) {
  static const json kNone = json::array();
  return suite.value.contains("order") ? suite.value.at("order") : kNone;
}

constexpr size_t kMostSteps = 100;

void add_entry(const TableEntry& entry, Keys& keys) { keys.insert(entry.cells.begin(), entry.cells.end()); }

// Cells of the claim's rows: of its column, of the one it is held against, of the baseline column and of full precision.
void add_claim(const Claim& claim, const Table& table, Keys& keys) {
  const auto against = column_against(claim, table);
  for (const auto& row : table.rows) {
    if (!claim.row.empty() && row.title != claim.row) continue;
    for (size_t i = 0; i < table.columns.size(); ++i) {
      const auto& column = table.columns[i];
      if (i == against || column.id == claim.column || column.role == "baseline" || column.role == "full-precision")
        add_entry(row.entries[i], keys);
    }
  }
}

// One step, ready to be asked.
class Step {
 public:
  Step(const json& step, const std::vector<Table>& tables, const std::vector<Claim>& claims) : step_(step) {
    by_claims_ = step.value("claims", false);
    if (step.contains("tables")) wanted_ = step.at("tables").get<std::vector<std::string>>();
    for (const auto& table : tables)
      if (names(table.id) && !by_claims_)
        for (const auto& row : table.rows)
          for (const auto& entry : row.entries) add_entry(entry, keys_);
    if (!by_claims_) return;
    for (const auto& claim : claims)
      for (const auto& table : tables)
        if (table.id == claim.table && (wanted_.empty() || names(table.id))) add_claim(claim, table, keys_);
  }

  [[nodiscard]] bool takes(const TieredCell& cell, size_t seed) const {
    if (step_.contains("seeds")) {
      const auto& seeds = step_.at("seeds");
      if (std::find(seeds.begin(), seeds.end(), json(cell.seeds[seed].seed)) == seeds.end()) return false;
    }
    if (step_.contains("where") && !matches(cell.written->axes, cell.written->groups, step_.at("where"))) return false;
    return (!by_claims_ && wanted_.empty()) || keys_.contains(cell.keys[seed]);
  }

 private:
  [[nodiscard]] bool names(const std::string& table) const {
    return std::find(wanted_.begin(), wanted_.end(), table) != wanted_.end();
  }

  const json& step_;
  bool by_claims_ = false;
  std::vector<std::string> wanted_;  // tables
  Keys keys_;
};

}  // namespace

void check_order(const LocatedJson& suite) {
  std::vector<std::string> ids;
  if (suite.value.contains("tables"))
    for (const auto& table : suite.value.at("tables"))
      if (table.contains("id")) ids.push_back(table.at("id").get<std::string>());
  const auto& steps = steps_of(suite);
  if (steps.size() > kMostSteps) refuse_at(suite, "/order", "more than " + std::to_string(kMostSteps) + " steps");
  for (size_t i = 0; i < steps.size(); ++i) {
    const auto pointer = child_pointer("/order", i);
    if (steps[i].empty()) refuse_at(suite, pointer, "a step names cells: by tables, claims, where or seeds");
    if (steps[i].contains("where")) check_match(suite, pointer + "/where");
    if (!steps[i].contains("tables")) continue;
    const auto& tables = steps[i].at("tables");
    for (size_t j = 0; j < tables.size(); ++j) {
      const auto id = tables[j].get<std::string>();
      if (std::find(ids.begin(), ids.end(), id) == ids.end())
        refuse_at(suite, child_pointer(pointer + "/tables", j), "no table " + id + suggestion(id, ids));
    }
  }
}

std::vector<CellPlace> ordered_cells(const LocatedJson& suite, const std::vector<TieredCell>& tiered,
                                     const std::vector<Table>& tables, const std::vector<Claim>& claims) {
  std::vector<CellPlace> left;
  size_t most = 0;
  for (const auto& cell : tiered) most = std::max(most, cell.seeds.size());
  for (size_t seed = 0; seed < most; ++seed)
    for (size_t cell = 0; cell < tiered.size(); ++cell)
      if (seed < tiered[cell].seeds.size()) left.push_back({.cell = cell, .seed = seed});
  auto next = left.begin();
  for (const auto& step : steps_of(suite)) {
    const Step one(step, tables, claims);
    next = std::stable_partition(next, left.end(),
                                 [&](const CellPlace& place) { return one.takes(tiered[place.cell], place.seed); });
  }
  return left;
}

}  // namespace auxbench
