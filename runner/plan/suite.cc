#include "runner/plan/suite.h"

#include <fnmatch.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/files/canonical_json.h"
#include "base/text.h"
#include "runner/plan/check_cell.h"
#include "runner/plan/expand.h"
#include "runner/plan/language.h"
#include "runner/plan/order.h"
#include "runner/plan/tables.h"
#include "runner/plan/tiers.h"

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
  std::error_code unresolved;
  auto canonical = std::filesystem::weakly_canonical(path, unresolved);
  if (unresolved) canonical = path;
  if (std::find(chain.begin(), chain.end(), canonical) != chain.end())
    refuse_at(own, "/extends", "the file extends itself in a circle");
  chain.push_back(canonical);
  const MergeExceptions exceptions = {.keeps_null = is_null_of_tier, .appends = are_rules_of_tier};
  LocatedJson whole = {.value = json::object(), .places = {{"", own.places.at("")}}};
  for (const auto& base : extended_by(own)) {
    const auto file = path.parent_path() / base;
    std::error_code unreadable;
    if (!std::filesystem::exists(file, unreadable)) refuse_at(own, "/extends", "no such file: " + file.string());
    merge_located(whole, read_extended(file, chain), exceptions);
  }
  own.value.erase("extends");
  merge_located(whole, own, exceptions);
  return whole;
}

LocatedJson read_suite(const std::filesystem::path& path) {
  auto suite = read_extended(path, {});
  check_object(suite, "", "suite");
  if (suite.value.contains("name")) check_folder_name(suite, "/name", suite.value.at("name").get<std::string>());
  check_order(suite);
  resolve_tiers(suite);
  return suite;
}

bool any_glob(const std::vector<std::string>& globs, const std::string& slug, const std::vector<std::string>& groups) {
  return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
    const auto fits = [&](const std::string& name) { return fnmatch(glob.c_str(), name.c_str(), 0) == 0; };
    return fits(slug) || std::any_of(groups.begin(), groups.end(), fits);
  });
}

bool is_chosen(const CellSpec& cell, const std::vector<std::string>& groups, const SuiteRequest& request) {
  if (request.only.empty() && request.skip.empty()) return true;
  const auto slug = cell_slug(cell);
  return (request.only.empty() || any_glob(request.only, slug, groups)) && !any_glob(request.skip, slug, groups);
}

std::string key_of(const CellSpec& cell) { return canonical_json(cell_to_json(cell)); }

// Cells in order, each once, each after those whose weights it needs.
class CellList {
 public:
  void add(const CellSpec& cell, const std::string& key, const WrittenCell& written, bool chosen) {
    const auto index = add(cell, key, chosen ? Wanted::chosen : Wanted::no, written.place);
    listed_[index] = true;
    auto& own = cells_[index].groups;
    for (const auto& group : written.groups)
      if (!group.empty() && std::find(own.begin(), own.end(), group) == own.end()) own.push_back(group);
  }

  std::vector<ListedCell> take() {
    for (size_t i = 0; i < cells_.size(); ++i) {
      cells_[i].selected = wanted_[i] != Wanted::no;
      cells_[i].implied = cells_[i].selected ? wanted_[i] == Wanted::needed : !listed_[i];
    }
    return std::move(cells_);
  }

 private:
  enum class Wanted { no, needed, chosen };

  size_t add(const CellSpec& cell, const std::string& key, Wanted wanted, const std::string& place) {
    if (const auto found = index_.find(key); found != index_.end()) return raise(found->second, wanted);
    std::vector<std::string> needs;
    for (const auto& needed : {cell.parent(), cell.teacher()}) {
      if (!needed) continue;
      check_cell(*needed, place + ": what " + cell_slug(cell) + " starts from, " + cell_slug(*needed));
      const auto index = add(*needed, key_of(*needed), std::min(wanted, Wanted::needed), place);
      const auto& name = cells_[index].key;
      if (std::find(needs.begin(), needs.end(), name) == needs.end()) needs.push_back(name);
    }
    const auto index = cells_.size();
    index_[key] = index;
    cells_.push_back({.spec = cell, .key = key, .needs = std::move(needs), .groups = {}});
    wanted_.push_back(wanted);
    listed_.push_back(false);
    return index;
  }

  // What a cell needs is wanted as much as the cell is.
  size_t raise(size_t index, Wanted wanted) {
    if (wanted <= wanted_[index]) return index;
    wanted_[index] = wanted;
    for (const auto& needed : cells_[index].needs) raise(index_.at(needed), Wanted::needed);
    return index;
  }

  std::map<std::string, size_t> index_;
  std::vector<ListedCell> cells_;
  std::vector<Wanted> wanted_;
  std::vector<bool> listed_;
};

std::vector<ListedCell> list_cells(const std::vector<TieredCell>& tiered, const std::vector<CellPlace>& order,
                                   const SuiteRequest& request) {
  CellList list;
  for (const auto& [cell, seed] : order) {
    const auto& one = tiered[cell];
    list.add(one.seeds[seed], one.keys[seed], *one.written, is_chosen(one.seeds[seed], one.written->groups, request));
  }
  return list.take();
}

void refuse_no_cells(const LocatedJson& suite, const SuiteRequest& request) {
  const bool filtered = !request.only.empty() || !request.skip.empty();
  throw UserError(
      filtered ? ExitCode::usage : ExitCode::invalid_suite,
      suite.at("") + ": no cells are left in tier " + request.tier + (filtered ? " after --only and --skip" : ""));
}

// --seeds is held against the most cells before any is made.
void check_seeds(const LocatedJson& suite, const std::vector<WrittenCell>& written, const SuiteRequest& request) {
  if (!request.seeds) return;
  const auto refuse = [&](const std::string& what) {
    throw UserError(ExitCode::usage, "--seeds " + std::to_string(*request.seeds) + ": " + what);
  };
  if (*request.seeds < 1) refuse("expected at least 1");
  const auto kept = static_cast<size_t>(std::count_if(
      written.begin(), written.end(), [&](const auto& cell) { return tier_keeps(cell, suite, request.tier); }));
  if (kept * static_cast<size_t>(*request.seeds) > request.most_cells)
    refuse("more than " + std::to_string(request.most_cells) + " cells, with " + std::to_string(kept) + " a seed");
}

std::vector<TieredCell> tier_cells(const LocatedJson& suite, const std::vector<WrittenCell>& written,
                                   const SuiteRequest& request) {
  check_seeds(suite, written, request);
  std::vector<TieredCell> tiered;
  size_t count = 0;
  for (const auto& cell : written) {
    if (!tier_keeps(cell, suite, request.tier)) continue;
    tiered.push_back({.written = &cell, .seeds = in_tier(cell, suite, request), .keys = {}});
    for (const auto& spec : tiered.back().seeds) tiered.back().keys.push_back(key_of(spec));
    count += tiered.back().seeds.size();
    if (count > request.most_cells) refuse_too_many(suite, "", request.most_cells);
  }
  return tiered;
}

}  // namespace

struct Suite::Contents {
  std::filesystem::path path;
  LocatedJson suite;
};

Suite::Suite(const std::filesystem::path& path)
    : contents_(std::make_unique<Contents>(Contents{.path = path, .suite = read_suite(path)})) {}
Suite::~Suite() = default;
Suite::Suite(Suite&&) noexcept = default;
Suite& Suite::operator=(Suite&&) noexcept = default;

std::vector<std::string> Suite::tiers() const {
  std::vector<std::string> names;
  for (const auto& [name, tier] : contents_->suite.value.at("tiers").items()) names.push_back(name);
  return names;
}

std::optional<std::string> Suite::default_tier() const {
  const auto& suite = contents_->suite.value;
  if (!suite.contains("default_tier")) return std::nullopt;
  return suite.at("default_tier").get<std::string>();
}

SuiteSpec Suite::resolve(const SuiteRequest& request) const {
  const auto& [path, suite] = *contents_;
  const auto names = tiers();
  if (std::find(names.begin(), names.end(), request.tier) == names.end())
    throw UserError(ExitCode::usage, "--tier " + request.tier + ": " + path.string() + " has no such tier" +
                                         suggestion(request.tier, names));
  const auto written = expand_groups(suite, request.most_cells);
  const auto tiered = tier_cells(suite, written, request);
  SuiteSpec spec;
  spec.name = suite.value.value("name", printable(path.stem().string()));
  spec.title = suite.value.value("title", spec.name);
  spec.tier = request.tier;
  const auto& tier = suite.value.at("tiers").at(request.tier);
  spec.proxy = tier.value("proxy", false);
  spec.proxy_reason = tier.value("proxy_reason", std::string());
  spec.tables = read_tables(suite, tiered);
  spec.claims = read_claims(suite, spec.tables);
  spec.cells = list_cells(tiered, ordered_cells(suite, tiered, spec.tables, spec.claims), request);
  if (std::none_of(spec.cells.begin(), spec.cells.end(), [](const auto& cell) { return cell.selected; }))
    refuse_no_cells(suite, request);
  return spec;
}

SuiteSpec load_suite(const std::filesystem::path& path, const SuiteRequest& request) {
  return Suite(path).resolve(request);
}

}  // namespace auxbench
