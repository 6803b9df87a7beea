// AP of each category as a table: full precision's, and the difference to it of each other column, means over seeds; the
// numbers of the picture in detection_plots.h. For .cc files of this room.
#pragma once

#include <string>
#include <vector>

#include "reports/detection_model.h"

namespace auxbench {

// A table of more categories has those kEndCategories that lose most by the mean of their differences and those that lose
// least, in that order; else all stand in the data set's order.
inline constexpr size_t kMostCategoryRows = 10, kEndCategories = 5;

struct CategoryTable {
  std::string title;      // "Table 7: ResNet-18"
  size_t categories = 0;  // that have a truth; more than rows: these are the ends
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};

// Panels without a reference or with nothing beside it have no table; of more than kMostPanels the first ones have.
std::vector<CategoryTable> category_tables(const std::vector<DetectionPanel>& panels);

}  // namespace auxbench
