#include "reports/table_model.h"

#include <set>

#include "base/check.h"
#include "tests/reports/example.h"
#include "tests/support/catch.h"

using namespace auxbench;
using test::example;

namespace {

EntryModel entry_at(const ReportInput& input, size_t row, size_t column) {
  return make_report_model(input.plan, input.records).tables.at(0).rows.at(row).entries.at(column);
}

}  // namespace

TEST_CASE("an entry holds a mean per metric, its differences with their pairs, and the paper's", "[reports]") {
  const auto entry = entry_at(example(), 0, 3);
  CHECK(entry.state == EntryState::measured);
  CHECK(entry.runs == 2);
  REQUIRE(entry.measured.size() == 2);
  CHECK(entry.measured[0].metric == "top1");
  CHECK(entry.measured[0].runs.mean == Approx(76.25));
  CHECK(entry.measured[1].runs.mean == Approx(94.25));
  REQUIRE(entry.deltas.size() == 2);
  CHECK(entry.deltas[0].against == Against::full_precision);
  CHECK(entry.deltas[0].measured.count == 1);  // full precision has one seed
  CHECK(entry.deltas[0].measured.mean == Approx(75.5 - 86.6));
  CHECK_FALSE(entry.deltas[0].reported);
  CHECK(entry.deltas[1].against == Against::baseline);
  CHECK(entry.deltas[1].measured.count == 2);
  CHECK(entry.deltas[1].measured.mean == Approx(-0.75));
  CHECK(entry.deltas[1].reported.value() == Approx(2.0));
  CHECK(entry.reported.at("top5") == 87.0);
}

TEST_CASE("only columns right of a reference have a difference to it", "[reports]") {
  CHECK(entry_at(example(), 0, 0).deltas.empty());
  CHECK(entry_at(example(), 0, 1).deltas.size() == 1);
}

TEST_CASE("each status of a record is a state of its own, with why", "[reports]") {
  auto input = example();
  for (const auto& [status, state] :
       {std::pair(Status::listed, EntryState::waiting), std::pair(Status::skipped, EntryState::skipped),
        std::pair(Status::mistrusted, EntryState::mistrusted), std::pair(Status::diverged, EntryState::diverged),
        std::pair(Status::failed, EntryState::failed), std::pair(Status::timed_out, EntryState::timed_out),
        std::pair(Status::interrupted, EntryState::interrupted)}) {
    // Its metrics stay: a status that is not completed is no number, whatever the record holds.
    input.records["fp-0"].status = status;
    input.records["fp-0"].reason = "because";
    const auto entry = entry_at(input, 0, 0);
    CHECK(entry.state == state);
    CHECK(entry.measured.empty());
    REQUIRE(entry.uncounted.size() == 1);
    CHECK(entry.uncounted[0].why == "because");
  }
  CHECK(entry_at(input, 1, 0).state == EntryState::not_in_suite);
  CHECK(entry_at(input, 1, 2).state == EntryState::waiting);
  for (auto& cell : input.plan.cells) cell.selected = false;
  CHECK(entry_at(input, 1, 2).state == EntryState::left_out);
  input.records["fp-0"].status = Status::completed;
  input.records["fp-0"].metrics.clear();
  CHECK(entry_at(input, 0, 0).state == EntryState::no_such_metric);
}

TEST_CASE("an entry with some runs is partly measured and says what became of the rest", "[reports]") {
  auto input = example();
  input.plan.tables[0].rows[0].entries[1].cells = {"later-0", "base-0", "gone-0", "kd-0", "later-1"};
  const auto entry = entry_at(input, 0, 1);
  CHECK(entry.state == EntryState::partly_measured);
  CHECK(entry.runs == 5);
  CHECK(entry.measured.at(0).runs.count == 1);
  REQUIRE(entry.uncounted.size() == 3);
  CHECK(entry.uncounted[0].state == EntryState::waiting);
  CHECK(entry.uncounted[0].count == 2);
  CHECK(entry.uncounted[1].state == EntryState::diverged);
  CHECK(entry.uncounted[1].why == "loss nan at step 7");
  CHECK(entry.uncounted[2].state == EntryState::skipped);
}

TEST_CASE("what happened to a run says more than what has not happened yet", "[reports]") {
  auto input = example();
  input.plan.tables[0].rows[0].entries[1].cells = {"later-0", "gone-0"};
  CHECK(entry_at(input, 0, 1).state == EntryState::diverged);
}

TEST_CASE("a mistrusted run that several rows show is counted once", "[reports]") {
  auto input = example();
  input.records["base-1"].status = Status::mistrusted;
  input.plan.tables[0].rows.push_back(input.plan.tables[0].rows[0]);
  CHECK(make_report_model(input.plan, input.records).tables[0].mistrusted == 1);
}

TEST_CASE("a claim holds the gains of its pairs, the verdict and the paper's figures", "[reports]") {
  const auto input = example();
  const auto model = make_report_model(input.plan, input.records);
  const auto& claim = model.claims.at(0);
  CHECK_FALSE(claim.every_row);
  REQUIRE(claim.rows.size() == 1);
  CHECK(claim.rows[0].gains.count == 2);
  CHECK(claim.rows[0].gains.mean == Approx(-0.75));
  CHECK(claim.rows[0].verdict == Verdict::inconclusive);
  CHECK(claim.rows[0].reported_before == 64.7);
  CHECK(claim.rows[0].reported_after == 66.7);
  CHECK(model.claims.at(1).rows.at(0).verdict == Verdict::no_data);
}

TEST_CASE("a claim's column may stand left of the baseline", "[reports]") {
  auto input = example();
  auto& table = input.plan.tables[0];
  std::swap(table.columns[1], table.columns[3]);
  for (auto& row : table.rows) std::swap(row.entries[1], row.entries[3]);
  CHECK(make_report_model(input.plan, input.records).claims.at(0).rows.at(0).gains.mean == Approx(-0.75));
}

TEST_CASE("a claim over every row has them all, in order", "[reports]") {
  auto input = example();
  input.plan.claims = {{"It helps", "t", "", "auxi"}};
  const auto claim = make_report_model(input.plan, input.records).claims.at(0);
  CHECK(claim.every_row);
  REQUIRE(claim.rows.size() == 2);
  CHECK(claim.rows[0].row == "ResNet-18");
  CHECK(claim.rows[0].verdict == Verdict::inconclusive);
  CHECK(claim.rows[1].row == "ResNet-34");
  CHECK(claim.rows[1].verdict == Verdict::no_data);
}

TEST_CASE("a claim over a table, row or column that is not there has no rows", "[reports]") {
  auto input = example();
  input.plan.claims = {{"a", "u", "", "auxi"}, {"b", "t", "ResNet-99", "auxi"}, {"c", "t", "", "kd2"}};
  for (const auto& claim : make_report_model(input.plan, input.records).claims) CHECK(claim.rows.empty());
  const auto report = render_markdown(input);
  for (const auto* name : {"a", "b", "c"})
    CHECK(report.find("| " + std::string(name) + " | not measured | not measured | - |") != std::string::npos);
  input.plan.claims = {{"d", "t", "", "auxi"}};
  input.plan.tables[0].columns[1].role = "other";
  CHECK(make_report_model(input.plan, input.records).claims[0].rows.empty());
}

TEST_CASE("a plan whose rows do not fit its columns is a fault of ours", "[reports]") {
  auto input = example();
  input.plan.tables[0].rows[1].entries.pop_back();
  CHECK_THROWS_AS(make_report_model(input.plan, input.records), LogicFault);
  input = example();
  input.plan.tables[0].metrics.clear();
  CHECK_THROWS_AS(make_report_model(input.plan, input.records), LogicFault);
}

TEST_CASE("every state has words of its own", "[reports]") {
  std::set<std::string> words;
  for (int state = 0; state <= static_cast<int>(EntryState::not_in_suite); ++state)
    words.insert(state_text(static_cast<EntryState>(state)));
  CHECK(words.size() == static_cast<size_t>(EntryState::not_in_suite) + 1);
}
