// A folder in CIFAR's binary form (Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009): files of
// nothing but records, each a label of one byte (CIFAR-100: before it another one, the coarse label, which is checked and
// left) and the red, the green and the blue plane of an image, 32 x 32 bytes row by row.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/sources/image_set.h"

namespace auxbench {

inline constexpr int64_t kCifarSide = 32;
inline constexpr size_t kCifarColours = 3;

struct CifarFormat {
  std::string_view archive;             // the folder that the published archive unpacks to
  std::vector<std::string_view> train;  // files, in the order in which their images are counted
  std::string_view test;
  int64_t train_images = 0, test_images = 0;  // in all files; each of the training files has as many
  int64_t classes = 0;                        // each with as many images as any other
  int64_t coarse_classes = 0;                 // 0: no coarse labels

  // The red, green and blue bytes of all training images added up: their published means, which have more digits than
  // the sums, are these divided by 255 and the number of pixels.
  std::array<uint64_t, kCifarColours> train_sums{};
};

struct CifarFolder {
  ImageSet train, test;
  std::string manifest;  // SHA-256 over the names and digests of the files
};

// The format's files, training before test, in `folder` or in the archive's folder below it; nothing unless all are there.
std::optional<std::vector<std::filesystem::path>> cifar_files(const std::filesystem::path& folder,
                                                              const CifarFormat& format);

// Throws UserError(data_missing), naming the file, when one is missing or not as long as its records, a label is no
// class, a class has two coarse labels or another number of images than the others, or the sums are others.
CifarFolder load_cifar_folder(const std::filesystem::path& folder, const CifarFormat& format);

}  // namespace auxbench
