// The suite language: one strict JSON file that says which cells to train and how to lay them out in tables.
//
// docs/suites.md is the language on one page; suites/schema/suite.schema.json the same for editors.
// Every mistake throws UserError(invalid_suite) as `file:line:col: /pointer: what, did you mean ...`.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runner/plan/plan.h"

namespace auxbench {

// A cell as the suite asked for it.
struct ListedCell {
  CellSpec spec;
  std::string key;                  // canonical JSON: two cells that train the same thing have the same
  std::vector<std::string> needs;   // keys of the cells whose weights it starts from or learns from
  std::vector<std::string> groups;  // that list it
  bool implied = false;             // not asked for itself: needed by a cell that is
  bool selected = true;             // false: left out by --only or --skip
};

// A suite resolved for one tier.
struct SuiteSpec {
  std::string name;
  std::string title;
  std::string tier;
  bool proxy = false;             // the tier does not run the paper's data: reported figures are not comparable
  std::string proxy_reason;       // "Fashion-MNIST, reduced network"
  std::vector<ListedCell> cells;  // in the suite's `order`, each behind what it needs; those left out, too
  std::vector<Table> tables;      // of keys: make_plan puts ids in their place
  std::vector<Claim> claims;
};

struct SuiteRequest {
  std::string tier;              // one of the suite's tiers
  std::vector<std::string> set;  // "KEY=VALUE" overrides of every cell, last word; VALUE is JSON or a bare string
  std::optional<int> seeds;      // 0..N-1 instead of the suite's; UserError(usage) for less than 1, or too many cells
  std::vector<std::string> only, skip;  // globs over slugs and group names
  size_t most_cells = 10'000;           // with their seeds; a matrix that gives more is refused as a mistake
};

// A suite's file, read and checked once, from which each tier can be had.
class Suite {
 public:
  explicit Suite(const std::filesystem::path& path);
  ~Suite();
  Suite(Suite&&) noexcept;
  Suite& operator=(Suite&&) noexcept;

  // The names of the tiers it defines, in the order of the alphabet; of a suite that defines none, kAsWritten
  // (runner/plan/tiers.h).
  [[nodiscard]] std::vector<std::string> tiers() const;
  // The one that it says is run where none is asked for, if it says so.
  [[nodiscard]] std::optional<std::string> default_tier() const;
  // Expands it. With `only` or `skip` the cells that what is left needs stay selected, as implied cells, and tables keep
  // their shape.
  [[nodiscard]] SuiteSpec resolve(const SuiteRequest& request) const;

 private:
  struct Contents;
  std::unique_ptr<Contents> contents_;
};

// Suite(path).resolve(request).
SuiteSpec load_suite(const std::filesystem::path& path, const SuiteRequest& request);

}  // namespace auxbench
