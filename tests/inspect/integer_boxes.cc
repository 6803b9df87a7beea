// A frozen detector over images with boxes: each at its own size, outputs and boxes as a plain reading of them gives.
#include "runner/inspect/integer_boxes.h"

#include <algorithm>
#include <array>
#include <memory>

#include "base/error.h"
#include "base/random.h"
#include "deploy/synthetic.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

constexpr int64_t kClasses = 5, kAnchors = 9;

IntegerNetwork small_detector() {
  return synthetic_retinanet(
      {.height = 64, .width = 96, .classes = kClasses, .anchors = kAnchors, .channels = 32, .tower = 1});
}

// Three images of noise, of sizes that 32 does not divide; the files are twice as large.
class Noise final : public ImageSource {
 public:
  Noise() {
    truth_.images = {{.id = 31}, {.id = 7}, {.id = 19}};
    for (int64_t k = 0; k < kClasses; ++k) truth_.categories.push_back({.id = 100 + 2 * k, .name = "k"});
  }
  [[nodiscard]] int64_t count() const override { return 3; }
  [[nodiscard]] int64_t classes() const override { return kClasses; }
  [[nodiscard]] ImageShape shape() const override { return {.channels = 3, .height = 96, .width = 96}; }
  [[nodiscard]] int64_t label(size_t) const override { return 0; }
  [[nodiscard]] bool in_memory() const override { return true; }
  void check_augmentation(const Augmentation&) const override {}
  [[nodiscard]] bool boxed() const override { return true; }
  [[nodiscard]] const CocoTruth* truth() const override { return &truth_; }
  [[nodiscard]] int64_t category(int64_t label) const override { return 100 + 2 * label; }
  [[nodiscard]] BoxedImage look(size_t index, const Augmentation&, RandomStream&) const override {
    const auto [h, w] = kSizes.at(index);
    return {.index = index, .width = w, .height = h, .full_width = 2 * w, .full_height = 2 * h, .boxes = {}};
  }
  void write(size_t index, const Augmentation&, RandomStream&, bool, std::span<float> out) const override {
    RandomStream random(index + 1);
    for (auto& pixel : out) pixel = static_cast<float>(random.uniform());
  }
  void write_padded(size_t index, const Augmentation& augmentation, RandomStream& stream, const ImageShape& size,
                    bool channels_last, std::span<float> out) const override {
    const auto [h, w] = kSizes.at(index);
    std::vector<float> own(static_cast<size_t>(3 * h * w));
    write(index, augmentation, stream, channels_last, own);
    std::fill(out.begin(), out.end(), 0.0F);
    for (int64_t row = 0; row < 3 * h; ++row)
      std::copy_n(own.begin() + row * w, w, out.begin() + (row / h * size.height + row % h) * size.width);
  }
  // The padded image, as write_padded() has it.
  [[nodiscard]] std::vector<float> padded(size_t index) const {
    const ImageShape size = {3, padded_side(kSizes.at(index).first), padded_side(kSizes.at(index).second)};
    std::vector<float> image(size.size());
    RandomStream no_chance(0);
    write_padded(index, {}, no_chance, size, false, image);
    return image;
  }

  static constexpr std::array<std::pair<int64_t, int64_t>, 3> kSizes = {{{64, 70}, {96, 33}, {65, 96}}};

 private:
  CocoTruth truth_;
};

Dataset noise() {
  return {.name = "noise", .train = {}, .test = std::make_shared<Noise>(), .manifest = {}, .missing = {}};
}

// Of one output [h][w][channels] as [channels, h, w].
std::vector<float> turned(const ExecutorOutput& output) {
  std::vector<float> all(output.numbers.size());
  for (int64_t p = 0; p < output.h * output.w; ++p)
    for (int64_t c = 0; c < output.channels; ++c)
      all[static_cast<size_t>(c * output.h * output.w + p)] =
          output.numbers[static_cast<size_t>(p * output.channels + c)];
  return all;
}

}  // namespace

TEST_CASE("a detector sees each image alone, at its own padded size, and finds what its outputs say", "[boxes]") {
  const auto network = small_detector();
  const auto data = noise();
  const auto rules = rules_of(network);
  size_t next = 0;
  run_integers(network, data, {}, [&](const IntegerBatch& batch) {
    REQUIRE(batch.images == 1);
    const auto& info = batch.taken.boxed.at(0);
    REQUIRE(info.index == next);
    Executor alone(network, {});
    alone.run(static_cast<const Noise&>(*data.test).padded(next), {padded_side(info.height), padded_side(info.width)});
    std::vector<std::vector<float>> kept;
    std::vector<LevelPrediction> levels;
    for (int64_t level = 3; level <= 7; ++level) {
      const auto classes = alone.output("classes." + std::to_string(level));
      const auto boxes = alone.output("boxes." + std::to_string(level));
      const auto same = batch.engine.output("classes." + std::to_string(level)).numbers;
      REQUIRE(std::equal(same.begin(), same.end(), classes.numbers.begin(), classes.numbers.end()));
      kept.push_back(turned(classes));
      kept.push_back(turned(boxes));
      levels.push_back({.grid = {.level = level, .height = classes.h, .width = classes.w}});
    }
    for (size_t i = 0; i < levels.size(); ++i) {
      levels[i].classes = kept[2 * i];
      levels[i].boxes = kept[2 * i + 1];
    }
    const auto expected =
        find_boxes(rules, levels, Extent{info.height, info.width}, Extent{info.full_height, info.full_width});
    const auto found = find_boxes(network, rules, batch);
    REQUIRE(found.size() == 1);
    CHECK_FALSE(expected.empty());
    CHECK(found.front() == expected);
    const auto coco = coco_detections(*data.test, info, expected);
    REQUIRE(coco.size() == expected.size());
    CHECK(coco.front().image == data.test->truth()->images[next].id);
    CHECK(coco.front().category == 100 + 2 * expected.front().label);
    CHECK(coco.front().box.x + coco.front().box.w == static_cast<double>(expected.front().box.x1));
    ++next;
  });
  CHECK(next == 3);
}

TEST_CASE("networks that do not fit the data, or say nothing that boxes could be made of, are refused", "[boxes]") {
  const auto data = noise();
  const auto refused = [&](const auto& change, const std::string& reason) {
    auto network = small_detector();
    change(network);
    CHECK_THROWS_WITH(run_integers(network, data, {}, [](const IntegerBatch&) {}), contains_text(reason));
  };
  refused([](auto& n) { n = synthetic_resnet("resnet18", 2, 2, 32); }, "no detector, and noise's images have boxes");
  refused([](auto& n) { n.detector.flavour = "mmdetection"; }, "no rules for a detector retinanet as in mmdetection");
  refused([](auto& n) { n.detector.kind = "ssd"; }, "no rules for a detector ssd");
  refused([](auto& n) { std::swap(n.outputs[0].name, n.outputs[1].name); }, "outputs of level 3 that do not belong");
  refused([](auto& n) { n.outputs.erase(n.outputs.begin() + 1); }, "outputs of level 3 that do not belong together");
  refused([](auto& n) { n.outputs.resize(1), n.outputs[0].name = "maps"; }, "a detector without classes");
  refused(
      [](auto& n) { n = synthetic_retinanet({.height = 64, .width = 64, .classes = 4, .channels = 32, .tower = 1}); },
      "other classes, than noise's");
}
