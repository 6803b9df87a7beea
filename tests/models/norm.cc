#include "models/norm.h"

#include "base/error.h"
#include "base/torch_prelude.h"
#include "models/weights.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

constexpr int64_t kNormChannels = 3;

at::Tensor images() { return at::randn({4, kNormChannels, 5, 6}) * 2 + 1; }

std::vector<std::string> names_of(NormLayer& norm) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : named_tensors(*norm.module())) names.push_back(name);
  return names;
}

// A batch norm that has seen something, with weights that are not one and zero.
std::shared_ptr<NormLayer> trained_norm() {
  auto norm = make_norm({}, kNormChannels);
  for (int i = 0; i < 3; ++i) norm->normalise(images(), 0);
  const at::NoGradGuard no_gradient;
  for (auto& [name, parameter] : named_tensors(*norm->module()))
    if (parameter.requires_grad()) parameter.add_(at::randn_like(parameter) * 0.3);
  norm->module()->eval();
  return norm;
}

void copy_into(NormLayer& target, NormLayer& source) {
  SafeTensors file;
  store_tensors(named_tensors(*source.module(), "bn."), file);
  import_tensors(file, named_tensors(*target.module(), "bn."), "memory");
}

}  // namespace

TEST_CASE("a frozen norm of a batch norm's weights equals its evaluation, bit for bit", "[models]") {
  at::manual_seed(1);
  const auto batch = trained_norm();
  const auto frozen = make_norm({.kind = NormKind::frozen}, kNormChannels);
  copy_into(*frozen, *batch);
  const at::NoGradGuard no_gradient;
  const auto x = images();
  CHECK(frozen->normalise(x, 0).equal(batch->normalise(x, 0)));
  CHECK_FALSE(frozen->normalise(x, 0).equal(x));
  CHECK(frozen->constants(0).alpha.equal(batch->constants(0).alpha));
  CHECK(frozen->constants(0).beta.equal(batch->constants(0).beta));
}

TEST_CASE("a frozen norm does not train, and gradients pass through it", "[models]") {
  at::manual_seed(2);
  const auto frozen = make_norm({.kind = NormKind::frozen}, kNormChannels);
  copy_into(*frozen, *trained_norm());
  frozen->module()->train();
  CHECK(frozen->module()->parameters().empty());
  std::map<std::string, at::Tensor> before;
  for (const auto& [name, tensor] : named_tensors(*frozen->module())) before[name] = tensor.clone();
  const auto x = images().requires_grad_();
  frozen->normalise(x, 0).sum().backward();
  for (const auto& [name, tensor] : named_tensors(*frozen->module())) CHECK(tensor.equal(before.at(name)));
  CHECK(x.grad().allclose(frozen->constants(0).alpha.view({1, -1, 1, 1}).expand_as(x)));
}

TEST_CASE("a norm per level normalises by the statistics of its level", "[models]") {
  at::manual_seed(3);
  const auto norm = make_norm({.kind = NormKind::per_level, .levels = 2}, kNormChannels);
  const auto alone = make_norm({}, kNormChannels);
  for (int i = 0; i < 2; ++i) {
    const auto near = images(), far = images() * 5 + 3;
    CHECK(norm->normalise(near, 0).equal(alone->normalise(near, 0)));
    norm->normalise(far, 1);
  }
  norm->module()->eval();
  alone->module()->eval();
  const at::NoGradGuard no_gradient;
  const auto x = images();
  CHECK(norm->normalise(x, 0).equal(alone->normalise(x, 0)));
  CHECK_FALSE(norm->normalise(x, 1).equal(norm->normalise(x, 0)));
  CHECK(norm->constants(0).beta.equal(alone->constants(0).beta));
  CHECK_FALSE(norm->constants(1).beta.equal(norm->constants(0).beta));
  CHECK_THROWS_WITH(norm->normalise(x, 2), contains_text("a level that the norm has, not 2"));
}

TEST_CASE("a place in the network is normalised at the level that is asked for", "[models]") {
  at::manual_seed(4);
  torch::nn::Module owner;
  NormList list({.kind = NormKind::per_level, .levels = 2});
  const auto norm = list.add(owner, "bn1", kNormChannels);
  const at::NoGradGuard no_gradient;
  for (const auto& [name, tensor] : named_tensors(owner))
    if (name == "bn1.1.bias") tensor.fill_(7);
  owner.eval();
  const auto x = images();
  CHECK(norm.at(1)(x, nullptr).equal(norm(x, nullptr) + 7));
  CHECK(norm.at(1).at(0)(x, nullptr).equal(norm(x, nullptr)));
  const auto bank = list.make_bank();
  bank->module()->eval();
  CHECK(norm.at(1)(x, bank.get()).equal(norm(x, nullptr)));
}

TEST_CASE("norms have the names of PyTorch's and torchvision's", "[models]") {
  using Names = std::vector<std::string>;
  CHECK(names_of(*make_norm({}, kNormChannels)) ==
        Names{"bias", "num_batches_tracked", "running_mean", "running_var", "weight"});
  CHECK(names_of(*make_norm({.kind = NormKind::frozen}, kNormChannels)) ==
        Names{"bias", "running_mean", "running_var", "weight"});
  const auto levels = names_of(*make_norm({.kind = NormKind::per_level, .levels = 3}, kNormChannels));
  CHECK(levels.size() == 15);
  CHECK(levels.front() == "0.bias");
  CHECK(levels.back() == "2.weight");
}

TEST_CASE("a network with frozen norms trains everything but its norms, from a classifier's weights", "[models]") {
  at::manual_seed(5);
  const NetworkOptions options = {
      .model = "resnet18", .in_channels = 1, .classes = 10, .stem = "small", .width = 0.125};
  auto frozen_options = options;
  frozen_options.frozen_norms = true;
  const auto trained = make_network(options), frozen = make_network(frozen_options);
  for (int i = 0; i < 3; ++i) trained->forward(at::rand({4, 1, 16, 16}));
  SafeTensors file;
  store_tensors(named_tensors(trained->module()), file);
  import_tensors(file, named_tensors(frozen->module()), "memory");
  for (const auto& item : frozen->module().named_parameters()) {
    CHECK(item.key().find("bn") == std::string::npos);
    CHECK(item.key().find("downsample.1") == std::string::npos);
  }
  const at::NoGradGuard no_gradient;
  trained->module().eval();
  const auto x = at::rand({2, 1, 16, 16});
  CHECK(frozen->forward(x).logits.equal(trained->forward(x).logits));  // although it is in training

  file.tensors["stranger.num_batches_tracked"] = file.tensors.at("bn1.num_batches_tracked");
  CHECK_THROWS_WITH(import_tensors(file, named_tensors(frozen->module()), "w"),
                    "w: stranger.num_batches_tracked: the network has no such tensor");
}
