#include "runner/plan/suite.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "models/list/models.h"
#include "quantizers/methods/setting_words.h"
#include "runner/plan/aids.h"
#include "runner/plan/code_epochs.h"
#include "runner/plan/language.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;

namespace {

const std::string kStages = R"("pretrain": {"epochs": 2, "lr": 0.1}, "finetune": {"epochs": 1, "lr": 0.01})";

class SuiteFile {
 public:
  explicit SuiteFile(const std::string& text, const std::string& name = "s.json") : path_(folder_.path() / name) {
    write(text, name);
  }
  void write(const std::string& text, const std::string& name) const { std::ofstream(folder_.path() / name) << text; }
  [[nodiscard]] SuiteSpec load(const SuiteRequest& request = {.tier = "t"}) const { return load_suite(path_, request); }
  [[nodiscard]] std::string error(const SuiteRequest& request = {.tier = "t"}) const {
    try {
      static_cast<void>(load(request));
    } catch (const UserError& error) {
      const std::string text = error.what();
      const auto folder = folder_.path().string() + "/";
      return text.starts_with(folder) ? text.substr(folder.size()) : text;
    }
    return "no error";
  }
  [[nodiscard]] ExitCode code(const SuiteRequest& request = {.tier = "t"}) const {
    try {
      static_cast<void>(load(request));
    } catch (const UserError& error) {
      return error.code();
    }
    return ExitCode::ok;
  }

 private:
  test::TempFolder folder_;
  std::filesystem::path path_;
};

// A suite whose defaults are complete, so that a test writes only what it is about.
std::string suite(const std::string& rest, const std::string& defaults = "") {
  return "{\"defaults\": {\"dataset\": \"fashion-mnist\", \"model\": \"resnet18\", " + kStages + defaults +
         "},\n\"tiers\": {\"t\": {}},\n" + rest + "}";
}

}  // namespace

TEST_CASE("a matrix is a product and each cell knows its parent", "[spec]") {
  const auto spec =
      SuiteFile(
          suite(
              R"("matrix": {"model": ["resnet18", "resnet34"], "quantizer": ["none", "dorefa"]}, "exclude": [{"model": "resnet34", "quantizer": "none"}], "include": [{"model": "resnet50"}])",
              R"(, "weight_bits": 2, "activation_bits": 2)"))
          .load();
  std::vector<std::string> slugs;
  for (const auto& cell : spec.cells) slugs.push_back(cell_slug(cell.spec) + (cell.implied ? "*" : ""));
  CHECK(slugs == std::vector<std::string>{"resnet18-fp-s0", "resnet18-dorefa-w2a2-s0", "resnet34-fp-s0*",
                                          "resnet34-dorefa-w2a2-s0", "resnet50-fp-s0"});
}

TEST_CASE("zip walks its lists together", "[spec]") {
  const auto spec =
      SuiteFile(suite(R"("zip": {"weight_bits": [1, 2], "activation_bits": [3, 4]})", R"(, "quantizer": "dorefa")"))
          .load();
  REQUIRE(spec.cells.size() == 3);
  CHECK(cell_slug(spec.cells[1].spec) == "resnet18-dorefa-w1a3-s0");
  CHECK(cell_slug(spec.cells[2].spec) == "resnet18-dorefa-w2a4-s0");
}

TEST_CASE("errors name file, line, column and key, and suggest", "[spec]") {
  CHECK(SuiteFile("{\n  \"nmae\": \"x\", \"tiers\": {\"t\": {}}}").error() ==
        "s.json:2:11: /nmae: unknown key, did you mean name?");
  CHECK(SuiteFile(suite("\"matrix\": {\"modle\": [\"resnet18\"]}")).error() ==
        "s.json:3:21: /matrix/modle: unknown key, did you mean model?");
  CHECK(SuiteFile(suite("\"matrix\": {\"model\": [\"resnet18\",\n \"resnet19\"]}")).error() ==
        "s.json:4:2: /matrix/model/1: unknown model \"resnet19\", did you mean resnet18?");
  CHECK(SuiteFile(suite("\"matrix\": {\"weight_bits\": [\"two\"]}")).error() ==
        "s.json:3:28: /matrix/weight_bits/0: expected a whole number");
  CHECK(SuiteFile(suite("\"matrix\": {\"weight_bits\": [12]}")).error() ==
        "s.json:3:28: /matrix/weight_bits/0: expected 1 to 8 bits, or 32 for full precision, found 12");
  CHECK(SuiteFile(suite("\"matrix\": {\"model\": []}")).error() ==
        "s.json:3:21: /matrix/model: an empty list leaves no cells");
  CHECK(SuiteFile(suite("\"matrix\": {\"model\": [\"resnet18\"]}, \"exclude\": [{}]")).error() ==
        "s.json:1:1: /: no cells are left: everything is excluded");
  CHECK(SuiteFile(suite("\"matrix\": {\"model\": [\"resnet18\", \"resnet18\"]}")).error() ==
        "s.json:1:1: /: duplicate cell resnet18-fp-s0");
  CHECK(SuiteFile(suite("\"zip\": {\"model\": [\"resnet18\"], \"skip\": [true, false]}")).error() ==
        "s.json:3:40: /zip/skip: zip needs lists of one length: model has 1 values, skip has 2");
  CHECK(SuiteFile(suite("\"seeds\": 3")).error() == "s.json:3:10: /seeds: expected a list");
}

TEST_CASE("whole numbers beyond an int, groups without a name and paths too long are refused in their place",
          "[spec]") {
  CHECK(SuiteFile(suite("\"include\": [{}], \"seeds\": [9223372036854775808]")).error() ==
        "s.json:3:28: /seeds/0: expected at most 2147483647, found 9223372036854775808");
  CHECK(SuiteFile(suite("\"include\": [{\"pretrain\": {\"epochs\": 4294967297}}]")).error() ==
        "s.json:3:37: /include/0/pretrain/epochs: expected at most 2147483647, found 4294967297");
  CHECK(SuiteFile(suite("\"include\": [{}], \"exclude\": [{\"group\": 3}]")).error() ==
        "s.json:3:40: /exclude/0/group: expected a group's name or a list of them");
  CHECK_THAT(SuiteFile("{\"extends\": \"" + std::string(300, 'a') + "\"}").error(),
             contains_text("/extends: no such file"));
}

TEST_CASE("a product or seeds beyond the limit of cells are refused before they are made", "[spec]") {
  const SuiteRequest small = {.tier = "t", .most_cells = 4};
  const std::string models = R"("matrix": {"model": ["resnet18", "resnet34"], )";
  CHECK(SuiteFile(suite(models + R"("skip": [true, false]})")).error(small) == "no error");
  CHECK(SuiteFile(suite(models + R"("width": [1, 2, 3]})")).error(small) ==
        "s.json:3:56: /matrix/width: more than 4 cells");
  CHECK(SuiteFile(suite(models + R"("skip": [true, false]}, "seeds": [0, 1])")).error(small) ==
        "s.json:1:1: /: more than 4 cells");
  CHECK(SuiteFile(suite(models + R"("skip": [true, false]}, "groups": [{"include": [{}]}])")).error(small) ==
        "s.json:3:82: /groups/0: more than 4 cells");
}

TEST_CASE("text that is no strict JSON is refused where it goes wrong", "[spec]") {
  CHECK(SuiteFile("").error() == "s.json:1:1: the file ends in the middle of a value");
  CHECK(SuiteFile("{\"name\": \"x\",\n").error() == "s.json:2:1: expected a key in quotes");
  CHECK(SuiteFile("{\"name\": \"x\"").error() == "s.json:1:13: the file ends inside an object");
  CHECK(SuiteFile("{\"name\": \"x").error() == "s.json:1:10: the string does not end on its line");
  CHECK(SuiteFile("{\"name\": \"x\", \"name\": \"y\"}").error() == "s.json:1:15: /name: key appears twice");
  CHECK(SuiteFile("{} // c").error() == "s.json:1:4: unexpected text after the end of the value");
  CHECK(SuiteFile("{\"a\": NaN}").error() ==
        "s.json:1:7: expected a value (true, false, null, a number or a string in quotes)");
  CHECK(SuiteFile(std::string(100000, '[')).error() == "s.json:1:66: nested more than 64 levels deep");
  CHECK(SuiteFile("{\"seeds\": [1,]}").error() == "s.json:1:14: expected a value");
  CHECK(SuiteFile("[]").code() == ExitCode::invalid_suite);
}

TEST_CASE("every cut of a good suite is an error with a place, never a crash", "[spec]") {
  const auto whole = suite("\"matrix\": {\"model\": [\"resnet18\"]}");
  for (size_t length = 0; length + 1 < whole.size(); ++length)
    REQUIRE(SuiteFile(whole.substr(0, length)).code() == ExitCode::invalid_suite);
}

TEST_CASE("extends merges files, keeps their places, and refuses circles", "[spec]") {
  SuiteFile file(R"({"extends": "base.json", "matrix": {"model": ["resnet34"]}})");
  file.write(suite("\"seeds\": [7]"), "base.json");
  const auto spec = file.load();
  CHECK(cell_slug(spec.cells.at(0).spec) == "resnet34-fp-s7");
  file.write(suite("\"seds\": [7]"), "base.json");
  CHECK(file.error() == "base.json:3:9: /seds: unknown key, did you mean seeds?");
  file.write(R"({"extends": "s.json"})", "base.json");
  CHECK(file.error().find("circle") != std::string::npos);
  file.write(R"({"extends": "nowhere.json"})", "base.json");
  CHECK(file.error().find("no such file") != std::string::npos);
}

TEST_CASE("a tier, its rules and the command line have the last word, in this order", "[spec]") {
  const SuiteFile file(
      "{\"defaults\": {\"dataset\": \"imagenet\", \"quantizer\": \"dorefa\", \"weight_bits\": 2, \"activation_bits\": "
      "2, " +
      kStages + R"(},
    "matrix": {"model": ["resnet18", "resnet50"]}, "seeds": [0],
    "tiers": {"t": {"proxy": true, "proxy_reason": "why", "set": {"dataset": "fashion-mnist", "finetune": {"epochs": 3}},
                    "rules": [{"where": {"model": "resnet50", "dataset": "imagenet"}, "set": {"finetune": {"epochs": 9}}, "seeds": [4, 5]}]}}})");
  const auto spec = file.load();
  REQUIRE(spec.cells.size() == 6);
  CHECK(spec.proxy);
  CHECK(spec.cells[1].spec.finetune->epochs == 3);
  CHECK(spec.cells[1].spec.dataset == "fashion-mnist");
  CHECK(spec.cells[3].spec.finetune->epochs == 9);
  CHECK(spec.cells[3].spec.finetune->lr == 0.01);
  CHECK(spec.cells[5].spec.seed == 5);
  const auto forced = file.load({.tier = "t", .set = {"finetune.epochs=1", "width=0.5"}, .seeds = 1});
  REQUIRE(forced.cells.size() == 4);
  CHECK(forced.cells[3].spec.finetune->epochs == 1);
  CHECK(forced.cells[3].spec.width == 0.5);
  CHECK(file.code({.tier = "t", .set = {"epochs=1"}}) == ExitCode::usage);
  CHECK(file.code({.tier = "t", .set = {"nonsense"}}) == ExitCode::usage);
  CHECK(file.code({.tier = "tt"}) == ExitCode::usage);
  const auto one = file.load({.tier = "t", .only = {"resnet50-dorefa*-s4"}});
  REQUIRE(one.cells.size() == 6);
  std::vector<std::string> left;
  for (const auto& cell : one.cells)
    if (cell.selected) left.push_back(cell_slug(cell.spec) + (cell.implied ? "*" : ""));
  CHECK(left == std::vector<std::string>{"resnet50-fp-s4*", "resnet50-dorefa-w2a2-s4"});
  CHECK(file.code({.tier = "t", .only = {"nothing"}}) == ExitCode::usage);
}

TEST_CASE("the id depends on what changes the number and on nothing else", "[spec]") {
  const auto id_of = [](const std::string& text, const std::string& name = "s.json") {
    return cell_id(SuiteFile(text, name).load().cells.back().spec, {.data_manifest = "d", .device_class = "cpu"});
  };
  const auto plain = id_of(suite("\"matrix\": {\"model\": [\"resnet18\"]}"));
  CHECK(plain == id_of(suite("  \"include\": [{\"model\":\"resnet18\"}]"), "other.json"));
  CHECK(plain == id_of(suite("\"matrix\": {\"model\": [\"resnet18\"]}",
                             ", \"first_last\": \"8-bit\", \"auxi\": {\"kernel\": 3}")));
  CHECK_FALSE(plain == id_of(suite("\"matrix\": {\"model\": [\"resnet18\"]}", ", \"width\": 0.5")));
  CHECK_FALSE(plain == id_of(suite("\"matrix\": {\"model\": [\"resnet18\"]}, \"seeds\": [1]")));
  CHECK(plain.substr(0, 15) == "resnet18-fp-s0-");
  CHECK(plain.size() == 15 + 12);
}

TEST_CASE("a cell's JSON is read back to the same cell", "[spec]") {
  for (const char* file : {"paper_tables.json", "smoke.json"})
    for (const auto& cell :
         load_suite(std::string(AUXBENCH_SOURCE_ROOT) + "/suites/" + file, {.tier = "embedded"}).cells)
      CHECK(cell_from_json(cell_to_json(cell.spec)) == cell.spec);
  CHECK_THROWS_WITH(cell_from_json({{"task", "classification"}}), "cell: a cell has no dataset");
}

TEST_CASE("a post-training cell is calibrated instead of fine-tuned", "[spec]") {
  const auto cells = [](const std::string& rest) {
    return suite(R"("include": [{"quantizer": "mse", "weight_bits": 4, "activation_bits": 8)" + rest + "}]");
  };
  const auto spec = SuiteFile(cells(R"(, "calibrate": {"images": 64, "iterations": 9})")).load({.tier = "t"});
  const auto cell =
      std::find_if(spec.cells.begin(), spec.cells.end(), [](const auto& one) { return !one.implied; })->spec;
  CHECK(cell.post_training());
  CHECK_FALSE(cell.finetune);
  CHECK(cell.calibrate->images == 64);
  CHECK(cell.calibrate->iterations == 0);  // nothing is learned by MSE
  CHECK_FALSE(cell.parent()->calibrate);
  CHECK(cell_from_json(cell_to_json(cell)) == cell);
  const auto trained = SuiteFile(suite(R"("include": [{"quantizer": "lsq", "weight_bits": 4, "activation_bits": 8}])",
                                       R"(, "calibrate": {"images": 64})"))
                           .load({.tier = "t"});
  for (const auto& listed : trained.cells) CHECK_FALSE(listed.spec.calibrate);
  CHECK(SuiteFile(cells(R"(, "aid": ["auxi"])")).error().find("there is none that aid auxi could help") !=
        std::string::npos);
  CHECK(SuiteFile(cells(R"(, "pretrain": null)")).error().find("it needs pretrain") != std::string::npos);
  CHECK(SuiteFile(cells(R"(, "block": "bireal")")).error().find("blocks post-act and pre-act") != std::string::npos);
  CHECK(SuiteFile(cells(R"(, "calibrate": {"images": 0})")).error().find("expected at least 1") != std::string::npos);
}

TEST_CASE("axes of a recipe are part of a cell where they are used, and refused where they make no sense", "[spec]") {
  const auto text = [](const std::string& stage, const std::string& rest = "") {
    return suite(R"("include": [{"quantizer": "dorefa", "weight_bits": 2, "activation_bits": 2, "aid": ["auxi"], )"
                 R"("finetune": {"epochs": 4, "lr": 0.1)" +
                 stage + "}" + rest + "}]");
  };
  const auto cell_of = [&](const std::string& stage, const std::string& rest = "") {
    return SuiteFile(text(stage, rest)).load().cells.back().spec;
  };
  const auto id_of = [](const CellSpec& cell) {
    return cell_id(cell, {.data_manifest = "d", .device_class = "cpu", .code_epochs = code_epochs(cell)});
  };
  const auto plain = cell_of("");
  for (const char* usual : {R"(, "warmup": 0)", R"(, "clip_norm": 0.0)", R"(, "reestimate_norms": 0)"})
    CHECK(id_of(cell_of(usual)) == id_of(plain));
  CHECK(id_of(cell_of("", R"(, "zero_init": false, "auxi": {"until": 0})")) == id_of(plain));
  const std::vector<std::pair<CellSpec, const char*>> changed = {
      {cell_of(R"(, "warmup": 0.5)"), "warm-up"},
      {cell_of(R"(, "clip_norm": 2)"), "gradient clipping"},
      {cell_of(R"(, "reestimate_norms": 256)"), "norm re-estimation"},
      {cell_of("", R"(, "auxi": {"until": 1.5})"), "auxiliary decay"},
      {cell_of("", R"(, "zero_init": true)"), "zero init"}};
  for (const auto& [cell, part] : changed) {
    INFO(part);
    CHECK_FALSE(id_of(cell) == id_of(plain));
    CHECK(cell_from_json(cell_to_json(cell)) == cell);
    CHECK(code_epochs(cell).contains(part));
    CHECK_FALSE(code_epochs(plain).contains(part));
    // What the fine-tuning does is nothing to the pretraining; how the network starts is.
    CHECK((*cell.parent() == *plain.parent()) == !cell.zero_init);
  }
  CHECK(cell_slug(changed[3].first).find("auxi-until=1.5") != std::string::npos);
  CHECK(cell_slug(changed[4].first).find("-zero-init-") != std::string::npos);
  const auto error = [&](const std::string& stage, const std::string& rest = "") {
    return SuiteFile(text(stage, rest)).error();
  };
  CHECK(error(R"(, "warmup": 4)") == "s.json:3:13: /include/0: finetune.warmup 4.0: the stage ends after 4 epochs");
  CHECK(error(R"(, "warmup": -1)").find("/warmup: expected at least 0") != std::string::npos);
  CHECK(error(R"(, "clip_nrom": 1)").find("did you mean clip_norm?") != std::string::npos);
  CHECK(error("", R"(, "auxi": {"until": 4.5})").find("auxi.until 4.5: the stage ends after 4 epochs") !=
        std::string::npos);
  CHECK(error("", R"(, "auxi": {"until": 4})") == "no error");
  CHECK(error("", R"(, "zero_init": true, "block": "pre-act")").find("ends in a convolution") != std::string::npos);
  CHECK(error("", R"(, "zero_init": true, "skip": false)").find("without a shortcut") != std::string::npos);
  CHECK(error("", R"(, "zero_init": true, "weights": "w.pth")").find("the file says") != std::string::npos);
}

TEST_CASE("what is mended after calibration is part of the cell only where it is asked for", "[spec]") {
  const auto cell_of = [](const std::string& calibrate) {
    const auto spec = SuiteFile(suite(R"("include": [{"quantizer": "mse", "weight_bits": 4, "activation_bits": 8, )"
                                      R"("calibrate": {)" +
                                      calibrate + "}}]"))
                          .load();
    return std::find_if(spec.cells.begin(), spec.cells.end(), [](const auto& one) { return !one.implied; })->spec;
  };
  const auto plain = cell_of("");
  CHECK(cell_to_json(cell_of(R"("reestimate_norms": 0, "correct_bias": false)")) == cell_to_json(plain));
  for (const char* asked : {R"("reestimate_norms": 64)", R"("correct_bias": true)"}) {
    const auto cell = cell_of(asked);
    CHECK(cell_from_json(cell_to_json(cell)) == cell);
    CHECK_FALSE(cell_to_json(cell) == cell_to_json(plain));
    CHECK(*cell.parent() == *plain.parent());
  }
  const auto mended = code_epochs(cell_of(R"("reestimate_norms": 64, "correct_bias": true)"));
  CHECK(mended.contains("norm re-estimation"));
  CHECK(mended.contains("bias correction"));
  CHECK_FALSE(code_epochs(plain).contains("bias correction"));
}

TEST_CASE("baseline and auxiliary cells start from full-precision cells of the same budget", "[spec]") {
  const auto spec = SuiteFile(suite("\"matrix\": {\"aid\": [[], [\"auxi\"]]}",
                                    ", \"quantizer\": \"dorefa\", \"weight_bits\": 2, \"activation_bits\": 2"))
                        .load();
  const auto baseline = spec.cells.at(1).spec.parent(), auxiliary = spec.cells.at(3).spec.parent();
  REQUIRE((baseline && auxiliary));
  CHECK(baseline->pretrain == auxiliary->pretrain);
  CHECK_FALSE(baseline->has_auxi());
  CHECK(auxiliary->has_auxi());
  CHECK_FALSE(baseline->parent());
}

TEST_CASE("a setting that takes a word is checked in its place, and its default is no part of the cell", "[spec]") {
  const auto cells = [](const std::string& quantizer, const std::string& settings) {
    return SuiteFile(suite("\"include\": [{\"quantizer\": \"" + quantizer +
                           "\", \"weight_bits\": 2, \"activation_bits\": 2, \"quantizer_settings\": {" + settings +
                           "}}]"));
  };
  const auto spec_of = [&](const std::string& settings) { return cells("dorefa", settings).load().cells.back().spec; };
  const auto fitted = spec_of(R"("activation.range": "fitted")");
  CHECK(fitted.quantizer_settings.at("activation.range") == 1);
  CHECK(cell_slug(fitted) == "resnet18-dorefa-w2a2-activation.range=fitted-s0");
  CHECK(cell_to_json(fitted).at("quantizer_settings").at("activation.range") == "fitted");
  CHECK(cell_from_json(cell_to_json(fitted)) == fitted);
  CHECK(spec_of(R"("activation.range": "unit")") == spec_of(""));
  CHECK_FALSE(cell_to_json(spec_of(R"("activation.range": "unit")")).contains("quantizer_settings"));
  CHECK(spec_of(R"("weight.detach_max": 1)").quantizer_settings.at("weight.detach_max") == 1);
  const auto error_of = [&](const std::string& quantizer, const std::string& settings) {
    const auto error = cells(quantizer, settings).error();
    return error.substr(error.find('/') == std::string::npos ? 0 : error.find('/'));
  };
  const std::string place = "/include/0/quantizer_settings/";
  CHECK(error_of("dorefa", R"("activation.range": "fited")") ==
        place + "activation.range: unknown activation.range \"fited\", did you mean fitted?");
  CHECK(error_of("dorefa", R"("activation.range": "first")") ==
        place + "activation.range: unknown activation.range \"first\", known are unit, fitted");
  CHECK(error_of("dorefa", R"("activation.range": 6)") == place + "activation.range: expected a word: unit, fitted");
  CHECK(error_of("dorefa", R"("activation.rage": "fitted")") ==
        place + "activation.rage: expected a number, did you mean activation.range?");
  CHECK(error_of("pact", R"("activation.alpha": "8")") == place + "activation.alpha: expected a number");
  CHECK(cells("lsq", R"("activation.range": "fitted")")
            .error()
            .ends_with("quantizer_settings activation.range fitted: lsq knows no such word"));
}

TEST_CASE("a match may name a word that is the default, and the command line a setting", "[spec]") {
  const SuiteFile file(suite(
      R"("include": [{}, {"quantizer_settings": {"activation.range": "fitted"}}],
         "tables": [{"id": "a", "columns": [{"id": "c"}], "rows": [
           {"title": "unit", "where": {"quantizer": "dorefa", "quantizer_settings": {"activation.range": "unit"}}},
           {"title": "fitted", "where": {"quantizer_settings": {"activation.range": "fitted"}}}]}])",
      R"(, "quantizer": "dorefa", "weight_bits": 2, "activation_bits": 2)"));
  const auto spec = file.load();
  for (const auto& row : spec.tables.front().rows) CHECK(row.entries.front().cells.size() == 1);
  const auto set = file.load({.tier = "t", .set = {"quantizer_settings.weight.detach_max=1"}});
  for (const auto& cell : set.cells)
    if (!cell.spec.full_precision()) CHECK(cell.spec.quantizer_settings.at("weight.detach_max") == 1);
}

TEST_CASE("tables refuse columns that are not there and entries that fit two cells", "[spec]") {
  const std::string table =
      R"("tables": [{"id": "a", "columns": [{"id": "c", "where": {}}], "rows": [{"title": "r", "reported": {"d": {"top1": 1}}}]}])";
  CHECK(SuiteFile(suite("\"matrix\": {\"model\": [\"resnet18\"]},\n" + table)).error() ==
        "s.json:4:105: /tables/0/rows/0/reported/d: no such column, did you mean c?");
  const std::string twice =
      R"("tables": [{"id": "a", "columns": [{"id": "c"}, {"id": "c"}], "rows": [{"title": "r"}]}])";
  CHECK(SuiteFile(suite("\"matrix\": {\"model\": [\"resnet18\"]},\n" + twice)).error() ==
        "s.json:4:56: /tables/0/columns/1/id: the table has another column c");
  const std::string one = R"({"id": "a", "columns": [{"id": "c"}], "rows": [{"title": "r"}]})";
  CHECK(SuiteFile(suite("\"matrix\": {\"model\": [\"resnet18\"]},\n\"tables\": [" + one + ", " + one + "]")).error() ==
        "s.json:4:84: /tables/1/id: the suite has another table a");
  const std::string wide = R"("tables": [{"id": "a", "columns": [{"id": "c"}], "rows": [{"title": "r"}]}])";
  CHECK(SuiteFile(suite("\"matrix\": {\"model\": [\"resnet18\", \"resnet34\"]},\n" + wide)).error().find("fits both") !=
        std::string::npos);
}

TEST_CASE("a cell's JSON holds what differs from the defaults, and what is missing has its default", "[spec]") {
  const auto spec = SuiteFile(suite("\"include\": [{\"width\": 0.5}]")).load();
  const nlohmann::json sparse = {
      {"dataset", "fashion-mnist"}, {"model", "resnet18"}, {"width", 0.5}, {"pretrain", {{"epochs", 2}, {"lr", 0.1}}}};
  CHECK(cell_to_json(spec.cells.at(0).spec) == sparse);
  CHECK(cell_from_json(sparse) == spec.cells[0].spec);
  auto said = sparse;
  said.merge_patch({{"task", "classification"}, {"seed", 0}, {"skip", true}, {"pretrain", {{"batch", 256}}}});
  CHECK(cell_from_json(said) == spec.cells[0].spec);
}

TEST_CASE("a cell's JSON that this version does not know is refused in its place", "[spec]") {
  const nlohmann::json good = {
      {"dataset", "fashion-mnist"}, {"model", "resnet18"}, {"pretrain", {{"epochs", 2}, {"lr", 0.1}}}};
  const auto error_of = [&](const nlohmann::json& patch) {
    auto cell = good;
    cell.merge_patch(patch);
    try {
      static_cast<void>(cell_from_json(cell, "x: /3"));
    } catch (const UserError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  CHECK(error_of(nlohmann::json::object()) == "no error");
  CHECK(error_of({{"colour", "red"}}) == "x: /3/colour: unknown key");
  CHECK(error_of({{"aid", {"kindness"}}}) == "x: /3/aid/0: unknown aid \"kindness\"");
  CHECK(error_of({{"model", "resnet20"}}) == "x: /3/model: unknown model \"resnet20\", did you mean resnet50?");
  CHECK(error_of({{"width", "wide"}}) == "x: /3/width: expected a number");
  CHECK(error_of({{"seed", -1}}) == "x: /3/seed: expected a whole number from 0 to 2147483647");
  CHECK(error_of({{"seed", 1.5}}) == "x: /3/seed: expected a whole number from 0 to 2147483647");
  CHECK(error_of({{"pretrain", nullptr}}) == "x: /3: a full-precision cell needs pretrain or weights");
  CHECK(error_of({{"pretrain", {{"epochs", nullptr}}}}) == "x: /3: pretrain has no epochs and no iterations");
  CHECK(error_of({{"quantizer", "lsq"}, {"weight_bits", 1}, {"finetune", {{"epochs", 1}, {"lr", 1}}}}) ==
        "x: /3: weight_bits 1: lsq defines 2 to 8");
  CHECK_THROWS_AS(cell_from_json(nlohmann::json::array()), UserError);
}

TEST_CASE("an epoch of the code counts for the cells that use the part, and only above 1", "[spec]") {
  const auto spec = SuiteFile(suite(R"("include": [{"aid": ["kd"]}])",
                                    R"(, "quantizer": "lsq", "weight_bits": 2, "activation_bits": 2)"))
                        .load();
  const auto& cell = spec.cells.back().spec;
  const auto epochs = code_epochs(cell);
  for (const char* part : {"task classification", "model resnet18", "quantizer lsq", "aid kd", "optimizer sgd"})
    CHECK(epochs.contains(part));
  CHECK_FALSE(code_epochs(*cell.parent()).contains("quantizer lsq"));
  const auto id_at = [&](int epoch) {
    return cell_id(cell, {.data_manifest = "d", .device_class = "cpu", .code_epochs = {{"quantizer lsq", epoch}}});
  };
  CHECK(id_at(1) == cell_id(cell, {.data_manifest = "d", .device_class = "cpu"}));
  CHECK_FALSE(id_at(1) == id_at(2));
}

TEST_CASE("a start that would quantize nothing, or a width the method does not define, is full precision", "[spec]") {
  const auto start_of = [](const std::string& cell) {
    return cell_slug(*SuiteFile(suite("\"include\": [{" + cell + "}]")).load().cells.back().spec.parent());
  };
  const std::string lq_net = R"("quantizer": "lq-net", "aid": ["progressive"], )";
  CHECK(start_of(R"("quantizer": "lsq", "aid": ["two-stage"], "weight_bits": 32, "activation_bits": 2)") ==
        "resnet18-fp-s0");
  CHECK(start_of(R"("quantizer": "lsq", "aid": ["two-stage"], "weight_bits": 2, "activation_bits": 2)") ==
        "resnet18-lsq-w2a32-s0");
  CHECK(start_of(lq_net + R"("weight_bits": 2, "activation_bits": 2)") == "resnet18-lq-net-w4a4-progressive-s0");
  CHECK(start_of(lq_net + R"("weight_bits": 4, "activation_bits": 4)") == "resnet18-fp-s0");
}

TEST_CASE("one line of the list says what an aid, a method and a model are", "[spec]") {
  for (const auto& aid : aids())
    for (const auto& [name, value] : aid.settings) CHECK(aid_setting_defaults().at(aid.name + "." + name) == value);
  CHECK(find_aid("kd")->settings == std::map<std::string, double>{{"beta", 0.5}, {"teacher_lr", 0.2}});
  CHECK(find_model("resnet101")->blocks == std::array{3, 4, 23, 3});
  CHECK(find_model("resnet19") == nullptr);
}

namespace {

using Vocabulary = std::map<std::string, std::map<std::string, std::vector<std::string>>>;

// The keys and values the schema's definitions name.
Vocabulary vocabulary_of(const nlohmann::json& schema) {
  Vocabulary words;
  for (const auto& [name, definition] : schema.at("$defs").items()) {
    if (!definition.contains("properties") || name == "axes" || name == "match") continue;
    CHECK(definition.at("additionalProperties") == false);
    for (const auto& [key, value] : definition.at("properties").items()) {
      auto part = value.contains("items") ? value.at("items") : value;
      if (part.contains("propertyNames")) part = part.at("propertyNames");
      words[name][key] =
          part.contains("enum") ? part.at("enum").get<std::vector<std::string>>() : std::vector<std::string>{};
    }
  }
  return words;
}

}  // namespace

TEST_CASE("the schema for editors and the language are the same", "[spec]") {
  std::ifstream file(std::string(AUXBENCH_SOURCE_ROOT) + "/suites/schema/suite.schema.json");
  Vocabulary language;
  for (const auto& key : suite_language()) language[key.object][key.key] = key.values;
  const auto schema = nlohmann::json::parse(file);
  CHECK(vocabulary_of(schema) == language);
  const auto& settings = schema.at("/$defs/cell/properties/quantizer_settings/properties"_json_pointer);
  CHECK(settings.size() == word_settings().size());
  for (const auto& setting : word_settings()) CHECK(settings.at(setting.name).at("enum") == setting.words);
}
