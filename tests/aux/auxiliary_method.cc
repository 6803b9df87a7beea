#include "aux/auxiliary_method.h"

#include "aux/joint_loss.h"
#include "base/error.h"
#include "base/torch_prelude.h"
#include "models/weights.h"
#include "tests/aux/small_task.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

NetworkOptions small(const char* model = "resnet18") {
  return {.model = model,
          .in_channels = 1,
          .classes = 10,
          .stem = "small",
          .width = 0.125,
          .precision = {.quantizer = "dorefa", .weight_bits = 2, .activation_bits = 2, .first_last = "float"}};
}

struct Batch {
  at::Tensor images = at::rand({8, 1, 16, 16});
  at::Tensor labels = at::randint(10, {8}, at::kLong);
};

int64_t count_of(torch::nn::Module& module) {
  int64_t count = 0;
  for (const auto& parameter : module.parameters()) count += parameter.numel();
  return count;
}

std::vector<AuxiliaryMethodOptions> all_variants() {
  return {{},
          {.path = {.kernel = 3}},
          {.taps = {.per_layer = true}},
          {.taps = {.after_add = false}},
          {.path = {.relu = false}},
          {.separate_norms = true}};
}

std::unique_ptr<TrainingMethod> auxiliary(const Network& network, const AuxiliaryMethodOptions& options = {},
                                          int64_t classes = 10) {
  return make_auxiliary_method(network, options, test::linear_head(classes));
}

JointLoss loss_of(Network& network, const std::vector<TrainingMethod*>& methods, const Batch& batch) {
  return joint_loss(network, methods, test::cross_entropy_with(batch.labels), batch.images);
}

}  // namespace

TEST_CASE("at full size the module has the number of weights its wiring implies", "[aux]") {
  // ResNet-50: 16 adaptors, stem, four boundaries, classifier; each conv with a norm.
  const auto deep = make_network({.model = "resnet50"});
  const auto method = auxiliary(*deep, {}, 1000);
  const int64_t adaptors = 3 * 256 * 256 + 4 * 512 * 512 + 6 * 1024 * 1024 + 3 * 2048 * 2048;
  const int64_t boundaries = 64 * 256 + 256 * 512 + 512 * 1024 + 1024 * 2048;
  const int64_t norms = 2 * (64 + 3 * 256 + 4 * 512 + 6 * 1024 + 3 * 2048 + 256 + 512 + 1024 + 2048);
  CHECK(count_of(*method->module()) == adaptors + boundaries + 64 * 64 + norms + 2048 * 1000 + 1000);
}

TEST_CASE("basic networks have boundaries in stages two to four only", "[aux]") {
  const auto network = make_network(small());
  const auto method = auxiliary(*network);
  const auto names = named_tensors(*method->module());
  CHECK_FALSE(names.contains("boundaries.0.conv.weight"));
  CHECK(names.contains("boundaries.2.conv.weight"));
  CHECK(names.contains("boundaries.4.conv.weight"));
  CHECK(names.contains("boundaries.6.conv.weight"));
  CHECK(names.contains("adaptors.7.norm.running_var"));
}

TEST_CASE("the aggregation is the formula of the header", "[aux]") {
  at::manual_seed(5);
  const auto network = make_network(small());
  const auto method = auxiliary(*network);
  method->train(false);
  network->module().eval();
  const TapPlan plan;
  const auto output = network->forward(Batch().images, &plan);
  const auto names = named_tensors(*method->module());
  const auto adaptor = [&](const std::string& name, const at::Tensor& x, int64_t stride) {
    const auto y = at::conv2d(x, names.at(name + ".conv.weight"), {}, stride);
    return at::batch_norm(y, names.at(name + ".norm.weight"), names.at(name + ".norm.bias"),
                          names.at(name + ".norm.running_mean"), names.at(name + ".norm.running_var"), false, 0.1, 1e-5,
                          false);
  };
  auto g = adaptor("stem", output.stem, 1);
  CHECK(g.lt(0).any().item<bool>());  // no ReLU on g_0
  for (size_t p = 0; p < output.taps.size(); ++p) {
    const auto index = std::to_string(p);
    if (names.contains("boundaries." + index + ".conv.weight")) g = adaptor("boundaries." + index, g, 2);
    g = (g + adaptor("adaptors." + index, output.taps[p], 1)).relu();
  }
  const auto wanted = at::linear(g.mean({2, 3}), names.at("fc.weight"), names.at("fc.bias"));
  at::Tensor logits;
  const TaskLoss look = [&](const NetworkOutput& seen) -> NamedLosses {
    logits = seen.logits;
    return {{.name = "any", .value = seen.logits.sum()}};
  };
  method->losses({.images = output.stem, .output = output, .task_loss = look});
  CHECK(logits.allclose(wanted, 1e-5, 1e-6));
}

TEST_CASE("every variant gives the network a gradient of its own", "[aux]") {
  for (const auto& options : all_variants()) {
    for (const char* model : {"resnet18", "resnet50"}) {
      at::manual_seed(6);
      const auto network = make_network(small(model));
      const auto method = auxiliary(*network, options);
      const Batch batch;
      const auto losses = loss_of(*network, {method.get()}, batch);
      losses.methods.at(0).value.backward();  // the second path alone
      const auto names = named_tensors(network->module());
      CHECK(names.at("conv1.weight").grad().abs().sum().item<double>() > 0);
      CHECK(names.at("layer4.1.conv1.weight").grad().abs().sum().item<double>() > 0);
      CHECK_FALSE(names.at("fc.weight").grad().defined());
      for (const auto& parameter : method->module()->parameters()) CHECK(parameter.grad().defined());
    }
  }
}

TEST_CASE("the total is the network's loss plus the weighted auxiliary loss", "[aux]") {
  const auto network = make_network(small());
  const auto method = auxiliary(*network, {.weight = 0.25});
  const Batch batch;
  const auto losses = loss_of(*network, {method.get()}, batch);
  CHECK(losses.total.item<double>() ==
        Approx(losses.task.item<double>() + 0.25 * losses.methods.at(0).value.item<double>()));
  const auto alone = loss_of(*network, {}, batch);
  CHECK(alone.total.equal(alone.task));
  CHECK(alone.methods.empty());
}

TEST_CASE("with the module there or not the network's own output is the same", "[aux]") {
  for (const auto& options : all_variants()) {
    at::manual_seed(7);
    const auto network = make_network(small());
    const auto method = auxiliary(*network, options);
    network->module().eval();
    const Batch batch;
    const at::NoGradGuard no_gradient;
    CHECK(loss_of(*network, {method.get()}, batch).logits.equal(network->forward(batch.images).logits));
  }
}

TEST_CASE("separate norms leave the network's own statistics to its own pass", "[aux]") {
  at::manual_seed(8);
  const auto network = make_network(small());
  const auto separate = auxiliary(*network, {.separate_norms = true});
  const Batch batch;
  loss_of(*network, {separate.get()}, batch);
  CHECK(named_tensors(network->module()).at("bn1.num_batches_tracked").item<int64_t>() == 1);
  CHECK(named_tensors(*separate->module()).at("norms.0.num_batches_tracked").item<int64_t>() == 1);
  CHECK(separate->taps().own_norms != nullptr);
}

TEST_CASE("the second pass of separate norms teaches the quantizers nothing", "[aux]") {
  for (const char* quantizer : {"lq-net", "sawb"}) {
    INFO(quantizer);
    auto options = small();
    options.precision.quantizer = quantizer;
    const Batch batch;
    std::vector<NamedTensors> after;
    for (const bool separate : {false, true}) {
      at::manual_seed(10);
      const auto network = make_network(options);
      const auto method = auxiliary(*network, {.separate_norms = separate});
      loss_of(*network, {method.get()}, batch);
      CHECK(network->module().is_training());
      after.push_back(named_tensors(network->module()));
    }
    int states = 0;
    for (const auto& [name, tensor] : after[0]) {
      if (name.find("_quantizer.") == std::string::npos) continue;
      INFO(name);
      CHECK(tensor.equal(after[1].at(name)));
      ++states;
    }
    CHECK(states > 0);
  }
}

namespace {

// A network of one linear layer: no stem, no blocks, no taps.
class Flat final : public Network {
 public:
  Flat() : layer_(4, 2, PrecisionPlan{}) {}
  NetworkOutput forward(const at::Tensor& images, const TapPlan*, NormBank*) override {
    return {.logits = layer_.forward(images.flatten(1))};
  }
  torch::nn::Module& module() override { return *layer_.module(); }
  [[nodiscard]] std::vector<TapShape> tap_shapes(const TapPlan&) const override { return {}; }
  [[nodiscard]] int64_t stem_channels() const override { return 1; }
  [[nodiscard]] int64_t blocks() const override { return 0; }
  std::vector<QuantizedWeight*> quantized_layers() override { return {}; }
  [[nodiscard]] Graph graph() override { return {}; }
  void bypass(const std::vector<bool>&) override {}
  void watch_quantizers(QuantizerWatcher) override {}
  [[nodiscard]] std::shared_ptr<NormBank> make_norms() const override { return nullptr; }

 private:
  QuantLinear layer_;
};

class Reader final : public TrainingMethod {
 public:
  explicit Reader(TapRequest request) : request_(request) {}
  [[nodiscard]] TapRequest taps() const override { return request_; }

 private:
  TapRequest request_;
};

}  // namespace

TEST_CASE("a method that asks for taps a network does not have is told so", "[aux]") {
  Flat flat;
  const Batch batch = {.images = at::rand({3, 1, 2, 2}), .labels = at::zeros({3}, at::kLong)};
  CHECK_THROWS_WITH(auxiliary(flat), contains_text("reads taps, and this network hands out none"));
  Reader taps({.taps = TapPlan()}), blocks({.blocks = true});
  CHECK_THROWS_WITH(loss_of(flat, {&taps}, batch), contains_text("one of them reads taps"));
  CHECK_THROWS_WITH(loss_of(flat, {&blocks}, batch), contains_text("reads the maps behind blocks"));
  const auto network = make_network(small());
  Reader other({.taps = TapPlan{.per_layer = true}});
  CHECK_THROWS_WITH(loss_of(*network, {&taps, &other}, Batch()), contains_text("different taps of one pass"));
}

TEST_CASE("a task without a loss, and losses that are no scalars, are named", "[aux]") {
  const auto network = make_network(small());
  const auto with = [&](const NamedLosses& losses) {
    return joint_loss(
        *network, {}, [&](const NetworkOutput&) { return losses; }, Batch().images);
  };
  CHECK_THROWS_WITH(with({}), contains_text("the task to have a loss"));
  CHECK_THROWS_WITH(with({{.name = "rows", .value = at::zeros({8})}}),
                    contains_text("the task's loss rows") && contains_text("[8]"));
  CHECK_THROWS_WITH(with({{.name = "none", .value = {}}}), contains_text("undefined"));
  CHECK_THROWS_WITH(with({{.name = "count", .value = at::zeros({}, at::kLong)}}), contains_text("whole numbers"));
}
