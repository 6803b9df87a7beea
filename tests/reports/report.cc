#include "reports/report.h"

#include <cstdlib>
#include <fstream>

#include "base/files/file.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

Record made_up(const std::string& id, double top1, int seed, const std::string& slug) {
  Record record;
  record.id = id;
  record.slug = slug;
  record.status = Status::completed;
  record.spec = {{"seed", seed}};
  record.metrics = {{.name = "top1", .value = top1, .unit = "%"}, {.name = "top5", .value = top1 + 18, .unit = "%"}};
  record.seconds["total"] = 12.34;
  record.facts = {{"weight_real_bits", 2}, {"activation_real_bits", 2}};
  record.provenance = {.commit = "abc",
                       .version = "0.1.0",
                       .compiler = "gcc 12",
                       .torch = "2.15.0",
                       .cpu = "a|b",
                       .device = "cpu",
                       .os = "Linux",
                       .threads = 2,
                       .data_manifest = "d0"};
  return record;
}

ReportInput example() {
  ReportInput input;
  input.suite = "example";
  input.title = "An example";
  input.tier = "embedded";
  input.command = "auxbench run suites/example.json --tier embedded";
  input.proxy = true;
  input.proxy_reason = "Fashion-MNIST, reduced network";
  input.ran_on = "cpu, 2 threads";
  input.cell_order = {"fp-0", "base-0", "base-1", "auxi-0", "auxi-1", "kd-0", "gone-0", "later-0"};
  input.tables = {
      {.id = "t",
       .title = "Table 2: an example",
       .source = "somebody, table 2",
       .note = "",
       .metrics = {"top1", "top5"},
       .columns = {{"fp", "full precision", "full-precision"},
                   {"baseline", "baseline", "baseline"},
                   {"kd", "+ KD", "aid"},
                   {"auxi", "+ Auxi", "aid"}},
       .rows = {{.title = "ResNet-18",
                 .entries = {{{"fp-0"}, {}},
                             {{"base-0", "base-1"}, {{"top1", 64.7}, {"top5", 86.0}}},
                             {{"kd-0"}, {{"top1", 65.6}}},
                             {{"auxi-0", "auxi-1"}, {{"top1", 66.7}, {"top5", 87.0}}}}},
                {.title = "ResNet-34", .entries = {{{}, {}}, {{"gone-0"}, {}}, {{"later-0"}, {}}, {{}, {}}}}}}};
  input.claims = {{"It helps", "t", "ResNet-18", "auxi"}, {"It helps deep networks", "t", "ResNet-34", "auxi"}};
  input.records["fp-0"] = made_up("fp-0", 86.6, 0, "fp");
  input.records["base-0"] = made_up("base-0", 76.0, 0, "base");
  input.records["base-1"] = made_up("base-1", 78.0, 1, "base");
  input.records["auxi-0"] = made_up("auxi-0", 75.5, 0, "auxi");
  input.records["auxi-1"] = made_up("auxi-1", 77.0, 1, "auxi");
  Record skipped = made_up("kd-0", 0, 0, "kd");
  skipped.status = Status::skipped;
  skipped.reason = "not implemented yet: training aid kd";
  skipped.metrics.clear();
  input.records["kd-0"] = skipped;
  Record diverged = skipped;
  diverged.id = "gone-0";
  diverged.status = Status::diverged;
  diverged.reason = "loss nan at step 7";
  input.records["gone-0"] = diverged;
  return input;
}

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
      "# An example\n\nTier **embedded** on cpu, 2 threads: a proxy (Fashion-MNIST, reduced network)."));
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
  CHECK(contains(report, "76.2 / 94.2 (sd 1.1, n = 2), -11.1 FP, -0.8 base"));
}

TEST_CASE("a claim over a mistrusted number is mistrusted, whatever its interval says", "[reports]") {
  auto input = example();
  input.records["base-1"].status = Status::mistrusted;
  input.records["base-1"].reason = "top-1 is at chance level";
  const auto report = render_markdown(input);
  CHECK(contains(report, "| mistrusted, baseline: top-1 is at chance level |"));
  CHECK(contains(report, "77.0 / 95.0 (sd 1.4, n = 2) mistrusted: top-1 is at chance level"));
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
  input.proxy = false;
  CHECK_FALSE(contains(render_markdown(input), "Not comparable"));
  CHECK(contains(render_markdown(example()), "Not comparable with the paper's lines: Fashion-MNIST, reduced network."));
}

TEST_CASE("a row of an epoch shows the curve there, and full precision as it ended", "[reports]") {
  auto input = example();
  for (auto& [id, record] : input.records)
    record.curves = {{"epoch", {1, 4}}, {"top1", {10.5, 20.5}}, {"top5", {30, 40}}};
  auto& table = input.tables.front();
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
