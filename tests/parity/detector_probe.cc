// What `auxbench probe detector` says of a network that is at hand, and what it refuses.
#include <limits>
#include <nlohmann/json.hpp>
#include <tuple>

#include "base/error.h"
#include "base/torch_prelude.h"
#include "models/detector.h"
#include "models/weights.h"
#include "runner/inspect/torch/probes.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

struct Asked {
  DetectorProbe probe = {.model = "fcos-resnet18", .width = 0.0625, .detector = {.tower = 1}};
  std::unique_ptr<Network> network;
  SafeTensors weights, in;
};

SafeTensor packed(const at::Tensor& tensor) { return to_safetensor(tensor.contiguous()); }

Asked asked() {
  at::manual_seed(7);
  Asked all;
  all.network =
      make_detector({.backbone = {.width = all.probe.width}, .kind = "fcos", .classes = 4, .channels = 8, .tower = 1});
  for (auto& [name, tensor] : named_tensors(all.network->module())) {
    const at::NoGradGuard no_gradient;
    // So that places differ and some of them show a box.
    if (name.ends_with("cls_logits.weight") || name.ends_with("bbox_reg.weight")) tensor.normal_();
    if (name.ends_with("cls_logits.bias")) tensor.zero_();
  }
  store_tensors(named_tensors(all.network->module()), all.weights);
  all.in.tensors = {
      {"input", packed(at::randn({2, 3, 64, 96}))},
      {"sizes", packed(at::tensor({64, 96, 40, 50}, at::kLong).reshape({2, 2}))},
      {"boxes.0", packed(at::tensor({3.0F, 4.0F, 40.0F, 44.0F, 50.0F, 8.0F, 90.0F, 60.0F}).reshape({2, 4}))},
      {"classes.0", packed(at::tensor({3, 0}, at::kLong))},
      {"boxes.1", packed(at::empty({0, 4}))},
      {"classes.1", packed(at::empty({0}, at::kLong))}};
  return all;
}

at::Tensor of(const SafeTensors& file, const std::string& name) {
  REQUIRE(file.tensors.contains(name));
  return from_safetensor(file.tensors.at(name), name);
}

std::string refusal(const Asked& asked) {
  try {
    static_cast<void>(probe_detector(asked.probe, asked.weights, asked.in));
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("a detector's probe has the network's outputs, boxes within each image, and losses", "[parity]") {
  const auto all = asked();
  const auto out = probe_detector(all.probe, all.weights, all.in);
  all.network->module().eval();
  const at::NoGradGuard no_gradient;
  const auto wanted = all.network->forward(of(all.in, "input"));
  REQUIRE(wanted.levels.size() == 5);
  for (const auto& level : wanted.levels) {
    const auto number = std::to_string(level.level);
    CHECK(of(out, "classes." + number).equal(level.classes));
    CHECK(of(out, "boxes." + number).equal(level.boxes));
    CHECK(of(out, "centreness." + number).equal(level.centreness));
  }
  for (const auto& [name, height, width] : {std::tuple("detections.0", 64.0, 96.0), {"detections.1", 40.0, 50.0}}) {
    const auto rows = of(out, name);
    REQUIRE(rows.size(0) > 0);
    CHECK(rows.select(1, 4).max().item<double>() <= width);
    CHECK(rows.select(1, 5).max().item<double>() <= height);
    CHECK(rows.select(1, 0).max().item<double>() <= 3);
    CHECK(rows.select(1, 1).diff().le(0).all().item<bool>());
  }
  for (const char* loss : {"loss_class", "loss_box", "loss_centreness"}) CHECK(of(out, loss).item<double>() > 0);
}

TEST_CASE("without a truth a detector's probe has no losses, and nothing found is no row", "[parity]") {
  auto all = asked();
  std::erase_if(all.in.tensors, [](const auto& item) { return item.first != "input"; });
  all.weights.tensors["head.classification_head.cls_logits.bias"] = packed(at::full({4}, -1e4F));
  const auto out = probe_detector(all.probe, all.weights, all.in);
  CHECK_FALSE(out.tensors.contains("loss_class"));
  CHECK(out.tensors.at("detections.1").shape == std::vector<int64_t>{0, 6});
}

TEST_CASE("what a detector's probe cannot read is named", "[parity]") {
  const auto with = [](const std::string& name, const at::Tensor& tensor) {
    auto all = asked();
    all.in.tensors[name] = packed(tensor);
    return refusal(all);
  };
  const auto box = [](float x1) { return at::tensor({1.0F, 1.0F, x1, 9.0F}).reshape({1, 4}); };
  CHECK(refusal(asked()) == "no error");
  CHECK_THAT(with("boxes.1", box(1)), contains_text("box 0 of boxes.1 has no area"));
  CHECK_THAT(with("boxes.1", box(std::numeric_limits<float>::quiet_NaN())),
             contains_text("box 0 of boxes.1 has no area"));
  CHECK_THAT(with("boxes.1", box(9)), contains_text("classes.1: classes have shape [0], expected [1]"));
  CHECK_THAT(with("boxes.1", at::ones({4})), contains_text("boxes.1 has shape [4], expected [n, 4]"));
  CHECK_THAT(with("classes.0", at::tensor({0, 4}, at::kLong)),
             contains_text("class 4 of box 1, the weights have classes 0 to 3"));
  CHECK_THAT(with("sizes", at::tensor({64, 97, 1, 1}, at::kLong).reshape({2, 2})), contains_text("sizes of image 0"));
  CHECK_THAT(with("sizes", at::ones({2})), contains_text("sizes have shape [2]"));
  CHECK_THAT(with("input", at::zeros({2, 1, 64, 96})), contains_text("1 channels; the weights take 3"));
  CHECK_THAT(with("input", at::zeros({2, 3, 64, 96}, at::kLong)), contains_text("expected F32 or F64"));
  auto all = asked();
  all.in.tensors.erase("boxes.1");
  CHECK_THAT(refusal(all), contains_text("no tensor named boxes.1"));
  all = asked();
  all.probe.model = "resnet18";
  CHECK_THAT(refusal(all), contains_text("resnet18: no such detector"));
  all = asked();
  all.probe.model = "retinanet-resnet18";
  CHECK_THAT(refusal(all), contains_text("4 outputs, which 9 anchors do not share evenly"));
  all = asked();
  all.weights.tensors.erase("head.classification_head.cls_logits.weight");
  CHECK_THAT(refusal(all), contains_text("no tensor named head.classification_head.cls_logits.weight"));
}
