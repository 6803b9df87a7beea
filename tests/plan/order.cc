#include "runner/plan/order.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include "base/error.h"
#include "runner/plan/extend_plan.h"
#include "runner/plan/make_plan.h"
#include "runner/plan/plan_file.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;

namespace {

// Two networks with and without the module and a rival, two seeds; a table a network, a claim about the second.
std::string suite(const std::string& order, const std::string& tiers = R"("t": {})") {
  const auto table = [](const std::string& id, const std::string& model) {
    return R"({"id": ")" + id + R"(", "where": {"quantizer": "dorefa"}, "columns": [
                {"id": "base", "role": "baseline", "where": {"aid": []}}, {"id": "kd", "role": "aid", "where": {"aid": ["kd"]}},
                {"id": "auxi", "role": "aid", "where": {"aid": ["auxi"]}}],
              "rows": [{"title": "row", "where": {"model": ")" +
           model + R"("}}]})";
  };
  return R"({"defaults": {"dataset": "fashion-mnist", "quantizer": "dorefa", "weight_bits": 2, "activation_bits": 2,
                          "pretrain": {"epochs": 2, "lr": 0.1}, "finetune": {"epochs": 1, "lr": 0.01}},
             "groups": [{"name": "g", "matrix": {"aid": [[], ["auxi"], ["kd"]], "model": ["resnet18", "resnet34"]}}],
             "seeds": [0, 1], "tiers": {)" +
         tiers + R"(}, "tables": [)" + table("shallow", "resnet18") + ", " + table("deep", "resnet34") +
         R"(], "claims": [{"text": "It helps.", "table": "deep", "column": "auxi"}])" + order + "}";
}

SuiteSpec load(const std::string& text, const std::string& tier = "t") {
  const test::TempFolder folder;
  std::ofstream(folder.path() / "s.json") << text;
  return load_suite(folder.path() / "s.json", {.tier = tier});
}

std::string error_of(const std::string& text) {
  try {
    static_cast<void>(load(text));
  } catch (const UserError& error) {
    const std::string what = error.what();
    return what.substr(what.find("/s.json") + 1);
  }
  return "no error";
}

std::vector<std::string> slugs(const SuiteSpec& spec) {
  std::vector<std::string> names;
  for (const auto& cell : spec.cells) names.push_back(cell_slug(cell.spec));
  return names;
}

bool each_behind_its_needs(const SuiteSpec& spec) {
  std::set<std::string> seen;
  for (const auto& cell : spec.cells) {
    for (const auto& needed : cell.needs)
      if (!seen.contains(needed)) return false;
    seen.insert(cell.key);
  }
  return true;
}

PlanInputs inputs() {
  return {.data = [](const std::string&) { return DataFacts{.implemented = true, .manifest = "d"}; },
          .weights_digest = [](const std::string& file) { return file; },
          .device_class = "cpu"};
}

}  // namespace

TEST_CASE("without an order cells come seed by seed, in the suite's order", "[order]") {
  const auto spec = load(suite(""));
  const std::vector<std::string> one = {"resnet18-fp",
                                        "resnet18-dorefa-w2a2",
                                        "resnet34-fp",
                                        "resnet34-dorefa-w2a2",
                                        "resnet18-fp-auxi",
                                        "resnet18-dorefa-w2a2-auxi",
                                        "resnet34-fp-auxi",
                                        "resnet34-dorefa-w2a2-auxi",
                                        "resnet18-dorefa-w2a2-kd",
                                        "resnet34-dorefa-w2a2-kd"};
  std::vector<std::string> wanted;
  for (const auto* seed : {"-s0", "-s1"})
    for (const auto& name : one) wanted.push_back(name + seed);
  CHECK(slugs(spec) == wanted);
}

TEST_CASE("a table at one seed comes first, with what its cells need, and the rest seed by seed", "[order]") {
  const auto spec = load(suite(R"(, "order": [{"tables": ["deep"], "seeds": [0]}])"));
  const auto names = slugs(spec);
  const std::vector<std::string> first(names.begin(), names.begin() + 5);
  CHECK(first == std::vector<std::string>{"resnet34-fp-s0", "resnet34-dorefa-w2a2-s0", "resnet34-fp-auxi-s0",
                                          "resnet34-dorefa-w2a2-auxi-s0", "resnet34-dorefa-w2a2-kd-s0"});
  CHECK(names[5] == "resnet18-fp-s0");
  CHECK(std::find(names.begin(), names.begin() + 10, "resnet34-fp-s1") == names.begin() + 10);
  CHECK(each_behind_its_needs(spec));
}

TEST_CASE("a step of claims takes their column and baseline, not the rivals beside them", "[order]") {
  const auto spec =
      load(suite(R"(, "order": [{"claims": true, "seeds": [1]}, {"where": {"aid": ["kd"]}, "seeds": [1]}])"));
  const auto names = slugs(spec);
  const std::vector<std::string> first(names.begin(), names.begin() + 7);
  CHECK(first == std::vector<std::string>{"resnet34-fp-s1", "resnet34-dorefa-w2a2-s1", "resnet34-fp-auxi-s1",
                                          "resnet34-dorefa-w2a2-auxi-s1", "resnet18-fp-s1",
                                          "resnet18-dorefa-w2a2-kd-s1", "resnet34-dorefa-w2a2-kd-s1"});
  CHECK(each_behind_its_needs(spec));
  const auto narrowed = slugs(load(suite(R"(, "order": [{"claims": true, "tables": ["shallow"]}])")));
  CHECK(narrowed == slugs(load(suite(""))));  // that table has no claim
}

TEST_CASE("an order changes the place of cells, and neither their ids nor the tables", "[order]") {
  const auto plain = make_plan(load(suite("")), inputs());
  const auto ordered =
      make_plan(load(suite(R"(, "order": [{"tables": ["deep"], "seeds": [1]}, {"claims": true}])")), inputs());
  std::map<std::string, std::vector<std::string>> before, after;
  for (const auto& cell : plain.cells) before[cell.id] = cell.needs;
  for (const auto& cell : ordered.cells) after[cell.id] = cell.needs;
  CHECK(before == after);
  CHECK(plain.cells.front().id != ordered.cells.front().id);
  for (size_t t = 0; t < plain.tables.size(); ++t)
    for (size_t i = 0; i < plain.tables[t].columns.size(); ++i)
      CHECK(plain.tables[t].rows[0].entries[i].cells == ordered.tables[t].rows[0].entries[i].cells);
}

TEST_CASE("a folder planned in another order, or with more seeds, is extended in the new order", "[order]") {
  const test::TempFolder folder;
  const auto ordered = make_plan(load(suite(R"(, "order": [{"tables": ["deep"], "seeds": [1]}])")), inputs());
  auto single = suite(R"(, "order": [{"tables": ["deep"]}])");
  single.replace(single.find(R"("seeds": [0, 1])"), 15, R"("seeds": [0])");
  static_cast<void>(keep_plan(ordered, folder.path()));
  static_cast<void>(keep_plan(make_plan(load(single), inputs()), folder.path()));
  const auto kept = read_plan(folder.path());  // refuses a cell before its needs
  REQUIRE(kept->cells.size() == ordered.cells.size());
  CHECK(kept->cells[0].slug == "resnet34-fp-s0");
  CHECK(kept->cells[10].slug == "resnet34-fp-s1");
  CHECK(kept->tables[1].rows[0].entries[0].cells.size() == 2);
}

TEST_CASE("an order that names nothing, or what is not there, is refused in its place", "[order]") {
  const auto refused = [](const std::string& step) { return error_of(suite(R"(, "order": [)" + step + "]")); };
  CHECK(refused("{}").find("/order/0: a step names cells: by tables, claims, where or seeds") != std::string::npos);
  CHECK(refused(R"({"tables": ["deeep"]})").find("/order/0/tables/0: no table deeep, did you mean deep?") !=
        std::string::npos);
  CHECK(refused(R"({"seed": [0]})").find("/order/0/seed: unknown key, did you mean seeds?") != std::string::npos);
  CHECK(refused(R"({"where": {"model": "resnet19"}})").find("/order/0/where/model: unknown model") !=
        std::string::npos);
  CHECK(refused(R"({"claims": 1})").find("/order/0/claims: expected true or false") != std::string::npos);
  std::string many = R"({"seeds": [9]})";
  for (int i = 0; i < 100; ++i) many += R"(, {"seeds": [9]})";
  CHECK(refused(many).find("/order: more than 100 steps") != std::string::npos);
  CHECK(error_of(suite(R"(, "order": {})")).find("/order: expected a list") != std::string::npos);
}

TEST_CASE("a tier that extends another has its cells, its own keys over them and its own rules behind", "[order]") {
  const std::string tiers =
      R"("t": {"proxy": true, "proxy_reason": "small", "set": {"finetune": {"epochs": 4, "batch": 64}}, "only": [{"model": "resnet34"}],
               "rules": [{"where": {"aid": ["kd"]}, "set": {"finetune": {"epochs": 2}}, "seeds": [0]}]},
         "long": {"extends": "t", "title": "Long", "seeds": [0, 1, 2], "set": {"finetune": {"epochs": 12}},
                  "rules": [{"where": {"aid": ["auxi"]}, "seeds": [0, 1, 2, 3]}]},
         "longer": {"extends": "long", "set": {"finetune": {"epochs": 24}}})";
  const auto spec = load(suite("", tiers), "long");
  CHECK(spec.tier == "long");
  CHECK(spec.proxy_reason == "small");
  std::map<std::string, int> seeds;
  for (const auto& cell : spec.cells) {
    CHECK(cell.spec.model == "resnet34");
    if (cell.spec.full_precision()) continue;
    ++seeds[cell.spec.aid.empty() ? "" : cell.spec.aid.front()];
    CHECK(cell.spec.finetune->epochs == (cell.spec.has_aid("kd") ? 2 : 12));
    CHECK(cell.spec.finetune->batch == 64);
  }
  CHECK(seeds == std::map<std::string, int>{{"", 3}, {"auxi", 4}, {"kd", 1}});
  for (const auto& cell : load(suite("", tiers), "t").cells)
    if (!cell.spec.full_precision() && !cell.spec.has_aid("kd")) CHECK(cell.spec.finetune->epochs == 4);
  CHECK(load(suite("", tiers), "longer").cells.at(1).spec.finetune->epochs == 24);
}

TEST_CASE("a tier that extends none of the suite's, or itself, is refused in its place", "[order]") {
  const auto refused = [](const std::string& tiers) { return error_of(suite("", tiers)); };
  CHECK(refused(R"("t": {"extends": "tt"}, "t2": {})").find("/tiers/t/extends: no tier tt, did you mean t") !=
        std::string::npos);
  CHECK(refused(R"("t": {"extends": "u"}, "u": {"extends": "t"})")
            .find("/tiers/u/extends: the tier extends itself in a circle") != std::string::npos);
  std::string chain = R"("t": {})";
  for (int i = 0; i < 18; ++i)
    chain += ", \"t" + std::to_string(i) + R"(": {"extends": "t)" + (i == 0 ? "" : std::to_string(i - 1)) + "\"}";
  CHECK(refused(chain).find("/extends: more than 16 tiers extend one another") != std::string::npos);
  CHECK(refused(R"("t": {"extends": "t"})").find("/tiers/t/extends: the tier extends itself in a circle") !=
        std::string::npos);
  CHECK(refused(R"("t": {"extends": ["u"]}, "u": {})").find("/tiers/t/extends: expected a string") !=
        std::string::npos);
}
