// A race: contestants take turns, so that what slows the machine for a while slows all of them, and ratios can be
// paired repetition by repetition. Google Benchmark runs and shuffles them.
//
// One repetition of all is one run of the library over its registered benchmarks, once each, in random order: it would
// otherwise shuffle all repetitions over the whole race, and the fifth of one contestant would not be near the fifth
// of another. The time of a repetition is the median of its passes.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace auxbench::bench {

struct Contestant {
  std::string name;
  std::function<double()> pass;  // the seconds that one pass took
};

// The seconds of a call.
std::function<double()> timed(std::function<void()> work);

struct RaceOptions {
  int repetitions = 15;
  double seconds = 0.005;  // of passes in one repetition, at least; always two passes
};

class Races {
 public:
  explicit Races(const RaceOptions& options);

  // For each contestant the seconds of a pass in each repetition. `pause`: seconds before each contestant begins;
  // threads of the last one may wait busily for a while.
  std::vector<std::vector<double>> run(const std::string& race, const std::vector<Contestant>& contestants,
                                       double pause);

  // What Google Benchmark's own JSON says of all races, without the names of machine and program.
  [[nodiscard]] nlohmann::json google_benchmark() const;

 private:
  RaceOptions options_;
  nlohmann::json benchmarks_ = nlohmann::json::array(), context_;
};

}  // namespace auxbench::bench
