// What a record says about a trained detector's integer form: raw outputs of every level and boxes, image by image.
#include "deploy/integer_file.h"
#include "runner/sweep/cell_files.h"
#include "runner/sweep/integer_check.h"
#include "tests/runner/boxed_scenes.h"
#include "tests/runner/small_cells.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;
using namespace auxbench::test;

namespace {

CellSpec four_bit_detector(const char* model, const char* flavour) {
  CellSpec cell;
  cell.task = "detection";
  cell.dataset = "painted";
  cell.model = model;
  cell.width = 0.125;
  cell.detector.flavour = flavour;
  cell.detector.channels = 16;
  cell.detector.tower = 1;
  cell.quantizer = "qil";
  cell.weight_bits = cell.activation_bits = 4;
  cell.quantize_at = "conv-input";
  cell.finetune = StageSpec{.iterations = 4, .batch = 4, .optimizer = "adam", .lr = 1e-3};
  return cell;
}

struct CheckedDetector {
  std::unique_ptr<Experiment> experiment;
  Evaluation evaluation;

  explicit CheckedDetector(const CellSpec& cell, const std::filesystem::path& folder)
      : experiment(std::make_unique<Experiment>(cell, DataShape{.channels = 1, .classes = 2}, ComputeOptions{})) {
    Progress quiet;
    evaluation = *train(*experiment, scene_data(), {folder / "checkpoint"}, "cell", quiet).final;
    experiment->train_mode(false);
    save_weights(*experiment, folder);
  }

  nlohmann::json check(const std::filesystem::path& folder) {
    Record record;
    check_integers(*experiment, scene_data(), evaluation, folder, record);
    CHECK(record.seconds.at("integer image") > 0);
    CHECK(record.seconds.at("full-precision image") > 0);
    return record.facts.at("integer");
  }
};

}  // namespace

TEST_CASE("a trained detector's integers give every raw output and every box that its evaluation gives", "[runner]") {
  for (const char* model : {"retinanet-resnet18", "fcos-resnet18"})
    for (const char* flavour : {"detectron2", "torchvision"}) {
      INFO(model << ' ' << flavour);
      const TempFolder folder;
      CheckedDetector checked(four_bit_detector(model, flavour), folder.path());
      const auto facts = checked.check(folder.path());
      CHECK(facts.value("reason", "") == "");
      CHECK(facts.at("status") == "equal");
      CHECK(facts.at("images") == 9);
      CHECK(facts.at("differing") == 0);
      CHECK(facts.at("raw_differing") == 0);
      CHECK(facts.at("ap") == checked.evaluation.metrics.front().value);
      CHECK(facts.at("bytes") > 0);
      const auto network = read_integer_network(folder.path() / kIntegerFile);
      const auto kind = std::string(model).substr(0, std::string(model).find('-'));
      CHECK(network.detector == IntegerDetector{.kind = kind, .flavour = flavour, .image_size = 0});
      CHECK(network.outputs.size() == (kind == "fcos" ? 15 : 10));
      // The first image, which is 64 x 96.
      CHECK((network.height == 64 && network.width == 96));
    }
}

TEST_CASE("one wrong box of one image is counted and looked for", "[runner]") {
  const TempFolder folder;
  CheckedDetector checked(four_bit_detector("retinanet-resnet18", "detectron2"), folder.path());
  auto& answers = checked.evaluation.outcomes.at(checked.evaluation.answers);
  answers = answers.clone();
  answers[7][0][2] += 1;
  const auto facts = checked.check(folder.path());
  CHECK(facts.at("status") == "differs");
  CHECK(facts.at("differing") == 1);
  CHECK(facts.at("raw_differing") == 0);
  CHECK(facts.at("reason") == "image 7: every value equal on this processor");
}

TEST_CASE("a detector with its auxiliary modules freezes to the file of one that never had them", "[runner]") {
  const TempFolder folder;
  auto cell = four_bit_detector("retinanet-resnet18", "detectron2");
  cell.aid = {"auxi"};
  CheckedDetector checked(cell, folder.path());
  const auto facts = checked.check(folder.path());
  CHECK(facts.at("status") == "equal");
  CHECK(facts.at("module_free") == true);
}
