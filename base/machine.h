// The machine under this process.
#pragma once

#include <string>

namespace auxbench {

// "AMD EPYC ..." from the system; empty where unknown.
std::string cpu_name();

}  // namespace auxbench
