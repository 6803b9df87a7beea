// Every file of a dataset read to its end: its SHA-256, and whether it is the picture that it should be.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "datasets/checks/inventory.h"

namespace auxbench {

struct FileFault {
  std::string name, what;  // "is empty", "truncated: ..." (datasets/image/decode.h)
};

struct Verification {
  int64_t files = 0;
  uint64_t bytes = 0;
  std::vector<FileFault> faults;  // in the order of the files
  std::string manifest;           // lines "SHA-256  NAME", as sha256sum writes and checks them; without missing files
};

// tell(done): now and then, from any thread, with the number of files that are done.
Verification verify_pictures(const std::filesystem::path& folder, const std::vector<PictureFile>& files, int threads,
                             const std::function<void(size_t done)>& tell = {});

// What two manifests say differently: "NAME: changed", "NAME: new", "NAME: gone", in the order of names. Throws
// UserError(data_missing) naming `place` when `before` is not sha256sum's.
std::vector<FileFault> compare_manifests(const std::string& before, const std::string& now, const std::string& place);

}  // namespace auxbench
