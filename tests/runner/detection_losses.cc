// Losses of detectors against their formulas written plainly in float64, value and gradient, and what batches may hold.
#include "runner/tasks/detection/detection_losses.h"

#include <cmath>
#include <limits>

#include "base/check.h"
#include "base/torch_prelude.h"
#include "models/weights.h"
#include "runner/tasks/detection/box_losses.h"
#include "runner/tasks/detection/detection_targets.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

constexpr int64_t kClasses = 3, kHeight = 64, kWidth = 96;

struct Detector {
  const char *kind, *flavour;
};
constexpr Detector kDetectors[] = {
    {"retinanet", "detectron2"}, {"retinanet", "torchvision"}, {"fcos", "detectron2"}, {"fcos", "torchvision"}};

Targets boxes_of(const std::vector<std::vector<Corners>>& images) {
  Targets targets;
  int64_t next = 0;
  for (const auto& boxes : images) {
    std::vector<float> corners;
    std::vector<int64_t> classes;
    for (const auto& box : boxes) {
      corners.insert(corners.end(), {box.x0, box.y0, box.x1, box.y1});
      classes.push_back(next++ % kClasses);
    }
    targets.boxes.push_back(at::tensor(corners, at::kFloat).view({std::ssize(boxes), 4}));
    targets.classes.push_back(at::tensor(classes, at::kLong));
  }
  return targets;
}

TensorBatch batch_of(const std::vector<std::vector<Corners>>& images) {
  return {.images = at::zeros({std::ssize(images), 3, kHeight, kWidth}), .targets = boxes_of(images)};
}

// Two images with things of several sizes on each other, and one with none.
TensorBatch usual_batch() {
  return batch_of({{{5, 6, 45, 40}, {8, 9, 30, 33}, {50, 2, 90, 60}}, {{10, 20, 24, 30}}, {}});
}

// Random outputs of every level, leaves of the graph.
NetworkOutput random_output(const DetectorRules& rules, int64_t images, at::ScalarType type = at::kDouble) {
  at::manual_seed(4);
  NetworkOutput output;
  const auto anchors = static_cast<int64_t>(rules.anchors_a_place());
  const auto leaf = [&](int64_t channels, const LevelGrid& grid, double shift) {
    return (at::randn({images, channels, grid.height, grid.width}, type) + shift).set_requires_grad(true);
  };
  for (const auto& grid : pyramid_grids({.height = kHeight, .width = kWidth})) {
    LevelOutput level = {.level = grid.level, .classes = leaf(anchors * kClasses, grid, -1)};
    level.boxes = leaf(anchors * 4, grid, 0.5);
    if (rules.match.points) level.centreness = leaf(1, grid, 0);
    output.levels.push_back(level);
  }
  return output;
}

std::vector<at::Tensor> leaves(const NetworkOutput& output) {
  std::vector<at::Tensor> all;
  for (const auto& level : output.levels)
    for (const auto& map : {level.classes, level.boxes, level.centreness})
      if (map.defined()) all.push_back(map);
  return all;
}

// As published code lays a map out: [N, places x anchors, numbers].
at::Tensor rows_of(const at::Tensor& map, int64_t numbers) {
  const auto n = map.size(0), a = map.size(1) / numbers;
  return map.view({n, a, numbers, map.size(2), map.size(3)}).permute({0, 3, 4, 1, 2}).reshape({n, -1, numbers});
}

at::Tensor all_rows(const NetworkOutput& output, at::Tensor LevelOutput::*map, int64_t numbers) {
  std::vector<at::Tensor> rows;
  for (const auto& level : output.levels) rows.push_back(rows_of(level.*map, numbers));
  return at::cat(rows, 1);
}

at::Tensor tensor_of(const std::vector<Corners>& boxes) {
  auto all = at::empty({std::ssize(boxes), 4}, at::kDouble);
  for (int64_t i = 0; i < std::ssize(boxes); ++i) {
    const auto& box = boxes[static_cast<size_t>(i)];
    all[i] = at::tensor({static_cast<double>(box.x0), static_cast<double>(box.y0), static_cast<double>(box.x1),
                         static_cast<double>(box.y1)},
                        at::kDouble);
  }
  return all;
}

// One image in the terms of the published code.
struct PlainImage {
  at::Tensor one_hot;          // [R, K]
  at::Tensor counts;           // [R, 1]: 0 where ignored
  at::Tensor positive;         // [P] rows
  at::Tensor anchors, truths;  // [P, 4]
};

PlainImage plain_image(const DetectorRules& rules, const Targets& targets, size_t image) {
  const Extent padded = {.height = kHeight, .width = kWidth};
  std::vector<LevelAnchors> levels;
  std::vector<Corners> anchors, truths, positive_anchors, positive_truths;
  for (const auto& grid : pyramid_grids(padded)) {
    levels.emplace_back(rules.anchors, grid, padded);
    for (const auto& anchor : levels.back().all()) anchors.push_back(anchor);
  }
  const auto boxes = targets.boxes[image];
  for (int64_t i = 0; i < boxes.size(0); ++i)
    truths.push_back(
        {boxes[i][0].item<float>(), boxes[i][1].item<float>(), boxes[i][2].item<float>(), boxes[i][3].item<float>()});
  const auto owners = match_anchors(rules.match, levels, truths);
  PlainImage plain = {.one_hot = at::zeros({std::ssize(owners), kClasses}, at::kDouble),
                      .counts = at::ones({std::ssize(owners), 1}, at::kDouble)};
  std::vector<int64_t> rows;
  for (int64_t r = 0; r < std::ssize(owners); ++r) {
    const auto owner = owners[static_cast<size_t>(r)];
    if (owner == kIgnored) plain.counts[r].fill_(0);
    if (owner < 0) continue;
    plain.one_hot[r][targets.classes[image][owner].item<int64_t>()].fill_(1);
    rows.push_back(r);
    positive_anchors.push_back(anchors[static_cast<size_t>(r)]);
    positive_truths.push_back(truths[static_cast<size_t>(owner)]);
  }
  plain.positive = at::tensor(rows, at::kLong);
  plain.anchors = tensor_of(positive_anchors);
  plain.truths = tensor_of(positive_truths);
  return plain;
}

at::Tensor plain_focal(const at::Tensor& x, const at::Tensor& t) {
  const auto p = at::sigmoid(x), p_t = p * t + (1 - p) * (1 - t);
  return -(0.25 * t + 0.75 * (1 - t)) * (1 - p_t).square() * at::log(p_t);
}

struct Centres {
  at::Tensor x, y, w, h;
  explicit Centres(const at::Tensor& boxes)
      : x((boxes.select(1, 0) + boxes.select(1, 2)) / 2),
        y((boxes.select(1, 1) + boxes.select(1, 3)) / 2),
        w(boxes.select(1, 2) - boxes.select(1, 0)),
        h(boxes.select(1, 3) - boxes.select(1, 1)) {}
};

at::Tensor plain_l1(const at::Tensor& code, const PlainImage& image) {
  const Centres a(image.anchors), b(image.truths);
  const auto wanted = at::stack({(b.x - a.x) / a.w, (b.y - a.y) / a.h, at::log(b.w / a.w), at::log(b.h / a.h)}, 1);
  return (code - wanted).abs().sum();
}

at::Tensor sides_of(const PlainImage& image) {
  const Centres a(image.anchors);
  const auto b = image.truths.unbind(1);
  return at::stack({(a.x - b[0]) / a.w, (a.y - b[1]) / a.h, (b[2] - a.x) / a.w, (b[3] - a.y) / a.h}, 1);
}

at::Tensor plain_giou(const at::Tensor& code, const PlainImage& image) {
  const Centres a(image.anchors);
  const auto s = at::relu(code).unbind(1), b = image.truths.unbind(1);
  const std::vector<at::Tensor> p = {a.x - s[0] * a.w, a.y - s[1] * a.h, a.x + s[2] * a.w, a.y + s[3] * a.h};
  const auto zero = at::zeros_like(p[0]);
  const auto inter = at::maximum(at::minimum(p[2], b[2]) - at::maximum(p[0], b[0]), zero) *
                     at::maximum(at::minimum(p[3], b[3]) - at::maximum(p[1], b[1]), zero);
  const auto both = (p[2] - p[0]) * (p[3] - p[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter;
  const auto hull =
      (at::maximum(p[2], b[2]) - at::minimum(p[0], b[0])) * (at::maximum(p[3], b[3]) - at::minimum(p[1], b[1]));
  return (1 - inter / (both + 1e-7) + (hull - both) / (hull + 1e-7)).sum();
}

at::Tensor plain_centreness(const at::Tensor& x, const PlainImage& image) {
  const auto s = sides_of(image).unbind(1);
  const auto t =
      at::sqrt(at::minimum(s[0], s[2]) / at::maximum(s[0], s[2]) * at::minimum(s[1], s[3]) / at::maximum(s[1], s[3]));
  const auto p = at::sigmoid(x);
  return -(t * at::log(p) + (1 - t) * at::log(1 - p)).sum();
}

struct Plain {
  std::vector<at::Tensor> losses;  // class, box, and of FCOS centre-ness
  int64_t positives = 0;
};

Plain plain_losses(const DetectorRules& rules, const Targets& targets, const NetworkOutput& output) {
  const auto classes = all_rows(output, &LevelOutput::classes, kClasses);
  const auto boxes = all_rows(output, &LevelOutput::boxes, 4);
  const auto images = std::ssize(targets.boxes);
  std::vector<PlainImage> plain;
  Plain result;
  for (int64_t n = 0; n < images; ++n) {
    plain.push_back(plain_image(rules, targets, static_cast<size_t>(n)));
    result.positives += plain.back().positive.numel();
  }
  at::Tensor of_classes = at::zeros({}, at::kDouble), of_boxes = of_classes, of_centreness = of_classes;
  for (int64_t n = 0; n < images; ++n) {
    const auto& image = plain[static_cast<size_t>(n)];
    const auto all = static_cast<double>(std::max<int64_t>(1, result.positives));
    const auto own = static_cast<double>(std::max<int64_t>(1, image.positive.numel()));
    double divisor = 0.9 * rules.loss.first_average + 0.1 * all;
    if (rules.loss.normaliser == Normaliser::image) divisor = own * static_cast<double>(images);
    if (rules.loss.normaliser == Normaliser::batch) divisor = all;
    of_classes = of_classes + (plain_focal(classes[n], image.one_hot) * image.counts).sum() / divisor;
    const auto found = boxes[n].index_select(0, image.positive);
    of_boxes = of_boxes + (rules.loss.giou ? plain_giou(found, image) : plain_l1(found, image)) / divisor;
    if (!rules.match.points) continue;
    const auto centres = all_rows(output, &LevelOutput::centreness, 1)[n].flatten().index_select(0, image.positive);
    of_centreness = of_centreness + plain_centreness(centres, image) / divisor;
  }
  result.losses = {of_classes, of_boxes};
  if (rules.match.points) result.losses.push_back(of_centreness);
  return result;
}

std::vector<at::Tensor> gradients(const at::Tensor& loss, const NetworkOutput& output) {
  for (auto& leaf : leaves(output)) leaf.mutable_grad().reset();
  loss.backward();
  std::vector<at::Tensor> all;
  for (const auto& leaf : leaves(output)) all.push_back(leaf.grad().defined() ? leaf.grad().clone() : at::Tensor());
  return all;
}

double largest(const at::Tensor& tensor) { return tensor.abs().max().item<double>(); }

const char* const kNames[] = {"loss_class", "loss_box", "loss_centreness"};

}  // namespace

TEST_CASE("a detector's losses and their gradients are those of the formulas, in every flavour", "[runner]") {
  for (const auto& [kind, flavour] : kDetectors) {
    INFO(kind << " " << flavour);
    const auto& rules = detector_rules(kind, flavour);
    const auto batch = usual_batch();
    const auto output = random_output(rules, 3);
    const auto losses = make_detection_losses(rules, kClasses);
    losses->begin_step(batch);
    const auto found = losses->losses(output, batch.targets);
    const auto plain = plain_losses(rules, batch.targets, output);
    CHECK(plain.positives > 5);
    REQUIRE(found.size() == plain.losses.size());
    for (size_t i = 0; i < found.size(); ++i) {
      INFO(kNames[i]);
      CHECK(found[i].name == kNames[i]);
      CHECK(found[i].value.item<double>() == Approx(plain.losses[i].item<double>()).epsilon(1e-13));
      const auto ours = gradients(found[i].value, output), theirs = gradients(plain.losses[i], output);
      for (size_t leaf = 0; leaf < ours.size(); ++leaf) {
        const bool none = !theirs[leaf].defined();
        CHECK(none == !ours[leaf].defined());
        if (!none) CHECK(largest(ours[leaf] - theirs[leaf]) < 1e-13);
      }
    }
  }
}

TEST_CASE("the losses of some levels add up to those of all, by one divisor", "[runner]") {
  for (const auto& [kind, flavour] : kDetectors) {
    INFO(kind << " " << flavour);
    const auto& rules = detector_rules(kind, flavour);
    const auto batch = usual_batch();
    const auto output = random_output(rules, 3);
    NetworkOutput fine, coarse;
    for (const auto& level : output.levels) (level.level <= 5 ? fine : coarse).levels.push_back(level);
    const auto losses = make_detection_losses(rules, kClasses);
    losses->begin_step(batch);
    const auto whole = losses->losses(output, batch.targets);
    const auto first = losses->losses(fine, batch.targets), second = losses->losses(coarse, batch.targets);
    for (size_t i = 0; i < whole.size(); ++i)
      CHECK(whole[i].value.item<double>() ==
            Approx(first[i].value.item<double>() + second[i].value.item<double>()).epsilon(1e-13));
  }
}

TEST_CASE("a batch without any box teaches classes alone, and no gradient is missing", "[runner]") {
  for (const auto& [kind, flavour] : kDetectors) {
    INFO(kind << " " << flavour);
    const auto& rules = detector_rules(kind, flavour);
    const auto batch = batch_of({{}, {}});
    const auto output = random_output(rules, 2);
    const auto losses = make_detection_losses(rules, kClasses);
    losses->begin_step(batch);
    const auto found = losses->losses(output, batch.targets);
    CHECK(found[0].value.item<double>() > 0);
    at::Tensor sum = found[0].value;
    for (size_t i = 1; i < found.size(); ++i) {
      CHECK(found[i].value.item<double>() == 0);
      sum = sum + found[i].value;
    }
    for (const auto& gradient : gradients(sum, output)) {
      REQUIRE(gradient.defined());
      CHECK(gradient.isfinite().all().item<bool>());
    }
    CHECK(largest(output.levels.front().boxes.grad()) == 0);
  }
}

TEST_CASE("the divisor of one flavour is an average that moves once a step and is a buffer", "[runner]") {
  const auto& rules = detector_rules("retinanet", "detectron2");
  const auto losses = make_detection_losses(rules, kClasses);
  REQUIRE(losses->module() != nullptr);
  const auto average = named_tensors(*losses->module(), kTaskPrefix).at("task.normaliser");
  CHECK(average.item<double>() == 100);
  const auto batch = usual_batch();
  const auto output = random_output(rules, 3);
  const auto positives = static_cast<double>(plain_losses(rules, batch.targets, output).positives);
  losses->begin_step(batch);
  losses->losses(output, batch.targets);
  losses->losses(output, batch.targets);
  CHECK(average.item<double>() == Approx(90 + 0.1 * positives).epsilon(1e-15));
  losses->begin_step(batch_of({{}, {}, {}}));
  CHECK(average.item<double>() == Approx(0.9 * (90 + 0.1 * positives) + 0.1).epsilon(1e-15));
  CHECK(make_detection_losses(detector_rules("fcos", "detectron2"), kClasses)->module() != nullptr);
  for (const char* kind : {"retinanet", "fcos"})
    CHECK(make_detection_losses(detector_rules(kind, "torchvision"), kClasses)->module() == nullptr);
}

TEST_CASE("where every anchor is ignored nothing is lost and nothing pulls", "[runner]") {
  auto rules = detector_rules("retinanet", "torchvision");
  rules.match.negative = 0;
  const auto batch = batch_of({{{5000, 5000, 5010, 5010}}});  // outside: it forces no anchor
  const auto output = random_output(rules, 1);
  const auto losses = make_detection_losses(rules, kClasses);
  losses->begin_step(batch);
  const auto found = losses->losses(output, batch.targets);
  for (const auto& loss : found) CHECK(loss.value.item<double>() == 0);
  for (const auto& gradient : gradients(found[0].value + found[1].value, output)) CHECK(largest(gradient) == 0);
}

TEST_CASE("more boxes than anchors, boxes without area and classes never seen have finite losses", "[runner]") {
  for (const auto& [kind, flavour] : kDetectors) {
    INFO(kind << " " << flavour);
    const auto& rules = detector_rules(kind, flavour);
    std::vector<Corners> crowd(5000, Corners{4, 4, 60, 50});
    crowd.push_back({7, 7, 7, 7});
    crowd.push_back({-50, -50, -20, -10});
    const auto batch = batch_of({crowd});
    const auto losses = make_detection_losses(rules, 80);
    losses->begin_step(batch);
    auto output = random_output(rules, 1, at::kFloat);
    for (auto& level : output.levels)
      level.classes =
          at::randn({1, static_cast<int64_t>(rules.anchors_a_place()) * 80, level.boxes.size(2), level.boxes.size(3)});
    for (const auto& loss : losses->losses(output, batch.targets)) {
      CHECK(std::isfinite(loss.value.item<double>()));
      CHECK(loss.value.item<double>() > 0);
    }
  }
}

TEST_CASE("what is not finite in an output is not finite in its loss", "[runner]") {
  const auto& rules = detector_rules("fcos", "detectron2");
  const auto batch = usual_batch();
  const auto losses = make_detection_losses(rules, kClasses);
  losses->begin_step(batch);
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    auto output = random_output(rules, 3);
    output.levels[0].classes = output.levels[0].classes.detach().clone().fill_(bad);
    output.levels[0].boxes = output.levels[0].boxes.detach().clone().fill_(bad);
    const auto found = losses->losses(output, batch.targets);
    CHECK_FALSE(std::isfinite(found[0].value.item<double>()));
    CHECK_FALSE(std::isfinite(found[1].value.item<double>()));
    CHECK(std::isfinite(found[2].value.item<double>()));
  }
}

TEST_CASE("smooth L1 is a parabola near zero and L1 at beta 0; GIoU falls below zero for boxes apart", "[runner]") {
  const auto x = at::tensor({0.5, -3.0, 0.0, 1.0}, at::kDouble).view({1, 4}), zero = at::zeros({1, 4}, at::kDouble);
  CHECK(box_l1_loss(x, zero, 0).item<double>() == 4.5);
  CHECK(box_l1_loss(x, zero, 1).item<double>() == Approx(0.125 + 2.5 + 0.5));
  const auto box = [](double x0, double x1) { return at::tensor({x0, 0.0, x1, 1.0}, at::kDouble).view({1, 4}); };
  CHECK(giou_loss(box(0, 1), box(0, 1), 1e-7).item<double>() == Approx(0).margin(1e-6));
  CHECK(giou_loss(box(0, 1), box(0.5, 1.5), 1e-7).item<double>() == Approx(1 - 1.0 / 3).margin(1e-6));
  CHECK(giou_loss(box(0, 1), box(3, 4), 1e-7).item<double>() == Approx(1 + 0.5).margin(1e-6));
  // Logits far out: the loss is linear there, and neither side overflows.
  const auto far = at::tensor({100.0, -100.0}, at::kFloat), t = at::tensor({0.0, 1.0}, at::kFloat);
  CHECK(focal_losses(far, t, 0.25, 2)[0].item<double>() == Approx(75));
  CHECK(focal_losses(far, t, 0.25, 2)[1].item<double>() == Approx(25));
}

TEST_CASE("outputs of another size, classes that are not there and a step that was not begun are our fault",
          "[runner]") {
  const auto& rules = detector_rules("retinanet", "detectron2");
  const auto losses = make_detection_losses(rules, kClasses);
  const auto batch = usual_batch();
  const auto output = random_output(rules, 3);
  CHECK_THROWS_AS(losses->losses(output, batch.targets), LogicFault);
  losses->begin_step(batch);
  CHECK_THROWS_AS(losses->losses({}, batch.targets), LogicFault);
  CHECK_THROWS_AS(losses->losses(random_output(rules, 2), batch.targets), LogicFault);
  auto spoiled = output;
  spoiled.levels[1].boxes = spoiled.levels[0].boxes;
  CHECK_THROWS_AS(losses->losses(spoiled, batch.targets), LogicFault);
  auto wrong = batch;
  wrong.targets.classes[0] = wrong.targets.classes[0] + kClasses;
  CHECK_THROWS_AS(losses->begin_step(wrong), LogicFault);
}
