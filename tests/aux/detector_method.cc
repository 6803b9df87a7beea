#include "aux/detector_method.h"

#include <set>

#include "aux/distillation.h"
#include "aux/joint_loss.h"
#include "base/error.h"
#include "models/weights.h"
#include "tests/aux/small_detector.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

// A loss in which every number of an output counts, and which keeps what it is given.
TaskLoss looking_at(std::vector<NetworkOutput>& seen) {
  return [&seen](const NetworkOutput& output) -> NamedLosses {
    seen.push_back(output);
    at::Tensor classes = at::zeros({}), boxes = at::zeros({});
    for (const auto& level : output.levels) {
      classes = classes + level.classes.square().mean();
      boxes = boxes + level.boxes.square().mean();
    }
    return {{.name = "loss_class", .value = classes}, {.name = "loss_box", .value = boxes, .weight = 0.5}};
  };
}

std::unique_ptr<TrainingMethod> modules(const Network& network, const DetectorMethodOptions& options = {}) {
  return make_detector_method(network, options, test::small_heads());
}

JointLoss loss_of(Network& network, const std::vector<TrainingMethod*>& methods, std::vector<NetworkOutput>& seen,
                  const StepPosition& position = {}) {
  return joint_loss(network, methods, looking_at(seen), at::rand({2, 3, 64, 128}), position);
}

std::vector<int64_t> levels_of(const NetworkOutput& output) {
  std::vector<int64_t> levels;
  for (const auto& level : output.levels) levels.push_back(level.level);
  return levels;
}

// conv and norm of that name in evaluation, by single operations.
at::Tensor adapted(const NamedTensors& names, const std::string& name, const at::Tensor& x, int64_t stride = 1) {
  const auto y = at::conv2d(x, names.at(name + ".conv.weight"), {}, stride);
  return at::batch_norm(y, names.at(name + ".norm.weight"), names.at(name + ".norm.bias"),
                        names.at(name + ".norm.running_mean"), names.at(name + ".norm.running_var"), false, 0.1, 1e-5,
                        false);
}

// Norms that are not the identity, so that a forgotten one shows.
void move_norms(TrainingMethod& method) {
  const at::NoGradGuard no_gradient;
  for (auto& [name, tensor] : named_tensors(*method.module())) {
    if (name.ends_with("norm.weight") || name.ends_with("running_var")) tensor.uniform_(0.5, 1.5);
    if (name.ends_with("norm.bias") || name.ends_with("running_mean")) tensor.uniform_(-0.5, 0.5);
  }
  method.train(false);
}

at::Tensor predicted(const NamedTensors& names, const std::string& name, const at::Tensor& map) {
  return at::conv2d(map, names.at(name + ".weight"), names.at(name + ".bias"), 1, 1);
}

// The modules' losses of one pass of `network`, and what they judged.
struct Judged {
  NetworkOutput own;
  std::vector<NetworkOutput> outputs;
};

Judged judged_by(Network& network, TrainingMethod& method) {
  Judged judged;
  const TapPlan plan;
  const auto images = at::rand({2, 3, 64, 128});
  judged.own = network.forward(images, &plan);
  const auto look = looking_at(judged.outputs);
  method.losses({.images = images, .output = judged.own, .task_loss = look});
  return judged;
}

}  // namespace

TEST_CASE("the heads' modules are paths along the towers, and the layers on their ends are shared over levels",
          "[aux]") {
  for (const bool shared : {true, false}) {
    INFO(shared);
    at::manual_seed(3);
    auto facts = test::SmallDetector::small_facts();
    facts.shared_heads = shared;
    test::SmallDetector network(facts);
    const auto method = modules(network, {.backbone = false});
    move_norms(*method);
    const auto judged = judged_by(network, *method);
    const auto names = named_tensors(*method->module());
    REQUIRE(judged.outputs.size() == 1);
    REQUIRE(levels_of(judged.outputs[0]) == facts.levels);
    for (size_t i = 0; i < facts.levels.size(); ++i) {
      const auto& taps = judged.own.heads[i];
      const auto& found = judged.outputs[0].levels[i];
      const auto end = [&](const std::string& tower, const std::vector<at::Tensor>& maps) {
        const auto path = "heads." + tower + (shared ? "" : ".p" + std::to_string(taps.level));
        auto g = adapted(names, path + ".stem", taps.input);
        for (size_t p = 0; p < maps.size(); ++p)
          g = (g + adapted(names, path + ".adaptors." + std::to_string(p), maps[p])).relu();
        return g;
      };
      CHECK(found.classes.allclose(predicted(names, "heads.end_classes", end("classes", taps.classes)), 1e-5, 1e-6));
      CHECK(found.boxes.allclose(predicted(names, "heads.end_boxes", end("boxes", taps.boxes)), 1e-5, 1e-6));
    }
  }
}

TEST_CASE("the backbone's module predicts at the levels of C3 to C5, or at C5's alone", "[aux]") {
  for (const bool last : {false, true})
    for (const bool pyramid : {false, true}) {
      INFO(last << pyramid);
      at::manual_seed(4);
      test::SmallDetector network;
      const auto method = modules(network, {.heads = false, .last_level = last, .pyramid = pyramid});
      move_norms(*method);
      const auto judged = judged_by(network, *method);
      const auto names = named_tensors(*method->module());
      REQUIRE(judged.outputs.size() == 1);
      REQUIRE(levels_of(judged.outputs[0]) == (last ? std::vector<int64_t>{5} : std::vector<int64_t>{3, 4, 5}));
      auto g = adapted(names, "backbone.stem", judged.own.stem);
      size_t next = 0;
      for (size_t stage = 0; stage < 4; ++stage) {
        const auto index = std::to_string(stage);
        if (stage > 0) g = adapted(names, "backbone.boundaries." + index, g, 2);
        g = (g + adapted(names, "backbone.adaptors." + index, judged.own.taps[stage])).relu();
        if (stage < (last ? 3 : 1)) continue;
        const auto level = ".p" + std::to_string(stage + 2);
        auto map = adapted(names, "backbone.laterals" + level, g);
        if (pyramid) map = map + adapted(names, "backbone.pyramid" + level, judged.own.heads[stage - 1].input);
        const auto& found = judged.outputs[0].levels.at(next++);
        CHECK(found.classes.allclose(predicted(names, "backbone.end_classes", map.relu()), 1e-5, 1e-6));
        CHECK(found.boxes.allclose(predicted(names, "backbone.end_boxes", map.relu()), 1e-5, 1e-6));
      }
    }
}

TEST_CASE("a detector's total is its own loss and both modules' by their weight", "[aux]") {
  test::SmallDetector network;
  const auto method = modules(network, {.weight = 0.25});
  std::vector<NetworkOutput> seen;
  const auto losses = loss_of(network, {method.get()}, seen);
  REQUIRE(losses.methods.size() == 2);
  CHECK(losses.methods[0].name == "aux_loss_heads");
  CHECK(losses.methods[1].name == "aux_loss_backbone");
  const double sum = losses.methods[0].value.item<double>() + losses.methods[1].value.item<double>();
  CHECK(losses.total.item<double>() == Approx(losses.task.item<double>() + 0.25 * sum));
  CHECK(losses.levels.size() == 5);
  CHECK_FALSE(losses.logits.defined());
}

TEST_CASE("each module gives its part of the detector a gradient, and every tensor of its own learns", "[aux]") {
  for (const bool shared : {true, false}) {
    at::manual_seed(5);
    auto facts = test::SmallDetector::small_facts();
    facts.shared_heads = shared;
    test::SmallDetector network(facts);
    const auto method = modules(network, {.pyramid = true});
    std::vector<NetworkOutput> seen;
    const auto losses = loss_of(network, {method.get()}, seen);
    (losses.methods[0].value + losses.methods[1].value).backward();
    for (const auto& [name, parameter] : named_tensors(*method->module()))
      if (parameter.requires_grad()) {
        INFO(name);
        CHECK(parameter.grad().defined());
      }
    for (const auto& [name, parameter] : named_tensors(network.module())) {
      INFO(name);
      // The detector's own last layers are behind all that the modules read.
      const bool last = name.starts_with("classes.") || name.starts_with("boxes.");
      CHECK(parameter.grad().defined() != last);
    }
  }
}

TEST_CASE("beside one part of the detector there is one module, with one loss", "[aux]") {
  for (const bool heads : {true, false}) {
    test::SmallDetector network;
    const auto method = modules(network, {.backbone = !heads, .heads = heads});
    std::vector<NetworkOutput> seen;
    const auto losses = loss_of(network, {method.get()}, seen);
    REQUIRE(losses.methods.size() == 1);
    CHECK(losses.methods[0].name == (heads ? "aux_loss_heads" : "aux_loss_backbone"));
    for (const auto& [name, tensor] : named_tensors(*method->module()))
      CHECK(name.starts_with(heads ? "heads." : "backbone."));
    CHECK(method->taps().heads == heads);
  }
}

TEST_CASE("the weight of a detector's modules falls, and behind its end nothing of them is computed", "[aux]") {
  test::SmallDetector network;
  const auto method = modules(network, {.weight = 2, .until = 0.5});
  std::vector<NetworkOutput> seen;
  const auto weight_at = [&](int64_t iteration) {
    seen.clear();
    const auto losses = loss_of(network, {method.get()}, seen, {.iteration = iteration, .total = 100});
    return losses.methods.empty() ? -1 : losses.methods.front().weight;
  };
  CHECK(weight_at(0) == 2);
  CHECK(weight_at(25) == Approx(1));
  CHECK(seen.size() == 3);
  CHECK(weight_at(50) == -1);
  CHECK(seen.size() == 1);
  CHECK(seen.front().heads.empty());
}

TEST_CASE("a detector says the same with its modules as without", "[aux]") {
  test::SmallDetector network;
  const auto method = modules(network, {.pyramid = true});
  const auto images = at::rand({2, 3, 64, 64});
  const at::NoGradGuard no_gradient;
  std::vector<NetworkOutput> seen;
  const auto with = joint_loss(network, {method.get()}, looking_at(seen), images);
  const auto alone = network.forward(images, nullptr, nullptr);
  for (size_t i = 0; i < alone.levels.size(); ++i) {
    CHECK(with.levels[i].classes.equal(alone.levels[i].classes));
    CHECK(with.levels[i].boxes.equal(alone.levels[i].boxes));
  }
}

namespace {

// Its maps behind C4 have other channels than it says.
class WithoutC4 final : public Network {
 public:
  WithoutC4() { facts_.stage_channels[2] = 7; }
  NetworkOutput forward(const at::Tensor& images, const TapPlan* taps, NormBank* norms) override {
    auto output = inner_.forward(images, taps, norms);
    output.heads.clear();
    return output;
  }
  torch::nn::Module& module() override { return inner_.module(); }
  [[nodiscard]] const DetectorFacts* detector() const override { return &facts_; }
  [[nodiscard]] std::vector<TapShape> tap_shapes(const TapPlan& taps) const override { return inner_.tap_shapes(taps); }
  [[nodiscard]] int64_t stem_channels() const override { return inner_.stem_channels(); }
  [[nodiscard]] int64_t blocks() const override { return 4; }
  std::vector<QuantizedWeight*> quantized_layers() override { return {}; }
  [[nodiscard]] Graph graph() override { return {}; }
  void bypass(const std::vector<bool>&) override {}
  void watch_quantizers(QuantizerWatcher) override {}
  [[nodiscard]] std::shared_ptr<NormBank> make_norms() const override { return nullptr; }

 private:
  test::SmallDetector inner_;
  DetectorFacts facts_ = test::SmallDetector::small_facts();
};

}  // namespace

TEST_CASE("what a detector's modules cannot stand beside is named", "[aux]") {
  const auto classifier = make_network({.stem = "small", .width = 0.125});
  CHECK_THROWS_WITH(modules(*classifier), contains_text("need a detector"));
  WithoutC4 network;
  CHECK_THROWS_WITH(modules(network), contains_text("no map behind its stage 3"));
  const auto method = modules(network, {.backbone = false});
  std::vector<NetworkOutput> seen;
  CHECK_THROWS_WITH(loss_of(network, {method.get()}, seen), contains_text("the maps along a detector's towers"));
}

TEST_CASE("of distillation a detector takes hints from a teacher's blocks, and what compares logits is refused",
          "[aux]") {
  const char* kind = GENERATE("kd", "kd-journal", "fixed-teacher", "apprentice-a", "apprentice-b", "apprentice-c");
  CHECK_THROWS_WITH(make_distillation(std::make_unique<test::SmallDetector>(), {.kind = kind}, {}),
                    contains_text(std::string("aid ") + kind) && contains_text("a detector has none"));
  test::SmallDetector network;
  const auto hint =
      make_distillation(std::make_unique<test::SmallDetector>(), {.kind = "hint", .hint_weight = 0.1}, {});
  std::vector<NetworkOutput> seen;
  const auto losses = loss_of(network, {hint.get()}, seen);
  REQUIRE(losses.methods.size() == 1);
  CHECK(losses.methods.front().value.item<double>() > 0);
}
