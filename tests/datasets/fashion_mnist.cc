#include "datasets/sources/fashion_mnist.h"

#include <cmath>

#include "base/error.h"
#include "base/files/sha256.h"
#include "base/stopwatch.h"
#include "datasets/dataset.h"
#include "tests/datasets/idx_files.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"
#include "tests/support/variable.h"

using namespace auxbench;
using test::idx_bytes;
using test::TinyFiles;
using test::Variable;

namespace {

std::string complaint(const TinyFiles& files, const std::optional<IdxDigests>& digests = std::nullopt) {
  const test::TempFolder folder;
  files.write(folder.path());
  try {
    load_idx_folder(folder.path(), digests);
  } catch (const UserError& error) {
    CHECK(error.code() == ExitCode::data_missing);
    const std::string message = error.what(), place = folder.path().string() + "/";
    CHECK(message.substr(0, place.size()) == place);
    return message.substr(place.size());
  }
  return "nothing";
}

}  // namespace

TEST_CASE("a folder of four IDX files becomes training and test images", "[datasets]") {
  const test::TempFolder folder;
  TinyFiles().write(folder.path());
  const auto [train, test_set, manifest] = load_idx_folder(folder.path());
  CHECK(train.count == 6);
  CHECK(train.channels == 1);
  CHECK(train.height == 2);
  CHECK(train.width == 3);
  CHECK(train.classes == 10);
  CHECK(train.labels == std::vector<int64_t>{0, 1, 2, 3, 4, 9});
  CHECK(train.pixels == TinyFiles::counting(0, 36));
  CHECK(test_set.count == 2);
  CHECK(test_set.pixels == TinyFiles::counting(100, 12));
  CHECK(train.plane(2, 0).front() == 12);
  CHECK(manifest.size() == 64);
}

TEST_CASE("the manifest depends on the content, not on its packing", "[datasets]") {
  const test::TempFolder folder;
  TinyFiles files;
  files.write(folder.path() / "plain");
  files.write(folder.path() / "packed", true);
  files.test_labels.back() = 6;
  files.write(folder.path() / "other");
  const auto manifest = load_idx_folder(folder.path() / "plain").manifest;
  CHECK(load_idx_folder(folder.path() / "packed").manifest == manifest);
  CHECK(load_idx_folder(folder.path() / "other").manifest != manifest);
}

TEST_CASE("files of the expected digests load, others are named with both digests", "[datasets]") {
  const TinyFiles files;
  const auto train_images = sha256_hex(files.train_images), train_labels = sha256_hex(files.train_labels),
             test_images = sha256_hex(files.test_images), test_labels = sha256_hex(files.test_labels);
  IdxDigests digests = {.train_images = train_images,
                        .train_labels = train_labels,
                        .test_images = test_images,
                        .test_labels = test_labels};
  CHECK(complaint(files, digests) == "nothing");
  digests.test_images = train_images;
  CHECK(complaint(files, digests) ==
        "t10k-images-idx3-ubyte: SHA-256 of the unpacked content: expected " + train_images + ", found " + test_images);
}

TEST_CASE("images and labels must fit each other", "[datasets]") {
  TinyFiles files;
  files.train_labels = idx_bytes({5}, {0, 1, 2, 3, 4});
  CHECK(complaint(files) == "train-labels-idx1-ubyte: 5 labels for 6 images");
  files = {};
  files.test_labels = idx_bytes({2}, {3, 10});
  CHECK(complaint(files) == "t10k-labels-idx1-ubyte: label 10 of image 1: there are only 10 classes");
  files = {};
  files.train_images = files.train_labels;
  CHECK(complaint(files) == "train-images-idx3-ubyte: expected 3 dimensions, found 1");
  files = {};
  files.train_images = idx_bytes({6, 0, 3}, {});
  CHECK(complaint(files) == "train-images-idx3-ubyte: holds no images");
  files = {};
  files.test_images = idx_bytes({2, 3, 3}, std::vector<uint8_t>(18));
  CHECK(complaint(files) == "t10k-images-idx3-ubyte: its images are not as large as the training images");
}

TEST_CASE("a missing file is named with both of its names", "[datasets]") {
  const test::TempFolder folder;
  TinyFiles().write(folder.path());
  CHECK(is_idx_folder(folder.path()));
  std::filesystem::remove(folder.path() / "t10k-labels-idx1-ubyte");
  CHECK_FALSE(is_idx_folder(folder.path()));
  try {
    load_idx_folder(folder.path());
    FAIL("nothing was thrown");
  } catch (const UserError& error) {
    CHECK(std::string(error.what()) ==
          (folder.path() / "t10k-labels-idx1-ubyte").string() + ": missing, and so is t10k-labels-idx1-ubyte.gz");
  }
}

TEST_CASE("Fashion-MNIST is looked for in the given root, then the environment, then the system", "[datasets]") {
  const Variable data("AUXBENCH_DATA", "/from-variable"), xdg("XDG_DATA_HOME", "/from-xdg"),
      config("XDG_CONFIG_HOME", "/nowhere");
  std::vector<std::filesystem::path> wanted;
  for (const std::filesystem::path place : {"/given", "/from-variable", "/from-xdg/auxbench", "/usr/share/datasets"}) {
    wanted.push_back(place / "fashion-mnist");
    wanted.push_back(place);
  }
  CHECK(dataset_places("fashion-mnist", "/given") == wanted);
}

TEST_CASE("without XDG_DATA_HOME the folder is under HOME", "[datasets]") {
  const Variable data("AUXBENCH_DATA", ""), xdg("XDG_DATA_HOME", ""), home("HOME", "/someone"),
      config("XDG_CONFIG_HOME", "/nowhere");
  CHECK(dataset_places("fashion-mnist", std::nullopt).front() == "/someone/.local/share/auxbench/fashion-mnist");
}

TEST_CASE("the first place with all four files is taken, with or without the sub-folder", "[datasets]") {
  const test::TempFolder folder;
  const Variable data("AUXBENCH_DATA", (folder.path() / "second").string());
  const auto first = folder.path() / "first";
  TinyFiles().write(folder.path() / "second" / "fashion-mnist", true);
  CHECK(find_dataset("fashion-mnist", first) == folder.path() / "second" / "fashion-mnist");
  TinyFiles().write(first);
  CHECK(find_dataset("fashion-mnist", first) == first);
  std::filesystem::remove(first / "t10k-images-idx3-ubyte");
  CHECK(find_dataset("fashion-mnist", first) == folder.path() / "second" / "fashion-mnist");
}

TEST_CASE("files that are not Fashion-MNIST's are refused by their digest", "[datasets]") {
  const test::TempFolder folder;
  TinyFiles().write(folder.path());
  CHECK(dataset_available("fashion-mnist", folder.path()));
  try {
    load_dataset("fashion-mnist", {.root = folder.path()});
    FAIL("nothing was thrown");
  } catch (const UserError& error) {
    const std::string wanted = "/train-images-idx3-ubyte: SHA-256 of the unpacked content: expected c59f468a";
    CHECK(std::string(error.what()).find(folder.path().string() + wanted) == 0);
  }
}

TEST_CASE("data sets without a loader are known not to have one", "[datasets]") {
  CHECK(dataset_implemented("fashion-mnist"));
  CHECK_FALSE(dataset_implemented("no-such-data"));
  CHECK_FALSE(dataset_available("no-such-data"));
  CHECK_THROWS_WITH(load_dataset("no-such-data"), "dataset no-such-data: this program has no loader for it");
}

TEST_CASE("the manifest of Fashion-MNIST is the one its images were loaded with, the second time from the cache",
          "[datasets]") {
  if (!dataset_available("fashion-mnist")) {
    WARN("dataset-fashion-mnist is not installed: nothing was checked");
    return;
  }
  const test::TempFolder folder;
  const Variable cache("XDG_CACHE_HOME", folder.path().string());
  const DatasetManifest wanted = {
      .digest = load_dataset("fashion-mnist").manifest, .train = 60'000, .test = 10'000, .missing = {}};
  CHECK(dataset_manifest("fashion-mnist") == wanted);
  REQUIRE(std::filesystem::exists(manifest_file("fashion-mnist", *find_dataset("fashion-mnist", {}))));
  const Stopwatch watch;
  CHECK(dataset_manifest("fashion-mnist") == wanted);
  CHECK(watch.seconds() < 0.05);
}

TEST_CASE("the published Fashion-MNIST passes, and mean and deviation in use are its own", "[datasets]") {
  if (!dataset_available("fashion-mnist")) {
    WARN("dataset-fashion-mnist is not installed: nothing was checked");
    return;
  }
  const auto files = load_fashion_mnist(std::nullopt);
  REQUIRE(files.train.count == 60000);
  REQUIRE(files.test.count == 10000);
  uint64_t sum = 0, squares = 0;
  for (const uint8_t pixel : files.train.pixels) {
    sum += pixel;
    squares += uint64_t{pixel} * pixel;
  }
  const double count = static_cast<double>(files.train.pixels.size());
  const double mean = static_cast<double>(sum) / count / 255;
  const double deviation = std::sqrt(static_cast<double>(squares) / count / (255.0 * 255.0) - mean * mean);
  CHECK(std::abs(mean - static_cast<double>(kFashionMnistMean)) < 0.5e-4);
  CHECK(std::abs(deviation - static_cast<double>(kFashionMnistStd)) < 0.5e-4);
}
