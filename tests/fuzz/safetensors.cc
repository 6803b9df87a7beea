// Safetensors: what was read is written, and reads back as the same. Each input is read with the right header length
// too: with a wrong one nothing that was put into its header would be reached.
#include "base/files/safetensors.h"

#include "tests/fuzz/round_trip.h"
#include "tests/fuzz/target.h"

using namespace auxbench;

namespace {

constexpr size_t kPrefix = 8;

// With the header ending at the last '}'.
std::string with_length(std::string_view bytes) {
  std::string corrected(bytes);
  const auto end = bytes.rfind('}');
  if (end == std::string_view::npos || end < kPrefix) return corrected;
  for (size_t i = 0; i < kPrefix; ++i) corrected[i] = static_cast<char>(((end + 1 - kPrefix) >> (8 * i)) & 0xFFU);
  return corrected;
}

void read(std::string_view bytes) {
  fuzz::may_refuse(ExitCode::data_missing, [&] { fuzz::check_round_trip(parse_safetensors(bytes, "input")); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = fuzz::text_of(data, size);
  read(bytes);
  if (const auto corrected = with_length(bytes); corrected != bytes) read(corrected);
  return 0;
}
