#include "datasets/loader.h"

#include <algorithm>
#include <map>

#include "base/check.h"
#include "base/error.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

const std::vector<std::string> kAll = {"random-resized-crop", "pad-crop", "flip"};

// 23 images of 5 x 4 with pixels all their own; labels 0..6 over and over.
Dataset tiny_data(int64_t channels = 1) {
  ImageSet images;
  images.count = 23;
  images.channels = channels;
  images.height = 5;
  images.width = 4;
  images.classes = 7;
  RandomStream stream(99);
  for (int64_t i = 0; i < images.count; ++i) images.labels.push_back(i % 7);
  for (size_t i = 0; i < 23 * images.image_size(); ++i)
    images.pixels.push_back(static_cast<uint8_t>(stream.below(256)));
  return {.name = "tiny", .train = images, .test = take_first(images, 9), .manifest = "", .mean = 0.25F, .std = 0.5F};
}

struct Filled {
  std::vector<float> images;
  std::vector<int64_t> labels;
  bool operator==(const Filled&) const = default;
};

Filled filled(EpochLoader& loader, const Dataset& data, int64_t epoch, int64_t batch) {
  const auto size = static_cast<size_t>(loader.batch_size(batch));
  Filled result{.images = std::vector<float>(size * data.train.image_size(), -99),
                .labels = std::vector<int64_t>(size, -1)};
  loader.fill(epoch, batch, result.images, result.labels);
  return result;
}

std::vector<uint32_t> epoch_order(EpochLoader& loader, int64_t epoch) {
  std::vector<uint32_t> order;
  for (int64_t batch = 0; batch < loader.batches(); ++batch) {
    const auto indices = loader.indices(epoch, batch);
    order.insert(order.end(), indices.begin(), indices.end());
  }
  return order;
}

// What each image of an epoch became, by its index in the file.
std::map<uint32_t, std::vector<float>> epoch_images(EpochLoader& loader, const Dataset& data, int64_t epoch) {
  std::map<uint32_t, std::vector<float>> images;
  const auto size = static_cast<std::ptrdiff_t>(data.train.image_size());
  for (int64_t batch = 0; batch < loader.batches(); ++batch) {
    const auto result = filled(loader, data, epoch, batch);
    const auto indices = loader.indices(epoch, batch);
    for (size_t i = 0; i < indices.size(); ++i) {
      const auto begin = result.images.begin() + static_cast<std::ptrdiff_t>(i) * size;
      images[indices[i]] = std::vector<float>(begin, begin + size);
    }
  }
  return images;
}

}  // namespace

TEST_CASE("every image appears once an epoch, the last batch holds what is left", "[datasets]") {
  const auto data = tiny_data();
  EpochLoader loader(data, {.batch = 5, .seed = 1});
  REQUIRE(loader.batches() == 5);
  CHECK(loader.batch_size(0) == 5);
  CHECK(loader.batch_size(4) == 3);
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    auto order = epoch_order(loader, epoch);
    std::sort(order.begin(), order.end());
    REQUIRE(order.size() == 23);
    for (uint32_t i = 0; i < 23; ++i) CHECK(order[i] == i);
  }
}

TEST_CASE("a batch that divides the images leaves no rest, a larger one takes all", "[datasets]") {
  const auto data = tiny_data();
  CHECK(EpochLoader(data, {.batch = 23}).batches() == 1);
  const EpochLoader larger(data, {.batch = 1000});
  CHECK(larger.batches() == 1);
  CHECK(larger.batch_size(0) == 23);
  CHECK(EpochLoader(data, {.batch = 1}).batches() == 23);
}

TEST_CASE("the order does not depend on the batch, but on seed and epoch", "[datasets]") {
  const auto data = tiny_data();
  EpochLoader loader(data, {.batch = 5, .seed = 1}), other_batch(data, {.batch = 7, .seed = 1, .augment = kAll}),
      other_seed(data, {.batch = 5, .seed = 2});
  CHECK(epoch_order(loader, 3) == epoch_order(other_batch, 3));
  CHECK(epoch_order(loader, 3) != epoch_order(loader, 4));
  CHECK(epoch_order(loader, 3) != epoch_order(other_seed, 3));
}

TEST_CASE("labels and pixels are those of the image", "[datasets]") {
  const auto data = tiny_data();
  EpochLoader loader(data, {.batch = 8, .seed = 5});
  const auto levels = normalisation_levels(data.mean, data.std);
  for (int64_t batch = 0; batch < loader.batches(); ++batch) {
    const auto result = filled(loader, data, 0, batch);
    const auto indices = loader.indices(0, batch);
    for (size_t i = 0; i < indices.size(); ++i) {
      CHECK(result.labels[i] == data.train.labels[indices[i]]);
      for (size_t pixel = 0; pixel < 20; ++pixel)
        CHECK(result.images[i * 20 + pixel] == levels[data.train.pixels[indices[i] * 20 + pixel]]);
    }
  }
}

TEST_CASE("an image's augmentation depends on seed, epoch and its index alone", "[datasets]") {
  const auto data = tiny_data();
  auto fewer = data;
  fewer.train = take_first(fewer.train, 11);
  EpochLoader loader(data, {.batch = 4, .seed = 1, .augment = kAll});
  EpochLoader other_batch(data, {.batch = 9, .seed = 1, .augment = kAll});
  EpochLoader other_seed(data, {.batch = 4, .seed = 2, .augment = kAll});
  EpochLoader slice(fewer, {.batch = 4, .seed = 1, .augment = kAll});
  const auto images = epoch_images(loader, data, 6);
  CHECK(images == epoch_images(other_batch, data, 6));
  CHECK(images != epoch_images(loader, data, 7));
  CHECK(images != epoch_images(other_seed, data, 6));
  const auto sliced = epoch_images(slice, fewer, 6);  // another order, the same images
  REQUIRE(sliced.size() == 11);
  for (const auto& [index, image] : sliced) CHECK(image == images.at(index));
}

TEST_CASE("a run resumed at any batch sees the very same floats", "[datasets]") {
  const auto data = tiny_data();
  const LoaderOptions options = {.batch = 5, .seed = 3, .augment = kAll};
  EpochLoader straight(data, options);
  for (int64_t epoch = 0; epoch < 3; ++epoch)
    for (int64_t batch = 0; batch < straight.batches(); ++batch) {
      EpochLoader resumed(data, options);
      CHECK(filled(straight, data, epoch, batch) == filled(resumed, data, epoch, batch));
    }
}

TEST_CASE("channels last is a permutation, with one channel it is the same", "[datasets]") {
  for (const int64_t channels : {1, 3}) {
    const auto data = tiny_data(channels);
    EpochLoader first(data, {.batch = 4, .seed = 3, .augment = kAll}),
        last(data, {.batch = 4, .seed = 3, .augment = kAll, .channels_last = true});
    const auto planes = filled(first, data, 0, 1).images, pixels = filled(last, data, 0, 1).images;
    if (channels == 1) CHECK(planes == pixels);
    const auto count = static_cast<size_t>(channels);
    for (size_t image = 0; image < 4; ++image)
      for (size_t channel = 0; channel < count; ++channel)
        for (size_t pixel = 0; pixel < 20; ++pixel)
          CHECK(planes[(image * count + channel) * 20 + pixel] == pixels[(image * 20 + pixel) * count + channel]);
  }
}

TEST_CASE("evaluation goes in file order and never augments", "[datasets]") {
  const auto data = tiny_data();
  const auto levels = normalisation_levels(data.mean, data.std);
  std::vector<float> pixels(4 * 20);
  std::vector<int64_t> labels(4);
  fill_in_order(data, data.test, 5, pixels, labels);
  CHECK(labels == std::vector<int64_t>{5, 6, 0, 1});
  for (size_t i = 0; i < pixels.size(); ++i) CHECK(pixels[i] == levels[data.test.pixels[5 * 20 + i]]);
  CHECK_THROWS_AS(fill_in_order(data, data.test, 6, pixels, labels), LogicFault);
}

TEST_CASE("options, batches and rooms that cannot be are refused", "[datasets]") {
  const auto data = tiny_data();
  CHECK_THROWS_AS(EpochLoader(data, {.batch = 0}), UserError);
  CHECK_THROWS_AS(EpochLoader(data, {.augment = {"rotate"}}), UserError);
  EpochLoader loader(data, {.batch = 5});
  std::vector<float> pixels(5 * 20);
  std::vector<int64_t> labels(5);
  CHECK_THROWS_AS(loader.fill(0, 5, pixels, labels), LogicFault);
  CHECK_THROWS_AS(loader.fill(0, -1, pixels, labels), LogicFault);
  CHECK_THROWS_AS(loader.fill(-1, 0, pixels, labels), LogicFault);
  CHECK_THROWS_AS(loader.fill(0, 4, pixels, labels), LogicFault);  // the last batch is smaller
  auto damaged = data;
  damaged.train.labels[3] = 7;
  CHECK_THROWS_AS(EpochLoader(damaged, {.batch = 5}), LogicFault);
  damaged = data;
  damaged.train.labels.pop_back();
  CHECK_THROWS_AS(EpochLoader(damaged, {.batch = 5}), LogicFault);
}
