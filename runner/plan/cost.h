// What a cell will cost, before it is run: from finished cells of the same kind where there are any, else from
// arithmetic. On the CPU the price is in seconds of one thread, as a cell is trained by one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runner/plan/cell_spec.h"

namespace auxbench {

// A finished cell and what it took.
struct PastRun {
  CellSpec spec;
  std::string device_class;  // "cpu" | "cuda"
  int64_t train_images = 0, test_images = 0;
  double seconds = 0;
  int threads = 1;  // that computed it
};

struct CostEstimate {
  double seconds = 0;
  bool from_history = false;  // false: arithmetic only, good to a factor of three
};

class Prices {
 public:
  // Of this machine.
  explicit Prices(const std::vector<PastRun>& history);

  // The median rate of past runs that do the same work a step (all but seed, length of training and number of images) on
  // the same class of device, else arithmetic. `train_images`, `test_images`: what the cell's data come to.
  [[nodiscard]] CostEstimate estimate(const CellSpec& cell, const std::string& device_class, int64_t train_images,
                                      int64_t test_images) const;

 private:
  std::map<std::string, double> seconds_per_pass_;  // of an image through the network, by kind of work
};

// Bytes of memory that a process may take while it trains the cell on a CPU; good to a factor of two.
int64_t memory_estimate(const CellSpec& cell);

}  // namespace auxbench
