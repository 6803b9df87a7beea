// The auxiliary modules of a detection cell: what stands on their ends, and what the cell's keys make of them.
#include "runner/tasks/detection/auxiliary.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "models/weights.h"
#include "runner/tasks/classification/classification.h"
#include "runner/tasks/methods.h"
#include "tests/aux/small_detector.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

CellSpec cell_with(const AuxiSpec& auxi = {}) {
  CellSpec cell;
  cell.aid = {"auxi"};
  cell.auxi = auxi;
  cell.pretrain = StageSpec{.epochs = 8};
  return cell;
}

NamedTensors tensors_of(const CellSpec& cell, const Network& network) {
  return named_tensors(*make_detection_auxiliary(cell, network)->module());
}

double probability(const at::Tensor& logit) { return 1 / (1 + std::exp(-logit.item<double>())); }

}  // namespace

TEST_CASE("the layers on the modules' ends are shaped and started as a detector's own last layers", "[runner]") {
  at::manual_seed(1);
  for (const bool centreness : {false, true}) {
    auto facts = test::SmallDetector::small_facts();
    facts.centreness = centreness;
    facts.classes = 400;
    const auto heads = detector_heads(facts)(5);
    CHECK(heads.classes->name() == "classification_head");
    CHECK(heads.boxes->name() == "regression_head");
    const auto classes = named_tensors(*heads.classes->module()), boxes = named_tensors(*heads.boxes->module());
    CHECK(classes.at("cls_logits.weight").sizes() == at::IntArrayRef({2 * 400, 5, 3, 3}));
    CHECK(boxes.at("bbox_reg.weight").sizes() == at::IntArrayRef({4 * 2, 5, 3, 3}));
    CHECK(boxes.contains("bbox_ctrness.weight") == centreness);
    CHECK(classes.at("cls_logits.weight").std().item<double>() == Approx(0.01).epsilon(0.02));
    CHECK(probability(classes.at("cls_logits.bias")[7]) == Approx(0.01));
    CHECK(boxes.at("bbox_reg.bias").eq(0).all().item<bool>());
    LevelOutput level;
    heads.classes->predict(at::rand({2, 5, 3, 4}), level);
    heads.boxes->predict(at::rand({2, 5, 3, 4}), level);
    CHECK(level.classes.sizes() == at::IntArrayRef({2, 800, 3, 4}));
    CHECK(level.boxes.sizes() == at::IntArrayRef({2, 8, 3, 4}));
    CHECK(level.centreness.defined() == centreness);
  }
}

TEST_CASE("a cell's keys say where its modules stand and where the backbone's predicts", "[runner]") {
  const test::SmallDetector network;
  const auto all = tensors_of(cell_with(), network);
  CHECK(all.contains("heads.boxes.adaptors.1.conv.weight"));
  CHECK(all.contains("heads.classification_head.cls_logits.weight"));
  CHECK(all.contains("backbone.laterals.p3.conv.weight"));
  CHECK(all.contains("backbone.regression_head.bbox_reg.bias"));
  CHECK_FALSE(all.contains("backbone.pyramid.p3.conv.weight"));
  for (const auto& [name, tensor] : tensors_of(cell_with({.where = "heads"}), network))
    CHECK(name.starts_with("heads."));
  const auto last =
      tensors_of(cell_with({.kernel = 3, .where = "backbone", .predict = "last", .pyramid = true}), network);
  CHECK_FALSE(last.contains("heads.classes.stem.conv.weight"));
  CHECK_FALSE(last.contains("backbone.laterals.p4.conv.weight"));
  CHECK(last.contains("backbone.laterals.p5.conv.weight"));
  CHECK(last.contains("backbone.pyramid.p5.conv.weight"));
  CHECK(last.at("backbone.adaptors.0.conv.weight").size(2) == 3);
}

TEST_CASE("norms of their own, and networks that detect nothing, are refused to a detector's modules", "[runner]") {
  const test::SmallDetector network;
  CHECK_THROWS_WITH(make_detection_auxiliary(cell_with({.norms = "separate"}), network),
                    contains_text("auxi.norms separate"));
  const auto classifier = make_network({.stem = "small", .width = 0.125});
  CHECK_THROWS_WITH(make_detection_auxiliary(cell_with(), *classifier), contains_text("need a detector"));
}

TEST_CASE("the modules of a cell are a detector's where its network is one", "[runner]") {
  const test::SmallDetector network;
  const auto methods = make_methods(classification(), cell_with(), {.channels = 3, .classes = 3}, network);
  REQUIRE(methods.size() == 1);
  CHECK(methods.front().prefix == kAuxiliaryPrefix);
  CHECK(named_tensors(*methods.front().method->module()).contains("heads.classes.stem.conv.weight"));
}

TEST_CASE("the end of the module's weight is counted in what its stage counts", "[runner]") {
  auto cell = cell_with({.until = 2});
  CHECK(auxiliary_until(cell) == 0.25);
  cell.pretrain->epochs = 0;
  cell.pretrain->iterations = 400;
  cell.auxi.until = 100;
  CHECK(auxiliary_until(cell) == 0.25);
  cell.auxi.until = 0;
  CHECK_FALSE(auxiliary_until(cell));
}
