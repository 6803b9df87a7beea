// The only place that knows which major version of Catch2 is installed (2 in Debian 12, 3 in Debian 13 and
// Ubuntu 24.04).
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif
