// One convolution layer: our kernels at all the bits asked for, vendors' libraries in their arithmetics, and what the
// processor can do at best, in one race.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "runner/bench/kernel_suite.h"
#include "runner/bench/opponents/opponent.h"
#include "runner/bench/race.h"

namespace auxbench::bench {

using MakeOpponent =
    std::function<opponents::Made(const opponents::Layer&, opponents::Arithmetic, const opponents::Conditions&)>;

struct Surroundings {
  std::string onednn2 = "libdnnl.so.2", onednn3 = "libdnnl.so.3";  // for the dynamic linker
  MakeOpponent libtorch;                                           // none: not compared with
  int64_t cold_bytes = int64_t{64} << 20;                          // that copies of cold weights fill
};

// Threads that wait for work keep their processors busy for some milliseconds before they sleep.
double pause_after(int threads);

// "onednn2-int8" and its like: made, or why not.
opponents::Made make_opponent(const std::string& name, const Surroundings& surroundings, const opponents::Layer& layer,
                              const opponents::Conditions& conditions);

struct RaceRecord {
  nlohmann::json race;                            // what ran, and the opponents' times
  nlohmann::json rows = nlohmann::json::array();  // ours
};

// What a row's entry begins with, whatever becomes of it.
nlohmann::json entry_of(const KernelRace& race, const KernelRow& row);

// A row whose sums are wrong is `failed`, one whose kernel is not for this layer or processor `skipped`; neither is
// timed. Throws UserError(usage) where there are fewer processors than threads.
RaceRecord run_layer_race(const KernelRace& spec, const Surroundings& surroundings, Races& races);

}  // namespace auxbench::bench
