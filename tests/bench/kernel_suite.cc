#include "runner/bench/kernel_suite.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;

namespace {

const std::vector<std::string> kKernels = {"bit-serial", "vnni-direct"};

class SuiteFile {
 public:
  explicit SuiteFile(const std::string& text) : path_(folder_.path() / "k.json") { std::ofstream(path_) << text; }
  [[nodiscard]] KernelSuite load(std::vector<std::string> only = {}, std::optional<int> threads = {}) const {
    return load_kernel_suite(path_, {.kernels = kKernels, .only = std::move(only), .threads = threads});
  }
  // The message without the folder, and its code.
  [[nodiscard]] std::pair<std::string, ExitCode> error(const std::vector<std::string>& only = {}) const {
    try {
      static_cast<void>(load(only));
    } catch (const UserError& error) {
      return {std::string(error.what()).substr(folder_.path().string().size() + 1), error.code()};
    }
    return {"no error", ExitCode::ok};
  }

 private:
  test::TempFolder folder_;
  std::filesystem::path path_;
};

const std::string kLayers = R"("layers": [{"name": "a", "h": 8, "w": 9, "c": 16, "out": 32, "r": 3, "pad": 1},
{"name": "b", "h": 8, "w": 8, "c": 16, "out": 32, "stride": 2}], "sets": {"both": ["a", "b"]},
)";

std::string suite(const std::string& tables) {
  return "{\"kind\": \"kernels\", " + kLayers + "\"tables\": [" + tables + "]}";
}

std::vector<std::string> names_of(const KernelRace& race) {
  std::vector<std::string> names;
  for (const auto& row : race.rows) names.push_back(row.name);
  return names;
}

void refuses(const std::string& text, const std::string& expected) {
  const auto [message, code] = SuiteFile(text).error();
  CHECK(message == expected);
  CHECK(code == ExitCode::invalid_suite);
}

}  // namespace

TEST_CASE("a suite of kernels: one race a layer, threads and weights; all bits run in it", "[spec]") {
  const auto found = SuiteFile(suite(R"(
    {"id": "t", "layers": ["both"], "bits": ["w1a2", "w8a8"], "threads": [1, 2], "weights": ["hot", "cold"]},
    {"id": "again", "title": "Again", "layers": ["a"], "bits": ["w8a8", "w4a4"],
     "against": ["onednn2-int8"], "plot": true})"))
                         .load();
  CHECK(found.name == "k");
  CHECK(found.repetitions == 15);
  REQUIRE(found.races.size() == 8);
  const auto& race = found.races[0];
  CHECK(race.name == "a/1t/hot");
  REQUIRE(race.layer.has_value());
  CHECK(*race.layer == ConvLayerSpec{"a", 8, 9, 16, 32, 3, 1, 1});
  CHECK_FALSE(race.cold);
  CHECK(names_of(race) == std::vector<std::string>{"a/w1a2/1t/hot", "a/w8a8/1t/hot", "a/w4a4/1t/hot"});
  CHECK(race.rows[0].weight_bits == 1);
  CHECK(race.rows[0].activation_bits == 2);
  CHECK(race.against.size() == std::size(kLayerOpponents));
  CHECK(found.races[3].name == "a/2t/cold");
  CHECK(found.races[3].cold);
  CHECK(found.races[3].threads == 2);
  CHECK(found.races[4].layer->stride == 2);
  REQUIRE(found.tables.size() == 2);
  CHECK(found.tables[1].title == "Again");
  CHECK(found.tables[1].plot);
  CHECK(found.tables[1].rows == std::vector<std::string>{"a/w8a8/1t/hot", "a/w4a4/1t/hot"});
}

TEST_CASE("a suite of kernels: kernels asked for by name are rows of their own", "[spec]") {
  const auto found =
      SuiteFile(suite(R"({"id": "t", "layers": ["a"], "bits": ["w2a2"], "kernels": ["bit-serial"]})")).load();
  CHECK(names_of(found.races.at(0)) == std::vector<std::string>{"a/w2a2/1t/hot", "a/w2a2/1t/hot/bit-serial"});
  CHECK(found.races[0].rows[1].kernel == "bit-serial");
}

TEST_CASE("a suite of kernels: networks are races, too", "[spec]") {
  const auto found =
      SuiteFile(suite(R"({"id": "n", "networks": ["resnet18"], "image": 64, "bits": ["w2a2"], "threads": [2]})"))
          .load();
  REQUIRE(found.races.size() == 1);
  CHECK(found.races[0].name == "resnet18-64/2t");
  CHECK(found.races[0].network == "resnet18");
  CHECK(found.races[0].image == 64);
  CHECK_FALSE(found.races[0].layer.has_value());
  CHECK(names_of(found.races[0]) == std::vector<std::string>{"resnet18-64/w2a2/2t"});
}

TEST_CASE("a suite of kernels: --only names tables or rows, --threads replaces the suite's", "[spec]") {
  const SuiteFile file(suite(R"({"id": "t", "layers": ["both"], "bits": ["w1a2", "w8a8"]},
    {"id": "slow", "layers": ["a"], "bits": ["w4a4"], "on_request": true})"));
  CHECK(file.load().tables.size() == 1);
  CHECK(file.load({"slow"}).races.at(0).rows.at(0).name == "a/w4a4/1t/hot");
  const auto some = file.load({"b/*", "a/w4a4*"});
  REQUIRE(some.races.size() == 2);
  CHECK(some.races[0].name == "b/1t/hot");
  CHECK(file.load({}, 3).races.at(0).name == "a/3t/hot");
  const auto [message, code] = file.error({"none-such"});
  CHECK(message == "k.json:1:1: /: no rows are left after --only none-such; its tables: t, slow");
  CHECK(code == ExitCode::usage);
}

TEST_CASE("a suite of kernels: mistakes are told with their place", "[spec]") {
  const std::string table = R"({"id": "t", "layers": ["a"], "bits": ["w1a2"])";
  refuses("{\"kind\": \"cells\", \"tables\": []}", "k.json:1:10: /kind: expected kernels, found \"cells\"");
  refuses("{\"tables\": []}", "k.json:1:1: /: no kind");
  refuses(suite(""), "k.json:3:11: /tables: a suite needs a table");
  refuses(suite(table + ", \"wieghts\": [\"hot\"]}"),
          "k.json:3:70: /tables/0/wieghts: unknown key, did you mean weights?");
  refuses(suite(R"({"id": "t", "layers": ["a", "boht"], "bits": ["w1a2"]})"),
          "k.json:3:40: /tables/0/layers/1: unknown layer boht, did you mean both?; known: a, b, both");
  refuses(suite(R"({"id": "t", "layers": ["a"], "bits": ["w5a1"]})"),
          "k.json:3:50: /tables/0/bits/0: unknown bits w5a1, expected wWaA with W 1, 2, 3, 4 or 8 and A 1 to 8");
  refuses(suite(table + ", \"kernels\": [\"bit-cereal\"]}"),
          "k.json:3:71: /tables/0/kernels/0: unknown kernel bit-cereal, did you mean bit-serial?; known: bit-serial, "
          "vnni-direct");
  refuses(suite(table + ", \"threads\": [0]}"), "k.json:3:71: /tables/0/threads/0: expected 1 to 1024, found 0");
  refuses(suite(table + "}, " + table + "}"), "k.json:3:67: /tables/1/id: a table t stands here already");
  refuses(suite(R"({"id": "t", "bits": ["w1a2"]})"), "k.json:3:12: /tables/0: a table has either layers or networks");
  refuses(suite(R"({"id": "t", "networks": ["resnet18"], "bits": ["w1a2"], "weights": ["hot"]})"),
          "k.json:3:79: /tables/0/weights: is for layers");
  refuses(R"({"kind": "kernels", "layers": [{"name": "a", "h": 1, "w": 1, "c": 1, "out": 1, "r": 3}], "tables": []})",
          "k.json:1:32: /layers/0: the kernel is larger than the padded image");
  refuses(R"({"kind": "kernels", "layers": [{"name": "a", "h": 1, "w": 1, "c": 1}], "tables": []})",
          "k.json:1:32: /layers/0: no out");
  refuses(R"({"kind": "kernels", "seconds": 0, "tables": []})",
          "k.json:1:32: /seconds: expected a number of seconds above 0 and up to 60");
}

TEST_CASE("the suite of kernels that is published can be read, and its rows are few enough", "[spec]") {
  const std::string root = AUXBENCH_SOURCE_ROOT;
  const std::vector<std::string> kernels = {"bit-serial", "lookup", "vnni-direct", "winograd-vnni"};
  const auto found = load_kernel_suite(root + "/suites/kernels.json", {.kernels = kernels});
  CHECK(found.races.size() < 100);
  CHECK(load_kernel_suite(root + "/suites/kernels.json", {.kernels = kernels, .only = {"quick", "quick-network"}})
            .races.size() == 3);
}

TEST_CASE("the schema for editors of kernels names the opponents there are", "[spec]") {
  std::ifstream file(std::string(AUXBENCH_SOURCE_ROOT) + "/suites/schema/kernels.schema.json");
  const auto schema = nlohmann::json::parse(file);
  const auto listed = schema.at("$defs").at("table").at("properties").at("against").at("items").at("enum");
  CHECK(listed.get<std::vector<std::string>>() ==
        std::vector<std::string>(std::begin(kLayerOpponents), std::end(kLayerOpponents)));
}
