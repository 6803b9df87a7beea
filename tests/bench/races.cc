// What times kernels: right before it times them, the same work for everyone, ratios that pair.
#include <memory>
#include <set>

#include "base/error.h"
#include "runner/bench/figures.h"
#include "runner/bench/layer_race.h"
#include "runner/bench/own_layer.h"
#include "runner/bench/peaks/peaks.h"
#include "runner/bench/race.h"
#include "runner/bench/team.h"
#include "tests/support/catch.h"

using namespace auxbench;
using namespace auxbench::bench;

namespace {

const ConvLayerSpec kLayer = {.name = "a", .h = 13, .w = 11, .c = 32, .out = 48, .r = 3, .stride = 1, .pad = 1};

KernelRace race_of(std::vector<KernelRow> rows) {
  return {.name = "a/1t/hot", .layer = kLayer, .rows = std::move(rows), .against = {"onednn2-int8", "libtorch-int8"}};
}

const Surroundings kNobody = {.onednn2 = "libno-such-library.so.7"};

}  // namespace

TEST_CASE("every kernel's sums and codes are right on data that are timed, at all bits", "[bench]") {
  for (const int weight_bits : {1, 2, 3, 4, 8})
    for (const int activation_bits : {1, 2, 3, 4, 5, 8}) {
      const auto problem = problem_of(kLayer, weight_bits, activation_bits);
      const auto data = std::make_shared<const OwnData>(problem, 7);
      for (const auto& kernel : lowbit_conv::kernels_for(problem, this_isa()))
        for (const int64_t cold_bytes : {0, 100000}) {
          INFO(kernel << " w" << weight_bits << "a" << activation_bits << " cold " << cold_bytes);
          OwnLayer layer(data, kernel, 2, cold_bytes);
          CHECK(layer.plan().kernel() == kernel);
          CHECK(layer.check().empty());
        }
    }
}

TEST_CASE("a sum that is wrong is told with its place", "[bench]") {
  auto data = std::make_shared<OwnData>(problem_of(kLayer, 4, 4), 7);
  ++data->pixels[1].sums[3];
  const auto expected = data->pixels[1].sums[3];
  OwnLayer layer(data, "", 1, 0);
  CHECK(layer.check() == "the sum at row 0, column 10, channel 3 is " + std::to_string(expected - 1) + " instead of " +
                             std::to_string(expected));
}

TEST_CASE("compulsory bytes: weights at their bits, a byte for each code", "[bench]") {
  OwnLayer layer(std::make_shared<const OwnData>(problem_of(kLayer, 2, 2), 7), "", 1, 0);
  CHECK(layer.compulsory_bytes() == 48 * 9 * 32 * 2 / 8 + 13 * 11 * 32 + 13 * 11 * 48);
}

TEST_CASE("a race: each contestant once a repetition, in Google Benchmark's words, too", "[bench]") {
  Races races({.repetitions = 3, .seconds = 1e-6});
  int first = 0, second = 0;
  const auto seconds = races.run("r",
                                 {{"one",
                                   [&] {
                                     ++first;
                                     return 0.25;
                                   }},
                                  {"two",
                                   [&] {
                                     ++second;
                                     return 0.5;
                                   }}},
                                 0);
  CHECK(seconds == std::vector<std::vector<double>>{{0.25, 0.25, 0.25}, {0.5, 0.5, 0.5}});
  CHECK(first == second);
  CHECK(first == 2 + 3 * (1 + 2));  // warm-up and trial; in each repetition a warm-up and two passes
  const auto google = races.google_benchmark();
  REQUIRE(google.at("benchmarks").size() == 6);
  std::set<std::pair<std::string, int>> seen;
  for (const auto& entry : google.at("benchmarks"))
    seen.insert({entry.at("name").get<std::string>().substr(0, 5), entry.at("repetition_index").get<int>()});
  CHECK(seen == std::set<std::pair<std::string, int>>{
                    {"r/one", 0}, {"r/one", 1}, {"r/one", 2}, {"r/two", 0}, {"r/two", 1}, {"r/two", 2}});
  CHECK(google.at("context").contains("num_cpus"));
  CHECK_FALSE(google.at("context").contains("host_name"));
}

TEST_CASE("ratios are paired by repetition; the fastest of each arithmetic is named", "[bench]") {
  const std::vector<double> ours = {1, 2, 4};
  const std::vector<Times> theirs = {{"a-int8", {3, 6, 12}}, {"b-int8", {2, 6, 8}}, {"a-fp32", {10, 20, 40}}};
  CHECK(paired(theirs[0].seconds, ours).at("median") == 3);
  CHECK(paired(theirs[0].seconds, ours).at("q25") == 3);
  const auto over = over_fastest(theirs, ours);
  CHECK(over.at("int8").at("contestant") == "a-int8");
  CHECK(over.at("fp32").at("median") == 10);
  CHECK_FALSE(over.contains("bf16"));
  CHECK(ratios_over(theirs, ours).at("b-int8").at("q75") == 3);
}

TEST_CASE("a layer without opponents still has figures, and who is missing is told", "[bench]") {
  Races races({.repetitions = 2, .seconds = 1e-4});
  const auto [race, rows] =
      run_layer_race(race_of({{.name = "r", .weight_bits = 2, .activation_bits = 2},
                              {.name = "g", .weight_bits = 2, .activation_bits = 2, .kernel = "generic"},
                              {.name = "n", .weight_bits = 2, .activation_bits = 2, .kernel = "none"}}),
                     kNobody, races);
  CHECK(race.at("status") == "completed");
  CHECK(race.at("opponents").at("libtorch-int8").at("reason") == "not asked for");
  CHECK(race.at("opponents").at("onednn2-int8").at("reason").get<std::string>().find("libno-such") !=
        std::string::npos);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].at("status") == "completed");
  CHECK(rows[0].at("macs") == 13 * 11 * 48 * 9 * 32);
  CHECK(rows[0].at("us").at("median") > 0);
  CHECK(rows[0].at("over").empty());
  CHECK(rows[1].at("kernel") == "generic");
  CHECK(rows[2].at("status") == "skipped");
  CHECK(rows[2].at("reason").get<std::string>().find("no kernel none") != std::string::npos);
}

TEST_CASE("more threads than processors are the user's to mend", "[bench]") {
  CHECK(processors_for(1).size() == 1);
  CHECK_THROWS_AS(processors_for(100000), UserError);
}

TEST_CASE("the loops of instructions that this processor has run, and memory of any size is read", "[bench]") {
  for (const auto& loop : peaks::loops()) {
    if (!loop.runs_on(this_isa())) continue;
    INFO(loop.mix);
    CHECK(timed([&] { loop.run(1000); })() > 0);
    CHECK(peaks::find_loop(loop.name, this_isa()) != nullptr);
  }
  CHECK(peaks::find_loop("no such loop", this_isa()) == nullptr);
  const std::vector<std::byte> bytes(1 << 20, std::byte{1});
  peaks::read_all(bytes, this_isa());
  peaks::read_all({}, this_isa());
}
