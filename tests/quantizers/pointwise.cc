#include "quantizers/pointwise_conv.h"

#include "quantizers/code_conv.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

at::Tensor last(const at::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

}  // namespace

TEST_CASE("a convolution of kernel 1 in the layout N H W C equals torch's, values and gradients", "[quantizers]") {
  at::manual_seed(1);
  for (const int64_t stride : {1, 2, 3}) {
    const auto x = last(at::randn({3, 5, 7, 6}, at::kDouble)), w = at::randn({4, 5, 1, 1}, at::kDouble);
    const auto own_x = x.clone().requires_grad_(), own_w = w.clone().requires_grad_();
    const auto its_x = x.clone().requires_grad_(), its_w = w.clone().requires_grad_();
    REQUIRE(is_pointwise(own_x, own_w, 0, 1));
    const auto own = conv_on_codes({.codes = own_x}, {.codes = own_w}, {.stride = stride});
    const auto its = at::conv2d(its_x, its_w, {}, stride);
    CHECK(own.allclose(its, 1e-12, 1e-12));
    CHECK(own.is_contiguous(at::MemoryFormat::ChannelsLast));
    const auto g = at::randn_like(its);
    own.backward(g);
    its.backward(g);
    CHECK(own_x.grad().allclose(its_x.grad(), 1e-12, 1e-12));
    CHECK(own_w.grad().allclose(its_w.grad(), 1e-12, 1e-12));
  }
}

TEST_CASE("a convolution of kernel 1 on codes is exact, and its gradients are those of the values", "[quantizers]") {
  at::manual_seed(2);
  const auto a = last(at::randint(0, 4, {2, 8, 6, 6}).to(at::kFloat)),
             w = at::randint(-1, 2, {4, 8, 1, 1}).to(at::kFloat);
  const auto scale = at::full({}, 0.25F);
  const auto edge_a = at::zeros_like(a).requires_grad_(), edge_w = at::zeros_like(w).requires_grad_();
  const Codes coded_a = {.codes = a, .scale = scale, .range = {.first = 0, .last = 3}, .edge = edge_a};
  const Codes coded_w = {.codes = w, .scale = scale, .range = {.first = -1, .last = 1}, .edge = edge_w};
  for (const int64_t stride : {1, 2}) {
    edge_a.mutable_grad().reset();
    edge_w.mutable_grad().reset();
    auto y = conv_on_codes(coded_a, coded_w, {.stride = stride});
    y.mul_(1);  // in place, as where a scale follows
    const auto values_a = (a * scale).requires_grad_(), values_w = (w * scale).requires_grad_();
    const auto plain = at::conv2d(values_a, values_w, {}, stride);
    CHECK(y.equal(plain));
    const auto g = at::randn_like(plain);
    y.backward(g);
    plain.backward(g);
    CHECK(edge_a.grad().allclose(values_a.grad(), 1e-5, 1e-5));
    CHECK(edge_w.grad().allclose(values_w.grad(), 1e-5, 1e-5));
  }
}

TEST_CASE("other convolutions are none of kernel 1 and one group", "[quantizers]") {
  const auto x = last(at::randn({2, 4, 5, 5})), w = at::randn({4, 4, 1, 1});
  CHECK_FALSE(is_pointwise(x, at::randn({4, 4, 3, 3}), 1, 1));
  CHECK_FALSE(is_pointwise(x, w, 1, 1));
  CHECK_FALSE(is_pointwise(x, at::randn({4, 2, 1, 1}), 0, 2));
  CHECK_FALSE(is_pointwise(x.contiguous(), w, 0, 1));
}
