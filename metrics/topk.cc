#include "metrics/topk.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace auxbench {
namespace {

// How many classes come before `label`: 0 is the first choice.
int64_t rank_of(std::span<const float> row, int64_t label) {
  const float own = row[static_cast<size_t>(label)];
  if (std::isnan(own)) return static_cast<int64_t>(row.size());
  int64_t rank = 0;
  for (size_t c = 0; c < row.size(); ++c)
    if (row[c] > own || (row[c] == own && static_cast<int64_t>(c) < label)) ++rank;
  return rank;
}

int64_t first_choice(std::span<const float> row) {
  int64_t best = -1;
  for (size_t c = 0; c < row.size(); ++c)
    if (!std::isnan(row[c]) && (best < 0 || row[c] > row[static_cast<size_t>(best)])) best = static_cast<int64_t>(c);
  return best;
}

}  // namespace

void add_topk(std::span<const float> logits, std::span<const int64_t> labels, int64_t classes, TopK& result) {
  AUXBENCH_CHECK(classes > 0 && logits.size() == labels.size() * static_cast<size_t>(classes),
                 "classes logits for each label");
  for (size_t i = 0; i < labels.size(); ++i) {
    AUXBENCH_CHECK(labels[i] >= 0 && labels[i] < classes, "a label in range");
    const auto row = logits.subspan(i * static_cast<size_t>(classes), static_cast<size_t>(classes));
    const auto rank = rank_of(row, labels[i]);
    result.predictions.push_back(first_choice(row));
    result.top1.push_back(rank < 1);
    result.top5.push_back(rank < 5 && rank < classes);
  }
}

double percent(const std::vector<bool>& hits) {
  if (hits.empty()) return 0;
  return 100.0 * static_cast<double>(std::count(hits.begin(), hits.end(), true)) / static_cast<double>(hits.size());
}

}  // namespace auxbench
