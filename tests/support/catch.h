// The only place that knows which major version of Catch2 is installed (2 in Debian 12, 3 in Debian 13 and
// Ubuntu 24.04).
#pragma once

#include <string>

// contains_text: a matcher of strings, which the two versions name differently.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
inline auto contains_text(const std::string& text) { return Catch::Matchers::ContainsSubstring(text); }
#else
#include <catch2/catch.hpp>
inline auto contains_text(const std::string& text) { return Catch::Matchers::Contains(text); }
#endif
