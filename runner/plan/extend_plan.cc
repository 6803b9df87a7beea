#include "runner/plan/extend_plan.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/files/canonical_json.h"
#include "base/files/file.h"
#include "runner/plan/plan_file.h"

namespace auxbench {
namespace {

void check_same(const Plan& now, const Plan& before, const std::string& place) {
  for (const auto& [what, is, was] :
       {std::tuple("suite", now.suite, before.suite), std::tuple("tier", now.tier, before.tier),
        std::tuple("device", now.device_class, before.device_class)})
    if (is != was)
      throw UserError(ExitCode::usage, place + ": the folder holds " + what + " " + was + ", this run is of " + what +
                                           " " + is + ": choose another --out");
}

std::string key_of(const CellSpec& cell) { return canonical_json(cell_to_json(cell)); }

class Extension {
 public:
  Extension(Plan& now, const Plan& before) : now_(now), before_(before) {
    for (size_t i = 0; i < now.cells.size(); ++i) {
      own_[now.cells[i].id] = i;
      keys_[key_of(now.cells[i].spec)] = i;
    }
  }

  void run() {
    for (const auto& cell : before_.cells) add(cell);
    for (auto& table : now_.tables)
      for (const auto& old : before_.tables)
        if (old.id == table.id) unite(old, table);
  }

 private:
  void add(const PlannedCell& cell) {
    if (auto* known = find(cell)) {
      renamed_[cell.id] = known->id;
      if (cell.selected) known->implied = cell.implied && (known->implied || !known->selected);
      known->selected = known->selected || cell.selected;
      return;
    }
    if (!cell.unsupported.empty()) return;  // nothing was recorded of it
    renamed_[cell.id] = cell.id;
    own_[cell.id] = now_.cells.size();
    now_.cells.push_back(cell);
    for (auto& needed : now_.cells.back().needs) needed = renamed_.at(needed);
  }

  // The cell of the new plan that is this one, if any.
  PlannedCell* find(const PlannedCell& cell) {
    if (const auto by_id = own_.find(cell.id); by_id != own_.end()) return &now_.cells[by_id->second];
    const auto by_key = keys_.find(key_of(cell.spec));
    return by_key == keys_.end() ? nullptr : &now_.cells[by_key->second];
  }

  // Rows of one title and epoch are matched in their order.
  void unite(const Table& old, Table& table) const {
    std::set<const TableRow*> taken;
    for (auto& row : table.rows) {
      const auto found = std::find_if(old.rows.begin(), old.rows.end(), [&](const TableRow& one) {
        return one.title == row.title && one.epoch == row.epoch && !taken.contains(&one);
      });
      if (found == old.rows.end()) continue;
      taken.insert(&*found);
      unite(old, *found, table, row);
    }
  }

  void unite(const Table& old, const TableRow& old_row, const Table& table, TableRow& row) const {
    for (size_t i = 0; i < table.columns.size(); ++i)
      for (size_t j = 0; j < old.columns.size(); ++j)
        if (old.columns[j].id == table.columns[i].id) unite(old_row.entries[j], row.entries[i]);
  }

  void unite(const TableEntry& old, TableEntry& entry) const {
    for (const auto& was : old.cells) {
      const auto renamed = renamed_.find(was);
      if (renamed == renamed_.end()) continue;
      const auto& id = renamed->second;
      if (entry.cells.empty() || std::find(entry.cells.begin(), entry.cells.end(), id) != entry.cells.end()) continue;
      if (differ_in_seed(spec_of(id), entry)) entry.cells.push_back(id);
    }
  }

  // From every cell of the entry.
  [[nodiscard]] bool differ_in_seed(CellSpec cell, const TableEntry& entry) const {
    return std::all_of(entry.cells.begin(), entry.cells.end(), [&](const std::string& id) {
      auto other = spec_of(id);
      const bool seeds_differ = std::exchange(other.seed, cell.seed) != cell.seed;
      return seeds_differ && other == cell;
    });
  }

  [[nodiscard]] const CellSpec& spec_of(const std::string& id) const { return now_.cells[own_.at(id)].spec; }

  Plan& now_;
  const Plan& before_;
  std::map<std::string, size_t> own_;           // in the new plan, by id
  std::map<std::string, size_t> keys_;          // its own cells, by canonical JSON
  std::map<std::string, std::string> renamed_;  // ids of the old plan in the new one
};

}  // namespace

Plan extend_plan(Plan now, const Plan& before, const std::string& place) {
  check_same(now, before, place);
  Extension(now, before).run();
  return now;
}

Plan keep_plan(const Plan& plan, const std::filesystem::path& folder) {
  make_folder(folder);
  const ShortLock lock(folder);  // another run may extend it at the same moment
  const auto before = read_plan(folder);
  auto kept = before ? extend_plan(plan, *before, folder.string()) : plan;
  write_plan(kept, folder);
  return kept;
}

}  // namespace auxbench
