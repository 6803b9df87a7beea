// CIFAR's binary form, on files that are made here.
#include "datasets/sources/cifar.h"

#include <cmath>
#include <map>

#include "base/check.h"
#include "base/error.h"
#include "base/files/file.h"
#include "datasets/dataset.h"
#include "datasets/sources/loader.h"
#include "datasets/sources/memory_images.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"
#include "tests/support/variable.h"

using namespace auxbench;
using Path = std::filesystem::path;

namespace {

constexpr size_t kImageBytes = 3 * 32 * 32;

// Each with a colour all its own in every place.
std::string image_bytes(size_t seed) {
  RandomStream stream(seed);
  std::string bytes;
  for (size_t i = 0; i < kImageBytes; ++i) bytes.push_back(static_cast<char>(stream.below(256)));
  return bytes;
}

std::string record(const std::vector<int>& labels, size_t seed) {
  std::string bytes;
  for (const int label : labels) bytes.push_back(static_cast<char>(label));
  return bytes + image_bytes(seed);
}

std::array<uint64_t, 3> sums_of(const std::vector<size_t>& seeds) {
  std::array<uint64_t, 3> sums{};
  for (const auto seed : seeds) {
    const auto bytes = image_bytes(seed);
    for (size_t i = 0; i < bytes.size(); ++i) sums[i / (32 * 32)] += static_cast<unsigned char>(bytes[i]);
  }
  return sums;
}

// Two training files of two images, one test file of two; two classes.
struct Tiny {
  std::map<std::string, std::string> files = {{"one.bin", record({1}, 10) + record({0}, 11)},
                                              {"two.bin", record({1}, 12) + record({0}, 13)},
                                              {"test.bin", record({0}, 14) + record({1}, 15)}};
  CifarFormat format = {.archive = "unpacked",
                        .train = {"one.bin", "two.bin"},
                        .test = "test.bin",
                        .train_images = 4,
                        .test_images = 2,
                        .classes = 2,
                        .train_sums = sums_of({10, 11, 12, 13})};

  static Tiny with_coarse_labels() {
    Tiny tiny;
    tiny.files = {{"train.bin", record({4, 1}, 10) + record({2, 0}, 11) + record({4, 1}, 12) + record({2, 0}, 13)},
                  {"test.bin", record({2, 0}, 14) + record({4, 1}, 15)}};
    tiny.format.train = {"train.bin"};
    tiny.format.coarse_classes = 5;
    return tiny;
  }
  void write(const Path& folder) const {
    make_folder(folder);
    for (const auto& [name, bytes] : files) write_file_atomically(folder / name, bytes);
  }
  [[nodiscard]] std::string complaint() const {
    const test::TempFolder folder;
    write(folder.path());
    try {
      load_cifar_folder(folder.path(), format);
    } catch (const UserError& error) {
      CHECK(error.code() == ExitCode::data_missing);
      const std::string message = error.what();
      CHECK(message.starts_with(folder.path().string()));
      return message.substr(folder.path().string().size());
    }
    return "nothing was thrown";
  }
};

std::vector<uint8_t> pixels_of(const std::vector<size_t>& seeds) {
  std::vector<uint8_t> pixels;
  for (const auto seed : seeds)
    for (const char byte : image_bytes(seed)) pixels.push_back(static_cast<uint8_t>(byte));
  return pixels;
}

}  // namespace

TEST_CASE("CIFAR's records are read in the order of their files", "[datasets]") {
  const test::TempFolder folder;
  const Tiny tiny;
  tiny.write(folder.path());
  const auto [train, test_set, manifest] = load_cifar_folder(folder.path(), tiny.format);
  CHECK(train.count == 4);
  CHECK(train.channels == 3);
  CHECK((train.height == 32 && train.width == 32));
  CHECK(train.classes == 2);
  CHECK(train.labels == std::vector<int64_t>{1, 0, 1, 0});
  CHECK(train.pixels == pixels_of({10, 11, 12, 13}));
  CHECK(test_set.labels == std::vector<int64_t>{0, 1});
  CHECK(test_set.pixels == pixels_of({14, 15}));
  CHECK(manifest.size() == 64);
}

TEST_CASE("CIFAR-100's records have a coarse label before the one that counts", "[datasets]") {
  const test::TempFolder folder;
  const auto tiny = Tiny::with_coarse_labels();
  tiny.write(folder.path());
  const auto found = load_cifar_folder(folder.path(), tiny.format);
  CHECK(found.train.labels == std::vector<int64_t>{1, 0, 1, 0});
  CHECK(found.train.pixels == pixels_of({10, 11, 12, 13}));
  CHECK(found.test.labels == std::vector<int64_t>{0, 1});
}

TEST_CASE("CIFAR is found in its folder and beside the folder that its archive unpacks to", "[datasets]") {
  const test::TempFolder folder;
  Tiny tiny;
  CHECK_FALSE(cifar_files(folder.path(), tiny.format));
  CHECK_THROWS_WITH(load_cifar_folder(folder.path(), tiny.format),
                    contains_text("not all files of unpacked are there"));
  tiny.write(folder.path() / "unpacked");
  const auto files = cifar_files(folder.path(), tiny.format);
  REQUIRE(files);
  CHECK(files->back() == folder.path() / "unpacked" / "test.bin");
  const auto manifest = load_cifar_folder(folder.path(), tiny.format).manifest;
  CHECK(load_cifar_folder(folder.path() / "unpacked", tiny.format).manifest == manifest);
  tiny.files["test.bin"] = record({0}, 14) + record({1}, 16);
  tiny.write(folder.path() / "unpacked");
  CHECK(load_cifar_folder(folder.path(), tiny.format).manifest != manifest);
  std::filesystem::remove(folder.path() / "unpacked" / "two.bin");
  CHECK_FALSE(cifar_files(folder.path(), tiny.format));
}

TEST_CASE("CIFAR's files that are cut, too long or mislabelled are refused by name", "[datasets]") {
  Tiny tiny;
  tiny.files["two.bin"].pop_back();
  CHECK(tiny.complaint() == "/two.bin: truncated: expected 6146 bytes, got 6145");
  tiny = {};
  tiny.files["two.bin"] += '\0';
  CHECK(tiny.complaint() == "/two.bin: expected 6146 bytes, got 6147");
  tiny = {};
  tiny.files["test.bin"].clear();
  CHECK(tiny.complaint() == "/test.bin: truncated: expected 6146 bytes, got 0");
  tiny = {};
  tiny.files["one.bin"][1 + kImageBytes] = 2;
  CHECK(tiny.complaint() == "/one.bin: image 1: label 2: there are only 2 classes");
  tiny = {};
  tiny.files["one.bin"][0] = '\xFF';
  CHECK(tiny.complaint() == "/one.bin: image 0: label 255: there are only 2 classes");
  tiny = {};
  tiny.files["test.bin"][0] = 1;
  CHECK(tiny.complaint() == ": class 0: 0 images, expected 1");
  tiny = Tiny::with_coarse_labels();
  tiny.files["train.bin"][0] = 5;
  CHECK(tiny.complaint() == "/train.bin: image 0: coarse label 5: there are only 5");
  tiny = Tiny::with_coarse_labels();
  tiny.files["test.bin"][0] = 3;
  CHECK(tiny.complaint() == "/test.bin: image 0: class 0 has the coarse label 3, before it had 2");
}

TEST_CASE("one changed byte of CIFAR's training images is seen", "[datasets]") {
  Tiny tiny;
  auto& byte = tiny.files["two.bin"][1 + 32 * 32 + 7];
  byte = static_cast<char>(byte ^ 1);
  CHECK_THAT(tiny.complaint(), contains_text(": the green values of the training images add up to "));
}

TEST_CASE("each channel of an image has a mean and a deviation of its own", "[datasets]") {
  const test::TempFolder folder;
  const Tiny tiny;
  tiny.write(folder.path());
  const auto set = load_cifar_folder(folder.path(), tiny.format).train;
  const auto images = memory_images(set, kCifar100Mean, kCifar100Std);
  std::vector<float> planar(kImageBytes), last(kImageBytes);
  RandomStream unused(0);
  images->write(2, {}, unused, /*channels_last=*/false, planar);
  images->write(2, {}, unused, /*channels_last=*/true, last);
  for (size_t channel = 0; channel < 3; ++channel)
    for (const size_t i : {size_t{0}, size_t{500}, size_t{1023}}) {
      const auto byte = static_cast<float>(set.plane(2, channel)[i]);
      const float wanted = (byte / 255.0F - kCifar100Mean[channel]) / kCifar100Std[channel];
      CHECK(planar[channel * 1024 + i] == wanted);
      CHECK(last[i * 3 + channel] == wanted);
    }
  CHECK_THROWS_AS(memory_images(set, std::span(kCifar100Mean).first(1), kCifar100Std), LogicFault);
}

TEST_CASE("pad-crop and flip are torchvision's RandomCrop(32, padding=4) and RandomHorizontalFlip", "[datasets]") {
  const test::TempFolder folder;
  const Tiny tiny;
  tiny.write(folder.path());
  const auto set = load_cifar_folder(folder.path(), tiny.format).train;
  const auto images = memory_images(set, kCifar10Mean, kCifar10Std);
  const Augmentation augmentation = {.pad_crop = true, .flip = true};
  bool mirrored = false, moved = false;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    RandomStream drawn(seed), used(seed);
    const auto warp = draw_warp(augmentation, 32, 32, drawn);
    std::vector<float> found(kImageBytes);
    images->write(1, augmentation, used, /*channels_last=*/false, found);
    std::vector<float> wanted;
    for (size_t channel = 0; channel < 3; ++channel)
      for (int64_t y = 0; y < 32; ++y)
        for (int64_t x = 0; x < 32; ++x) {
          const int64_t row = y + warp.shift_y, column = (warp.mirrored ? 31 - x : x) + warp.shift_x;
          const bool inside = row >= 0 && row < 32 && column >= 0 && column < 32;
          const auto byte =
              static_cast<float>(inside ? set.plane(1, channel)[static_cast<size_t>(row * 32 + column)] : 0);
          wanted.push_back((byte / 255.0F - kCifar10Mean[channel]) / kCifar10Std[channel]);
        }
    CHECK(found == wanted);
    mirrored = mirrored || warp.mirrored;
    moved = moved || warp.shift_x == 4 || warp.shift_y == -4;
  }
  CHECK((mirrored && moved));
}

TEST_CASE("what a batch of CIFAR is depends on seed and position alone", "[datasets]") {
  const test::TempFolder folder;
  const Tiny tiny;
  tiny.write(folder.path());
  const auto images = memory_images(load_cifar_folder(folder.path(), tiny.format).train, kCifar10Mean, kCifar10Std);
  const auto batch_of = [&](int workers, int64_t before) {
    BatchLoader loader(images, {.batch = 2, .augment = {"pad-crop", "flip"}, .workers = workers, .epochs = 4});
    for (int64_t epoch = before; epoch < 3; ++epoch) loader.take(epoch, 0);
    const auto batch = loader.take(3, 1);
    return std::vector<float>(batch.images.begin(), batch.images.end());
  };
  const auto wanted = batch_of(0, 0);
  CHECK(batch_of(0, 3) == wanted);
  CHECK(batch_of(2, 0) == wanted);
}

TEST_CASE("CIFAR-10 and CIFAR-100 are in the table, as published", "[datasets]") {
  for (const char* name : {"cifar10", "cifar100"}) {
    CHECK(dataset_implemented(name));
    CHECK(published_size(name).train == 50'000);
    CHECK(published_size(name).test == 10'000);
  }
  CHECK(cifar10_format().train.size() == 5);
  CHECK(cifar100_format().coarse_classes == 20);
  // The published means are these sums over the number of pixels, to all of their digits.
  constexpr double kValues = 255.0 * 50'000 * 32 * 32;
  const std::array<double, 3> ten = {0.49139967861519607, 0.48215840839460783, 0.44653091444546567},
                              hundred = {0.5070751592371323, 0.48654887331495095, 0.4409178433670343};
  for (size_t i = 0; i < 3; ++i) {
    CHECK(static_cast<double>(cifar10_format().train_sums[i]) / kValues == Approx(ten[i]).epsilon(1e-15));
    CHECK(static_cast<double>(cifar100_format().train_sums[i]) / kValues == Approx(hundred[i]).epsilon(1e-15));
    CHECK(std::abs(static_cast<double>(kCifar10Mean[i]) - ten[i]) < 0.5e-4);
    CHECK(std::abs(static_cast<double>(kCifar100Mean[i]) - hundred[i]) < 0.5e-4);
  }
}

TEST_CASE("files that are not CIFAR's are refused, and CIFAR that is not there says how to get it", "[datasets]") {
  const test::TempFolder folder;
  const test::Variable data("AUXBENCH_DATA", ""), xdg("XDG_DATA_HOME", folder.path().string()),
      config("XDG_CONFIG_HOME", "/nowhere"), home("HOME", folder.path().string());
  CHECK_THROWS_WITH(load_dataset("cifar100", {.root = folder.path()}),
                    contains_text("unpack cifar-100-binary.tar.gz of https://www.cs.toronto.edu/~kriz/cifar.html") &&
                        contains_text("$AUXBENCH_CIFAR100"));
  auto tiny = Tiny::with_coarse_labels();
  tiny.write(folder.path() / "cifar-100-binary");
  CHECK(find_dataset("cifar100", folder.path()) == folder.path());
  CHECK_THROWS_WITH(load_dataset("cifar100", {.root = folder.path()}),
                    contains_text("cifar-100-binary/train.bin: truncated: expected 153700000 bytes, got " +
                                  std::to_string(tiny.files["train.bin"].size())));
}
