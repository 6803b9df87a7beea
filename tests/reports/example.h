// A plan with a table, claims and made-up records of each kind.
#pragma once

#include <string>

#include "reports/report.h"

namespace auxbench::test {

inline Record made_up(const std::string& id, double top1, int seed, const std::string& slug) {
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

inline ReportInput example() {
  ReportInput input;
  input.plan = {.suite = "example", .title = "An example", .tier = "embedded", .proxy = true};
  input.plan.proxy_reason = "Fashion-MNIST, reduced network";
  input.plan.command = "auxbench run suites/example.json --tier embedded";
  for (const auto* id : {"fp-0", "base-0", "base-1", "auxi-0", "auxi-1", "kd-0", "gone-0", "later-0"})
    input.plan.cells.push_back({.spec = {}, .id = id});
  input.plan.tables = {
      {.id = "t",
       .title = "Table 2: an example",
       .source = "somebody, table 2",
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
                {.title = "ResNet-34", .entries = {{{}, {}}, {{"gone-0"}, {}}, {{"later-0"}, {}}, {{}, {}}}}},
       .note = ""}};
  input.plan.claims = {{"It helps", "t", "ResNet-18", "auxi"}, {"It helps deep networks", "t", "ResNet-34", "auxi"}};
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

}  // namespace auxbench::test
