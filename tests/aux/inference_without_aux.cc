// Linked without the room aux/: that the auxiliary module costs nothing at inference is guaranteed at link time.
#include "base/torch_prelude.h"
#include "models/network.h"
#include "tests/support/catch.h"

TEST_CASE("a program without the auxiliary module runs the network", "[inference]") {
  at::manual_seed(9);
  const auto network = auxbench::make_network(
      {.model = "resnet18",
       .in_channels = 1,
       .classes = 10,
       .stem = "small",
       .width = 0.125,
       .precision = {.quantizer = "dorefa", .weight_bits = 2, .activation_bits = 2, .first_last = "float"}});
  network->module().eval();
  const auto x = at::rand({2, 1, 16, 16});
  const auxbench::TapPlan plan;
  CHECK(network->forward(x).logits.equal(network->forward(x, &plan).logits));
}
