// From the numbers of a report to the words that every renderer shares. For .cc files of this room.
#pragma once

#include <string>
#include <vector>

#include "reports/table_model.h"

namespace auxbench {

// "77.0 / 95.0 (sd 1.4, n = 2), -10.6 FP (n = 1); 1 of 3 runs mistrusted: why", or the state where no run counts. A
// difference says the n of its pairs where it is not the entry's.
std::string measured_text(const EntryModel& entry);

// "66.7 / 87.0, +2.0 base": the paper's figures; "-" where it reports none.
std::string reported_text(const EntryModel& entry, const Table& table);

// "top-1", "AP50": a metric as the field writes it.
std::string metric_title(const std::string& metric);

// Tables of more metrics than this have a line a column, not a column a column.
inline constexpr size_t kMostMetricsInAnEntry = 2;

// The entry's numbers, one for each of the table's metrics: "30.6 (sd 0.4), -1.5 FP, +1.4 base" for the first, "48.8 (sd
// 0.5), -1.7 FP" for others; in the first what is said of runs that do not count.
std::vector<std::string> measured_texts(const EntryModel& entry, const Table& table);

// The paper's figures in the same places: "30.6, -1.5 FP, +1.4 base"; "-" where it reports none.
std::vector<std::string> reported_texts(const EntryModel& entry, const Table& table);

struct ClaimText {
  std::string text, measured, verdict, reported;
};

// One for each row that the claim is about, never none. A claim that names the column it is held against says it.
std::vector<ClaimText> claim_texts(const ClaimModel& claim);

// "2 mistrusted runs are left out of means and differences.", empty when there is none.
std::string mistrusted_note(int runs);

// "not run yet: needs imagenet": a state and why.
std::string state_and_why(const std::string& state, const std::string& why);

}  // namespace auxbench
