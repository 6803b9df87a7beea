#include "runner/plan/plan_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/files/file.h"
#include "base/files/json_depth.h"
#include "runner/plan/strict_object.h"

namespace auxbench {
namespace {

using nlohmann::json;

constexpr const char* kPlan = "plan.json";

// Leaves out what is empty, 0 or false.
template <typename T>
void put(json& out, const char* key, const T& value) {
  if (value != T()) out[key] = value;
}

json row_json(const TableRow& row) {
  json out = {{"title", row.title}, {"entries", json::array()}};
  if (row.epoch) out["epoch"] = *row.epoch;
  for (const auto& entry : row.entries) {
    json one = json::object();
    put(one, "cells", entry.cells);
    put(one, "reported", entry.reported);
    out["entries"].push_back(std::move(one));
  }
  return out;
}

json table_json(const Table& table) {
  json out = {{"id", table.id},
              {"title", table.title},
              {"metrics", table.metrics},
              {"columns", json::array()},
              {"rows", json::array()}};
  put(out, "source", table.source);
  put(out, "note", table.note);
  for (const auto& column : table.columns)
    out["columns"].push_back({{"id", column.id}, {"title", column.title}, {"role", column.role}});
  for (const auto& row : table.rows) out["rows"].push_back(row_json(row));
  return out;
}

json claim_json(const Claim& claim) {
  json out = {{"text", claim.text}, {"table", claim.table}, {"column", claim.column}};
  put(out, "row", claim.row);
  put(out, "against", claim.against);
  if (claim.margin) out["margin"] = *claim.margin;
  return out;
}

// Ids name folders.
void check_id(const std::string& id, const std::string& place) {
  const bool plain = std::all_of(id.begin(), id.end(), [](unsigned char c) { return c > ' ' && c < 127 && c != '/'; });
  if (id.empty() || id.front() == '.' || id.size() > 255 || !plain) refuse_data(place, "no name for a cell");
}

CellSpec spec_of(const json& value, const std::string& place) {
  try {
    return cell_from_json(value, place);
  } catch (const UserError& error) {
    throw UserError(ExitCode::data_missing, error.what());
  }
}

class PlanReader {
 public:
  PlanReader(const json& value, const std::string& place) : place_(place), whole_(value, place + ": ") {}

  Plan read() {
    read_head();
    whole_.list("cells", [&](const json& cell, const std::string& place) { read_cell(cell, place); });
    whole_.list("tables", [&](const json& table, const std::string& place) { read_table(table, place); });
    whole_.list("claims", [&](const json& claim, const std::string& place) { read_claim(claim, place); });
    whole_.finish();
    return std::move(plan_);
  }

 private:
  void read_head() {
    int schema = 0;
    whole_.need("schema_version", schema);
    whole_.need("version", plan_.version);
    if (schema != kPlanSchema)
      refuse_data(place_, "a plan of schema " + std::to_string(schema) + ", written by auxbench " + plan_.version +
                              "; this program reads schema " + std::to_string(kPlanSchema) + ": use that version");
    whole_.need("suite", plan_.suite);
    whole_.need("title", plan_.title);
    whole_.need("tier", plan_.tier);
    whole_.may("proxy", plan_.proxy);
    whole_.may("proxy_reason", plan_.proxy_reason);
    whole_.need("command", plan_.command);
    whole_.need("device_class", plan_.device_class);
    if (plan_.device_class != "cpu" && plan_.device_class != "cuda")
      refuse_data(whole_.place_of("device_class"), "expected cpu or cuda");
  }

  void read_cell(const json& value, const std::string& place) {
    auto cell = planned_cell_from_json(value, place);
    for (const auto& needed : cell.needs)
      if (!ids_.contains(needed)) refuse_data(place + "/needs", needed + " does not stand before it");
    if (!ids_.insert(cell.id).second) refuse_data(place + "/id", cell.id + " stands twice");
    plan_.cells.push_back(std::move(cell));
  }

  void read_table(const json& value, const std::string& place) {
    StrictObject object(value, place);
    Table table;
    object.need("id", table.id);
    if (find_table(table.id) != nullptr) refuse_data(object.place_of("id"), table.id + " stands twice");
    object.need("title", table.title);
    object.may("source", table.source);
    object.may("note", table.note);
    object.need("metrics", table.metrics);
    if (table.metrics.empty()) refuse_data(object.place_of("metrics"), "a table needs a metric");
    object.list("columns", [&](const json& column, const std::string& at) { read_column(column, at, table); });
    object.list("rows", [&](const json& row, const std::string& at) { read_row(row, at, table); });
    object.finish();
    plan_.tables.push_back(std::move(table));
  }

  static void read_column(const json& value, const std::string& place, Table& table) {
    StrictObject object(value, place);
    TableColumn column;
    object.need("id", column.id);
    object.need("title", column.title);
    object.need("role", column.role);
    const std::set<std::string> roles = {"full-precision", "baseline", "aid", "other"};
    if (!roles.contains(column.role)) refuse_data(object.place_of("role"), "unknown role " + column.role);
    object.finish();
    for (const auto& other : table.columns)
      if (other.id == column.id) refuse_data(object.place_of("id"), column.id + " stands twice");
    table.columns.push_back(std::move(column));
  }

  void read_row(const json& value, const std::string& place, Table& table) const {
    StrictObject object(value, place);
    TableRow row = {.title = {}, .entries = {}};
    object.need("title", row.title);
    object.may("epoch", row.epoch);
    object.list("entries", [&](const json& entry, const std::string& at) { read_entry(entry, at, row); });
    object.finish();
    if (row.entries.size() != table.columns.size())
      refuse_data(object.place_of("entries"),
                  "expected one for each of " + std::to_string(table.columns.size()) + " columns");
    table.rows.push_back(std::move(row));
  }

  void read_entry(const json& value, const std::string& place, TableRow& row) const {
    StrictObject object(value, place);
    TableEntry entry;
    object.may("cells", entry.cells);
    for (const auto& id : entry.cells)
      if (!ids_.contains(id)) refuse_data(object.place_of("cells"), id + " is no cell of the plan");
    object.may("reported", entry.reported);
    object.finish();
    row.entries.push_back(std::move(entry));
  }

  void read_claim(const json& value, const std::string& place) {
    StrictObject object(value, place);
    Claim claim;
    object.need("text", claim.text);
    object.need("table", claim.table);
    object.need("column", claim.column);
    object.may("row", claim.row);
    object.may("against", claim.against);
    object.may("margin", claim.margin);
    if (claim.margin && *claim.margin < 0) refuse_data(object.place_of("margin"), "expected at least 0");
    object.finish();
    const auto* table = find_table(claim.table);
    if (table == nullptr) refuse_data(object.place_of("table"), "no table " + claim.table);
    for (const auto& [key, column] : {std::pair("column", claim.column), std::pair("against", claim.against)})
      if (!column.empty() && std::none_of(table->columns.begin(), table->columns.end(),
                                          [&column = column](const auto& one) { return one.id == column; }))
        refuse_data(object.place_of(key), "table " + claim.table + " has no column " + column);
    if (!claim.row.empty() &&
        std::none_of(table->rows.begin(), table->rows.end(), [&](const auto& one) { return one.title == claim.row; }))
      refuse_data(object.place_of("row"), "table " + claim.table + " has no row " + claim.row);
    plan_.claims.push_back(std::move(claim));
  }

  [[nodiscard]] const Table* find_table(const std::string& id) const {
    for (const auto& table : plan_.tables)
      if (table.id == id) return &table;
    return nullptr;
  }

  std::string place_;
  StrictObject whole_;
  std::set<std::string> ids_;
  Plan plan_;
};

}  // namespace

json planned_cell_to_json(const PlannedCell& cell) {
  json out = {{"id", cell.id}, {"slug", cell.slug}, {"spec", cell_to_json(cell.spec)}};
  put(out, "data_manifest", cell.data_manifest);
  put(out, "needs", cell.needs);
  put(out, "groups", cell.groups);
  put(out, "implied", cell.implied);
  if (!cell.selected) out["selected"] = false;
  put(out, "unsupported", cell.unsupported);
  put(out, "missing", cell.missing);
  put(out, "estimated_seconds", cell.estimated_seconds);
  put(out, "estimate_from_history", cell.estimate_from_history);
  return out;
}

// What a version could not train it may have described in words that the one that can refuses.
void read_spec(StrictObject& object, PlannedCell& cell) {
  const auto& spec = object.need("spec");
  try {
    cell.spec = spec_of(spec, object.place_of("spec"));
  } catch (const UserError&) {
    if (cell.unsupported.empty()) throw;
    return;
  }
  if (cell.slug != cell_slug(cell.spec) && cell.unsupported.empty())
    refuse_data(object.place_of("slug"), "not the name of its spec");
}

PlannedCell planned_cell_from_json(const json& value, const std::string& place) {
  StrictObject object(value, place);
  PlannedCell cell;
  object.need("id", cell.id);
  check_id(cell.id, object.place_of("id"));
  object.need("slug", cell.slug);
  object.may("unsupported", cell.unsupported);
  read_spec(object, cell);
  object.may("data_manifest", cell.data_manifest);
  object.may("needs", cell.needs);
  object.may("groups", cell.groups);
  object.may("implied", cell.implied);
  object.may("selected", cell.selected);
  object.may("missing", cell.missing);
  object.may("estimated_seconds", cell.estimated_seconds);
  if (cell.estimated_seconds < 0) refuse_data(object.place_of("estimated_seconds"), "expected at least 0");
  object.may("estimate_from_history", cell.estimate_from_history);
  object.finish();
  return cell;
}

json plan_to_json(const Plan& plan) {
  json out = {{"schema_version", kPlanSchema},
              {"version", plan.version},
              {"suite", plan.suite},
              {"title", plan.title},
              {"tier", plan.tier},
              {"command", plan.command},
              {"device_class", plan.device_class},
              {"cells", json::array()}};
  put(out, "proxy", plan.proxy);
  put(out, "proxy_reason", plan.proxy_reason);
  for (const auto& cell : plan.cells) out["cells"].push_back(planned_cell_to_json(cell));
  for (const auto& table : plan.tables) out["tables"].push_back(table_json(table));
  for (const auto& claim : plan.claims) out["claims"].push_back(claim_json(claim));
  return out;
}

Plan plan_from_json(const json& value, const std::string& place) { return PlanReader(value, place).read(); }

Plan parse_plan(const std::string& text, const std::string& place) {
  if (nested_deeper_than(text, kJsonLevels)) refuse_data(place, "nested more than 64 levels deep");
  json value;
  try {
    value = json::parse(text);
  } catch (const json::exception& error) {
    refuse_data(place, std::string("no JSON: ") + error.what());
  }
  return plan_from_json(value, place);
}

std::optional<Plan> read_plan(const std::filesystem::path& folder) {
  const auto path = folder / kPlan;
  if (!std::filesystem::exists(path)) return std::nullopt;
  return parse_plan(read_file(path), path.string());
}

void write_plan(const Plan& plan, const std::filesystem::path& folder) {
  // A path of weights may be no UTF-8: that must not cost the plan.
  write_file_atomically(folder / kPlan, plan_to_json(plan).dump(1, ' ', false, json::error_handler_t::replace) + "\n");
}

}  // namespace auxbench
