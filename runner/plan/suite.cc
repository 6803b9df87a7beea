#include "runner/plan/suite.h"

#include <fnmatch.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/files/canonical_json.h"
#include "runner/plan/axes.h"
#include "runner/plan/expand.h"
#include "runner/plan/language.h"
#include "runner/plan/tables.h"

namespace auxbench {
namespace {

using nlohmann::json;

std::vector<std::string> extended_by(const LocatedJson& suite) {
  if (!suite.value.is_object() || !suite.value.contains("extends")) return {};
  const auto& extends = suite.value.at("extends");
  if (extends.is_string()) return {extends.get<std::string>()};
  const bool list = extends.is_array() &&
                    std::all_of(extends.begin(), extends.end(), [](const json& path) { return path.is_string(); });
  if (!list) refuse_at(suite, "/extends", "expected a path or a list of paths");
  return extends.get<std::vector<std::string>>();
}

// `chain`: the files that led here, to name a circle.
LocatedJson read_extended(const std::filesystem::path& path, std::vector<std::filesystem::path> chain) {
  auto own = read_located(path);
  if (!own.value.is_object()) refuse_at(own, "", "expected an object");
  const auto canonical = std::filesystem::weakly_canonical(path);
  if (std::find(chain.begin(), chain.end(), canonical) != chain.end())
    refuse_at(own, "/extends", "the file extends itself in a circle");
  chain.push_back(canonical);
  LocatedJson whole = {.value = json::object(), .places = {{"", own.places.at("")}}};
  for (const auto& base : extended_by(own)) {
    const auto file = path.parent_path() / base;
    std::error_code unreadable;
    if (!std::filesystem::exists(file, unreadable)) refuse_at(own, "/extends", "no such file: " + file.string());
    merge_located(whole, read_extended(file, chain));
  }
  own.value.erase("extends");
  merge_located(whole, own);
  return whole;
}

void check_tiers(const LocatedJson& suite) {
  if (!suite.value.contains("tiers") || suite.value.at("tiers").empty()) refuse_at(suite, "", "the suite has no tiers");
  for (const auto& [name, tier] : suite.value.at("tiers").items()) {
    const auto pointer = child_pointer("/tiers", name);
    check_object(suite, pointer, "tier");
    if (tier.contains("rules"))
      for (size_t i = 0; i < tier.at("rules").size(); ++i)
        if (tier.at("rules")[i].contains("where")) check_match(suite, child_pointer(pointer + "/rules", i) + "/where");
    if (tier.contains("only"))
      for (size_t i = 0; i < tier.at("only").size(); ++i) check_match(suite, child_pointer(pointer + "/only", i));
  }
}

LocatedJson read_suite(const std::filesystem::path& path) {
  auto suite = read_extended(path, {});
  check_object(suite, "", "suite");
  check_tiers(suite);
  return suite;
}

bool any_glob(const std::vector<std::string>& globs, const ListedCell& cell) {
  const auto fits = [&](const std::string& glob, const std::string& name) {
    return fnmatch(glob.c_str(), name.c_str(), 0) == 0;
  };
  return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
    return fits(glob, cell_slug(cell.spec)) || std::any_of(cell.groups.begin(), cell.groups.end(),
                                                           [&](const std::string& group) { return fits(glob, group); });
  });
}

// Cells in order, each once, each after those whose weights it starts from.
class CellList {
 public:
  void add(const CellSpec& cell, const std::vector<std::string>& groups, bool implied) {
    for (const auto& needed : {cell.parent(), cell.teacher()})
      if (needed) add(*needed, {}, true);
    const auto key = canonical_json(cell_to_json(cell));
    const auto [found, is_new] = index_.try_emplace(key, cells_.size());
    if (is_new) cells_.push_back({.spec = cell, .groups = {}, .implied = true});
    auto& listed = cells_[found->second];
    listed.implied = listed.implied && implied;
    for (const auto& group : groups)
      if (!group.empty() && std::find(listed.groups.begin(), listed.groups.end(), group) == listed.groups.end())
        listed.groups.push_back(group);
  }
  std::vector<ListedCell> take() { return std::move(cells_); }

 private:
  std::map<std::string, size_t> index_;
  std::vector<ListedCell> cells_;
};

// The first seed of all cells before the second of any: a run cut short has every row.
std::vector<ListedCell> list_cells(const std::vector<TieredCell>& tiered, const SuiteRequest& request) {
  CellList list;
  size_t most = 0;
  for (const auto& cell : tiered) most = std::max(most, cell.seeds.size());
  for (size_t seed = 0; seed < most; ++seed) {
    for (const auto& cell : tiered) {
      if (seed >= cell.seeds.size()) continue;
      const ListedCell candidate = {.spec = cell.seeds[seed], .groups = cell.written->groups};
      if (!request.only.empty() && !any_glob(request.only, candidate)) continue;
      if (any_glob(request.skip, candidate)) continue;
      list.add(candidate.spec, candidate.groups, false);
    }
  }
  return list.take();
}

}  // namespace

std::vector<std::string> suite_tiers(const std::filesystem::path& path) {
  const auto suite = read_suite(path);
  std::vector<std::string> tiers;
  for (const auto& [name, tier] : suite.value.at("tiers").items()) tiers.push_back(name);
  return tiers;
}

SuiteSpec load_suite(const std::filesystem::path& path, const SuiteRequest& request) {
  const auto suite = read_suite(path);
  const auto tiers = suite_tiers(path);
  if (std::find(tiers.begin(), tiers.end(), request.tier) == tiers.end())
    throw UserError(ExitCode::usage, "--tier " + request.tier + ": " + path.string() + " has no such tier" +
                                         suggestion(request.tier, tiers));
  const auto written = expand_groups(suite, request.most_cells);
  std::vector<TieredCell> tiered;
  size_t count = 0;
  for (const auto& cell : written) {
    if (!tier_keeps(cell, suite, request.tier)) continue;
    tiered.push_back({.written = &cell, .seeds = in_tier(cell, suite, request)});
    count += tiered.back().seeds.size();
    if (count > request.most_cells) refuse_too_many(suite, "", request.most_cells);
  }
  SuiteSpec spec;
  spec.name = suite.value.value("name", path.stem().string());
  spec.title = suite.value.value("title", spec.name);
  spec.tier = request.tier;
  const auto& tier = suite.value.at("tiers").at(request.tier);
  spec.proxy = tier.value("proxy", false);
  spec.proxy_reason = tier.value("proxy_reason", std::string());
  spec.cells = list_cells(tiered, request);
  if (spec.cells.empty())
    throw UserError(request.only.empty() && request.skip.empty() ? ExitCode::invalid_suite : ExitCode::usage,
                    suite.at("") + ": no cells are left in tier " + request.tier +
                        (request.only.empty() && request.skip.empty() ? "" : " after --only and --skip"));
  spec.tables = read_tables(suite, tiered);
  spec.claims = read_claims(suite, spec.tables);
  return spec;
}

}  // namespace auxbench
