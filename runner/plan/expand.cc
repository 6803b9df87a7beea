#include "runner/plan/expand.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/files/canonical_json.h"
#include "base/text.h"
#include "runner/plan/axes.h"
#include "runner/plan/language.h"

namespace auxbench {
namespace {

using nlohmann::json;

json part_or(const json& object, const char* key, const json& otherwise) {
  return object.contains(key) ? object.at(key) : otherwise;
}

json merged(json target, const json& patch) {
  merge_axes(target, patch);
  return target;
}

// All combinations of one value per key. `place` checks each value where it stands.
std::vector<json> product(const LocatedJson& suite, const std::string& pointer, const json& matrix, size_t most) {
  std::vector<json> combinations = {json::object()};
  for (const auto& [key, values] : matrix.items()) {
    const auto child = child_pointer(pointer, key);
    check_cell_key(suite, child, key);
    if (!values.is_array()) refuse_at(suite, child, "expected a list of values");
    if (values.empty()) refuse_at(suite, child, "an empty list leaves no cells");
    if (combinations.size() * values.size() > most) refuse_too_many(suite, child, most);
    std::vector<json> longer;
    for (const auto& combination : combinations) {
      for (size_t i = 0; i < values.size(); ++i) {
        check_cell_value(suite, child_pointer(child, i), key);
        longer.push_back(combination);
        longer.back()[key] = values[i];  // a null, too: it takes the key from what the combination is merged over
      }
    }
    combinations = std::move(longer);
  }
  return combinations;
}

std::vector<json> zipped(const LocatedJson& suite, const std::string& pointer, const json& zip) {
  if (zip.empty()) return {json::object()};
  const auto& first = zip.begin();
  std::vector<json> rows(first.value().is_array() ? first.value().size() : 0, json::object());
  for (const auto& [key, values] : zip.items()) {
    const auto child = child_pointer(pointer, key);
    check_cell_key(suite, child, key);
    if (!values.is_array()) refuse_at(suite, child, "expected a list of values");
    if (values.size() != rows.size())
      refuse_at(suite, child,
                "zip needs lists of one length: " + first.key() + " has " + std::to_string(rows.size()) + " values, " +
                    key + " has " + std::to_string(values.size()));
    if (values.empty()) refuse_at(suite, child, "an empty list leaves no cells");
    for (size_t i = 0; i < rows.size(); ++i) {
      check_cell_value(suite, child_pointer(child, i), key);
      rows[i][key] = values[i];
    }
  }
  return rows;
}

WrittenCell written_cell(const LocatedJson& suite, const std::string& pointer, json flat, const std::string& group) {
  const auto place = suite.at(pointer);
  auto axes = axes_of(resolve_cell(flat, place));
  return {.flat = std::move(flat), .axes = std::move(axes), .groups = {group}, .place = place};
}

bool excluded(const WrittenCell& cell, const json& excludes) {
  for (const auto& where : excludes)
    if (matches(cell.axes, cell.groups, where)) return true;
  return false;
}

void check_excludes(const LocatedJson& suite, const std::string& pointer, const json& excludes) {
  for (size_t i = 0; i < excludes.size(); ++i) check_match(suite, child_pointer(pointer, i));
}

std::vector<WrittenCell> expand_group(const LocatedJson& suite, const std::string& pointer, const json& group,
                                      const std::string& name, size_t most) {
  const auto base = merged(part_or(suite.value, "defaults", json::object()), part_or(group, "set", json::object()));
  const auto excludes = part_or(group, "exclude", json::array());
  check_excludes(suite, pointer + "/exclude", excludes);
  std::vector<WrittenCell> cells;
  const bool has_product = group.contains("matrix") || group.contains("zip") || !group.contains("include");
  if (has_product) {
    const auto rows = zipped(suite, pointer + "/zip", part_or(group, "zip", json::object()));
    const auto combinations = product(suite, pointer + "/matrix", part_or(group, "matrix", json::object()), most);
    if (rows.size() * combinations.size() > most) refuse_too_many(suite, pointer, most);
    for (const auto& combination : combinations) {
      for (const auto& row : rows) {
        auto cell = written_cell(suite, pointer, merged(merged(base, combination), row), name);
        if (!excluded(cell, excludes)) cells.push_back(std::move(cell));
      }
    }
  }
  const auto includes = part_or(group, "include", json::array());
  for (size_t i = 0; i < includes.size(); ++i)
    cells.push_back(written_cell(suite, child_pointer(pointer + "/include", i), merged(base, includes[i]), name));
  if (cells.empty()) refuse_at(suite, pointer, "no cells are left: everything is excluded");
  return cells;
}

void refuse_duplicates(const LocatedJson& suite, const std::string& pointer, const std::vector<WrittenCell>& cells) {
  std::set<std::string> seen;
  for (const auto& cell : cells)
    if (!seen.insert(canonical_json(cell.axes)).second)
      refuse_at(suite, pointer, "duplicate cell " + cell_slug(resolve_cell(cell.flat, cell.place)));
}

void add_group(const LocatedJson& suite, const std::string& pointer, const json& group, size_t most,
               std::vector<WrittenCell>& all) {
  const auto name = group.value("name", std::string());
  auto cells = expand_group(suite, pointer, group, name, most);
  if (all.size() + cells.size() > most) refuse_too_many(suite, pointer, most);
  refuse_duplicates(suite, pointer, cells);
  for (auto& cell : cells) all.push_back(std::move(cell));
}

json parse_setting(const std::string& setting) {
  const auto equals = setting.find('=');
  if (equals == std::string::npos || equals == 0)
    throw UserError(ExitCode::usage, "--set " + setting + ": expected KEY=VALUE");
  if (!is_utf8(setting))
    throw UserError(ExitCode::usage, "--set " + setting +
                                         ": is not UTF-8, as what suites and records hold must be; a file of another "
                                         "name can be named by a link to it");
  const auto text = setting.substr(equals + 1);
  auto value = json::parse(text, nullptr, false);
  if (value.is_discarded()) value = text;
  auto key = setting.substr(0, equals);
  // The names of settings have dots of their own.
  for (const std::string whole : {"quantizer_settings", "aid_settings"})
    if (key.starts_with(whole + ".")) {
      value = json{{key.substr(whole.size() + 1), value}};
      key = whole;
    }
  for (auto dot = key.rfind('.'); dot != std::string::npos; dot = key.rfind('.')) {
    value = json{{key.substr(dot + 1), value}};
    key = key.substr(0, dot);
  }
  json patch = {{key, value}};
  // The same checks as in a file, in the name of the command line.
  const LocatedJson located = {.value = patch, .places = {}};
  try {
    check_object(located, "", "cell");
  } catch (const UserError& error) {
    throw UserError(ExitCode::usage, "--set " + setting + error.what());
  }
  return patch;
}

const json& tier_of(const LocatedJson& suite, const std::string& tier) { return suite.value.at("tiers").at(tier); }

void check_group_names(const LocatedJson& suite, const std::string& pointer, const json& names) {
  const auto is_name = [](const json& name) { return name.is_string(); };
  if (!is_name(names) && !(names.is_array() && std::all_of(names.begin(), names.end(), is_name)))
    refuse_at(suite, pointer, "expected a group's name or a list of them");
}

}  // namespace

void check_match(const LocatedJson& suite, const std::string& pointer) {
  const auto& where = suite.value.at(json::json_pointer(pointer));
  if (!where.is_object()) refuse_at(suite, pointer, "expected an object of axes");
  for (const auto& [key, value] : where.items()) {
    const auto child = child_pointer(pointer, key);
    if (key == "group") {
      check_group_names(suite, child, value);
      continue;
    }
    if (!value.is_array() || key == "aid") {
      check_cell_value(suite, child, key);
      continue;
    }
    for (size_t i = 0; i < value.size(); ++i) check_cell_value(suite, child_pointer(child, i), key);
  }
}

void refuse_too_many(const LocatedJson& suite, const std::string& pointer, size_t most) {
  refuse_at(suite, pointer, "more than " + std::to_string(most) + " cells");
}

std::vector<WrittenCell> expand_groups(const LocatedJson& suite, size_t most) {
  std::vector<WrittenCell> all;
  const auto& root = suite.value;
  if (root.contains("matrix") || root.contains("zip") || root.contains("include")) {
    auto group = root;
    group.erase("name");
    add_group(suite, "", group, most, all);
  }
  if (root.contains("groups"))
    for (size_t i = 0; i < root.at("groups").size(); ++i)
      add_group(suite, child_pointer("/groups", i), root.at("groups")[i], most, all);
  if (all.empty()) refuse_at(suite, "", "the suite lists no cells: give matrix, zip, include or groups");
  return all;
}

std::vector<CellSpec> in_tier(const WrittenCell& written, const LocatedJson& suite, const SuiteRequest& request) {
  const auto& tier = tier_of(suite, request.tier);
  auto flat = merged(written.flat, part_or(tier, "set", json::object()));
  auto seeds = part_or(tier, "seeds", part_or(suite.value, "seeds", json::array({0})));
  for (const auto& rule : part_or(tier, "rules", json::array())) {
    if (!matches(written.axes, written.groups, part_or(rule, "where", json::object()))) continue;
    merge_axes(flat, part_or(rule, "set", json::object()));
    seeds = part_or(rule, "seeds", seeds);
  }
  for (const auto& setting : request.set) merge_axes(flat, parse_setting(setting));
  if (request.seeds) {
    seeds = json::array();
    for (int seed = 0; seed < *request.seeds; ++seed) seeds.push_back(seed);
  }
  std::vector<CellSpec> cells;
  for (const auto& seed : seeds) {
    flat["seed"] = seed;
    cells.push_back(resolve_cell(flat, written.place + " in tier " + request.tier));
  }
  return cells;
}

bool tier_keeps(const WrittenCell& written, const LocatedJson& suite, const std::string& tier) {
  const auto& chosen = tier_of(suite, tier);
  if (!chosen.contains("only")) return true;
  for (const auto& where : chosen.at("only"))
    if (matches(written.axes, written.groups, where)) return true;
  return false;
}

}  // namespace auxbench
