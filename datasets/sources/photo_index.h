// Which photographs lie in a folder of class folders, as torchvision's ImageFolder sees it: classes are the folders'
// names in the order of their bytes, which for ImageNet's synsets (n01440764 ...) is the field's order of labels;
// photographs stand by class, then by the folder in it that they lie in, at any depth, then by name. Files that end in
// .jpg, .jpeg or .png, in either case, and do not begin with a dot count; all others are passed over and counted, links
// to nothing among them. Links are followed.
//
// Unlike torchvision: pictures of kinds that are not read here (.bmp, .webp, .tif, ...) and names that begin with a dot
// (a Mac's "._" files) are among those passed over, and a link to a folder that it lies in is refused, which there
// counts the photographs forty times.
//
// The index of 1.3 million files takes a minute to make on a slow disk, so it is kept in the user's cache folder, with
// the time of the last change of each folder: files that came or went change it, and the index is made anew. A file
// that was rewritten in place shows when it is read: its size is another.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace auxbench {

// One class folder. Names, which count from it ("images/x.JPEG"), are kept in one piece: a million strings of their own
// would take three times the memory.
struct PhotoClass {
  struct File {
    uint32_t name_end = 0;  // in `names`; it begins where the one before ends
    uint32_t bytes = 0;
  };
  std::string name, names;
  std::vector<File> files;
};

struct Photo {
  int64_t label = 0;
  std::string_view name;
  uint32_t bytes = 0;  // of the file
};

struct PhotoIndex {
  std::filesystem::path folder;
  std::vector<PhotoClass> classes;
  std::vector<size_t> ends;  // photographs up to and with each class
  std::string digest;        // SHA-256 over the lines "BYTES CLASS/NAME"
  int64_t others = 0;        // files that are no photographs
  bool from_cache = false;

  [[nodiscard]] int64_t count() const { return ends.empty() ? 0 : static_cast<int64_t>(ends.back()); }
  [[nodiscard]] Photo photo(size_t index) const;           // index below count()
  [[nodiscard]] std::string relative(size_t index) const;  // "n01440764/n01440764_10026.JPEG"
};

// Reads folders and files' sizes anew. Throws UserError(data_missing) naming what cannot be read, a photograph that is a
// link to nothing, a class folder without photographs, a folder without class folders.
PhotoIndex scan_photo_folder(const std::filesystem::path& folder, int threads);

// The same from the cache where that is still true; else scans, and keeps the result where it can be kept.
PhotoIndex read_photo_index(const std::filesystem::path& folder, int threads);

// The folders whose time of change tells whether the kept index is still true, the folder itself and all below it; none
// where no index is kept.
std::vector<std::filesystem::path> kept_photo_folders(const std::filesystem::path& folder);

// Where the index of a folder is kept.
std::filesystem::path photo_index_file(const std::filesystem::path& folder);

}  // namespace auxbench
