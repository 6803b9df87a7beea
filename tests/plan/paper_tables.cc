// What suites/paper_tables.json holds: the paper's figures, and seeds behind each claim.
#include <algorithm>
#include <map>

#include "runner/plan/suite.h"
#include "tests/support/catch.h"

using namespace auxbench;

TEST_CASE("the paper's tables carry every reported figure", "[spec]") {
  const auto spec = load_suite(std::string(AUXBENCH_SOURCE_ROOT) + "/suites/paper_tables.json", {.tier = "full"});
  std::map<std::string, size_t> figures, entries;
  for (const auto& table : spec.tables)
    for (const auto& row : table.rows)
      for (const auto& entry : row.entries) {
        figures[table.id] += entry.reported.size();
        entries[table.id] += entry.cells.empty() ? 0U : 1U;
      }
  CHECK(figures == std::map<std::string, size_t>{{"figure-3", 33},
                                                 {"table-1", 20},
                                                 {"table-2", 24},
                                                 {"table-3", 24},
                                                 {"table-4", 10},
                                                 {"table-5", 6},
                                                 {"table-6", 54},
                                                 {"table-7", 36},
                                                 {"post-activation", 0},
                                                 {"v1-links", 6}});
  CHECK(entries == std::map<std::string, size_t>{{"figure-3", 33},
                                                 {"table-1", 15},
                                                 {"table-2", 15},
                                                 {"table-3", 15},
                                                 {"table-4", 5},
                                                 {"table-5", 4},
                                                 {"table-6", 9},
                                                 {"table-7", 7},
                                                 {"post-activation", 9},
                                                 {"v1-links", 3}});
  CHECK(spec.claims.front().row == "ResNet-18");
}

TEST_CASE("the paper's tables begin with table 2 at one seed, and no claim rests on fewer than three", "[spec]") {
  const auto path = std::string(AUXBENCH_SOURCE_ROOT) + "/suites/paper_tables.json";
  for (const auto& [tier, least] : {std::pair("embedded", size_t{3}), std::pair("long", size_t{5})}) {
    const auto spec = load_suite(path, {.tier = tier});
    std::map<std::string, size_t> places;
    for (size_t i = 0; i < spec.cells.size(); ++i) places[spec.cells[i].key] = i;
    size_t last_of_table_2 = 0;
    for (const auto& row : spec.tables.at(1).rows)
      for (const auto& entry : row.entries) last_of_table_2 = std::max(last_of_table_2, places.at(entry.cells.front()));
    for (size_t i = 0; i <= last_of_table_2; ++i) CHECK(spec.cells[i].spec.seed == 0);
    CHECK(last_of_table_2 < 20);
    for (const auto& claim : spec.claims)
      for (const auto& table : spec.tables) {
        if (table.id != claim.table) continue;
        for (const auto& row : table.rows) {
          if (row.title != claim.row) continue;
          for (size_t i = 0; i < table.columns.size(); ++i) {
            if (table.columns[i].id != claim.column && i != column_against(claim, table)) continue;
            CHECK(row.entries[i].cells.size() >= least);
          }
        }
      }
  }
}
