#include "runner/plan/tables.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "runner/plan/axes.h"
#include "runner/plan/language.h"

namespace auxbench {
namespace {

using nlohmann::json;

// Reads `where`, if any, after checking it in its place.
json where_of(const LocatedJson& suite, const std::string& pointer, const json& object) {
  if (!object.contains("where")) return json::object();
  check_match(suite, pointer + "/where");
  return object.at("where");
}

std::string required(const LocatedJson& suite, const std::string& pointer, const json& object, const char* key) {
  if (!object.contains(key)) refuse_at(suite, pointer, std::string("no ") + key);
  return object.at(key).get<std::string>();
}

std::optional<double> number_of(const json& object, const char* key) {
  return object.contains(key) ? std::optional(object.at(key).get<double>()) : std::nullopt;
}

bool has_column(const Table& table, const std::string& id) {
  return std::any_of(table.columns.begin(), table.columns.end(), [&](const TableColumn& one) { return one.id == id; });
}

class TableReader {
 public:
  TableReader(const LocatedJson& suite, const std::vector<TieredCell>& cells, const std::string& pointer,
              const json& table)
      : suite_(suite), cells_(cells), pointer_(pointer), table_(table) {}

  Table read() {
    spec_.id = required(suite_, pointer_, table_, "id");
    spec_.title = table_.value("title", spec_.id);
    spec_.source = table_.value("source", std::string());
    spec_.note = table_.value("note", std::string());
    spec_.metrics = table_.value("metrics", std::vector<std::string>{"top1"});
    if (spec_.metrics.empty()) refuse_at(suite_, pointer_ + "/metrics", "a table needs a metric");
    base_ = where_of(suite_, pointer_, table_);
    for (size_t i = 0; i < list("columns").size(); ++i)
      read_column(child_pointer(pointer_ + "/columns", i), list("columns")[i]);
    for (size_t i = 0; i < list("rows").size(); ++i) read_row(child_pointer(pointer_ + "/rows", i), list("rows")[i]);
    return std::move(spec_);
  }

 private:
  const json& list(const char* key) {
    if (!table_.contains(key) || table_.at(key).empty())
      refuse_at(suite_, pointer_, std::string("a table needs ") + key);
    return table_.at(key);
  }

  void read_column(const std::string& pointer, const json& column) {
    const auto id = required(suite_, pointer, column, "id");
    for (const auto& other : spec_.columns)
      if (other.id == id) refuse_at(suite_, pointer + "/id", "the table has another column " + id);
    spec_.columns.push_back(
        {.id = id, .title = column.value("title", id), .role = column.value("role", std::string("other"))});
    column_where_.push_back(where_of(suite_, pointer, column));
  }

  void read_row(const std::string& pointer, const json& row) {
    TableRow result = {.title = required(suite_, pointer, row, "title"), .entries = {}};
    if (row.contains("epoch")) result.epoch = row.at("epoch").get<int>();
    const auto own = where_of(suite_, pointer, row);
    check_reported(pointer, row);
    for (size_t i = 0; i < spec_.columns.size(); ++i) {
      auto where = base_;
      where.merge_patch(own);
      where.merge_patch(column_where_[i]);
      TableEntry entry = {.cells = cells_of(pointer, where, spec_.columns[i].id), .reported = {}};
      if (row.contains("reported") && row.at("reported").contains(spec_.columns[i].id))
        row.at("reported").at(spec_.columns[i].id).get_to(entry.reported);
      result.entries.push_back(std::move(entry));
    }
    spec_.rows.push_back(std::move(result));
  }

  void check_reported(const std::string& pointer, const json& row) {
    if (!row.contains("reported")) return;
    std::vector<std::string> ids;
    for (const auto& column : spec_.columns) ids.push_back(column.id);
    for (const auto& [id, figures] : row.at("reported").items()) {
      const auto child = child_pointer(pointer + "/reported", id);
      if (std::find(ids.begin(), ids.end(), id) == ids.end())
        refuse_at(suite_, child, "no such column" + suggestion(id, ids));
      if (!figures.is_object()) refuse_at(suite_, child, "expected an object of figures");
      for (const auto& [metric, figure] : figures.items()) {
        const auto place = child_pointer(child, metric);
        if (std::find(spec_.metrics.begin(), spec_.metrics.end(), metric) == spec_.metrics.end())
          refuse_at(suite_, place, "not a metric of this table" + suggestion(metric, spec_.metrics));
        if (!figure.is_number()) refuse_at(suite_, place, "expected a number");
      }
    }
  }

  std::vector<std::string> cells_of(const std::string& pointer, const json& where, const std::string& column) {
    std::vector<std::string> keys;
    const CellSpec* first = nullptr;
    for (const auto& cell : cells_) {
      if (!matches(cell.written->axes, cell.written->groups, where)) continue;
      for (size_t i = 0; i < cell.seeds.size(); ++i) {
        if (std::find(keys.begin(), keys.end(), cell.keys[i]) != keys.end()) continue;
        if (first == nullptr) first = &cell.seeds[i];
        check_alike(pointer, column, *first, cell.seeds[i]);
        keys.push_back(cell.keys[i]);
      }
    }
    return keys;
  }

  // But for the seed.
  void check_alike(const std::string& pointer, const std::string& column, const CellSpec& first, CellSpec cell) const {
    cell.seed = first.seed;
    if (!(cell == first))
      refuse_at(
          suite_, pointer,
          "column " + column + " fits both " + cell_slug(first) + " and " + cell_slug(cell) + ": say more in where");
  }

  const LocatedJson& suite_;
  const std::vector<TieredCell>& cells_;
  const std::string& pointer_;
  const json& table_;
  json base_;
  std::vector<json> column_where_;
  Table spec_;
};

}  // namespace

std::vector<Table> read_tables(const LocatedJson& suite, const std::vector<TieredCell>& cells) {
  std::vector<Table> tables;
  if (!suite.value.contains("tables")) return tables;
  const auto& list = suite.value.at("tables");
  for (size_t i = 0; i < list.size(); ++i) {
    const auto pointer = child_pointer("/tables", i);
    auto table = TableReader(suite, cells, pointer, list[i]).read();
    for (const auto& other : tables)
      if (other.id == table.id) refuse_at(suite, pointer + "/id", "the suite has another table " + table.id);
    tables.push_back(std::move(table));
  }
  return tables;
}

std::vector<Claim> read_claims(const LocatedJson& suite, const std::vector<Table>& tables) {
  std::vector<Claim> claims;
  if (!suite.value.contains("claims")) return claims;
  const auto& list = suite.value.at("claims");
  for (size_t i = 0; i < list.size(); ++i) {
    const auto pointer = child_pointer("/claims", i);
    const Claim claim = {.text = required(suite, pointer, list[i], "text"),
                         .table = required(suite, pointer, list[i], "table"),
                         .row = list[i].value("row", std::string()),
                         .column = required(suite, pointer, list[i], "column"),
                         .against = list[i].value("against", std::string()),
                         .margin = number_of(list[i], "margin")};
    const auto table =
        std::find_if(tables.begin(), tables.end(), [&](const Table& one) { return one.id == claim.table; });
    if (table == tables.end()) refuse_at(suite, pointer + "/table", "no table " + claim.table);
    for (const auto& [key, column] : {std::pair("/column", claim.column), std::pair("/against", claim.against)})
      if (!column.empty() && !has_column(*table, column))
        refuse_at(suite, pointer + key, "table " + claim.table + " has no column " + column);
    if (claim.against == claim.column) refuse_at(suite, pointer + "/against", "a column is not held against itself");
    if (!claim.row.empty() && std::none_of(table->rows.begin(), table->rows.end(),
                                           [&](const TableRow& one) { return one.title == claim.row; }))
      refuse_at(suite, pointer + "/row", "table " + claim.table + " has no row " + claim.row);
    claims.push_back(claim);
  }
  return claims;
}

}  // namespace auxbench
