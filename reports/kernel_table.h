// The record of a suite of kernels (runner/bench/kernel_bench.h) as a Markdown page: tables of ours over the fastest library
// of each arithmetic, then the opponents, what the processor can do at best, and the machine.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace auxbench {

// Throws UserError(data_missing) where it is no such record.
std::string render_kernel_tables(const nlohmann::json& record);

}  // namespace auxbench
