// Batches of images with boxes: groups of alike shapes, padding, and a position that is all there is to resume.
#include <algorithm>
#include <set>

#include "datasets/sources/coco_images.h"
#include "datasets/sources/loader.h"
#include "tests/datasets/coco_tree.h"
#include "tests/support/catch.h"

using namespace auxbench;
using test::CocoTree;

namespace {

constexpr int64_t kSize = 32, kBatch = 4;

// 12 that are wider than high, 11 that are not.
const CocoTree& tree() {
  static const CocoTree kTree = [] {
    std::vector<test::TreePicture> pictures;
    std::vector<test::TreeBox> boxes;
    for (int64_t i = 0; i < 23; ++i) {
      const int64_t side = 34 + i;
      pictures.push_back(i % 2 == 0 ? test::TreePicture{side + 9, side}
                                    : test::TreePicture{side, side + (i % 3 == 0 ? 0 : 30)});
      boxes.push_back({.picture = static_cast<size_t>(i), .box = {1, 2, 3 + static_cast<double>(i), 20}});
    }
    return CocoTree(std::move(pictures), boxes);
  }();
  return kTree;
}

const Images& images() {
  static const Images kImages =
      coco_images(read_coco_split(tree().root(), kCocoTrain), {.size = kSize, .training = true});
  return kImages;
}

bool is_wide(uint32_t index) {
  return images()->truth()->images[index].width > images()->truth()->images[index].height;
}

struct Filled {
  std::vector<float> images;
  std::vector<BoxedImage> boxed;
  int64_t height = 0, width = 0;
  bool operator==(const Filled&) const = default;
};

Filled filled(BatchLoader& loader, int64_t epoch, int64_t batch) {
  const auto made = loader.take(epoch, batch);
  return {.images = {made.images.begin(), made.images.end()},
          .boxed = made.boxed,
          .height = made.height,
          .width = made.width};
}

// The same rule, told another way: each group is cut into full batches in the shuffled order; these stand by where their
// last image stands; then comes what is left.
std::vector<uint32_t> expected_order(uint32_t count, int64_t seed, int64_t epoch, size_t batch) {
  const auto shuffled = permutation(count, stream_seed(seed, "shuffle", static_cast<uint64_t>(epoch)));
  std::vector<std::pair<size_t, std::vector<uint32_t>>> batches;
  std::vector<uint32_t> left;
  for (const bool wide : {true, false}) {
    std::vector<size_t> places;
    for (size_t i = 0; i < shuffled.size(); ++i)
      if (is_wide(shuffled[i]) == wide) places.push_back(i);
    const size_t full = places.size() / batch * batch;
    for (size_t begin = 0; begin < full; begin += batch) {
      batches.push_back({places[begin + batch - 1], {}});
      for (size_t i = begin; i < begin + batch; ++i) batches.back().second.push_back(shuffled[places[i]]);
    }
    for (size_t i = full; i < places.size(); ++i) left.push_back(shuffled[places[i]]);
  }
  std::sort(batches.begin(), batches.end());
  std::vector<uint32_t> order;
  for (const auto& [place, own] : batches) order.insert(order.end(), own.begin(), own.end());
  order.insert(order.end(), left.begin(), left.end());
  return order;
}

const LoaderOptions kOptions = {.batch = kBatch, .seed = 3, .augment = {"flip", "short-side"}};

}  // namespace

TEST_CASE("wide images and others go into separate batches, all of them once an epoch", "[datasets]") {
  for (const int64_t batch : {1, 3, 4, 5, 11, 23, 40}) {
    BatchLoader loader(images(), {.batch = batch, .seed = 5});
    CHECK(loader.batches() == (23 + batch - 1) / batch);
    for (int64_t epoch = 0; epoch < 4; ++epoch) {
      std::vector<uint32_t> order;
      for (int64_t i = 0; i < loader.batches(); ++i) {
        const auto indices = loader.indices(epoch, i);
        CHECK(std::ssize(indices) == loader.batch_size(i));
        const bool alike =
            std::all_of(indices.begin(), indices.end(), [&](auto x) { return is_wide(x) == is_wide(indices[0]); });
        CHECK((alike || i >= 12 / batch + 11 / batch));  // the full ones of each group come first
        order.insert(order.end(), indices.begin(), indices.end());
      }
      CHECK(order == expected_order(23, 5, epoch, static_cast<size_t>(batch)));
      CHECK(std::set<uint32_t>(order.begin(), order.end()).size() == 23);
    }
  }
  CHECK(expected_order(23, 5, 0, 4) != expected_order(23, 5, 1, 4));
}

TEST_CASE("a batch is padded with zeros to the least multiples of 32 that hold its images", "[datasets]") {
  for (const bool channels_last : {false, true}) {
    auto options = kOptions;
    options.channels_last = channels_last;
    BatchLoader loader(images(), options);
    for (int64_t i = 0; i < loader.batches(); ++i) {
      const auto batch = filled(loader, 1, i);
      const auto indices = loader.indices(1, i);
      int64_t height = 0, width = 0;
      REQUIRE(batch.boxed.size() == indices.size());
      for (const auto& image : batch.boxed) {
        height = std::max(height, image.height);
        width = std::max(width, image.width);
      }
      CHECK((batch.height % 32 == 0 && batch.height >= height && batch.height - 32 < height));
      CHECK((batch.width % 32 == 0 && batch.width >= width && batch.width - 32 < width));
      const ImageShape shape = {.channels = 3, .height = batch.height, .width = batch.width};
      REQUIRE(batch.images.size() == indices.size() * shape.size());
      for (size_t k = 0; k < indices.size(); ++k) {
        RandomStream first(stream_seed(3, "augment", 1, indices[k])), second = first;
        const Augmentation augmentation = {.flip = true, .short_side = true};
        CHECK(batch.boxed[k] == images()->look(indices[k], augmentation, first));
        CHECK(batch.boxed[k].index == indices[k]);
        std::vector<float> own(shape.size());
        images()->write_padded(indices[k], augmentation, second, shape, channels_last, own);
        CHECK(std::equal(own.begin(), own.end(), batch.images.begin() + static_cast<std::ptrdiff_t>(k * own.size())));
      }
    }
  }
}

TEST_CASE("evaluation takes images with boxes in their order, whatever their shapes", "[datasets]") {
  BatchLoader loader(images(), {.batch = 5, .shuffle = false, .workers = 2, .epochs = 1});
  uint32_t next = 0;
  for (int64_t i = 0; i < loader.batches(); ++i)
    for (const auto& image : loader.take(0, i).boxed) CHECK(image.index == next++);
  CHECK(next == 23);
}

TEST_CASE("a batch of images with boxes depends on its position alone, not on workers or a resume", "[datasets]") {
  BatchLoader straight(images(), kOptions);
  for (const int workers : {0, 1, 3}) {
    auto options = kOptions;
    options.workers = workers;
    options.ahead = 3;
    options.epochs = 3;
    BatchLoader crew(images(), options);
    for (int64_t epoch = 0; epoch < 3; ++epoch)
      for (int64_t batch = 0; batch < straight.batches(); ++batch) {
        const auto expected = filled(straight, epoch, batch);
        CHECK(filled(crew, epoch, batch) == expected);
        if (workers > 0) continue;
        BatchLoader resumed(images(), options);
        CHECK(filled(resumed, epoch, batch) == expected);
      }
  }
}

TEST_CASE("a file of a batch that cannot be read is named, and the loader goes on after it", "[datasets]") {
  const CocoTree broken({{60, 40}, {60, 40}, {60, 40}}, {});
  for (const int workers : {0, 2}) {
    const auto source = coco_images(read_coco_split(broken.root(), kCocoVal), {.size = kSize, .kept_bytes = 0});
    const auto file = broken.file(1, kCocoVal);
    const auto bytes = read_file(file);
    auto damaged = bytes;
    std::fill(damaged.begin() + 20, damaged.end(), '\0');
    write_file_atomically(file, damaged);
    BatchLoader loader(source, {.batch = 1, .shuffle = false, .workers = workers, .epochs = 1});
    loader.take(0, 0);
    CHECK_THROWS_WITH(loader.take(0, 1), contains_text(file.string() + ": "));
    CHECK(loader.take(0, 2).boxed.at(0).index == 2);
    write_file_atomically(file, bytes);
  }
}
