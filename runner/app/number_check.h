// Checks of numbers on the command line.
#pragma once

#include <CLI/CLI.hpp>

namespace auxbench {

// A number from `least` to `most`, both allowed; NaN is none. Else "--flag: expected a number from 1 to 8, found 9".
CLI::Validator between(double least, double most);

}  // namespace auxbench
