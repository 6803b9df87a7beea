// Pictures of what detectors find: drawn from what cells keep, found again, removed, and missing.
#include "runner/pictures/box_pictures.h"

#include "base/error.h"
#include "base/files/file.h"
#include "base/files/safetensors.h"
#include "datasets/box_samples.h"
#include "datasets/image/decode.h"
#include "datasets/image/drawing.h"
#include "datasets/sources/coco_images.h"
#include "reports/detection_model.h"
#include "tests/datasets/coco_tree.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

Record detector(const std::string& id, int seed) {
  Record record;
  record.id = record.slug = id;
  record.status = Status::completed;
  record.spec = {{"seed", seed}};
  record.metrics = {{.name = "ap", .value = 30, .unit = "%"}};
  const std::vector<double> curve(kCurvePoints, 50.0);
  record.facts["detection"] = {{"categories", nlohmann::json::array({"shirt"})},
                               {"ap", nlohmann::json::array({30.0})},
                               {"precision50", curve},
                               {"precision75", curve}};
  record.facts["weights_sha256"] = "weights of " + id;
  return record;
}

// A row of two columns: full precision of seed 0, a baseline of seeds 2 and 1.
class Run {
 public:
  Run() : folder_(temporary_.path()) {
    plan_ = {.suite = "d", .title = "Detectors", .tier = "smoke"};
    plan_.tables = {{.id = "t",
                     .title = "Table 7",
                     .metrics = {"ap"},
                     .columns = {{"fp", "full precision", "full-precision"}, {"baseline", "baseline", "baseline"}},
                     .rows = {{.title = "ResNet-18", .entries = {{{"fp0"}, {}}, {{"base2", "base1"}, {}}}}}}};
    for (const auto& [id, seed] : {std::pair("fp0", 0), {"base2", 2}, {"base1", 1}}) {
      plan_.cells.push_back({.spec = {}, .id = id});
      records_[id] = detector(id, seed);
      keep(id, static_cast<uint8_t>(40 * seed));
    }
  }

  // One grey image.
  void keep(const std::string& id, uint8_t grey) const {
    make_folder(folder_.cell_folder(id));
    BoxSamples samples = {.categories = {"shirt"}, .images = {}};
    samples.images.push_back({.id = 5, .picture = ground(40, 30, {grey, grey, grey}), .truth = {}, .found = {}});
    write_file_atomically(samples_of(id), dump_box_samples(samples));
  }

  [[nodiscard]] std::filesystem::path samples_of(const std::string& id) const {
    return folder_.cell_folder(id) / kBoxSamplesFile;
  }
  [[nodiscard]] std::vector<RowPicture> draw() const { return draw_box_pictures(plan_, records_, folder_); }
  [[nodiscard]] Raster picture(const RowPicture& row) const { return read_image(temporary_.path() / row.file); }
  [[nodiscard]] size_t files() const {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(temporary_.path() / kPicturesFolder))
      ++count;
    return count;
  }

  test::TempFolder temporary_;
  RecordFolder folder_;
  Plan plan_;
  std::map<std::string, Record> records_;
};

int64_t count(const Raster& picture, uint8_t grey) {
  int64_t found = 0;
  for (size_t i = 0; i < picture.rgb.size(); i += 3)
    found += picture.rgb[i] == grey && picture.rgb[i + 1] == grey && picture.rgb[i + 2] == grey ? 1 : 0;
  return found;
}

}  // namespace

TEST_CASE("a row has a picture of each column's run of the least seed", "[pictures]") {
  const Run run;
  const auto drawn = run.draw();
  REQUIRE(drawn.size() == 1);
  CHECK((drawn[0].table == 0 && drawn[0].row == 0));
  CHECK(drawn[0].file.starts_with("pictures/boxes-"));
  CHECK(drawn[0].file.size() == std::string("pictures/boxes-0123456789abcdef.png").size());
  const auto picture = run.picture(drawn[0]);
  CHECK(count(picture, 0) > 50'000);   // seed 0
  CHECK(count(picture, 40) > 50'000);  // seed 1
  CHECK(count(picture, 80) == 0);      // seed 2
}

TEST_CASE("a picture that is there is not drawn again, with cells or without", "[pictures]") {
  const Run run;
  const auto file = run.temporary_.path() / run.draw().at(0).file;
  write_file_atomically(file, "kept");
  CHECK(run.draw().at(0).file == std::filesystem::relative(file, run.temporary_.path()).string());
  CHECK(read_file(file) == "kept");
  std::filesystem::remove_all(run.temporary_.path() / "cells");
  CHECK(run.draw().at(0).file == std::filesystem::relative(file, run.temporary_.path()).string());
}

TEST_CASE("a picture of other runs, or of other weights, is another file, and the old one goes", "[pictures]") {
  Run run;
  const auto first = run.draw().at(0).file;
  write_file_atomically(run.temporary_.path() / kPicturesFolder / "mine.png", "x");
  run.records_.at("base1").facts["weights_sha256"] = "others";
  const auto second = run.draw().at(0).file;
  CHECK(second != first);
  run.records_.at("base1").status = Status::mistrusted;
  const auto third = run.draw().at(0).file;
  CHECK((third != second && third != first));
  CHECK(count(run.picture({.file = third}), 80) > 50'000);
  CHECK(run.files() == 2);                               // this one and what is not ours
  run.records_.at("base2").status = Status::mistrusted;  // all are: the least seed again
  const auto doubted = run.draw().at(0).file;
  CHECK((doubted != first && doubted != second && doubted != third));
  CHECK(count(run.picture({.file = doubted}), 40) > 50'000);
  run.plan_.tables[0].rows[0].title = "ResNet-34";
  CHECK(run.draw().at(0).file != third);
}

TEST_CASE("what a cell has not kept, or what is no such file, is said by its place in the folder", "[pictures]") {
  Run run;
  const auto expect = [&](const std::string& why) {
    const auto drawn = run.draw();
    REQUIRE(drawn.size() == 1);
    CHECK(drawn[0].file.empty());
    CHECK(drawn[0].text.starts_with(why));
    CHECK(drawn[0].text.find(run.temporary_.path().string()) == std::string::npos);
  };
  std::filesystem::remove(run.samples_of("base1"));
  expect("cells/base1/boxes.safetensors: no such file");
  run.records_.at("base1").facts[kNoBoxSamples] = "val/7.jpg: cut short";
  expect("cells/base1/boxes.safetensors: val/7.jpg: cut short");
  for (const std::string& bytes : {std::string("{"), std::string(100, '\xff'), std::string()}) {
    write_file_atomically(run.samples_of("base1"), bytes);
    expect("cells/base1/boxes.safetensors: ");
  }
  std::filesystem::resize_file(run.samples_of("base1"), kMostSampleBytes + 1);
  expect("cells/base1/boxes.safetensors: too large");
  run.keep("base1", 40);
  CHECK_FALSE(run.draw().at(0).file.empty());
}

TEST_CASE("rows without a completed detector have no picture and need no folder", "[pictures]") {
  Run run;
  for (auto& [id, record] : run.records_) record.facts.erase("detection");
  CHECK(run.draw().empty());
  CHECK_FALSE(std::filesystem::exists(run.temporary_.path() / kPicturesFolder));
  run.records_ = {};
  CHECK(run.draw().empty());
  run.records_["fp0"] = detector("fp0", 0);
  run.plan_.tables[0].rows[0].epoch = 3;
  CHECK(run.draw().empty());
  run.plan_.tables[0].rows[0].epoch = std::nullopt;
  CHECK(run.draw().size() == 1);
}

TEST_CASE("rows beyond the most are said", "[pictures]") {
  Run run;
  auto& rows = run.plan_.tables[0].rows;
  for (size_t i = 0; i < kMostPanels; ++i) {
    rows.push_back(rows.front());
    rows.back().title += std::to_string(i);
  }
  const auto drawn = run.draw();
  REQUIRE(drawn.size() == kMostPanels + 1);
  CHECK_FALSE(drawn[kMostPanels - 1].file.empty());
  CHECK(drawn[kMostPanels].file.empty());
  CHECK(drawn[kMostPanels].text == "a page has 24 at most");
  CHECK(run.files() == kMostPanels);
}

TEST_CASE("samples that a cell has not kept are made from its outcomes and the data", "[pictures]") {
  Run run;
  const test::CocoTree tree({{80, 60}, {60, 80}}, {{.picture = 0, .category = 7, .box = {10, 20, 20, 10}}});
  const DatasetRequest request = {.root = tree.root().parent_path()};
  for (auto& cell : run.plan_.cells) {
    cell.spec.dataset = "coco";
    cell.spec.image_size = 60;
  }
  SafeTensors outcomes;
  const std::vector<float> rows = {1, 0.5F, 10, 20, 30, 30, -1, -1, -1, -1, -1, -1};
  auto& found = outcomes.tensors["detections"] = {.dtype = "F32", .shape = {2, 1, 6}};
  found.bytes.assign(reinterpret_cast<const char*>(rows.data()), rows.size() * sizeof(float));
  write_safetensors(run.folder_.cell_folder("base1") / kOutcomesFile, outcomes);
  const auto before = read_file(run.samples_of("fp0"));
  std::filesystem::remove(run.samples_of("base1"));
  CHECK(complete_box_samples(run.plan_, run.records_, run.folder_, request).empty());
  const auto made = read_box_samples(run.samples_of("base1"));
  REQUIRE(made.images.size() == 2);
  CHECK(made.categories == std::vector<std::string>{"a", "b"});
  CHECK(made.images[0].truth.at(0) == SampleBox{.label = 1, .score = 1, .x0 = 10, .y0 = 20, .x1 = 30, .y1 = 30});
  CHECK(made.images[0].found.at(0) == SampleBox{.label = 1, .score = 0.5F, .x0 = 10, .y0 = 20, .x1 = 30, .y1 = 30});
  CHECK(made.images[1].found.empty());
  CHECK(read_file(run.samples_of("fp0")) == before);
  // Outcomes of other images, and none: a line each, and the others' pictures stay.
  std::filesystem::remove(run.samples_of("base1"));
  run.plan_.cells[2].spec.test_images = 1;
  const auto hindered = complete_box_samples(run.plan_, run.records_, run.folder_, request);
  REQUIRE(hindered.size() == 1);
  CHECK_THAT(hindered[0], contains_text("no pictures of what base1 finds: "));
  CHECK_THAT(hindered[0], contains_text("detections: not those of 1 images"));
  CHECK_FALSE(std::filesystem::exists(run.samples_of("base1")));
  std::filesystem::remove_all(run.temporary_.path() / "cells");
  CHECK(complete_box_samples(run.plan_, run.records_, run.folder_, request).empty());
}
