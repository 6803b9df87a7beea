#include "datasets/sources/idx_folder.h"

#include <utility>

#include "base/error.h"
#include "base/files/sha256.h"
#include "datasets/sources/idx.h"

namespace auxbench {
namespace {

constexpr const char* kTrainImages = "train-images-idx3-ubyte";
constexpr const char* kTrainLabels = "train-labels-idx1-ubyte";
constexpr const char* kTestImages = "t10k-images-idx3-ubyte";
constexpr const char* kTestLabels = "t10k-labels-idx1-ubyte";

std::optional<std::filesystem::path> find_file(const std::filesystem::path& folder, const std::string& name) {
  std::error_code ignored;
  for (const char* ending : {"", ".gz"})
    if (auto path = folder / (name + ending); std::filesystem::is_regular_file(path, ignored)) return path;
  return std::nullopt;
}

// Reads the folder's files one by one and collects what the manifest is made of.
class FolderReader {
 public:
  FolderReader(const std::filesystem::path& folder, int64_t classes) : folder_(folder), classes_(classes) {}

  // Empty `expected`: any digest will do.
  ImageSet read_split(const char* images_name, std::string_view images_digest, const char* labels_name,
                      std::string_view labels_digest) {
    auto [images_path, images] = read(images_name, 3, images_digest);
    auto [labels_path, labels] = read(labels_name, 1, labels_digest);
    ImageSet set;
    set.count = images.shape[0];
    set.height = images.shape[1];
    set.width = images.shape[2];
    set.classes = classes_;
    if (images.values.empty()) refuse_data(images_path.string(), "holds no images");
    if (labels.shape[0] != set.count)
      refuse_data(labels_path.string(),
                  std::to_string(labels.shape[0]) + " labels for " + std::to_string(set.count) + " images");
    for (size_t i = 0; i < labels.values.size(); ++i)
      if (labels.values[i] >= classes_)
        refuse_data(labels_path.string(), "label " + std::to_string(labels.values[i]) + " of image " +
                                              std::to_string(i) + ": there are only " + std::to_string(classes_) +
                                              " classes");
    set.labels.assign(labels.values.begin(), labels.values.end());
    set.pixels = std::move(images.values);
    return set;
  }

  [[nodiscard]] std::string manifest() const { return sha256_hex(digests_); }

 private:
  std::pair<std::filesystem::path, IdxArray> read(const std::string& name, size_t rank, std::string_view expected) {
    const auto path = find_file(folder_, name);
    if (!path) refuse_data((folder_ / name).string(), "missing, and so is " + name + ".gz");
    auto array = read_idx(*path);
    if (!expected.empty() && array.digest != expected)
      refuse_data(path->string(),
                  "SHA-256 of the unpacked content: expected " + std::string(expected) + ", found " + array.digest);
    if (array.shape.size() != rank)
      refuse_data(path->string(),
                  "expected " + std::to_string(rank) + " dimensions, found " + std::to_string(array.shape.size()));
    digests_ += array.digest + "  " + name + "\n";
    return {*path, std::move(array)};
  }

  const std::filesystem::path& folder_;
  int64_t classes_;
  std::string digests_;  // as sha256sum prints them
};

}  // namespace

std::vector<std::filesystem::path> idx_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const char* name : {kTrainImages, kTrainLabels, kTestImages, kTestLabels})
    if (auto file = find_file(folder, name)) files.push_back(std::move(*file));
  return files;
}

bool is_idx_folder(const std::filesystem::path& folder) { return idx_files(folder).size() == 4; }

IdxFolder load_idx_folder(const std::filesystem::path& folder, const std::optional<IdxDigests>& expected,
                          int64_t classes) {
  const auto digests = expected.value_or(IdxDigests{});
  FolderReader reader(folder, classes);
  IdxFolder result;
  result.train = reader.read_split(kTrainImages, digests.train_images, kTrainLabels, digests.train_labels);
  result.test = reader.read_split(kTestImages, digests.test_images, kTestLabels, digests.test_labels);
  result.manifest = reader.manifest();
  if (result.test.height != result.train.height || result.test.width != result.train.width)
    refuse_data((folder / kTestImages).string(), "its images are not as large as the training images");
  return result;
}

}  // namespace auxbench
