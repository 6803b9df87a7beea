// Which photographs lie in a folder of class folders, as torchvision's ImageFolder sees it: classes are the folders'
// names in the order of their bytes, which for ImageNet's synsets (n01440764 ...) is the field's order of labels;
// photographs stand by class, then by name. Files that end in .jpg, .jpeg or .png, in either case, count; others are
// passed over. Links are followed.
//
// The index of 1.3 million files takes a minute to make on a slow disk, so it is kept in the user's cache folder, with
// the time of the last change of each class folder: files that came or went change it, and the index is made anew. A
// file that was rewritten in place shows when it is read: its size is another.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace auxbench {

struct PhotoIndex {
  struct Photo {
    uint64_t name_begin = 0;  // in `names`
    uint32_t name_length = 0;
    uint32_t label = 0;
    uint64_t bytes = 0;  // of the file
  };

  std::filesystem::path folder;
  std::vector<std::string> classes;
  std::vector<Photo> photos;
  std::string names;   // all of them, one after the other
  std::string digest;  // SHA-256 over the lines "BYTES CLASS/NAME"
  int64_t others = 0;  // files that are no photographs
  bool from_cache = false;

  [[nodiscard]] std::string_view name(const Photo& photo) const {
    return std::string_view(names).substr(photo.name_begin, photo.name_length);
  }
  [[nodiscard]] std::string relative(const Photo& photo) const {  // "n01440764/n01440764_10026.JPEG"
    return classes[photo.label] + "/" + std::string(name(photo));
  }
};

// Reads folders and files' sizes anew. Throws UserError(data_missing) naming what cannot be read, a class folder
// without photographs, a folder without class folders.
PhotoIndex scan_photo_folder(const std::filesystem::path& folder, int threads);

// The same from the cache where that is still true; else scans, and keeps the result where it can be kept.
PhotoIndex read_photo_index(const std::filesystem::path& folder, int threads);

// Where the index of a folder is kept.
std::filesystem::path photo_index_file(const std::filesystem::path& folder);

}  // namespace auxbench
