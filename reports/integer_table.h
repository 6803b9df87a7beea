// The table of what cells are worth as integers, from records alone. For .cc files of this room.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reports/origin.h"

namespace auxbench {

struct IntegerTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  // one text a column
  int64_t equal = 0, differing = 0, none = 0;  // cells whose bit-exactness check says so
  int64_t images = 0;                          // compared altogether
};

// A row for each record that was frozen, or could not be. Speeds are of the machine that made the record. `metric`: what
// the header calls the metric that decides.
IntegerTable integer_table(const FoundRecords& records, const std::string& metric);

// "2/2": the bits of the levels that its quantizers can return, weights/activations; "-" for one that is not known.
std::string real_bits_text(const Record& record);

}  // namespace auxbench
