#include "reports/report.h"

#include <cstdlib>
#include <sstream>

#include "base/files/file.h"
#include "reports/code_table.h"
#include "tests/reports/example.h"
#include "tests/support/catch.h"

using namespace auxbench;
using test::example;
using test::made_up;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the report is the approved one, letter for letter", "[reports]") {
  const auto path = std::string(AUXBENCH_SOURCE_ROOT) + "/tests/golden/report.md";
  const auto report = render_markdown(example());
  if (std::getenv("AUXBENCH_APPROVE") != nullptr) write_file_atomically(path, report);
  CHECK(report == read_file(path));
}

TEST_CASE("the first line under the title says what ran and that it is a proxy", "[reports]") {
  const auto report = render_markdown(example());
  CHECK(report.starts_with(
      "# An example\n\nTier **embedded** on cpu, 2 threads, a\\|b: a proxy (Fashion-MNIST, reduced network)."));
}

TEST_CASE("nothing that has no number is left out, and why is said", "[reports]") {
  for (const auto& text : {render_markdown(example()), render_console(example())}) {
    CHECK(contains(text, "skipped: not implemented yet: training aid kd"));
    CHECK(contains(text, "diverged: loss nan at step 7"));
    CHECK(contains(text, "not run yet"));
  }
}

TEST_CASE("a loss is printed as a loss", "[reports]") {
  const auto report = render_markdown(example());
  CHECK(contains(report,
                 "| It helps | -0.8 (sd 0.4, n = 2, 95 % CI -3.9 .. +2.4) | inconclusive | +2.0 (64.7 -> 66.7) |"));
  CHECK(contains(report, "76.2 / 94.2 (sd 1.1, n = 2), -11.1 FP (n = 1), -0.8 base |"));
}

TEST_CASE("a mistrusted run is counted and enters no mean, no difference and no verdict", "[reports]") {
  auto input = example();
  input.records["base-1"].status = Status::mistrusted;
  input.records["base-1"].reason = "top-1 is at chance level";
  const auto report = render_markdown(input);
  CHECK(contains(report,
                 "| -0.5 | one seed: not evidence; left out: 1 mistrusted run, baseline: top-1 is at chance level |"));
  CHECK(contains(report, "| 76.0 / 94.0, -10.6 FP; 1 of 2 runs mistrusted: top-1 is at chance level |"));
  CHECK(contains(report, "76.2 / 94.2 (sd 1.1, n = 2), -11.1 FP (n = 1), -0.5 base (n = 1) |"));
  for (const auto& text : {report, render_console(input)})
    CHECK(contains(text, "1 mistrusted run is left out of means and differences."));
  CHECK(contains(report, "| base-1 | mistrusted: top-1 is at chance level | 78.00 |"));
}

TEST_CASE("where every run is mistrusted the state stands in place of a number", "[reports]") {
  auto input = example();
  for (const auto* id : {"base-0", "base-1"}) {
    input.records[id].status = Status::mistrusted;
    input.records[id].reason = "top-1 is at chance level";
  }
  const auto report = render_markdown(input);
  CHECK(contains(report, "| 86.6 / 104.6 | mistrusted: top-1 is at chance level |"));
  CHECK(contains(report, "| It helps | not measured | not measured; left out: 2 mistrusted runs, baseline: "));
  CHECK(contains(report, "2 mistrusted runs are left out of means and differences."));
  CHECK_FALSE(contains(render_markdown(example()), "left out of means"));
}

TEST_CASE("a claim over every row has a line for each row", "[reports]") {
  auto input = example();
  input.plan.claims = {{"It helps", "t", "", "auxi"}};
  const auto report = render_markdown(input);
  CHECK(contains(report, "| It helps (ResNet-18) | -0.8 (sd 0.4, n = 2, 95 % CI -3.9 .. +2.4) | inconclusive | +2.0"));
  CHECK(contains(report, "| It helps (ResNet-34) | not measured | not measured | - |"));
  CHECK(contains(render_console(input), "  It helps (ResNet-34): not measured, not measured; paper -\n"));
}

TEST_CASE("a report without records is a report", "[reports]") {
  auto input = example();
  input.records.clear();
  const auto report = render_markdown(input);
  CHECK(contains(report, "| It helps | not measured | not measured | +2.0 (64.7 -> 66.7) |"));
  CHECK(contains(report, "64.7 / 86.0"));
}

TEST_CASE("what the paper does not compare stays uncompared", "[reports]") {
  auto input = example();
  input.plan.proxy = false;
  CHECK_FALSE(contains(render_markdown(input), "Not comparable"));
  CHECK(contains(render_markdown(example()), "Not comparable with the paper's lines: Fashion-MNIST, reduced network."));
}

TEST_CASE("a row of an epoch shows the curve there, and full precision as it ended", "[reports]") {
  auto input = example();
  for (auto& [id, record] : input.records)
    record.curves = {{"epoch", {1, 4}}, {"top1", {10.5, 20.5}}, {"top5", {30, 40}}};
  auto& table = input.plan.tables.front();
  table.rows.front().epoch = 4;
  table.rows.front().title = "epoch 4";
  table.rows.push_back(table.rows.front());
  table.rows.back().epoch = 2;
  table.rows.back().title = "epoch 2";
  const auto text = render_markdown(input);
  const auto line = [&](const std::string& title) {
    const auto begin = text.find("| " + title + " |");
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  CHECK(line("epoch 4").find("20.5 / 40.0") != std::string::npos);
  CHECK(line("epoch 2").find("no such epoch in this tier") != std::string::npos);
}

TEST_CASE("the report says where records were made, and without any where a run would be", "[reports]") {
  auto input = example();
  input.records["base-0"].provenance.device = "cuda";
  input.records["base-0"].provenance.gpu = "a card";
  input.records["of-another-plan"] = made_up("of-another-plan", 1, 0, "x");
  input.records["of-another-plan"].provenance.cpu = "elsewhere";
  const auto report = render_markdown(input);
  CHECK(contains(report, "Tier **embedded** on cpu, 2 threads, a\\|b; cuda, 2 threads, a\\|b, a card: a proxy"));
  CHECK_FALSE(contains(report, "elsewhere"));
  input.records.clear();
  input.here = "cpu, 4 threads";
  CHECK(contains(render_markdown(input), "Tier **embedded** on cpu, 4 threads: a proxy"));
  input.here.clear();
  CHECK(contains(render_markdown(input), "Tier **embedded**, nothing has run yet: a proxy"));
  CHECK(contains(render_console(input), "Tier embedded, nothing has run yet: a proxy"));
}

TEST_CASE("what a dataset lacks is said once", "[reports]") {
  auto input = example();
  for (auto& [id, record] : input.records) record.facts["data_missing"] = "val: 4,999 of 5,000 images, 1 missing";
  input.records["fp-0"].facts["data_missing"] = 7;  // no text: passed over
  for (const auto& text : {render_markdown(input), render_console(input)}) {
    const std::string line = "Not the whole dataset: val: 4,999 of 5,000 images, 1 missing.\n";
    CHECK(text.find(line) != std::string::npos);
    CHECK(text.find(line) == text.rfind(line));
  }
}

TEST_CASE("cells of several tasks name their metric each", "[reports]") {
  auto input = example();
  input.records["fp-0"].metrics = {{.name = "ap", .value = 33.25, .unit = "%"}};
  const auto report = render_markdown(input);
  CHECK(contains(report, "| cell | status | metric | real bits | seconds |"));
  CHECK(contains(report, "| fp-0 | completed | ap 33.25 |"));
  CHECK(contains(report, "| base-0 | completed | top1 76.00 |"));
}

TEST_CASE("a cell that this run left out is listed only when it has a record", "[reports]") {
  auto input = example();
  for (auto& cell : input.plan.cells) cell.selected = cell.id == "fp-0";
  const auto report = render_markdown(input);
  CHECK(contains(report, "| base-0 | completed |"));
  CHECK_FALSE(contains(report, "| later-0 |"));
  CHECK(contains(report, "| left out of this run |"));
}

TEST_CASE("a cell that waits says what it waits for", "[reports]") {
  auto input = example();
  input.plan.cells.back().missing = "needs imagenet, which was not found";
  const auto report = render_markdown(input);
  CHECK(contains(report, "| not run yet: needs imagenet, which was not found |"));
  CHECK(contains(report, "| later-0 | not run yet: needs imagenet, which was not found | - |"));
}

TEST_CASE("integers: what the bit-exactness check found, by the metric that decides", "[reports]") {
  auto input = example();
  const auto frozen = [&](const std::string& id, nlohmann::json facts) {
    input.records[id].facts["integer"] = std::move(facts);
  };
  frozen("base-0", {{"status", "equal"}, {"images", 1000}, {"top1", 76.0}, {"bytes", 123456}, {"module_free", true}});
  frozen("base-1", {{"status", "differs"}, {"images", 1000}, {"differing", 2}, {"reason", "image 7"}, {"top1", 77.9}});
  frozen("auxi-0", {{"status", "none"}, {"reason", "no thresholds"}});
  frozen("fp-0", 7);  // no object: passed over
  frozen("auxi-1", {{"status", 7}, {"images", "many"}, {"bytes", nlohmann::json::array()}});
  input.records["base-0"].seconds["integer image"] = 0.0005;
  input.records["base-0"].seconds["full-precision image"] = 0.001;
  input.records["base-1"].seconds["integer image"] = 1e-300;
  const auto report = render_markdown(input);
  CHECK(contains(report, "the bit-exactness check compares its first choice"));
  CHECK(contains(report, "1 cells equal, 1 differ, 2 have no integer form; 2000 images compared."));
  CHECK(contains(report, "| cell | bits | top1 | top1, integers | bit-exactness check | bytes |"));
  CHECK(contains(report, "| base-0 | 2/2 | 76.00 | 76.00 | equal | 123,456 | 0 | 2,000 | 2.0 | same file |"));
  CHECK(contains(report, "| base-1 | 2/2 | 78.00 | 77.90 | 2 of 1000 differ: image 7 | 0 | 0 | - | - | - |"));
  CHECK(contains(report, "| auxi-0 | 2/2 | 75.50 | - | no integer form: no thresholds | - | - | - | - | - |"));
}

TEST_CASE("hostile names, titles and reasons leave no line of a table in pieces", "[reports]") {
  const std::string hostile = "a|b `c` \\| <script>\r\n| x |\n# h *e* _f_ [l](javascript:x) \x1b[2J";
  auto input = example();
  auto& plan = input.plan;
  for (auto* text : {&plan.title, &plan.tier, &plan.proxy_reason, &plan.command}) *text = hostile;
  auto& table = plan.tables.front();
  for (auto* text : {&table.title, &table.source, &table.note, &table.rows.front().title}) *text = hostile;
  table.metrics.push_back(hostile);
  for (auto& column : table.columns) column.title = hostile;
  plan.claims.front() = {hostile, "t", "", "auxi"};
  for (auto& [id, record] : input.records) {
    record.reason = hostile;
    record.provenance.cpu = record.provenance.compiler = hostile;
    record.metrics.push_back({.name = hostile, .value = 1, .unit = "%"});
    record.id = id + hostile;
    record.facts["data_missing"] = hostile;
    record.facts["weight_real_bits"] = hostile;
    record.facts["integer"] = {{"status", "differs"}, {"reason", hostile}};
  }
  const auto bars = [](const std::string& line) {
    size_t found = 0;
    for (size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '\\')
        ++i;  // it and what it escapes
      else if (line[i] == '|')
        ++found;
    }
    return found;
  };
  const auto lines_of = [](const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  };
  const auto report = render_markdown(input);
  const auto lines = lines_of(report);
  size_t rows = 0;
  for (size_t i = 1; i < lines.size(); ++i) {
    CHECK_FALSE((lines[i].starts_with("# ") && i > 0));
    if (!lines[i].starts_with("|") || !lines[i - 1].starts_with("|")) continue;
    CHECK(bars(lines[i]) == bars(lines[i - 1]));
    ++rows;
  }
  CHECK(rows > 20);
  for (size_t at = report.find("<script"); at != std::string::npos; at = report.find("<script", at + 1))
    CHECK((report[at - 1] == '\\' || report.rfind("``", at) > report.rfind('\n', at)));  // escaped, or code
  for (const auto& text : {report, render_console(input)}) {
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find('\r') == std::string::npos);
    CHECK_FALSE(contains(text, "\n| x |"));
  }
}

TEST_CASE("the same records give the same bytes, and what is not of the plan changes none", "[reports]") {
  auto input = example();
  const auto report = render_markdown(input), console = render_console(input);
  CHECK(render_markdown(input) == report);
  auto other = made_up("of-another-plan", 50, 0, "x");
  other.status = Status::mistrusted;
  other.metrics = {{.name = "ap", .value = 30, .unit = "%"}};
  other.facts = {{"data_missing", "a half"}, {"integer", {{"status", "equal"}}}};
  other.provenance.cpu = other.provenance.compiler = "another";
  input.records["of-another-plan"] = other;
  CHECK(render_markdown(input) == report);
  CHECK(render_console(input) == console);
}

namespace {

nlohmann::json layer(const std::string& name, double most, double beyond) {
  return {{"layer", name},
          {"activations", {{"levels", 4}, {"most", most}, {"top", most / 2}, {"beyond", beyond}}},
          {"weights", {{"levels", 4}, {"most", 0.4}, {"ends", 0.2}}}};
}

}  // namespace

TEST_CASE("a cell whose layers sit on one level is warned of, by name and share", "[reports]") {
  auto input = example();
  auto& record = input.records.at("base-0");
  record.facts["codes"] = {layer("layer1.0.conv1", 0.899, 0.1), layer("layer1.0.conv2", 0.6, 0.499)};
  CHECK(render_markdown(input) == render_markdown(example()));
  CHECK(render_console(input).find("Warning") == std::string::npos);
  record.facts["codes"][0] = layer("layer1.0.conv1", 0.9, 0.1);
  record.facts["codes"].push_back(layer("layer1.1|conv1", 0.993, 0.987));
  const auto page = render_markdown(input);
  CHECK(page.find("| base-0 | 2 of 3 | layer1.0.conv1 | 99.3 % | 98.7 % |") != std::string::npos);
  // Mostly beyond the clip; signs have no other place than the ends.
  record.facts["codes"] = {layer("a", 0.55, 0.5), layer("b", 0.6, 0.7)};
  record.facts["codes"][1]["activations"]["levels"] = 2;
  CHECK(layers_on_one_level(record)->layers == 1);
  CHECK(layers_on_one_level(record)->first == "a");
  CHECK(page.find("## Warning: layers on one level") < page.find("## Cells"));
  CHECK(render_console(input).find("Warning: 1 cell has layers whose activations sit on one level") !=
        std::string::npos);
}

TEST_CASE("the codes of a record are a table, a line a layer, whatever is missing", "[reports]") {
  auto record = example().records.at("base-0");
  CHECK(code_table(record).rows.empty());
  CHECK(code_text(record).find("no codes are recorded") == 0);
  record.facts["codes"] = {layer("layer1.0.conv1", 0.96, 0.1), layer("layer1.0.conv2", 0.6, 0.2)};
  const auto table = code_table(record);
  REQUIRE(table.rows.size() == 2);
  CHECK(table.rows[0] ==
        std::vector<std::string>{"layer1.0.conv1", "4", "96.0 %", "48.0 %", "10.0 %", "4", "40.0 %", "20.0 %"});
  const auto text = code_text(record);
  CHECK(std::count(text.begin(), text.end(), '\n') == 3);
  CHECK(text.find("<- on one level") == text.rfind("<- on one level"));
  // Of another version, or written by hand.
  record.facts["codes"] = {
      layer("a", 0.99, 0.1), {{"layer", "b"}}, {{"layer", 7}}, "c", {{"layer", "d"}, {"activations", 3}}};
  REQUIRE(code_table(record).rows.size() == 3);
  CHECK(code_table(record).rows[1] == std::vector<std::string>{"b", "-", "-", "-", "-", "-", "-", "-"});
  CHECK(layers_on_one_level(record)->of == 1);
  record.facts["codes"] = {{"layer", "a"}};
  CHECK(code_table(record).rows.empty());
  CHECK_FALSE(layers_on_one_level(record));
}
