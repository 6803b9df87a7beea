#include "runner/plan/plan.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "runner/plan/code_epochs.h"
#include "runner/plan/cost.h"
#include "runner/plan/extend_plan.h"
#include "runner/plan/make_plan.h"
#include "runner/plan/makespan.h"
#include "runner/plan/plan_file.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;
using nlohmann::json;

namespace {

// A baseline and an auxiliary cell with their starts, in a table with a claim about them.
const char* const kSuite = R"({"name": "small", "title": "Small",
  "defaults": {"dataset": "fashion-mnist", "model": "resnet18", "quantizer": "dorefa", "weight_bits": 2, "activation_bits": 2,
               "pretrain": {"epochs": 2, "lr": 0.1}, "finetune": {"epochs": 1, "lr": 0.01}},
  "groups": [{"name": "pair", "matrix": {"aid": [[], ["auxi"]]}}],
  "tiers": {"t": {"proxy": true, "proxy_reason": "small"}, "u": {}},
  "tables": [{"id": "one", "metrics": ["top1"],
              "columns": [{"id": "base", "role": "baseline", "where": {"aid": []}}, {"id": "auxi", "role": "aid", "where": {"aid": ["auxi"]}}],
              "rows": [{"title": "ResNet-18", "reported": {"base": {"top1": 60.5}}}]}],
  "claims": [{"text": "It helps.", "table": "one", "column": "auxi"}]})";

SuiteSpec suite_of(const SuiteRequest& request = {.tier = "t"}, const std::string& text = kSuite) {
  const test::TempFolder folder;
  std::ofstream(folder.path() / "s.json") << text;
  return load_suite(folder.path() / "s.json", request);
}

PlanInputs inputs_of(const std::string& manifest = "d") {
  return {.data = [manifest](const std::string& name) -> DataFacts {
            if (name == "cifar10") return {};
            if (name == "imagenet") return {.implemented = true, .train_images = 1281167, .test_images = 50000};
            return {.implemented = true, .manifest = manifest, .train_images = 60000, .test_images = 10000};
          },
          .weights_digest = [](const std::string& file) { return file.substr(0, 1); },
          .device_class = "cpu",
          .command = "auxbench run s.json",
          .version = "0.1.0",
          .history = {}};
}

Plan plan_of(const SuiteRequest& request = {.tier = "t"}) { return make_plan(suite_of(request), inputs_of()); }

std::vector<std::string> slugs(const Plan& plan, bool selected_alone = true) {
  std::vector<std::string> found;
  for (const auto& cell : plan.cells)
    if (cell.selected || !selected_alone) found.push_back(cell.slug + (cell.implied ? "*" : ""));
  return found;
}

std::string error_of(const json& value) {
  try {
    static_cast<void>(plan_from_json(value, "plan.json"));
  } catch (const UserError& error) {
    CHECK(error.code() == ExitCode::data_missing);
    return error.what();
  }
  return "no error";
}

// What is said of the small plan with one value replaced.
std::string error_with(const std::string& pointer, const json& value) {
  auto whole = plan_to_json(plan_of());
  whole[json::json_pointer(pointer)] = value;
  return error_of(whole);
}

}  // namespace

TEST_CASE("a plan holds every cell behind what it needs, and tables of their ids", "[plan]") {
  const auto plan = plan_of();
  CHECK(slugs(plan) == std::vector<std::string>{"resnet18-fp-s0*", "resnet18-dorefa-w2a2-s0", "resnet18-fp-auxi-s0*",
                                                "resnet18-dorefa-w2a2-auxi-s0"});
  CHECK(plan.cells[1].needs == std::vector<std::string>{plan.cells[0].id});
  CHECK(plan.cells[3].needs == std::vector<std::string>{plan.cells[2].id});
  CHECK(plan.cells[1].groups == std::vector<std::string>{"pair"});
  CHECK(plan.cells[0].id ==
        cell_id(plan.cells[0].spec,
                {.data_manifest = "d", .device_class = "cpu", .code_epochs = code_epochs(plan.cells[0].spec)}));
  CHECK(plan.tables.at(0).rows.at(0).entries.at(1).cells == std::vector<std::string>{plan.cells[3].id});
  CHECK(plan.find(plan.cells[3].id) == &plan.cells[3]);
  CHECK(plan.find("nothing") == nullptr);
  CHECK(plan.cells[3].estimated_seconds > plan.cells[1].estimated_seconds);
}

TEST_CASE("threads are part of a cell, its start and its name where there is more than one", "[plan]") {
  auto spec = plan_of().cells[1].spec;
  const auto id = cell_id(spec, {});
  CHECK_FALSE(cell_to_json(spec).contains("threads"));
  spec.threads = 4;
  CHECK(cell_to_json(spec).at("threads") == 4);
  CHECK(cell_from_json(cell_to_json(spec)) == spec);
  CHECK(cell_slug(spec) == "resnet18-dorefa-w2a2-t4-s0");
  CHECK(spec.parent()->threads == 4);
  CHECK_FALSE(cell_id(spec, {}).substr(cell_id(spec, {}).size() - 12) == id.substr(id.size() - 12));
  auto many = cell_to_json(spec);
  many["threads"] = 1025;
  CHECK_THROWS_WITH(cell_from_json(many), "cell: threads 1025: expected at most 1024");
  many["threads"] = 0;
  CHECK_THROWS_AS(cell_from_json(many), UserError);
}

TEST_CASE("larger batches and wider networks take more memory", "[plan]") {
  auto spec = plan_of().cells[1].spec;
  const auto before = memory_estimate(spec);
  CHECK(before > 0);
  spec.finetune->batch *= 2;
  const auto batch = memory_estimate(spec);
  CHECK(batch > before);
  spec.width *= 2;
  CHECK(memory_estimate(spec) > batch);
}

TEST_CASE("a plan is read back as it was written", "[plan]") {
  const test::TempFolder folder;
  CHECK_FALSE(read_plan(folder.path()));
  const auto plan = plan_of({.tier = "t", .seeds = 2, .only = {"*-auxi-s1"}});
  write_plan(plan, folder.path());
  const auto read = read_plan(folder.path());
  REQUIRE(read);
  CHECK(plan_to_json(*read) == plan_to_json(plan));
  CHECK(read->cells.size() == 8);
  CHECK(slugs(*read) == std::vector<std::string>{"resnet18-fp-auxi-s1*", "resnet18-dorefa-w2a2-auxi-s1"});
  CHECK(read->cells.back().spec == plan.cells.back().spec);
}

TEST_CASE("a plan keeps what a claim is held against and may lose", "[plan]") {
  auto whole = plan_to_json(plan_of());
  CHECK_FALSE(whole.at("claims")[0].contains("margin"));
  whole["claims"][0]["against"] = "base";
  whole["claims"][0]["margin"] = 0.0;
  const auto plan = plan_from_json(whole, "plan.json");
  CHECK(plan.claims.at(0).against == "base");
  CHECK(plan.claims[0].margin == 0.0);
  CHECK(plan_to_json(plan) == whole);
  CHECK(error_with("/claims/0/against", "bse") == "plan.json: /claims/0/against: table one has no column bse");
  CHECK(error_with("/claims/0/margin", -1) == "plan.json: /claims/0/margin: expected at least 0");
  CHECK(error_with("/claims/0/margin", "one") == "plan.json: /claims/0/margin: expected a number");
}

TEST_CASE("a cell that cannot run says why: no code for it, or no data", "[plan]") {
  const auto unknown = make_plan(suite_of({.tier = "t", .set = {"dataset=cifar10"}}), inputs_of());
  CHECK(unknown.cells[1].unsupported == "not implemented yet: dataset cifar10");
  CHECK(unknown.cells[1].missing.empty());
  CHECK(unknown.cells[1].estimated_seconds == 0);
  const auto absent = make_plan(suite_of({.tier = "t", .set = {"dataset=imagenet"}}), inputs_of());
  CHECK(absent.cells[1].missing == "needs imagenet, which was not found");
  CHECK(absent.cells[1].id == "resnet18-dorefa-w2a2-s0");
  CHECK(absent.cells[1].estimated_seconds > 0);
  auto cell = plan_of().cells[1].spec;
  CHECK(why_not_implemented(cell, true).empty());
  cell.quantizer = "yet-to-come";
  CHECK(why_not_implemented(cell, true) == "not implemented yet: quantizer yet-to-come");
  cell.model = "resnet19";
  CHECK(why_not_implemented(cell, true) == "not implemented yet: model resnet19");
}

TEST_CASE("cells without data that share a name stay apart", "[plan]") {
  std::string twins = kSuite;
  twins.replace(twins.find("\"matrix\": {"), 11, R"("matrix": {"finetune": [{"lr": 0.01}, {"lr": 0.02}], )");
  twins.erase(twins.find(",\n  \"tables\""));
  const auto plan = make_plan(suite_of({.tier = "t", .set = {"dataset=imagenet"}}, twins + "}"), inputs_of());
  CHECK(error_of(plan_to_json(plan)) == "no error");
  CHECK(plan.find("resnet18-dorefa-w2a2-s0-2") != nullptr);
}

TEST_CASE("two files of weights with one content are one cell", "[plan]") {
  std::string twins = kSuite;
  twins.replace(twins.find("\"matrix\": {"), 11, R"("matrix": {"weights": ["a1", "a2", "b1"], )");
  twins.erase(twins.find(",\n  \"tables\""));
  const auto plan = make_plan(suite_of({.tier = "t"}, twins + "}"), inputs_of());
  CHECK(plan.cells.size() == 8);
  CHECK(error_of(plan_to_json(plan)) == "no error");
}

TEST_CASE("a price is the median rate of cells that do the same work on such a device", "[plan]") {
  auto inputs = inputs_of();
  const auto cell = plan_of().cells[1].spec;
  auto other = cell;
  other.seed = 7;
  other.finetune->epochs = 2;
  const auto price = [&] { return make_plan(suite_of(), inputs).cells[1]; };
  CHECK_FALSE(price().estimate_from_history);
  const auto run = [&](const CellSpec& spec, const std::string& device, double seconds) {
    inputs.history.push_back(
        {.spec = spec, .device_class = device, .train_images = 60000, .test_images = 10000, .seconds = seconds});
  };
  run(other, "cuda", 1);
  other.weight_bits = 4;
  run(other, "cpu", 1);
  CHECK_FALSE(price().estimate_from_history);
  other.weight_bits = 2;
  for (const double seconds : {40.0, 4000.0, 38.0}) run(other, "cpu", seconds);
  CHECK(price().estimate_from_history);
  CHECK(price().estimated_seconds == Approx(20.0));
  for (auto& past : inputs.history) past.threads = 2;
  CHECK(price().estimated_seconds == Approx(25.0));  // of one thread
}

TEST_CASE("by arithmetic a cell with more branches, a teacher or levels to fit costs more", "[plan]") {
  const Prices prices({});
  const auto price = [&](const CellSpec& spec) { return prices.estimate(spec, "cpu", 12000, 10000).seconds; };
  const auto base = plan_of().cells[1].spec;
  auto group = base, taught = base, levels = base;
  group.block = "group";
  taught.aid = {"kd"};
  levels.quantizer = "lq-net";
  CHECK(price(group) == Approx(3.5 * price(base)));
  CHECK(price(taught) == Approx(1.5 * price(base)));
  CHECK(price(levels) == Approx(2 * price(base)));
}

TEST_CASE("several jobs are done when the last piece is, none of which begins before its needs are done", "[plan]") {
  CHECK(makespan({}, 2) == 0);
  const std::vector<Work> chain = {{.seconds = 3}, {.seconds = 4, .needs = {0}}, {.seconds = 2}, {.seconds = 2}};
  CHECK(makespan(chain, 1) == 11);
  CHECK(makespan(chain, 2) == 7);
  CHECK(makespan(chain, 9) == 7);  // the chain
  CHECK(makespan({{.seconds = 1}, {.seconds = 1}, {.seconds = 4}, {.seconds = 1}}, 2) ==
        5);  // in order: the long one late
  CHECK(makespan({{.seconds = 4}, {.seconds = 1}, {.seconds = 1}, {.seconds = 1}}, 2) == 4);
  CHECK(makespan({{.seconds = 0}, {.seconds = 0, .needs = {0}}}, 3) == 0);
}

TEST_CASE("a plan that is cut or of hostile types is refused with its place", "[plan]") {
  const auto text = plan_to_json(plan_of()).dump();
  const test::TempFolder folder;
  for (size_t length = 0; length < text.size(); length += 97) {
    std::ofstream(folder.path() / "plan.json") << text.substr(0, length);
    CHECK_THROWS_AS(read_plan(folder.path()), UserError);
  }
  std::ofstream(folder.path() / "plan.json") << std::string(200'000, '[');
  CHECK_THROWS_WITH(read_plan(folder.path()), contains_text("nested more than 64 levels deep"));
  CHECK(error_of(json::array()) == "plan.json: /: expected an object");
  CHECK(error_of(json::object()) == "plan.json: /: schema_version is missing");
  CHECK(error_with("/cells", "many") == "plan.json: /cells: expected a list");
  CHECK(error_with("/cells/1", 3) == "plan.json: /cells/1: expected an object");
  CHECK(error_with("/cells/1/id", 3) == "plan.json: /cells/1/id: expected a string");
  CHECK(error_with("/cells/1/id", "../../etc") == "plan.json: /cells/1/id: no name for a cell");
  CHECK(error_with("/cells/1/id", "a/b") == "plan.json: /cells/1/id: no name for a cell");
  CHECK(error_with("/cells/1/slug", "other") == "plan.json: /cells/1/slug: not the name of its spec");
  CHECK(error_with("/cells/1/colour", 3) == "plan.json: /cells/1/colour: unknown key");
  CHECK(error_with("/cells/1/selected", 1) == "plan.json: /cells/1/selected: expected true or false");
  CHECK(error_with("/cells/1/spec/aid", {"kindness"}) == "plan.json: /cells/1/spec/aid/0: unknown aid \"kindness\"");
  CHECK(error_with("/cells/1/spec/finetune/epochs", 0) ==
        "plan.json: /cells/1/spec/finetune/epochs: expected at least 1.0, found 0");
  CHECK(error_with("/cells/1/estimated_seconds", -1) == "plan.json: /cells/1/estimated_seconds: expected at least 0");
  CHECK(error_with("/device_class", "abacus") == "plan.json: /device_class: expected cpu or cuda");
  CHECK(error_with("/tables/0/metrics", json::array()) == "plan.json: /tables/0/metrics: a table needs a metric");
  CHECK(error_with("/tables/0/columns/0/role", "x") == "plan.json: /tables/0/columns/0/role: unknown role x");
  CHECK(error_with("/tables/0/columns/1/id", "base") == "plan.json: /tables/0/columns/1/id: base stands twice");
  CHECK(error_with("/tables/0/rows/0/entries", json::array()) ==
        "plan.json: /tables/0/rows/0/entries: expected one for each of 2 columns");
  CHECK(error_with("/tables/0/rows/0/epoch", 1e300) == "plan.json: /tables/0/rows/0/epoch: expected a whole number");
  CHECK(error_with("/tables/0/rows/0/entries/0/cells/0", "x") ==
        "plan.json: /tables/0/rows/0/entries/0/cells: x is no cell of the plan");
  CHECK(error_with("/claims/0/table", "two") == "plan.json: /claims/0/table: no table two");
  CHECK(error_with("/claims/0/column", "x") == "plan.json: /claims/0/column: table one has no column x");
  CHECK(error_with("/claims/0/row", "x") == "plan.json: /claims/0/row: table one has no row x");
}

TEST_CASE("a plan with a cell twice, or with cells that need each other, is refused", "[plan]") {
  const auto plan = plan_of();
  CHECK(error_with("/cells/1/id", plan.cells[0].id) == "plan.json: /cells/1/id: " + plan.cells[0].id + " stands twice");
  CHECK(error_with("/cells/0/needs", {plan.cells[1].id}) ==
        "plan.json: /cells/0/needs: " + plan.cells[1].id + " does not stand before it");
  CHECK(error_with("/cells/1/needs", {plan.cells[1].id}) ==
        "plan.json: /cells/1/needs: " + plan.cells[1].id + " does not stand before it");
}

TEST_CASE("a plan of another schema says which program reads it", "[plan]") {
  auto whole = plan_to_json(plan_of());
  whole["schema_version"] = 2;
  whole["version"] = "9.0.0";
  whole["unheard"] = "of";
  CHECK(error_of(whole) ==
        "plan.json: a plan of schema 2, written by auxbench 9.0.0; this program reads schema 1: use that version");
}

TEST_CASE("a run with another selection or more seeds extends the plan that is there", "[plan]") {
  const test::TempFolder folder;
  keep_plan(plan_of({.tier = "t", .seeds = 3, .only = {"*w2a2-s0"}}), folder.path());
  const auto kept = keep_plan(plan_of({.tier = "t", .seeds = 1, .only = {"*auxi-s0"}}), folder.path());
  CHECK(slugs(kept) == std::vector<std::string>{"resnet18-fp-s0*", "resnet18-dorefa-w2a2-s0", "resnet18-fp-auxi-s0*",
                                                "resnet18-dorefa-w2a2-auxi-s0"});
  CHECK(kept.cells.size() == 12);
  CHECK(kept.tables[0].rows[0].entries[0].cells.size() == 3);
  CHECK(plan_to_json(*read_plan(folder.path())) == plan_to_json(kept));
  CHECK(plan_to_json(keep_plan(kept, folder.path())) == plan_to_json(kept));
}

TEST_CASE("a cell whose data have changed keeps its place under its new id", "[plan]") {
  const auto now = make_plan(suite_of(), inputs_of("e"));
  const auto kept = extend_plan(now, make_plan(suite_of({.tier = "t", .seeds = 2}), inputs_of()), "x");
  CHECK(kept.cells.size() == 8);
  CHECK(kept.cells[1].id == now.cells[1].id);
  CHECK(kept.tables[0].rows[0].entries[0].cells.front() == now.cells[1].id);
  CHECK(error_of(plan_to_json(kept)) == "no error");
}

TEST_CASE("what an earlier version could not train, and wrote otherwise, is read and goes", "[plan]") {
  const auto now = plan_of();
  auto before = plan_to_json(plan_of({.tier = "t", .seeds = 2}));
  auto& cell = before["cells"].back();
  const auto id = cell["id"].get<std::string>();
  REQUIRE(std::none_of(now.cells.begin(), now.cells.end(), [&](const auto& own) { return own.id == id; }));
  cell["spec"]["stem"] = "none that is known";
  CHECK_THAT(error_of(before), contains_text("stem"));
  cell["unsupported"] = "not implemented yet";
  CHECK(error_of(before) == "no error");
  const auto kept = extend_plan(now, plan_from_json(before, "x"), "x");
  CHECK(kept.cells.size() == before["cells"].size() - 1);
  CHECK(error_of(plan_to_json(kept)) == "no error");
}

TEST_CASE("entries are not united with cells of another recipe", "[plan]") {
  const auto now = plan_of({.tier = "t", .set = {"finetune.epochs=7"}});
  const auto kept = extend_plan(now, plan_of({.tier = "t", .seeds = 2}), "x");
  CHECK(kept.tables[0].rows[0].entries[0].cells == now.tables[0].rows[0].entries[0].cells);
}

TEST_CASE("a folder that holds another suite, tier or device is refused by name", "[plan]") {
  const auto now = plan_of();
  auto other = now;
  other.suite = "large";
  CHECK_THROWS_WITH(extend_plan(now, other, "out"),
                    "out: the folder holds suite large, this run is of suite small: choose another --out");
  CHECK_THROWS_WITH(extend_plan(now, plan_of({.tier = "u"}), "out"),
                    "out: the folder holds tier u, this run is of tier t: choose another --out");
  other = now;
  other.device_class = "cuda";
  CHECK_THROWS_WITH(extend_plan(now, other, "out"),
                    "out: the folder holds device cuda, this run is of device cpu: choose another --out");
}
