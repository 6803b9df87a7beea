// Detectors in the suite language: their axes, names, starts, what does not fit together, what they cost.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "runner/plan/code_epochs.h"
#include "runner/plan/cost.h"
#include "runner/plan/detector_work.h"
#include "runner/plan/suite.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;
using nlohmann::json;

namespace {

const json kDetector = {{"task", "detection"},
                        {"dataset", "scenes"},
                        {"model", "retinanet-resnet18"},
                        {"pretrain", {{"epochs", 4}, {"lr", 0.01}}}};
const json kQuantized = {
    {"quantizer", "qil"}, {"weight_bits", 4}, {"activation_bits", 4}, {"finetune", {{"epochs", 2}, {"lr", 0.001}}}};

json merged(json cell, const json& patch) {
  if (!patch.is_null()) cell.merge_patch(patch);  // a null, which {} is, would take the cell away
  return cell;
}

CellSpec detector(const json& patch = json::object()) { return cell_from_json(merged(kDetector, patch)); }
CellSpec quantized(const json& patch = json::object()) { return detector(merged(kQuantized, patch)); }

// What is said against the cell, behind its place.
std::string refusal(const json& patch) {
  try {
    static_cast<void>(detector(patch));
  } catch (const UserError& error) {
    CHECK(error.code() == ExitCode::invalid_suite);
    return std::string(error.what()).substr(std::string("cell: ").size());
  }
  return "no error";
}

// Of a suite whose one cell is the detector, quantized, with `rest` beside its groups.
SuiteSpec load(const std::string& rest, const SuiteRequest& request = {.tier = "t"}, const json& patch = {}) {
  const test::TempFolder folder;
  const auto cell = merged(merged(kDetector, kQuantized), patch);
  std::ofstream(folder.path() / "s.json") << "{\"include\": [" << cell.dump() << "]" << rest << "}";
  return load_suite(folder.path() / "s.json", request);
}

std::string error_of(const std::string& rest, const SuiteRequest& request = {.tier = "t"}) {
  try {
    static_cast<void>(load(rest, request));
  } catch (const UserError& error) {
    const std::string text = error.what();
    return text.substr(std::min(text.size(), text.find("s.json")));
  }
  return "no error";
}

const std::string kTier = R"(, "tiers": {"t": {}})";

}  // namespace

TEST_CASE("a detector's axes are part of the cell where they differ from the defaults", "[spec]") {
  const auto plain = quantized();
  CHECK_FALSE(cell_to_json(plain).contains("detector"));
  CHECK_FALSE(cell_to_json(plain).contains("image_size"));
  const json usual = {{"image_size", 0},
                      {"detector",
                       {{"heads", "shared"},
                        {"quantize", "all"},
                        {"flavour", "detectron2"},
                        {"norm", "per-level"},
                        {"backbone_norm", "batch"},
                        {"channels", 256},
                        {"tower", 4}}}};
  CHECK(quantized(usual) == plain);
  for (const json& patch :
       {json{{"image_size", 160}}, json{{"detector", {{"heads", "unshared"}}}}, json{{"detector", {{"tower", 2}}}},
        json{{"detector", {{"flavour", "torchvision"}}}}, json{{"detector", {{"norm", "batch"}}}},
        json{{"detector", {{"backbone_norm", "frozen"}}}}, json{{"detector", {{"channels", 64}}}}}) {
    const auto cell = quantized(patch);
    CHECK_FALSE(cell == plain);
    CHECK(cell_from_json(cell_to_json(cell)) == cell);
    CHECK_FALSE(cell_id(cell, {}) == cell_id(plain, {}));
  }
}

TEST_CASE("a detector's name says what its heads, norms and modules are", "[spec]") {
  CHECK(cell_slug(quantized()) == "retinanet-resnet18-qil-w4a4-s0");
  CHECK(cell_slug(quantized({{"detector", {{"heads", "unshared"}}}, {"aid", {"auxi"}}})) ==
        "retinanet-resnet18-qil-w4a4-unshared-auxi-s0");
  CHECK(cell_slug(quantized({{"detector", {{"quantize", "backbone"}, {"flavour", "torchvision"}}}})) ==
        "retinanet-resnet18-qil-w4a4-torchvision-backbone-s0");
  CHECK(cell_slug(quantized({{"detector", {{"norm", "frozen"}, {"backbone_norm", "frozen"}}}})) ==
        "retinanet-resnet18-qil-w4a4-frozen-norm-frozen-backbone-s0");
  CHECK(cell_slug(detector({{"detector", {{"norm", "none"}}}})) == "retinanet-resnet18-fp-no-norm-s0");
  const json modules = {{"aid", {"auxi"}}, {"auxi", {{"where", "backbone"}, {"predict", "last"}, {"pyramid", true}}}};
  CHECK(cell_slug(quantized(modules)) == "retinanet-resnet18-qil-w4a4-auxi-backbone-last-pyramid-s0");
}

TEST_CASE("a quantized detector starts from a full-precision one whose norms are live", "[spec]") {
  const auto start = *quantized({{"detector", {{"norm", "frozen"}, {"backbone_norm", "frozen"}}}}).parent();
  CHECK(start == detector());
  CHECK(*quantized({{"detector", {{"quantize", "backbone"}}}}).parent() == detector());
  const json unshared = {{"detector", {{"heads", "unshared"}, {"channels", 64}}}};
  CHECK(*quantized(unshared).parent() == detector(unshared));
  CHECK(*quantized({{"detector", {{"norm", "batch"}}}}).parent() == detector({{"detector", {{"norm", "batch"}}}}));
  const auto with_modules = *quantized({{"aid", {"auxi"}}, {"auxi", {{"where", "heads"}}}}).parent();
  CHECK(with_modules.has_auxi());
  CHECK(with_modules.auxi.where == "heads");
}

TEST_CASE("what no detector can have is refused", "[spec]") {
  CHECK(refusal({}) == "no error");
  CHECK(refusal({{"model", "resnet18"}}) == "model resnet18 is for task classification, not for detection");
  CHECK(refusal({{"dataset", "fashion-mnist"}}) ==
        "task detection needs a dataset with boxes, coco, scenes or scenes-20k, not fashion-mnist");
  CHECK(refusal({{"stem", "small"}}).starts_with("stem small: a detector's levels count on the imagenet stem"));
  CHECK(refusal({{"block", "pre-act"}}) == "block pre-act: a detector's backbone has blocks post-act");
  CHECK(refusal(merged(kQuantized, {{"quantize_at", "block-output"}}))
            .starts_with("quantize_at block-output: a detector"));
  CHECK(refusal({{"aid", {"auxi"}}, {"auxi", {{"norms", "separate"}}}}) ==
        "auxi.norms separate: a detector's modules read its one pass, by its own norms");
  CHECK(refusal({{"image_size", 31}}) == "image_size 31: expected 0 or at least 32");
  CHECK(refusal({{"pretrain", {{"augment", {"flip", "pad-crop"}}}}}) ==
        "pretrain.augment pad-crop does not know boxes: a detector has flip and short-side");
  CHECK(refusal({{"pretrain", {{"augment", {"flip", "short-side"}}}}}) == "no error");
  CHECK(refusal({{"detector", {{"norm", "frozen"}}}}).starts_with("detector.norm frozen: there is no trained network"));
  CHECK(refusal({{"detector", {{"backbone_norm", "frozen"}}}})
            .starts_with("detector.backbone_norm frozen needs weights"));
  CHECK(refusal({{"detector", {{"backbone_norm", "frozen"}}}, {"weights", "w.pth"}}) == "no error");
  CHECK(refusal({{"detector", {{"norm", "group"}, {"channels", 48}}}}) ==
        "detector.norm group needs detector.channels to be a multiple of 32, not 48");
  CHECK(refusal({{"detector", {{"channels", 0}}}}).find("expected at least 1") != std::string::npos);
  for (const char* aid : {"kd", "kd-journal", "fixed-teacher", "additional-loss", "apprentice-c"})
    CHECK(refusal(merged(kQuantized, {{"aid", {aid}}})) ==
          "aid " + std::string(aid) + " compares one answer an image, which a detector does not give");
  for (const char* aid : {"auxi", "hint", "stochastic-precision", "two-stage"})
    CHECK(refusal(merged(kQuantized, {{"aid", {aid}}})) == "no error");
}

TEST_CASE("what only a detector has is refused in a classifier", "[spec]") {
  const json classifier = {
      {"task", "classification"}, {"dataset", "fashion-mnist"}, {"model", "resnet18"}, {"aid", {"auxi"}}};
  const auto refused = [&](const json& patch) { return refusal(merged(classifier, patch)); };
  CHECK(refused({}) == "no error");
  CHECK(refused({{"model", "fcos-resnet50"}}) == "model fcos-resnet50 is for task detection, not for classification");
  CHECK(refused({{"dataset", "scenes"}}) ==
        "dataset scenes has boxes, not one label an image: it is for task detection");
  CHECK(refused({{"image_size", 160}}).starts_with("image_size is of detectors"));
  CHECK(refused({{"auxi", {{"where", "heads"}}}}) == "auxi.where, auxi.predict and auxi.pyramid are of detectors");
  CHECK(refused({{"auxi", {{"pyramid", true}}}}) == "auxi.where, auxi.predict and auxi.pyramid are of detectors");
  CHECK(refused({{"pretrain", {{"augment", {"short-side"}}}}}) == "pretrain.augment short-side is of detectors");
}

TEST_CASE("a full-precision detector has nothing of a quantized one's axes", "[spec]") {
  const auto of = [](const json& patch) {
    const auto spec = load(kTier, {.tier = "t"}, merged({{"quantizer", "none"}}, patch)).cells.back().spec;
    CHECK(cell_from_json(cell_to_json(spec)) == spec);
    return spec;
  };
  const json frozen = {{"detector", {{"norm", "frozen"}, {"backbone_norm", "frozen"}, {"quantize", "backbone"}}}};
  CHECK(of(frozen) == of({}));
  CHECK(of(merged(frozen, {{"weights", "w.pth"}})).detector.backbone_norm == "frozen");
  CHECK(of({{"detector", {{"norm", "batch"}}}}).detector.norm == "batch");
  CHECK(of({{"detector", {{"norm", "batch"}, {"heads", "unshared"}}}}).detector.norm == "per-level");
}

TEST_CASE("a module that is not there has no options", "[spec]") {
  const json heads = {{"aid", {"auxi"}}, {"auxi", {{"where", "heads"}}}};
  const auto all = load(kTier, {.tier = "t"}, merged(heads, {{"auxi", {{"predict", "last"}, {"pyramid", true}}}}));
  CHECK(all.cells.back().spec == load(kTier, {.tier = "t"}, heads).cells.back().spec);
}

TEST_CASE("a stage by iterations counts them in milestones, warm-up and decay", "[spec]") {
  const json stage = {{"epochs", nullptr}, {"iterations", 1000}, {"schedule", "step"}, {"milestones", {600, 900}}};
  const auto refused = [&](const json& patch) { return refusal({{"pretrain", merged(stage, patch)}}); };
  const auto cell = detector({{"pretrain", merged(stage, {{"warmup", 100}})}});
  CHECK(cell.pretrain->by_iterations());
  CHECK(cell.pretrain->length() == 1000);
  CHECK(detector().pretrain->length() == 4);
  CHECK(cell_from_json(cell_to_json(cell)) == cell);
  CHECK_FALSE(cell_to_json(cell).at("pretrain").contains("epochs"));
  CHECK_FALSE(cell_to_json(detector()).at("pretrain").contains("iterations"));
  CHECK(refused({}) == "no error");
  CHECK(refused({{"milestones", {600, 1000}}}) == "pretrain.milestones 1000.0: the stage ends after 1000 iterations");
  CHECK(refused({{"milestones", json::array()}}).starts_with("pretrain.schedule step has no milestones"));
  CHECK(refused({{"warmup", 1000}}) == "pretrain.warmup 1000.0: the stage ends after 1000 iterations");
  CHECK(refusal({{"pretrain", {{"iterations", 10}}}}) == "pretrain has both epochs and iterations");
  CHECK(refusal({{"pretrain", {{"epochs", nullptr}}}}) == "pretrain has no epochs and no iterations");
  const json modules = {{"aid", {"auxi"}}, {"pretrain", stage}};
  CHECK(refusal(merged(modules, {{"auxi", {{"until", 1000}}}})) == "no error");
  CHECK(refusal(merged(modules, {{"auxi", {{"until", 1001}}}})) ==
        "auxi.until 1001.0: the stage ends after 1000 iterations");
}

TEST_CASE("a stage is as long as what was said last, and what counted along in the other unit goes", "[spec]") {
  const std::string tiers = R"(, "tiers": {
    "t": {"rules": [{"set": {"pretrain": {"iterations": 500}}}]},
    "back": {"extends": "u", "set": {"finetune": {"epochs": 3}}},
    "u": {"set": {"finetune": {"iterations": 70, "schedule": "step", "milestones": [50], "warmup": 5}}}})";
  const auto finetune = [&](const SuiteRequest& request, const json& stage) {
    return *load(tiers, request, {{"finetune", stage}}).cells.back().spec.finetune;
  };
  const json by_epochs = {{"schedule", "step"}, {"milestones", {1.5}}, {"warmup", 0.5}};
  const auto iterations = finetune({.tier = "u"}, by_epochs);
  CHECK(iterations.iterations == 70);
  CHECK(iterations.epochs == 0);
  CHECK(iterations.milestones == std::vector<double>{50});
  CHECK(iterations.warmup == 5);
  const auto back = finetune({.tier = "back"}, by_epochs);
  CHECK(back.epochs == 3);
  CHECK(back.iterations == 0);
  CHECK(back.milestones == std::vector<double>{1.5});
  const auto set = finetune({.tier = "u", .set = {"finetune.epochs=4"}}, by_epochs);
  CHECK(set.length() == 4);
  CHECK(set.milestones.empty());
  CHECK(set.warmup == 0);
  const auto longer = finetune({.tier = "u", .set = {"finetune.iterations=80"}}, by_epochs);
  CHECK(longer.milestones == std::vector<double>{50});
  CHECK(load(tiers).cells.back().spec.pretrain->length() == 500);
}

TEST_CASE("a detector's parts of the code have epochs of their own", "[spec]") {
  const auto epochs = code_epochs(quantized({{"aid", {"auxi"}}, {"detector", {{"norm", "batch"}}}}));
  for (const char* part : {"task detection", "model retinanet-resnet18", "detector detectron2", "detector norm batch",
                           "modules of a detector"})
    CHECK(epochs.contains(part));
  CHECK_FALSE(code_epochs(quantized()).contains("modules of a detector"));
  const auto of_classifier = code_epochs(cell_from_json(
      {{"dataset", "fashion-mnist"}, {"model", "resnet18"}, {"pretrain", {{"epochs", 1}, {"lr", 0.1}}}}));
  for (const auto& [part, epoch] : of_classifier) CHECK(part.find("detector") == std::string::npos);
}

TEST_CASE("the work beside a backbone is the sum over its convolutions", "[plan]") {
  const auto cell = detector({{"image_size", 240}, {"width", 0.5}, {"detector", {{"channels", 32}, {"tower", 2}}}});
  const auto work = detector_work(cell);
  CHECK(work.pixels == Approx(240 * 320));
  double macs = 0, layers = 0;
  const double stages[] = {64, 128, 256};  // C3 .. C5
  for (int level = 3; level <= 7; ++level) {
    const double places = 240.0 * 320.0 / std::pow(4.0, level);
    const auto convolve = [&](double kernel, double in, double out) {
      macs += places * kernel * kernel * in * out;
      ++layers;
    };
    if (level <= 5) convolve(1, stages[level - 3], 32);
    convolve(3, level == 6 ? 256 : 32, 32);
    for (int tower = 0; tower < 2; ++tower)
      for (int i = 0; i < 2; ++i) convolve(3, 32, 32);
    convolve(3, 32, 9 * 10);
    convolve(3, 32, 9 * 4);
  }
  CHECK(work.macs == Approx(macs));
  CHECK(work.layers == layers);
  CHECK(work.numbers > 0);
}

TEST_CASE("larger images, wider towers and more iterations cost more", "[plan]") {
  const Prices prices({});
  const auto seconds = [&](const CellSpec& cell) { return prices.estimate(cell, "cpu", 2000, 500).seconds; };
  const auto plain = detector({{"image_size", 160}});
  CHECK(seconds(detector({{"image_size", 320}})) > 3 * seconds(plain));
  CHECK(seconds(detector({{"image_size", 160}, {"detector", {{"tower", 8}}}})) > seconds(plain));
  CHECK(seconds(detector({{"image_size", 160}, {"detector", {{"channels", 64}}}})) < seconds(plain));
  CHECK(seconds(detector({{"image_size", 160}, {"model", "fcos-resnet18"}})) < seconds(plain));
  CHECK(memory_estimate(detector({{"image_size", 320}})) > memory_estimate(plain));
  // 32 iterations of 250 images are the four epochs of 2000.
  const json stage = {{"epochs", nullptr}, {"iterations", 32}, {"batch", 250}};
  const auto by_iterations = detector({{"image_size", 160}, {"pretrain", stage}});
  const auto by_epochs = detector({{"image_size", 160}, {"pretrain", {{"batch", 250}}}});
  CHECK(seconds(by_iterations) == Approx(seconds(by_epochs)));
}

TEST_CASE("a claim may be held against any column and allow a margin", "[spec]") {
  const std::string table =
      R"(, "tables": [{"id": "a", "metrics": ["ap"], "columns": [{"id": "fp", "role": "full-precision"}, {"id": "low"}], "rows": [{"title": "r"}]}], "claims": [)";
  const auto with = [&](const std::string& claim) { return kTier + table + claim + "]"; };
  const auto spec = load(with(R"({"text": "x", "table": "a", "column": "low", "against": "fp", "margin": 0.5})"));
  CHECK(spec.claims.at(0).against == "fp");
  CHECK(spec.claims.at(0).margin == 0.5);
  CHECK(column_against(spec.claims[0], spec.tables[0]) == 0);
  const auto plain = load(with(R"({"text": "x", "table": "a", "column": "low"})")).claims.at(0);
  CHECK_FALSE(plain.margin.has_value());
  CHECK(column_against(plain, spec.tables[0]) == 2);  // there is no baseline
  CHECK(error_of(with(R"({"text": "x", "table": "a", "column": "low", "against": "fq"})"))
            .ends_with("/claims/0/against: table a has no column fq"));
  CHECK(error_of(with(R"({"text": "x", "table": "a", "column": "low", "against": "low"})"))
            .ends_with("/claims/0/against: a column is not held against itself"));
  CHECK(error_of(with(R"({"text": "x", "table": "a", "column": "low", "margin": -1})"))
            .ends_with("/claims/0/margin: expected at least 0.0, found -1"));
}

TEST_CASE("the paper's detectors and the detection suite are the same cells in every tier", "[spec]") {
  const auto suites = std::string(AUXBENCH_SOURCE_ROOT) + "/suites/";
  for (const char* tier : {"smoke", "embedded", "replica", "full"}) {
    INFO(tier);
    const auto paper = load_suite(suites + "paper_tables.json", {.tier = tier});
    const auto detection = load_suite(suites + "detection.json", {.tier = tier});
    size_t common = 0;
    for (const auto& cell : paper.cells)
      common += std::any_of(detection.cells.begin(), detection.cells.end(),
                            [&](const ListedCell& other) { return other.key == cell.key; })
                    ? 1U
                    : 0U;
    // Full precision with shared and unshared heads, QIL at 4/4 with and without modules, shared and unshared, and FQN, at seed 0.
    CHECK(common >= 7);
    for (const auto& table : detection.tables)
      for (const auto& row : table.rows)
        for (const auto& entry : row.entries) CHECK_FALSE(entry.cells.empty());
  }
}
