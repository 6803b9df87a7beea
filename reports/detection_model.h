// What a report draws of detectors: precision over recall and the AP of each category, for each row of each table the
// mean over the runs of each column.
//
// A record has them in its fact "detection":
//
//   {"categories": ["dress", ...],   names of the data set's categories, by ascending id
//    "ap": [31.2, null, ...],        of each over all IoU thresholds, in percent; null: no truth of it
//    "precision50": [98.1, ...],     at recall 0, .01 .. 1 and IoU .5, mean over categories, in percent: 101 numbers,
//    "precision75": [90.4, ...]}     whose mean is AP50; the same at .75
//
// Anybody may have written it: a fact of another form counts as none.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "results/record.h"
#include "runner/plan/plan.h"

namespace auxbench {

inline constexpr size_t kCurvePoints = 101;
// Of rows beyond it nothing is drawn: a page stays one that can be read.
inline constexpr size_t kMostPanels = 24;

struct DetectionFacts {
  std::vector<std::string> categories;
  std::vector<std::optional<double>> ap;              // one per category
  std::array<std::vector<double>, 2> precision = {};  // at IoU .5 and .75, kCurvePoints each
};

// None where the record has no such fact, or one of another form.
std::optional<DetectionFacts> detection_facts(const Record& record);

// One column of a row.
struct DetectionLine {
  std::string column;  // its title
  size_t place = 0;    // of the column in its table
  int runs = 0;        // completed ones, over which the facts are means; > 0
  DetectionFacts mean;
};

struct DetectionPanel {
  std::string table, row;            // titles
  std::optional<size_t> reference;   // the line of full precision
  std::vector<DetectionLine> lines;  // in the table's order, not empty
};

// Rows without any such run have no panel; runs whose categories differ from the first one's are passed over.
std::vector<DetectionPanel> detection_panels(const Plan& plan, const std::map<std::string, Record>& records);

// AP of the category less full precision's, in points; none where either has no truth of it, or the panel no reference.
std::optional<double> category_difference(const DetectionPanel& panel, const DetectionLine& line, size_t category);

// "+ Auxi (n = 3)": its title, and how many runs it is the mean of where there is more than one.
std::string title_with_runs(const DetectionLine& line);

}  // namespace auxbench
