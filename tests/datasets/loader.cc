#include "datasets/sources/loader.h"

#include <algorithm>
#include <map>

#include "base/check.h"
#include "base/error.h"
#include "datasets/sources/memory_images.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

const std::vector<std::string> kAll = {"random-resized-crop", "pad-crop", "flip"};

// 23 images of 5 x 4 with pixels all their own; labels 0..6 over and over.
ImageSet tiny_images(int64_t channels = 1) {
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
  return images;
}

constexpr float kMean = 0.25F, kStd = 0.5F;

Images tiny_data(int64_t channels = 1) { return memory_images(tiny_images(channels), kMean, kStd); }

struct Filled {
  std::vector<float> images;
  std::vector<int64_t> labels;
  bool operator==(const Filled&) const = default;
};

Filled filled(BatchLoader& loader, int64_t epoch, int64_t batch) {
  const auto made = loader.take(epoch, batch);
  CHECK(std::ssize(made.labels) == loader.batch_size(batch));
  return {.images = {made.images.begin(), made.images.end()}, .labels = {made.labels.begin(), made.labels.end()}};
}

std::vector<uint32_t> epoch_order(BatchLoader& loader, int64_t epoch) {
  std::vector<uint32_t> order;
  for (int64_t batch = 0; batch < loader.batches(); ++batch) {
    const auto indices = loader.indices(epoch, batch);
    order.insert(order.end(), indices.begin(), indices.end());
  }
  return order;
}

// What each image of an epoch became, by its index in the file.
std::map<uint32_t, std::vector<float>> epoch_images(BatchLoader& loader, int64_t epoch) {
  std::map<uint32_t, std::vector<float>> images;
  const auto size = std::ptrdiff_t{20};
  for (int64_t batch = 0; batch < loader.batches(); ++batch) {
    const auto result = filled(loader, epoch, batch);
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
  BatchLoader loader(data, {.batch = 5, .seed = 1});
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
  CHECK(BatchLoader(data, {.batch = 23}).batches() == 1);
  const BatchLoader larger(data, {.batch = 1000});
  CHECK(larger.batches() == 1);
  CHECK(larger.batch_size(0) == 23);
  CHECK(BatchLoader(data, {.batch = 1}).batches() == 23);
}

TEST_CASE("the order does not depend on the batch, but on seed and epoch", "[datasets]") {
  const auto data = tiny_data();
  BatchLoader loader(data, {.batch = 5, .seed = 1}), other_batch(data, {.batch = 7, .seed = 1, .augment = kAll}),
      other_seed(data, {.batch = 5, .seed = 2});
  CHECK(epoch_order(loader, 3) == epoch_order(other_batch, 3));
  CHECK(epoch_order(loader, 3) != epoch_order(loader, 4));
  CHECK(epoch_order(loader, 3) != epoch_order(other_seed, 3));
}

TEST_CASE("labels and pixels are those of the image", "[datasets]") {
  const auto data = tiny_data();
  BatchLoader loader(data, {.batch = 8, .seed = 5});
  const auto images = tiny_images();
  const auto levels = normalisation_levels(kMean, kStd);
  for (int64_t batch = 0; batch < loader.batches(); ++batch) {
    const auto result = filled(loader, 0, batch);
    const auto indices = loader.indices(0, batch);
    for (size_t i = 0; i < indices.size(); ++i) {
      CHECK(result.labels[i] == images.labels[indices[i]]);
      for (size_t pixel = 0; pixel < 20; ++pixel)
        CHECK(result.images[i * 20 + pixel] == levels[images.pixels[indices[i] * 20 + pixel]]);
    }
  }
}

TEST_CASE("an image's augmentation depends on seed, epoch and its index alone", "[datasets]") {
  const auto data = tiny_data();
  const auto fewer = part_of(data, 11);
  BatchLoader loader(data, {.batch = 4, .seed = 1, .augment = kAll});
  BatchLoader other_batch(data, {.batch = 9, .seed = 1, .augment = kAll});
  BatchLoader other_seed(data, {.batch = 4, .seed = 2, .augment = kAll});
  BatchLoader slice(fewer, {.batch = 4, .seed = 1, .augment = kAll});
  const auto images = epoch_images(loader, 6);
  CHECK(images == epoch_images(other_batch, 6));
  CHECK(images != epoch_images(loader, 7));
  CHECK(images != epoch_images(other_seed, 6));
  const auto sliced = epoch_images(slice, 6);  // another order, the same images
  REQUIRE(sliced.size() == 11);
  for (const auto& [index, image] : sliced) CHECK(image == images.at(index));
}

TEST_CASE("a run resumed at any batch sees the very same floats", "[datasets]") {
  const auto data = tiny_data();
  const LoaderOptions options = {.batch = 5, .seed = 3, .augment = kAll};
  BatchLoader straight(data, options);
  for (int64_t epoch = 0; epoch < 3; ++epoch)
    for (int64_t batch = 0; batch < straight.batches(); ++batch) {
      BatchLoader resumed(data, options);
      CHECK(filled(straight, epoch, batch) == filled(resumed, epoch, batch));
    }
}

TEST_CASE("channels last is a permutation, with one channel it is the same", "[datasets]") {
  for (const int64_t channels : {1, 3}) {
    const auto data = tiny_data(channels);
    BatchLoader first(data, {.batch = 4, .seed = 3, .augment = kAll}),
        last(data, {.batch = 4, .seed = 3, .augment = kAll, .channels_last = true});
    const auto planes = filled(first, 0, 1).images, pixels = filled(last, 0, 1).images;
    if (channels == 1) CHECK(planes == pixels);
    const auto count = static_cast<size_t>(channels);
    for (size_t image = 0; image < 4; ++image)
      for (size_t channel = 0; channel < count; ++channel)
        for (size_t pixel = 0; pixel < 20; ++pixel)
          CHECK(planes[(image * count + channel) * 20 + pixel] == pixels[(image * 20 + pixel) * count + channel]);
  }
}

TEST_CASE("evaluation goes in file order and never augments", "[datasets]") {
  const auto images = tiny_images();
  const auto levels = normalisation_levels(kMean, kStd);
  BatchLoader loader(tiny_data(), {.batch = 4, .shuffle = false});
  const auto batch = filled(loader, 0, 1);
  CHECK(batch.labels == std::vector<int64_t>{4, 5, 6, 0});
  for (size_t i = 0; i < batch.images.size(); ++i) CHECK(batch.images[i] == levels[images.pixels[4 * 20 + i]]);
}

TEST_CASE("no float depends on the number of workers or on the batches asked for before", "[datasets]") {
  const auto data = tiny_data();
  BatchLoader alone(data, {.batch = 5, .seed = 3, .augment = kAll});
  for (const int workers : {1, 2, 5}) {
    BatchLoader crew(data, {.batch = 5, .seed = 3, .augment = kAll, .workers = workers, .ahead = 3, .epochs = 4});
    for (int64_t epoch = 0; epoch < 4; ++epoch)
      for (int64_t batch = 0; batch < crew.batches(); ++batch)
        CHECK(filled(crew, epoch, batch) == filled(alone, epoch, batch));
    for (const auto& [epoch, batch] : {std::pair(2, 3), std::pair(0, 4), std::pair(1, 0), std::pair(1, 0)})
      CHECK(filled(crew, epoch, batch) == filled(alone, epoch, batch));
  }
}

TEST_CASE("no more batches are made ahead than agreed", "[datasets]") {
  int made = 0;
  const auto counting = [&made](int64_t count, const ImageShape& shape) {
    ++made;
    return batch_on_heap(count, shape);
  };
  BatchLoader loader(tiny_data(), {.batch = 5, .workers = 2, .ahead = 2, .epochs = 1}, counting);
  for (int64_t batch = 0; batch < 5; ++batch) {
    loader.take(0, batch);
    CHECK(made == std::min<int64_t>(batch + 3, 5));
  }
}

namespace {

// Image 7 cannot be read.
class Broken final : public ImageSource {
 public:
  [[nodiscard]] int64_t count() const override { return 12; }
  [[nodiscard]] int64_t classes() const override { return 1; }
  [[nodiscard]] ImageShape shape() const override { return {.channels = 1, .height = 1, .width = 1}; }
  [[nodiscard]] int64_t label(size_t) const override { return 0; }
  void check_augmentation(const Augmentation&) const override {}
  void write(size_t index, const Augmentation&, RandomStream&, bool, std::span<float> out) const override {
    if (index == 7) refuse_data("image 7", "is broken");
    out[0] = static_cast<float>(index);
  }
};

}  // namespace

TEST_CASE("an image that cannot be read is named, and the loader goes on after it", "[datasets]") {
  for (const int workers : {0, 3}) {
    BatchLoader loader(std::make_shared<Broken>(), {.batch = 4, .shuffle = false, .workers = workers, .epochs = 1});
    CHECK(loader.take(0, 0).images[3] == 3);
    CHECK_THROWS_WITH(loader.take(0, 1), "image 7: is broken");
    CHECK(loader.take(0, 2).images[0] == 8);
  }
}

TEST_CASE("a part takes the first images, or evenly where they stand by class", "[datasets]") {
  class ByClass final : public ImageSource {
   public:
    [[nodiscard]] int64_t count() const override { return 100; }
    [[nodiscard]] int64_t classes() const override { return 10; }
    [[nodiscard]] ImageShape shape() const override { return {}; }
    [[nodiscard]] int64_t label(size_t index) const override { return static_cast<int64_t>(index) / 10; }
    [[nodiscard]] bool by_class() const override { return true; }
    void check_augmentation(const Augmentation&) const override {}
    void write(size_t, const Augmentation&, RandomStream&, bool, std::span<float>) const override {}
  };
  const auto first = part_of(tiny_data(), 9);
  REQUIRE(first->count() == 9);
  CHECK(first->label(8) == 1);
  const auto even = part_of(std::make_shared<ByClass>(), 20);
  std::vector<int64_t> of_class(10);
  for (size_t i = 0; i < 20; ++i) ++of_class[static_cast<size_t>(even->label(i))];
  CHECK(of_class == std::vector<int64_t>(10, 2));
  CHECK(part_of(tiny_data(), 0)->count() == 23);
  CHECK(part_of(tiny_data(), 99)->count() == 23);
}

TEST_CASE("options, batches and rooms that cannot be are refused", "[datasets]") {
  const auto data = tiny_data();
  CHECK_THROWS_AS(BatchLoader(data, {.batch = 0}), UserError);
  CHECK_THROWS_AS(BatchLoader(data, {.augment = {"rotate"}}), UserError);
  CHECK_THROWS_AS(BatchLoader(data, {.augment = {"square-crop"}}), UserError);
  for (const int workers : {0, 2}) {
    BatchLoader loader(data, {.batch = 5, .workers = workers, .epochs = 2});
    CHECK_THROWS_AS(loader.take(0, 5), LogicFault);
    CHECK_THROWS_AS(loader.take(0, -1), LogicFault);
    CHECK_THROWS_AS(loader.take(-1, 0), LogicFault);
  }
  auto damaged = tiny_images();
  damaged.labels[3] = 7;
  CHECK_THROWS_AS(memory_images(damaged, kMean, kStd), LogicFault);
  damaged.labels.pop_back();
  CHECK_THROWS_AS(memory_images(damaged, kMean, kStd), LogicFault);
}
