// Detectors in a report: tables of many metrics, claims within a margin, precision over recall, the AP of categories.
#include <algorithm>
#include <cmath>

#include "base/files/file.h"
#include "reports/claims_in_words.h"
#include "reports/claims_plot.h"
#include "reports/detection_model.h"
#include "reports/detection_plots.h"
#include "reports/texts.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;
using nlohmann::json;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// Curves that fall in a line from `high` to 0, and the AP of three categories, of which the last has no truth.
json fact_of(double high, double first, double second) {
  json fact = {{"categories", {"shirt", "dress", "boot"}}, {"ap", {first, second, nullptr}}};
  for (const auto& [key, top] : {std::pair("precision50", high), std::pair("precision75", high / 2)})
    for (size_t i = 0; i < kCurvePoints; ++i) fact[key].push_back(top * (1 - static_cast<double>(i) / 100));
  return fact;
}

Record detector(const std::string& id, int seed, double ap, const json& fact) {
  Record record;
  record.id = record.slug = id;
  record.status = Status::completed;
  record.spec = {{"seed", seed}};
  record.metrics = {{.name = "ap", .value = ap, .unit = "%"},
                    {.name = "ap50", .value = ap + 20, .unit = "%"},
                    {.name = "ap75", .value = ap - 5, .unit = "%"}};
  if (!fact.is_null()) record.facts["detection"] = fact;
  record.provenance = {.commit = "c", .device = "cpu", .threads = 1};
  return record;
}

// Full precision, a baseline and modules, three seeds each.
ReportInput detectors() {
  ReportInput input;
  input.plan = {.suite = "d", .title = "Detectors", .tier = "embedded"};
  Table table = {.id = "t",
                 .title = "Table 7",
                 .metrics = {"ap", "ap50", "ap75"},
                 .columns = {{"fp", "full precision", "full-precision"},
                             {"baseline", "baseline", "baseline"},
                             {"auxi", "+ Auxi", "aid"}},
                 .rows = {{.title = "ResNet-18", .entries = {{}, {}, {}}}}};
  const double ap[] = {32, 29, 31};
  for (size_t column = 0; column < 3; ++column)
    for (int seed = 0; seed < 3; ++seed) {
      const auto id = table.columns[column].id + std::to_string(seed);
      input.plan.cells.push_back({.spec = {}, .id = id});
      table.rows[0].entries[column].cells.push_back(id);
      const double own = ap[column] + 0.1 * seed * (column == 1 ? -1 : 1);
      input.records[id] =
          detector(id, seed, own, fact_of(90 - 10.0 * static_cast<double>(column), own, own + 10 + seed));
    }
  table.rows[0].entries[0].reported = {{"ap", 32.1}, {"ap50", 50.5}};
  table.rows[0].entries[2].reported = {{"ap", 30.6}, {"ap50", 48.8}};
  input.plan.tables = {table};
  input.plan.claims = {
      {.text = "Near lossless", .table = "t", .row = "ResNet-18", .column = "auxi", .against = "fp", .margin = 1.5},
      {.text = "It helps", .table = "t", .row = "ResNet-18", .column = "auxi"},
      {.text = "It loses no more",
       .table = "t",
       .row = "ResNet-18",
       .column = "baseline",
       .against = "fp",
       .margin = 1.0}};
  return input;
}

}  // namespace

TEST_CASE("a table of more than two metrics has a line a column, each metric with its spread and drop", "[reports]") {
  const auto report = render_markdown(detectors());
  CHECK(contains(report, "|  | n | AP | AP50 | AP75 |\n"));
  CHECK(contains(report, "| ResNet-18, full precision | 3 | 32.1 (sd 0.1) | 52.1 (sd 0.1) | 27.1 (sd 0.1) |\n"));
  CHECK(contains(report, "| paper |  | 32.1 | 50.5 | - |\n"));
  CHECK(contains(
      report,
      "| ResNet-18, baseline | 3 | 28.9 (sd 0.1), -3.2 FP | 48.9 (sd 0.1), -3.2 FP | 23.9 (sd 0.1), -3.2 FP |\n"));
  CHECK(contains(report,
                 "| ResNet-18, + Auxi | 3 | 31.1 (sd 0.1), -1.0 FP, +2.2 base | 51.1 (sd 0.1), -1.0 FP | 26.1 (sd "
                 "0.1), -1.0 FP |\n"));
  CHECK(contains(report, "| paper |  | 30.6, -1.5 FP | 48.8, -1.7 FP | - |\n"));
}

TEST_CASE("a line without numbers says why once", "[reports]") {
  auto input = detectors();
  for (const auto* id : {"auxi0", "auxi1"}) input.records.erase(id);
  input.records.at("auxi2").status = Status::mistrusted;
  input.records.at("auxi2").reason = "AP50 is below the floor";
  CHECK(contains(
      render_markdown(input),
      "| ResNet-18, + Auxi | - | 2 of 3 runs not run yet; 1 of 3 runs mistrusted: AP50 is below the floor | - | - |"));
}

TEST_CASE("a claim within a margin is a test against the column that it names", "[reports]") {
  const auto input = detectors();
  const auto claims = make_report_model(input.plan, input.records).claims;
  REQUIRE(claims.size() == 3);
  CHECK(claims[0].against == "full precision");
  CHECK(claims[0].rows.at(0).gains.mean == Approx(-1.0));
  CHECK(claims[0].rows[0].verdict == Verdict::positive);
  CHECK(claims[0].rows[0].reported_before == 32.1);
  CHECK_FALSE(claims[0].rows[0].gap.has_value());
  CHECK(claims[1].against.empty());
  CHECK(claims[1].rows.at(0).gap == Approx(3.2));
  CHECK(claims[2].rows.at(0).verdict == Verdict::negative);
  CHECK(claim_sentences(claims[0]).front().starts_with(
      "Near lossless, against full precision: yes, a difference of -1.0 points (95 % interval "));
  CHECK(claim_sentences(claims[0]).front().ends_with(" stays within 1.5."));
  CHECK(claim_sentences(claims[2]).front().ends_with(" goes beyond 1.0."));
  const auto report = render_markdown(input);
  CHECK(contains(report, "| within 1.5 | -1.5 (32.1 -> 30.6) |"));
  CHECK(contains(report, "| beyond 1.0 | - |"));
  CHECK(contains(report, "A claim that no more than a margin is lost"));
  const auto picture = render_claims_plot(input);
  CHECK(contains(picture, ">within 1.5<"));
  CHECK(contains(picture, "a short line: the loss that a claim allows"));
}

TEST_CASE("a margin that the interval holds leaves a claim undecided", "[reports]") {
  auto input = detectors();
  input.records.at("auxi0").metrics[0].value = 29;
  const auto claim = make_report_model(input.plan, input.records).claims.at(0);
  CHECK(claim.rows.at(0).verdict == Verdict::inconclusive);
  CHECK(claim_sentences(claim).front().ends_with(": the interval holds -1.5."));
}

TEST_CASE("gains of claims in several metrics are not averaged with one another", "[reports]") {
  std::vector<ClaimModel> claims(2);
  ClaimRow row = {
      .row = "r", .gains = {.count = 3, .mean = 2, .half_width = 1}, .gap = 3, .verdict = Verdict::positive};
  claims[0] = {.text = "a", .metric = "top1", .rows = {row, row, row, row}};
  claims[1] = {.text = "b", .metric = "ap", .rows = {row}};
  claims[1].rows[0].gains.mean = 100;
  CHECK(
      claims_summary(claims) ==
      "5 claims: 5 confirmed, 0 reversed, 0 undecided, 0 with one seed or none. Of the 4 in top-1 with three seeds or "
      "more, the 2 whose baseline loses most to full precision (3.0 points or more) gain +2.0 points on average, the "
      "other 2 +2.0.");
}

TEST_CASE("a panel holds the means over the runs of each column", "[reports]") {
  const auto input = detectors();
  const auto panels = detection_panels(input.plan, input.records);
  REQUIRE(panels.size() == 1);
  CHECK(panels[0].reference == 0U);
  REQUIRE(panels[0].lines.size() == 3);
  const auto& modules = panels[0].lines[2];
  CHECK(modules.runs == 3);
  CHECK(modules.mean.precision[0][0] == Approx(70));
  CHECK(modules.mean.precision[1][50] == Approx(17.5));
  CHECK(modules.mean.ap[0].value() == Approx(31.1));
  CHECK(modules.mean.ap[1].value() == Approx((31 + 31.1 + 31.2) / 3 + 11));
  CHECK_FALSE(modules.mean.ap[2].has_value());
}

TEST_CASE("runs that do not count and facts of another form are drawn by nothing", "[reports]") {
  auto input = detectors();
  input.records.at("auxi0").status = Status::mistrusted;
  input.records.at("auxi1").facts["detection"]["precision50"].push_back(1);
  input.records.at("auxi2").facts["detection"]["categories"][0] = "skirt";
  const auto panels = detection_panels(input.plan, input.records);
  REQUIRE(panels.at(0).lines.size() == 2);
  Record record;
  for (const json& fact :
       {json(), json(7), json::object(), json{{"categories", 3}}, fact_of(101, 1, 1), fact_of(90, -1, 1)}) {
    record.facts["detection"] = fact;
    CHECK_FALSE(detection_facts(record));
  }
  auto odd = fact_of(90, 1, 1);
  odd["precision75"][7] = "seven";
  record.facts["detection"] = odd;
  CHECK_FALSE(detection_facts(record));
  odd = fact_of(90, 1, 1);
  odd["ap"].erase(0);
  record.facts["detection"] = odd;
  CHECK_FALSE(detection_facts(record));
}

TEST_CASE("precision over recall is a line and a dashed one for each column, and the means stand beside", "[reports]") {
  const auto input = detectors();
  const auto picture = render_precision_plot(input);
  CHECK(count(picture, " line\"/>") == 6);  // and three in the legend
  CHECK(count(picture, " line dashed\"/>") == 3);
  CHECK(contains(picture, ">35.0 / 17.5: + Auxi (n = 3)<"));
  CHECK(contains(picture, ">ResNet-18<"));
  CHECK(picture == render_precision_plot(input));
}

TEST_CASE("categories are marks of their difference to full precision, where both have a truth", "[reports]") {
  auto input = detectors();
  const auto picture = render_category_plot(input);
  // Two columns, each with two categories, and a mark in the legend.
  CHECK(count(picture, "<circle") == 2 * 2 + 2);
  for (const auto* name : {">shirt<", ">dress<", ">boot<"}) CHECK(contains(picture, name));
  for (int seed = 0; seed < 3; ++seed) input.records.erase("fp" + std::to_string(seed));
  CHECK(render_category_plot(input).empty());
  CHECK_FALSE(render_precision_plot(input).empty());
}

TEST_CASE("a report shows the pictures of detectors, and none where there is nothing to draw", "[reports]") {
  const test::TempFolder folder;
  auto input = detectors();
  const auto page = read_file(write_report(input, folder.path()));
  CHECK(contains(page, "](precision-recall.svg)"));
  CHECK(contains(page, "](category-ap.svg)"));
  CHECK(read_file(folder.path() / "precision-recall.svg") == render_precision_plot(input));
  CHECK(read_file(folder.path() / "category-ap.svg") == render_category_plot(input));
  for (auto& [id, record] : input.records) record.facts.clear();
  CHECK_FALSE(contains(render_markdown(input), "## Detectors"));
  CHECK(render_precision_plot(input).empty());
}

TEST_CASE("hostile names stay text in the pictures of detectors", "[reports]") {
  auto input = detectors();
  const std::string hostile = "<script>\"&\x01\xff";
  input.plan.title = input.plan.tables[0].title = input.plan.tables[0].rows[0].title = hostile;
  for (auto& column : input.plan.tables[0].columns) column.title = hostile;
  for (auto& [id, record] : input.records) record.facts["detection"]["categories"][0] = "<b>";
  for (const auto& picture : {render_precision_plot(input), render_category_plot(input)}) {
    CHECK_FALSE(contains(picture, "<script"));
    CHECK_FALSE(contains(picture, "<b>"));
    CHECK_FALSE(picture.empty());
  }
}
