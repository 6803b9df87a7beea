#include "datasets/sources/cifar_folder.h"

#include <numeric>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/files/file.h"
#include "base/files/sha256.h"
#include "base/format.h"

namespace auxbench {
namespace {

using Path = std::filesystem::path;

constexpr size_t kPlane = static_cast<size_t>(kCifarSide * kCifarSide), kImage = kCifarColours * kPlane;
constexpr std::array<const char*, kCifarColours> kColourNames = {"red", "green", "blue"};

std::string quantity(uint64_t value) { return with_commas(static_cast<int64_t>(value)); }

// Before it is read: whatever it is, no more than it should be is read.
void check_size(const Path& file, uint64_t expected) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (error) refuse_data(file.string(), "cannot be read: " + error.message());
  if (size == expected) return;
  refuse_data(file.string(), std::string(size < expected ? "truncated: " : "") + "expected " +
                                 std::to_string(expected) + " bytes, got " + std::to_string(size));
}

// Reads file after file and collects what the manifest is made of.
class Reader {
 public:
  explicit Reader(const CifarFormat& format)
      : format_(format), coarse_of_(static_cast<size_t>(format.classes), kUnknown) {}

  ImageSet read_split(std::span<const Path> files, int64_t images) {
    ImageSet set = {.pixels = {},
                    .labels = {},
                    .channels = kCifarColours,
                    .height = kCifarSide,
                    .width = kCifarSide,
                    .classes = format_.classes};
    set.pixels.reserve(static_cast<size_t>(images) * kImage);
    for (const auto& file : files) add_file(file, images / std::ssize(files), set);
    check_classes(set, files.front().parent_path());
    return set;
  }

  [[nodiscard]] std::string manifest() const { return sha256_hex(digests_); }

 private:
  static constexpr int kUnknown = -1;

  void add_file(const Path& file, int64_t images, ImageSet& set) {
    const size_t labels = format_.coarse_classes > 0 ? 2 : 1, record = labels + kImage;
    const size_t expected = static_cast<size_t>(images) * record;
    check_size(file, expected);
    const auto bytes = read_file(file);
    if (bytes.size() != expected) refuse_data(file.string(), "was changed while it was read");
    digests_ += sha256_hex(bytes) + "  " + file.filename().string() + "\n";
    for (size_t begin = 0; begin < bytes.size(); begin += record) {
      const auto own = std::string_view(bytes).substr(begin, record);
      set.labels.push_back(label_of(own.substr(0, labels), file, begin / record));
      set.pixels.insert(set.pixels.end(), own.begin() + static_cast<std::ptrdiff_t>(labels), own.end());
    }
    set.count += images;
  }

  int64_t label_of(std::string_view labels, const Path& file, size_t image) {
    const int label = static_cast<unsigned char>(labels.back()), coarse = static_cast<unsigned char>(labels.front());
    const auto refuse = [&](const std::string& what) {
      refuse_data(file.string(), "image " + std::to_string(image) + ": " + what);
    };
    if (label >= format_.classes)
      refuse("label " + std::to_string(label) + ": there are only " + std::to_string(format_.classes) + " classes");
    if (format_.coarse_classes == 0) return label;
    if (coarse >= format_.coarse_classes)
      refuse("coarse label " + std::to_string(coarse) + ": there are only " + std::to_string(format_.coarse_classes));
    auto& known = coarse_of_[static_cast<size_t>(label)];
    if (known == kUnknown) known = coarse;
    if (known != coarse)
      refuse("class " + std::to_string(label) + " has the coarse label " + std::to_string(coarse) + ", before it had " +
             std::to_string(known));
    return label;
  }

  void check_classes(const ImageSet& set, const Path& folder) const {
    std::vector<int64_t> counts(static_cast<size_t>(format_.classes));
    for (const auto label : set.labels) ++counts[static_cast<size_t>(label)];
    const int64_t expected = set.count / format_.classes;
    for (size_t label = 0; label < counts.size(); ++label)
      if (counts[label] != expected)
        refuse_data(folder.string(), "class " + std::to_string(label) + ": " + with_commas(counts[label]) +
                                         " images, expected " + with_commas(expected));
  }

  const CifarFormat& format_;
  std::vector<int> coarse_of_;  // of each class
  std::string digests_;         // as sha256sum prints them
};

void check_sums(const ImageSet& train, const CifarFormat& format, const Path& folder) {
  for (size_t colour = 0; colour < kCifarColours; ++colour) {
    uint64_t sum = 0;
    for (size_t image = 0; image < train.labels.size(); ++image) {
      const auto plane = train.plane(image, colour);
      sum = std::accumulate(plane.begin(), plane.end(), sum);
    }
    if (sum != format.train_sums[colour])
      refuse_data(folder.string(), std::string("the ") + kColourNames[colour] +
                                       " values of the training images add up to " + quantity(sum) + ", expected " +
                                       quantity(format.train_sums[colour]));
  }
}

}  // namespace

std::optional<std::vector<Path>> cifar_files(const Path& folder, const CifarFormat& format) {
  auto names = format.train;
  names.push_back(format.test);
  for (const auto& place : {folder, folder / format.archive}) {
    std::vector<Path> files;
    std::error_code ignored;
    for (const auto name : names)
      if (std::filesystem::is_regular_file(place / name, ignored)) files.push_back(place / name);
    if (files.size() == names.size()) return files;
  }
  return std::nullopt;
}

CifarFolder load_cifar_folder(const Path& folder, const CifarFormat& format) {
  const auto files = cifar_files(folder, format);
  if (!files) refuse_data(folder.string(), "not all files of " + std::string(format.archive) + " are there");
  Reader reader(format);
  const auto all = std::span(*files);
  CifarFolder result;
  result.train = reader.read_split(all.first(all.size() - 1), format.train_images);
  result.test = reader.read_split(all.last(1), format.test_images);
  check_sums(result.train, format, all.front().parent_path());
  result.manifest = reader.manifest();
  return result;
}

}  // namespace auxbench
