// What lies in a folder of photographs and in the folders below it (photo_index.h has the rules).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace auxbench {

struct PhotoFile {
  std::string name;
  uint32_t bytes = 0;
};

struct FolderListing {
  std::vector<PhotoFile> photographs;  // by name
  std::vector<std::string> folders;    // by name; links to folders among them
  int64_t others = 0;                  // files that are no photographs
  int64_t changed = 0;                 // nanoseconds since 1970
  std::pair<dev_t, ino_t> identity;    // of the folder, whatever link led to it
};

// Throw UserError(data_missing) naming what cannot be listed, a photograph that is a link to nothing or larger than 4 GiB,
// a name with a line break, and for walk_folder a folder within itself.
FolderListing list_folder(const std::filesystem::path& folder);

// A folder in the one that is walked; its name counts from there ("images/deep"), "" being that one itself.
struct WalkedFolder {
  std::string name;
  FolderListing listing;
};

// By name, as torchvision sorts what os.walk gives.
std::vector<WalkedFolder> walk_folder(const std::filesystem::path& folder);

}  // namespace auxbench
