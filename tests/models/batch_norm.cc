#include "models/batch_norm.h"

#include "base/torch_prelude.h"
#include "models/network.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

constexpr int64_t kChannels = 5;

std::shared_ptr<torch::nn::BatchNorm2dImpl> norm_like(const at::TensorOptions& options) {
  at::manual_seed(3);
  auto norm = std::make_shared<torch::nn::BatchNorm2dImpl>(kChannels);
  norm->to(options.device(), c10::typeMetaToScalarType(options.dtype()));
  const at::NoGradGuard no_gradient;
  norm->weight.normal_();
  norm->bias.normal_();
  return norm;
}

struct Result {
  at::Tensor y, dx, dadded, dweight, dbias, mean, variance, batches;
};

// What `compute` makes of fresh tensors and one norm, twice: running statistics move.
template <typename Compute>
Result result_of(const at::TensorOptions& options, at::MemoryFormat format, bool adds, const Compute& compute) {
  const auto norm = norm_like(options);
  const auto x = (at::randn({4, kChannels, 6, 7}, options) * 2 + 1).contiguous(format).requires_grad_();
  const auto added = at::randn({4, kChannels, 6, 7}, options).contiguous(format).requires_grad_();
  const auto out = at::randn({4, kChannels, 6, 7}, options);
  compute(*norm, x.detach() + 1, added.detach());
  const auto y = compute(*norm, x, adds ? added : at::Tensor());
  y.backward(out);
  return {y,
          x.grad(),
          adds ? added.grad() : at::zeros({1}, options),
          norm->weight.grad(),
          norm->bias.grad(),
          norm->running_mean,
          norm->running_var,
          norm->num_batches_tracked};
}

void check_close(const Result& a, const Result& b, double tolerance) {
  const auto close = [&](const at::Tensor& x, const at::Tensor& y) { return x.allclose(y, tolerance, tolerance); };
  CHECK(close(a.y, b.y));
  CHECK(close(a.dx, b.dx));
  CHECK(close(a.dadded, b.dadded));
  CHECK(close(a.dweight, b.dweight));
  CHECK(close(a.dbias, b.dbias));
  CHECK(close(a.mean, b.mean));
  CHECK(close(a.variance, b.variance));
  CHECK(a.batches.equal(b.batches));
}

}  // namespace

TEST_CASE("a batch norm in training, with sum and ReLU, equals torch's and the operations behind it", "[models]") {
  for (const auto type : {at::kDouble, at::kFloat})
    for (const auto format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast})
      for (const bool adds : {false, true})
        for (const bool relu : {false, true}) {
          const auto ours = result_of(type, format, adds, [&](auto& norm, const auto& x, const at::Tensor& added) {
            return normalised(norm, x, {.added = added, .relu = relu});
          });
          const auto plain = result_of(type, format, adds, [&](auto& norm, const auto& x, const at::Tensor& added) {
            return followed_by(norm.forward(x), {.added = added, .relu = relu});
          });
          INFO(toString(type) << ", adds " << adds << ", relu " << relu);
          check_close(ours, plain, type == at::kDouble ? 1e-11 : 2e-5);
        }
}

TEST_CASE("a batch norm without momentum averages over the batches, as torch's", "[models]") {
  const auto ours = norm_like(at::kDouble), plain = norm_like(at::kDouble);
  ours->options.momentum(c10::nullopt);
  plain->options.momentum(c10::nullopt);
  for (int i = 0; i < 3; ++i) {
    const auto x = at::randn({4, kChannels, 2, 2}, at::kDouble) + i;
    normalised(*ours, x);
    plain->forward(x);
  }
  CHECK(ours->running_mean.allclose(plain->running_mean, 1e-12, 1e-12));
  CHECK(ours->running_var.allclose(plain->running_var, 1e-12, 1e-12));
}

TEST_CASE("one value a channel is normalised by the running statistics, which stay", "[models]") {
  torch::nn::BatchNorm2d norm(3);
  norm->running_mean.copy_(at::tensor({1.0F, -2.0F, 0.5F}));
  norm->running_var.copy_(at::tensor({4.0F, 0.25F, 1.0F}));
  const auto mean = norm->running_mean.clone(), variance = norm->running_var.clone();
  auto x = at::tensor({3.0F, -1.0F, 0.5F}).view({1, 3, 1, 1}).requires_grad_();
  const auto y = normalised(*norm, x, {.relu = true});
  CHECK(at::allclose(y.flatten(), at::tensor({1.0F, 2.0F, 0.0F}), 1e-4));
  y.sum().backward();
  CHECK(at::allclose(x.grad().flatten(), at::tensor({0.5F, 2.0F, 0.0F}), 1e-4));
  CHECK(at::equal(norm->running_mean, mean));
  CHECK(at::equal(norm->running_var, variance));
  CHECK(norm->num_batches_tracked.item<int64_t>() == 0);
}

TEST_CASE("an affine map equals its single operations, bit for bit", "[models]") {
  const at::NoGradGuard no_gradient;
  at::manual_seed(4);
  const auto x = at::randn({3, kChannels, 4, 4}), alpha = at::randn({kChannels}), beta = at::randn({kChannels});
  const auto single = x.mul(alpha.view({1, -1, 1, 1})).add_(beta.view({1, -1, 1, 1}));
  CHECK(affine(x, alpha, beta).equal(single));
  CHECK(affine(x, alpha, beta, {.added = x, .relu = true}).equal((single + x).relu()));
  CHECK(affine(x.contiguous(at::MemoryFormat::ChannelsLast), alpha, beta).equal(single));
}

TEST_CASE("an output that was overwritten before backward is a fault, not a wrong gradient", "[models]") {
  const auto norm = norm_like(at::kFloat);
  const auto x = at::randn({2, kChannels, 3, 3}).requires_grad_();
  const auto y = normalised(*norm, x, {.relu = true});
  {
    const at::NoGradGuard no_gradient;
    y.detach().add_(1);
  }
  CHECK_THROWS(y.sum().backward());
}
