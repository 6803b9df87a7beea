// What a finished cell of a detector keeps for pictures of what it finds.
#include "datasets/box_samples.h"

#include "base/error.h"
#include "base/files/file.h"
#include "base/torch_prelude.h"
#include "runner/sweep/cell_files.h"
#include "tests/runner/boxed_scenes.h"
#include "tests/runner/small_cells.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;
using namespace auxbench::test;

namespace {

// Of image i a box of label i % 2 that is i + 1 pixels wide in the file, and an empty row.
Evaluation evaluation_of(int64_t images) {
  auto rows = at::full({images, 2, 6}, -1.0F);
  for (int64_t i = 0; i < images; ++i) {
    const float numbers[] = {static_cast<float>(i % 2), 0.5F, 8, 16, 9 + static_cast<float>(i), 32};
    for (int64_t k = 0; k < 6; ++k) rows[i][0][k] = numbers[k];
  }
  return {.outcomes = {{"detections", rows}}, .answers = "detections"};
}

class Unreadable final : public ImageSource {
 public:
  [[nodiscard]] int64_t count() const override { return scenes_.count(); }
  [[nodiscard]] int64_t classes() const override { return scenes_.classes(); }
  [[nodiscard]] ImageShape shape() const override { return scenes_.shape(); }
  [[nodiscard]] int64_t label(size_t) const override { return 0; }
  [[nodiscard]] bool boxed() const override { return true; }
  [[nodiscard]] const CocoTruth* truth() const override { return scenes_.truth(); }
  [[nodiscard]] int64_t category(int64_t label) const override { return scenes_.category(label); }
  [[nodiscard]] BoxedImage look(size_t index, const Augmentation& none, RandomStream& chance) const override {
    return scenes_.look(index, none, chance);
  }
  void check_augmentation(const Augmentation&) const override {}
  void write(size_t, const Augmentation&, RandomStream&, bool, std::span<float>) const override {}
  [[nodiscard]] Raster picture(size_t) const override { refuse_data("val/7.jpg", "cut short"); }

 private:
  BoxedScenes scenes_{9};
};

}  // namespace

TEST_CASE("a detector's cell keeps some images with what it found in them", "[runner]") {
  const TempFolder folder;
  const BoxedScenes scenes(20);
  Record record;
  save_box_samples(evaluation_of(20), scenes, folder.path(), record);
  CHECK(record.facts.empty());
  const auto samples = read_box_samples(folder.path() / kBoxSamplesFile);
  CHECK(samples.categories == std::vector<std::string>{"square", "frame"});
  REQUIRE(samples.images.size() == kMostSamples);
  const auto places = sample_places(20);
  for (size_t i = 0; i < places.size(); ++i) {
    const auto& image = samples.images[i];
    const auto place = static_cast<int64_t>(places[i]);
    CHECK(image.id == 100 + place);
    // As the network sees it: half the file's pixels.
    CHECK(image.picture.width == (place % 3 == 0 ? 96 : 64));
    CHECK(image.picture.height == 64);
    REQUIRE(image.found.size() == 1);
    CHECK(image.found[0] == SampleBox{.label = places[i] % 2,
                                      .score = 0.5F,
                                      .x0 = 4,
                                      .y0 = 8,
                                      .x1 = (9 + static_cast<float>(place)) / 2,
                                      .y1 = 16});
    CHECK(image.truth.size() == static_cast<size_t>(image.picture.width / 32));
    // Bright squares are where the boxes say.
    for (const auto& box : image.truth) {
      const auto x = static_cast<int64_t>((box.x0 + box.x1) / 2), y = static_cast<int64_t>((box.y0 + box.y1) / 2);
      if (box.label == 0) CHECK(image.picture.row(y)[3 * x] > 200);
    }
  }
}

TEST_CASE("images that cannot be read cost a detector's cell its pictures and nothing else", "[runner]") {
  const TempFolder folder;
  Record record;
  save_box_samples(evaluation_of(9), Unreadable(), folder.path(), record);
  CHECK(record.facts.at(kNoBoxSamples) == "val/7.jpg: cut short");
  CHECK_FALSE(std::filesystem::exists(folder.path() / kBoxSamplesFile));
}

TEST_CASE("a classifier's cell keeps no boxes", "[runner]") {
  const TempFolder folder;
  Record record;
  save_box_samples({}, *made_up_data().test, folder.path(), record);
  CHECK(record.facts.empty());
  CHECK(std::filesystem::is_empty(folder.path()));
}
