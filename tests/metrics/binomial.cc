#include "metrics/binomial.h"

#include "tests/support/catch.h"

using namespace auxbench;

TEST_CASE("luck's most hits leave no more than the doubt above them", "[metrics]") {
  // Ten tosses of a coin: P(X > 8) = 11/1024, P(X > 9) = 1/1024.
  CHECK(most_hits_by_luck(10, 0.5, 0.011) == 8);
  CHECK(most_hits_by_luck(10, 0.5, 0.0107) == 9);
  CHECK(most_hits_by_luck(10, 0.5, 0.00097) == 10);
  CHECK(most_hits_by_luck(1, 0.1, 0.2) == 0);
  CHECK(most_hits_by_luck(0, 0.1, 0.001) == 0);
  // Summed in exact fractions.
  CHECK(most_hits_by_luck(10000, 0.1, 1e-3) == 1094);
  CHECK(most_hits_by_luck(256, 0.1, 1e-3) == 41);
  CHECK(most_hits_by_luck(50000, 0.001, 1e-3) == 73);
}
