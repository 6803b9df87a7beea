#include "aux/auxiliary_module.h"

#include "aux/joint_loss.h"
#include "base/torch_prelude.h"
#include "models/weights.h"
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

std::vector<AuxiliaryOptions> all_variants() {
  return {{.classes = 10},
          {.kernel = 3, .classes = 10},
          {.taps = {.per_layer = true}, .classes = 10},
          {.taps = {.after_add = false}, .classes = 10},
          {.relu = false, .classes = 10},
          {.separate_norms = true, .classes = 10}};
}

}  // namespace

TEST_CASE("at full size the module has the number of weights its wiring implies", "[aux]") {
  // ResNet-50: 16 adaptors, stem, four boundaries, classifier; each conv with a norm.
  const auto deep = make_network({.model = "resnet50"});
  AuxiliaryModule module(*deep, {});
  const int64_t adaptors = 3 * 256 * 256 + 4 * 512 * 512 + 6 * 1024 * 1024 + 3 * 2048 * 2048;
  const int64_t boundaries = 64 * 256 + 256 * 512 + 512 * 1024 + 1024 * 2048;
  const int64_t norms = 2 * (64 + 3 * 256 + 4 * 512 + 6 * 1024 + 3 * 2048 + 256 + 512 + 1024 + 2048);
  CHECK(count_of(module.module()) == adaptors + boundaries + 64 * 64 + norms + 2048 * 1000 + 1000);
}

TEST_CASE("basic networks have boundaries in stages two to four only", "[aux]") {
  const auto network = make_network(small());
  AuxiliaryModule module(*network, {.classes = 10});
  const auto names = named_tensors(module.module());
  CHECK_FALSE(names.contains("boundaries.0.conv.weight"));
  CHECK(names.contains("boundaries.2.conv.weight"));
  CHECK(names.contains("boundaries.4.conv.weight"));
  CHECK(names.contains("boundaries.6.conv.weight"));
  CHECK(names.contains("adaptors.7.norm.running_var"));
}

TEST_CASE("the aggregation is the formula of the header", "[aux]") {
  at::manual_seed(5);
  const auto network = make_network(small());
  AuxiliaryModule module(*network, {.classes = 10});
  module.module().eval();
  network->module().eval();
  const TapPlan plan;
  const auto output = network->forward(Batch().images, &plan);
  const auto names = named_tensors(module.module());
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
  CHECK(module.forward(output).allclose(wanted, 1e-5, 1e-6));
}

TEST_CASE("every variant gives the network a gradient of its own", "[aux]") {
  for (const auto& options : all_variants()) {
    for (const char* model : {"resnet18", "resnet50"}) {
      at::manual_seed(6);
      const auto network = make_network(small(model));
      AuxiliaryModule module(*network, options);
      const Batch batch;
      const auto losses = joint_loss(*network, {.auxiliary = &module}, batch.images, batch.labels);
      losses.aux_loss.backward();  // the second road alone
      const auto names = named_tensors(network->module());
      CHECK(names.at("conv1.weight").grad().abs().sum().item<double>() > 0);
      CHECK(names.at("layer4.1.conv1.weight").grad().abs().sum().item<double>() > 0);
      CHECK_FALSE(names.at("fc.weight").grad().defined());
      for (const auto& parameter : module.module().parameters()) CHECK(parameter.grad().defined());
    }
  }
}

TEST_CASE("the total is the network's loss plus the weighted auxiliary loss", "[aux]") {
  const auto network = make_network(small());
  AuxiliaryModule module(*network, {.classes = 10});
  const Batch batch;
  const auto losses =
      joint_loss(*network, {.auxiliary = &module, .auxiliary_weight = 0.25}, batch.images, batch.labels);
  CHECK(losses.total.item<double>() == Approx(losses.loss.item<double>() + 0.25 * losses.aux_loss.item<double>()));
  const auto alone = joint_loss(*network, {}, batch.images, batch.labels);
  CHECK(alone.total.equal(alone.loss));
  CHECK_FALSE(alone.aux_loss.defined());
}

TEST_CASE("with the module there or not the network's own output is the same", "[aux]") {
  for (const auto& options : all_variants()) {
    at::manual_seed(7);
    const auto network = make_network(small());
    AuxiliaryModule module(*network, options);
    network->module().eval();
    const Batch batch;
    const at::NoGradGuard no_gradient;
    CHECK(joint_loss(*network, {.auxiliary = &module}, batch.images, batch.labels)
              .logits.equal(network->forward(batch.images).logits));
  }
}

TEST_CASE("separate norms leave the network's own statistics to its own pass", "[aux]") {
  at::manual_seed(8);
  const auto network = make_network(small());
  AuxiliaryModule separate(*network, {.separate_norms = true, .classes = 10});
  const Batch batch;
  joint_loss(*network, {.auxiliary = &separate}, batch.images, batch.labels);
  CHECK(named_tensors(network->module()).at("bn1.num_batches_tracked").item<int64_t>() == 1);
  CHECK(named_tensors(separate.module()).at("norms.0.num_batches_tracked").item<int64_t>() == 1);
  CHECK(separate.norms() != nullptr);
}
