// IDX, plain and gzip: what is read plain is read packed too, as the same.
#include "datasets/sources/idx.h"

#include <fstream>

#include "tests/datasets/idx_files.h"
#include "tests/fuzz/target.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;

namespace {

constexpr size_t kLimit = size_t{1} << 20;

std::filesystem::path written(std::string_view bytes) {
  static const test::TempFolder kFolder;
  auto path = kFolder.path() / "input";
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = fuzz::text_of(data, size);
  fuzz::may_refuse(ExitCode::data_missing, [&] {
    const auto plain = read_idx(written(bytes), kLimit);
    if (bytes.starts_with("\x1f\x8b")) return;
    const auto packed = read_idx(written(test::gzip_bytes(bytes)), kLimit);
    AUXBENCH_CHECK(packed.shape == plain.shape && packed.values == plain.values && packed.digest == plain.digest,
                   "the same array from gzip");
  });
  return 0;
}
