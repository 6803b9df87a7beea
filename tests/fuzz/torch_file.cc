// Files of torch.save, zip and legacy: what was read can be written as safetensors (`auxbench weights --out`).
#include "base/files/torch_file.h"

#include "tests/fuzz/round_trip.h"
#include "tests/fuzz/target.h"

using namespace auxbench;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::may_refuse(ExitCode::data_missing, [&] {
    const auto contents = parse_torch_file(fuzz::text_of(data, size), "input");
    fuzz::check_round_trip(contents);
  });
  return 0;
}
