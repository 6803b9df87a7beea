// What the fuzz targets share (scripts/fuzz builds and runs them).
//
// A target gives a parser any bytes at all. The parser reads them, or refuses them with the UserError its header
// promises. Whatever else leaves it ends the process, as does a broken promise about what was read, a leak, 2 GB of
// memory or ten seconds: libFuzzer keeps the input, and it becomes a seed beside the correction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/error.h"

namespace auxbench::fuzz {

inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Runs `parse`, which may refuse with this exit code and in no other way.
template <typename Parse>
void may_refuse(ExitCode code, const Parse& parse) {
  try {
    parse();
  } catch (const UserError& error) {
    AUXBENCH_CHECK(error.code() == code, std::string("another exit code with: ") + error.what());
  }
}

}  // namespace auxbench::fuzz
