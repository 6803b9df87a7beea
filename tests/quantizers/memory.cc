// What a training step keeps in memory between its forward and its backward pass.
#include "base/torch_prelude.h"
#include "models/network.h"
#include "tests/support/catch.h"
#include "tests/support/live_bytes.h"

using namespace auxbench;
using namespace auxbench::test;

namespace {

// Of a ResNet-18 with the stem for large images, two of them, 224 pixels a side.
int64_t bytes_kept(const PrecisionPlan& precision) {
  at::manual_seed(1);
  const auto network = make_network({.precision = precision});
  network->module().train();
  network->forward(at::rand({2, 3, 32, 32}));  // quantizers are fitted
  const auto images = at::rand({2, 3, 224, 224});
  return bytes_kept_by([&] { return network->forward(images).logits.square().sum(); });
}

}  // namespace

TEST_CASE("a quantized network keeps little more for backward than one at full precision", "[quantizers][memory]") {
  const auto full = static_cast<double>(bytes_kept({}));
  const auto quantized = bytes_kept({.quantizer = "dorefa", .weight_bits = 2, .activation_bits = 2});
  INFO(quantized << " bytes, " << full << " at full precision");
  CHECK(static_cast<double>(quantized) < 1.4 * full);
}
