#include "base/format.h"

#include "tests/support/catch.h"

using namespace auxbench;

TEST_CASE("numbers are grouped by thousands, below zero too", "[base]") {
  CHECK(with_commas(0) == "0");
  CHECK(with_commas(999) == "999");
  CHECK(with_commas(1281167) == "1,281,167");
  CHECK(with_commas(-123) == "-123");
  CHECK(with_commas(-123456) == "-123,456");
}

TEST_CASE("a gain has its sign, and a large number is not cut off", "[base]") {
  CHECK(signed_text(1.23) == "+1.2");
  CHECK(signed_text(-0.3) == "-0.3");
  CHECK(signed_text(0) == "+0.0");
  CHECK(number_text(3, 0) == "3");
  CHECK(number_text(-1e308, 2).size() == 309 + 1 + 3);
}

TEST_CASE("three digits mean something at every size", "[base]") {
  CHECK(three_digits(0.99849) == "0.998");
  CHECK(three_digits(9.9949) == "9.99");
  CHECK(three_digits(12.34) == "12.3");
  CHECK(three_digits(99.96) == "100");
  CHECK(three_digits(1460.2) == "1460");
}
