#include "base/files/canonical_json.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "tests/support/catch.h"

using auxbench::canonical_json;
using nlohmann::json;

TEST_CASE("numbers are printed as RFC 8785's appendix B has them", "[base]") {
  CHECK(canonical_json(0.0) == "0");
  CHECK(canonical_json(-0.0) == "0");
  CHECK(canonical_json(5e-324) == "5e-324");
  CHECK(canonical_json(-1.7976931348623157e308) == "-1.7976931348623157e+308");
  CHECK(canonical_json(9007199254740992.0) == "9007199254740992");
  CHECK(canonical_json(295147905179352830000.0) == "295147905179352830000");
  CHECK(canonical_json(1e21) == "1e+21");
  CHECK(canonical_json(9.999999999999997e22) == "9.999999999999997e+22");
  CHECK(canonical_json(333333333.3333332) == "333333333.3333332");
  CHECK(canonical_json(333333333.33333329) == "333333333.3333333");
  CHECK(canonical_json(0.000001) == "0.000001");
  CHECK(canonical_json(1e-7) == "1e-7");
  CHECK(canonical_json(4.50) == "4.5");
  CHECK(canonical_json(1e30) == "1e+30");
}

TEST_CASE("a whole number is the same however it was written", "[base]") {
  CHECK(canonical_json(json::parse("[2, 2.0, 2e0, -3]")) == "[2,2,2,-3]");
}

TEST_CASE("keys are sorted by UTF-16 code units", "[base]") {
  const auto value =
      json::parse(R"({"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7})");
  std::string order;
  const auto text = canonical_json(value);
  for (const char c : text)
    if (c >= '1' && c <= '7') order += c;
  CHECK(order == "2146715" + std::string("3"));
}

TEST_CASE("white space and order of keys leave no trace", "[base]") {
  CHECK(canonical_json(json::parse("{ \"b\" : [ ] , \"a\" : { } }")) ==
        canonical_json(json::parse("{\"a\":{},\"b\":[]}")));
  CHECK(canonical_json(json::parse(R"({"b": [true, null, "x\u000ay\"\\"], "a": {}})")) ==
        R"({"a":{},"b":[true,null,"x\ny\"\\"]})");
}

TEST_CASE("what JSON cannot hold is our fault", "[base]") {
  CHECK_THROWS_AS(canonical_json(std::numeric_limits<double>::quiet_NaN()), auxbench::LogicFault);
  CHECK_THROWS_AS(canonical_json(std::numeric_limits<double>::infinity()), auxbench::LogicFault);
  CHECK_THROWS_AS(canonical_json(std::numeric_limits<int64_t>::max()), auxbench::LogicFault);
}
