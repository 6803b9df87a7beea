// What a suite may leave out, say with null, or say too much of.
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "runner/plan/suite.h"
#include "runner/plan/tiers.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;
using nlohmann::json;

namespace {

json stage(int epochs) { return {{"epochs", epochs}, {"lr", 0.1}}; }

json defaults() { return {{"dataset", "fashion-mnist"}, {"model", "resnet18"}, {"pretrain", stage(20)}}; }

class Files {
 public:
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_.path() / name) << text;
    return folder_.path() / name;
  }
  std::filesystem::path write(const std::string& name, const json& suite) const { return write(name, suite.dump()); }

 private:
  test::TempFolder folder_;
};

// "s.json:1:2: ..." without the folder, with the code before it.
std::string refusal(const std::filesystem::path& path, const SuiteRequest& request) {
  try {
    static_cast<void>(load_suite(path, request));
  } catch (const UserError& error) {
    std::string text = error.what();
    const auto folder = path.parent_path().string() + "/";
    if (const auto at = text.find(folder); at != std::string::npos) text.erase(at, folder.size());
    return std::to_string(static_cast<int>(error.code())) + " " + text;
  }
  return "none";
}

bool only_evaluates(const std::filesystem::path& path, const std::string& tier) {
  const auto spec = load_suite(path, {.tier = tier});
  return spec.cells.size() == 1 && !spec.cells[0].spec.pretrain;
}

}  // namespace

TEST_CASE("a null for a stage in a tier survives every merge of files and tiers", "[spec]") {
  const Files files;
  const json none = {{"set", {{"pretrain", nullptr}}}}, some = {{"set", {{"pretrain", {{"epochs", 1}}}}}};
  auto with_weights = defaults();
  with_weights["weights"] = "w.safetensors";
  const json base = {{"defaults", with_weights}, {"include", json::array({json::object()})}};
  const auto suite = [&](const std::string& name, json tiers, const std::string& extends = {}) {
    auto whole = extends.empty() ? base : json{{"extends", extends}};
    whole["tiers"] = std::move(tiers);
    return files.write(name, whole);
  };
  CHECK(only_evaluates(suite("alone.json", {{"t", none}}), "t"));
  suite("base.json", {{"t", some}});
  CHECK(only_evaluates(suite("over.json", {{"t", none}}, "base.json"), "t"));
  CHECK(only_evaluates(suite("new.json", {{"u", none}}, "base.json"), "u"));
  CHECK(only_evaluates(suite("third.json", json::object(), "over.json"), "t"));
  // Said again, the stage is there again: over what the defaults say of it.
  const auto again = load_suite(suite("again.json", {{"t", some}}, "over.json"), {.tier = "t"});
  CHECK(again.cells.at(0).spec.pretrain->epochs == 1);
  CHECK(only_evaluates(suite("tiers.json", {{"t", some}, {"u", {{"extends", "t"}, {"set", {{"pretrain", nullptr}}}}}}),
                       "u"));
  CHECK(only_evaluates(
      suite("plain.json", {{"t", json::object()}, {"u", {{"extends", "t"}, {"set", {{"pretrain", nullptr}}}}}}), "u"));
  CHECK(only_evaluates(suite("chain.json", {{"t", none}, {"u", {{"extends", "t"}}}}), "u"));
  CHECK(only_evaluates(suite("a~b.json", {{"x~y", none}}, "base.json"), "x~y"));
  // Elsewhere a null takes out of the file that is extended, as before.
  const auto removed =
      files.write("removed.json", json{{"extends", "base.json"}, {"tiers", {{"t", nullptr}, {"u", json::object()}}}});
  CHECK(Suite(removed).tiers() == std::vector<std::string>{"u"});
}

TEST_CASE("a tier's rules come behind those of the file that is extended, each with its own place", "[spec]") {
  const Files files;
  const auto rule = [](const char* key, const json& value) {
    return json{{"set", json{{"pretrain", json{{key, value}}}}}};
  };
  const auto base = [&](const json& rules) {
    files.write("base.json", json{{"defaults", defaults()},
                                  {"include", json::array({json::object()})},
                                  {"tiers", json{{"t", json{{"rules", rules}}}}}});
  };
  const auto over = [&](const json& rules) {
    return files.write("s.json", json{{"extends", "base.json"}, {"tiers", json{{"t", json{{"rules", rules}}}}}});
  };
  const auto trained = [&](const json& rules) {
    return *load_suite(over(rules), {.tier = "t"}).cells.at(0).spec.pretrain;
  };
  base(json::array({rule("epochs", 3), rule("epochs", 5), rule("lr", 0.25)}));
  CHECK(trained(json::array({rule("epochs", 7)})).epochs == 7);
  CHECK(trained(json::array({rule("epochs", 7)})).lr == 0.25);
  CHECK(trained(json::array()).epochs == 5);
  CHECK(trained(nullptr).epochs == 20);
  CHECK(refusal(over(json::array({json{{"sett", 1}}})), {.tier = "t"}) ==
        "3 s.json:1:55: /tiers/t/rules/3/sett: unknown key, did you mean set?");
  CHECK(refusal(over("all"), {.tier = "t"}) == "3 s.json:1:46: /tiers/t/rules: expected a list");
  base(json::array({json{{"wear", 1}}}));
  CHECK(refusal(over(json::array({rule("epochs", 7)})), {.tier = "t"}).find("base.json:1:") != std::string::npos);
}

TEST_CASE("a null in a matrix is a value like any other", "[spec]") {
  const Files files;
  auto with_weights = defaults();
  with_weights["weights"] = "w.safetensors";
  const auto spec = load_suite(
      files.write("s.json", json{{"defaults", with_weights}, {"matrix", {{"pretrain", {nullptr, stage(3)}}}}}),
      {.tier = kAsWritten});
  REQUIRE(spec.cells.size() == 2);
  CHECK_FALSE(spec.cells[0].spec.pretrain);
  CHECK(spec.cells[1].spec.pretrain->epochs == 3);
}

TEST_CASE("a suite without tiers is one tier, its cells as they are written", "[spec]") {
  const Files files;
  json suite = {{"defaults", defaults()}, {"include", json::array({json::object()})}};
  for (const auto& path :
       {files.write("s.json", suite), (suite["tiers"] = json::object(), files.write("t.json", suite))}) {
    CHECK(Suite(path).tiers() == std::vector<std::string>{"as-written"});
    const auto spec = load_suite(path, {.tier = "as-written"});
    CHECK(spec.cells.at(0).spec.pretrain->epochs == 20);
    CHECK_FALSE(spec.proxy);
    CHECK(refusal(path, {.tier = "as-writen"}).find("did you mean as-written?") != std::string::npos);
  }
}

TEST_CASE("a suite may name the tier that is run where none is asked for", "[spec]") {
  const Files files;
  json suite = {{"defaults", defaults()},
                {"include", json::array({json::object()})},
                {"tiers", {{"a", json::object()}, {"b", json::object()}}}};
  CHECK_FALSE(Suite(files.write("s.json", suite)).default_tier());
  suite["default_tier"] = "b";
  CHECK(Suite(files.write("s.json", suite)).default_tier() == "b");
  CHECK(Suite(files.write("over.json", json{{"extends", "s.json"}})).default_tier() == "b");
  CHECK_FALSE(Suite(files.write("over.json", json{{"extends", "s.json"}, {"default_tier", nullptr}})).default_tier());
  CHECK(refusal(files.write("over.json", json{{"extends", "s.json"}, {"default_tier", "bb"}}), {.tier = "b"}) ==
        "3 over.json:1:17: /default_tier: no tier bb, did you mean b?");
  CHECK(Suite(std::string(AUXBENCH_SOURCE_ROOT) + "/suites/smoke.json").default_tier() == "smoke");
}

TEST_CASE("names that make folders lead nowhere else", "[spec]") {
  const Files files;
  const std::vector<std::string> bad = {"../../x",
                                        "a/b",
                                        "",
                                        ".",
                                        "..",
                                        "a\nb",
                                        "a\x1b",
                                        "a\\b",
                                        std::string("a\0b", 3),
                                        "\xe2\x80\xae",
                                        std::string(101, 'a')};
  for (const auto& name : bad) {
    const json suite = {{"name", name}, {"defaults", defaults()}, {"include", json::array({json::object()})}};
    CHECK(refusal(files.write("s.json", suite), {.tier = kAsWritten}).find(": /name: names a folder") !=
          std::string::npos);
    const json tiers = {
        {"defaults", defaults()}, {"include", json::array({json::object()})}, {"tiers", {{name, json::object()}}}};
    // A NUL in the pointer ends the message there.
    CHECK(refusal(files.write("s.json", tiers), {.tier = name}).starts_with("3 s.json:1:"));
  }
  const json suite = {{"defaults", defaults()}, {"include", json::array({json::object()})}};
  CHECK(load_suite(files.write("caf\xe9\t.json", suite), {.tier = kAsWritten}).name == "caf\\xe9\\x09");
}

TEST_CASE("too many seeds, or none, are refused at once and by the name of the flag", "[spec]") {
  const Files files;
  const auto path =
      files.write("s.json", json{{"defaults", defaults()}, {"matrix", {{"model", {"resnet18", "resnet34"}}}}});
  const auto begin = std::clock();
  CHECK(refusal(path, {.tier = kAsWritten, .set = {}, .seeds = 20'000'000}) ==
        "2 --seeds 20000000: more than 10000 cells, with 2 a seed");
  CHECK(refusal(path, {.tier = kAsWritten, .set = {}, .seeds = 5001}) ==
        "2 --seeds 5001: more than 10000 cells, with 2 a seed");
  for (const int none : {0, -1})
    CHECK(refusal(path, {.tier = kAsWritten, .set = {}, .seeds = none}) ==
          "2 --seeds " + std::to_string(none) + ": expected at least 1");
  CHECK(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC < 1);
  CHECK(load_suite(path, {.tier = kAsWritten, .set = {}, .seeds = 3}).cells.size() == 6);
}

TEST_CASE("--set in bytes that are no UTF-8 is one line that names it", "[spec]") {
  const Files files;
  const auto path = files.write("s.json", json{{"defaults", defaults()}, {"include", json::array({json::object()})}});
  for (const std::string setting : {"quantizer=\xe4", "weights=\xe4.pth", "\xe4=1", "quantizer_settings.\xe4=1"})
    CHECK(refusal(path, {.tier = kAsWritten, .set = {setting}}).find("2 --set " + setting + ": is not UTF-8") == 0);
  CHECK(load_suite(path, {.tier = kAsWritten, .set = {"weights=caf\xc3\xa9.pth"}}).cells.at(0).spec.weights ==
        "caf\xc3\xa9.pth");
}

TEST_CASE("a byte order mark is passed over, and UTF-16 is named", "[spec]") {
  const Files files;
  const json suite = {{"defaults", defaults()}, {"include", json::array({json::object()})}};
  CHECK(load_suite(files.write("s.json", "\xef\xbb\xbf" + suite.dump()), {.tier = kAsWritten}).cells.size() == 1);
  CHECK(refusal(files.write("s.json", std::string("\xef\xbb\xbf{\"x\": 1}")), {.tier = "t"}) ==
        "3 s.json:1:7: /x: unknown key");
  CHECK(refusal(files.write("s.json", std::string("\xff\xfe{\0", 4)), {.tier = "t"}) ==
        "3 s.json:1:1: the file is UTF-16: save it as UTF-8");
}

TEST_CASE("sizes that no network has are refused where they stand", "[spec]") {
  const Files files;
  const auto path = files.write("s.json", json{{"defaults", defaults()}, {"include", json::array({json::object()})}});
  for (const std::string setting : {"width=1e300", "width=3000", "bases=2147483647", "stem_stride=65536"})
    CHECK(refusal(path, {.tier = kAsWritten, .set = {setting}}).find("expected at most 1024, found ") !=
          std::string::npos);
  auto wide = defaults();
  wide["width"] = 3000;
  CHECK(refusal(files.write("s.json", json{{"defaults", wide}, {"include", json::array({json::object()})}}),
                {.tier = kAsWritten})
            .find("/defaults/width: expected at most 1024, found 3000") != std::string::npos);
}
