// Which levels the layers of a network use, from its record's facts alone ("codes"; runner/training/code_shares.h says
// what the shares are and how they were counted).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "results/record.h"

namespace auxbench {

// A layer sits on one level, and a report warns of it, where either share of its activations is reached: on one level of
// its grid, whichever, so that it tells images apart by less than half a bit; or beyond the clip of a grid of more than
// two levels, where all are the end's code and no gradient comes back from most. Measured (docs/methods.md): networks
// that learned have at most 85 % on one level and 44 % beyond, a ResNet-50 that starved 54 % beyond in its deepest stage.
inline constexpr double kOnOneLevel = 0.9, kBeyondClip = 0.5;

struct CodeTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  // one a layer, in the network's order
};

// Empty rows where the record has no such facts; what is of another type in them is "-".
CodeTable code_table(const Record& record);

// For a terminal: the same in columns, layers on one level marked.
std::string code_text(const Record& record);

struct OnOneLevel {
  int layers = 0, of = 0;  // how many of those that are recorded
  std::string first;       // in the network's order
  double most = 0;         // the largest share
  double beyond = 0;       // the largest share beyond the clip among these layers
};

// None where no layer sits on one level, or nothing is recorded.
std::optional<OnOneLevel> layers_on_one_level(const Record& record);

}  // namespace auxbench
