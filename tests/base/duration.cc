#include "base/duration.h"

#include <cmath>

#include "base/error.h"
#include "tests/support/catch.h"

using namespace auxbench;

TEST_CASE("a duration is read as people type it", "[base]") {
  CHECK(parse_duration("90", "--budget") == 90);
  CHECK(parse_duration("90s", "--budget") == 90);
  CHECK(parse_duration("30m", "--budget") == 1800);
  CHECK(parse_duration("1.5h", "--budget") == 5400);
  CHECK(parse_duration("2d", "--budget") == 172800);
  CHECK_FALSE(parse_duration("", "--budget"));
  for (const char* text : {"s", "-1s", "3 m", "1w", "nan", "inf", "1h30m"})
    CHECK_THROWS_AS(parse_duration(text, "--budget"), UserError);
}

TEST_CASE("a duration is said in the two units that matter", "[base]") {
  CHECK(duration_text(12.4) == "12 s");
  CHECK(duration_text(200) == "3 min 20 s");
  CHECK(duration_text(3900) == "1 h 05 min");
  CHECK(duration_text(3.5e15) == "972222222222 h 13 min");
  for (const double endless : {1e300, HUGE_VAL, std::nan("")}) CHECK(duration_text(endless) == "more than 10^12 h");
}
