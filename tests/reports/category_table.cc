// The AP of categories as a table.
#include "reports/category_table.h"

#include "reports/report.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

using Values = std::vector<std::optional<double>>;

DetectionLine line(const std::string& column, int runs, const Values& ap) {
  DetectionLine made = {.column = column, .runs = runs};
  for (size_t i = 0; i < ap.size(); ++i) made.mean.categories.push_back("c" + std::to_string(i));
  made.mean.ap = ap;
  return made;
}

DetectionPanel panel(std::vector<DetectionLine> lines, std::optional<size_t> reference = 0) {
  return {.table = "Table 7", .row = "ResNet-18", .reference = reference, .lines = std::move(lines)};
}

}  // namespace

TEST_CASE("categories stand in the data set's order, those without truth left out", "[reports]") {
  const auto tables = category_tables(
      {panel({line("baseline", 3, {29, 40, std::nullopt, 11}), line("full precision", 1, {32, 39.5, std::nullopt, 10}),
              line("+ Auxi", 2, {31, 40.5, std::nullopt, std::nullopt})},
             1)});
  REQUIRE(tables.size() == 1);
  CHECK(tables[0].title == "Table 7: ResNet-18");
  CHECK(tables[0].categories == 3);
  CHECK(tables[0].header ==
        std::vector<std::string>{"category", "full precision", "baseline (n = 3)", "+ Auxi (n = 2)"});
  const std::vector<std::vector<std::string>> wanted = {
      {"c0", "32.0", "-3.0", "-1.0"}, {"c1", "39.5", "+0.5", "+1.0"}, {"c3", "10.0", "+1.0", "-"}};
  CHECK(tables[0].rows == wanted);
}

TEST_CASE("of many categories those are shown that lose most and least", "[reports]") {
  Values full, one, other;
  for (int i = 0; i < 80; ++i) {
    full.emplace_back(50);
    one.emplace_back(50 + (i * 7 % 80) - 40);  // each difference from -40 to 39 once
    other.emplace_back(50 + (i * 7 % 80) - 40);
  }
  full[3] = std::nullopt;  // 3 * 7 % 80 = 21: a difference of -19, which no end has
  const auto tables = category_tables({panel({line("fp", 1, full), line("a", 1, one), line("b", 1, other)})});
  REQUIRE(tables.size() == 1);
  CHECK(tables[0].categories == 79);
  REQUIRE(tables[0].rows.size() == 2 * kEndCategories);
  for (size_t i = 0; i < kEndCategories; ++i) {
    CHECK(tables[0].rows[i][2] == "-" + std::to_string(40 - i) + ".0");
    CHECK(tables[0].rows[2 * kEndCategories - 1 - i][3] == "+" + std::to_string(39 - i) + ".0");
  }
  // Eleven are too many, ten are not.
  full.resize(11);
  one.resize(11);
  full[3] = 50;
  CHECK(category_tables({panel({line("fp", 1, full), line("a", 1, one)})})[0].rows.size() == 10);
  full.resize(10);
  one.resize(10);
  const auto ten = category_tables({panel({line("fp", 1, full), line("a", 1, one)})});
  CHECK(ten[0].rows.front().front() == "c0");
  CHECK(ten[0].categories == 10);
}

TEST_CASE("a panel without full precision, or with nothing beside it, has no table", "[reports]") {
  const auto full = line("fp", 1, {32}), own = line("a", 1, {30}), unseen = line("a", 1, {std::nullopt});
  CHECK(category_tables({panel({full, own}, std::nullopt)}).empty());
  CHECK(category_tables({panel({full})}).empty());
  CHECK(category_tables({panel({full, unseen})}).empty());
  CHECK(category_tables(std::vector<DetectionPanel>(kMostPanels + 3, panel({full, own}))).size() == kMostPanels);
}

TEST_CASE("a page shows the pictures of a table's rows below it, or says why there is none", "[reports]") {
  ReportInput input;
  input.plan = {.suite = "d", .title = "Detectors", .tier = "embedded"};
  for (const auto* title : {"First", "Second"})
    input.plan.tables.push_back({.id = title,
                                 .title = title,
                                 .metrics = {"ap"},
                                 .columns = {{"fp", "full precision", "full-precision"}},
                                 .rows = {{.title = "Row [1]", .entries = {{}}}, {.title = "Row 2", .entries = {{}}}},
                                 .note = "A note."});
  const auto bare = render_markdown(input);
  input.pictures = {{.table = 0, .row = 0, .file = "pictures/boxes-0123.png", .text = "what *it* shows"},
                    {.table = 1, .row = 1, .text = "cells/a/boxes.safetensors: no such file"}};
  const auto page = render_markdown(input);
  const auto first =
      page.find("\nA note.\n\nRow \\[1\\], what \\*it\\* shows.\n\n![Boxes of Row \\[1\\]](pictures/boxes-0123.png)\n");
  const auto second = page.find("\nNo picture of Row 2: cells/a/boxes.safetensors: no such file\n");
  REQUIRE((first != std::string::npos && second != std::string::npos));
  CHECK(first < page.find("## Second"));
  CHECK(second > page.find("## Second"));
  CHECK(second < page.find("## Cells"));
  CHECK(bare.find("icture") == std::string::npos);
}
