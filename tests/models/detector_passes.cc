// What goes through a detector: its graph, its taps, gradients, norms, quantizers.
#include <set>

#include "base/error.h"
#include "base/torch_prelude.h"
#include "models/norm.h"
#include "models/weights.h"
#include "quantizers/quantized_layers.h"
#include "tests/models/evaluate_graph.h"
#include "tests/models/small_detector.h"
#include "tests/support/catch.h"

using namespace auxbench;
using namespace auxbench::small_detector;

namespace {

void expect_same(const NetworkOutput& a, const NetworkOutput& b) {
  REQUIRE(a.levels.size() == b.levels.size());
  for (size_t i = 0; i < a.levels.size(); ++i) {
    CHECK(a.levels[i].classes.equal(b.levels[i].classes));
    CHECK(a.levels[i].boxes.equal(b.levels[i].boxes));
    REQUIRE(a.levels[i].centreness.defined() == b.levels[i].centreness.defined());
    if (a.levels[i].centreness.defined()) CHECK(a.levels[i].centreness.equal(b.levels[i].centreness));
  }
}

}  // namespace

TEST_CASE("a detector's graph is what it computes in evaluation", "[models]") {
  const at::NoGradGuard no_gradient;
  const auto check = [](const DetectorOptions& options) {
    const auto network = trained_detector(options);
    const auto graph = network->graph();
    std::set<std::string> names;
    for (const auto& node : graph.nodes) CHECK(names.insert(node.name).second);
    for (const auto& [height, width] : {std::pair<int64_t, int64_t>(64, 96), {75, 110}}) {
      const auto x = pictures(2, height, width);
      const auto output = network->forward(x);
      auto found = evaluate_graph(graph, x);
      for (const auto& level : output.levels) {
        const auto number = "." + std::to_string(level.level);
        CHECK(found.at("classes" + number).equal(level.classes));
        CHECK(found.at("boxes" + number).equal(level.boxes));
        if (level.centreness.defined()) CHECK(found.at("centreness" + number).equal(level.centreness));
      }
      CHECK(found.size() == (network->detector()->centreness ? 15 : 10));
    }
  };
  for (const char* kind : {"retinanet", "fcos"})
    for (const char* norm : {"none", "batch", "per-level", "frozen"})
      for (const char* heads : {"shared", "unshared"}) {
        INFO(kind << ", " << norm << ", " << heads);
        auto options = quantized(kind);
        options.norm = norm;
        options.heads = heads;
        check(options);
      }
  for (const char* method : {"dorefa", "lsq+", "lq-net", "clip-lsq", "ewgs"}) {
    INFO(method);
    check(quantized("retinanet", method));
    auto options = quantized("retinanet", method);
    options.norm = "none";
    options.backbone_norm = "frozen";
    check(options);
  }
  auto options = quantized();
  options.quantize = "backbone";
  check(options);
  options = quantized();
  options.flavour = "torchvision";
  options.pyramid_relu = false;
  options.backbone.precision.first_last = "8-bit";
  check(options);
}

TEST_CASE("a classifier's graph answers its logits", "[models]") {
  const at::NoGradGuard no_gradient;
  at::manual_seed(3);
  const auto network = make_network(
      {.in_channels = 1, .classes = 10, .stem = "small", .width = 0.125, .precision = four_bits("dorefa", "8-bit")});
  const auto x = at::rand({2, 1, 16, 16});
  network->forward(x);
  network->module().eval();
  const auto found = evaluate_graph(network->graph(), x);
  REQUIRE(found.size() == 1);
  CHECK(found.at("logits").flatten(1).equal(network->forward(x).logits));
}

TEST_CASE("a group norm normalises each image by itself, and has no constants", "[models]") {
  at::manual_seed(4);
  auto options = narrow("fcos");
  options.norm = "group";
  options.channels = 64;
  const auto network = make_detector(options);
  network->module().eval();
  {
    const at::NoGradGuard no_gradient;
    network->module().to(at::kDouble);
    const auto x = pictures(3, 64, 64).to(at::kDouble);
    const auto all = network->forward(x), one = network->forward(x.slice(0, 1, 2));
    for (size_t i = 0; i < all.levels.size(); ++i)
      CHECK(all.levels[i].boxes.slice(0, 1, 2).allclose(one.levels[i].boxes, 1e-12, 1e-14));
  }
  const auto norm = make_norm({.kind = NormKind::group}, 64);
  const auto x = at::randn({2, 64, 5, 3});
  CHECK(norm->normalise(x, 0, {.relu = true}).equal(at::group_norm(x, 32, at::ones({64}), at::zeros({64})).relu()));
  CHECK_FALSE(norm->constants(0).alpha.defined());
  const auto graph = network->graph();
  CHECK(std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const auto& node) {
    return node.kind == GraphNode::Kind::norm && node.name.starts_with("head.") && !node.alpha.defined();
  }));
  options.channels = 48;
  CHECK_THROWS_WITH(make_detector(options), "norm group: 48 channels do not fall into 32 groups");
}

TEST_CASE("norms per level belong to one level of a shared tower, batch norms to all", "[models]") {
  const at::NoGradGuard no_gradient;
  const auto levels_changed = [](const char* norm, const std::string& part) {
    at::manual_seed(6);
    auto options = narrow();
    options.norm = norm;
    const auto network = make_detector(options);
    network->module().eval();
    const auto x = pictures(1, 64, 64);
    const auto before = network->forward(x);
    auto tensors = named_tensors(network->module());
    tensors.at("head.regression_head.conv.0.1." + part).fill_(1);
    const auto after = network->forward(x);
    std::vector<int64_t> changed;
    for (size_t i = 0; i < before.levels.size(); ++i) {
      CHECK(before.levels[i].classes.equal(after.levels[i].classes));
      if (!before.levels[i].boxes.equal(after.levels[i].boxes)) changed.push_back(before.levels[i].level);
    }
    return changed;
  };
  CHECK(levels_changed("per-level", "1.bias") == std::vector<int64_t>{4});
  CHECK(levels_changed("per-level", "4.bias") == std::vector<int64_t>{7});
  CHECK(levels_changed("batch", "bias") == std::vector<int64_t>{3, 4, 5, 6, 7});
}

TEST_CASE("frozen norms do not train, and compute what the detector they come from does", "[models]") {
  auto options = narrow();
  options.norm = "per-level";
  const auto trained = trained_detector(options);
  options.norm = options.backbone_norm = "frozen";
  const auto frozen = make_detector(options);
  SafeTensors file;
  store_tensors(named_tensors(trained->module()), file);
  import_tensors(file, named_tensors(frozen->module()), "memory");
  std::set<std::string> learned;
  for (const auto& item : frozen->module().named_parameters())
    if (item.value().dim() == 1) learned.insert(item.key());
  CHECK(learned ==
        std::set<std::string>{"head.classification_head.cls_logits.bias", "head.regression_head.bbox_reg.bias"});
  const at::NoGradGuard no_gradient;
  const auto x = pictures(2, 64, 64);
  expect_same(frozen->forward(x), trained->forward(x));  // although it is in training
}

TEST_CASE("taps of a detector are its backbone's and its towers', and change nothing", "[models]") {
  const TapPlan plans[] = {{}, {.per_layer = true}, {.after_add = false}};
  for (const auto& kind : {"retinanet", "fcos"})
    for (const char* norm : {"none", "batch"})
      for (const bool quantize : {false, true}) {
        INFO(kind << ", " << norm << (quantize ? ", quantized" : ""));
        auto options = quantize ? quantized(kind) : narrow(kind);
        options.norm = norm;
        at::manual_seed(7);
        const auto network = make_detector(options);
        // P7 has more than a pixel: a map of one is in both layouts at once, and convolutions round as the layout that
        // they take it for.
        const auto x = pictures(2, 144, 160);
        const auto gradients = [&](const TapPlan* plan) {
          network->module().zero_grad();
          sum_of(network->forward(x, plan)).backward();
          std::vector<at::Tensor> found;
          for (const auto& parameter : network->module().parameters()) found.push_back(parameter.grad().clone());
          return found;
        };
        network->forward(x);  // fits the quantizers
        const auto expected = gradients(nullptr);
        for (const auto& plan : plans) {
          const auto found = gradients(&plan);
          for (size_t i = 0; i < found.size(); ++i) REQUIRE(found[i].equal(expected[i]));
        }
        const auto output = network->forward(x, &plans[0]);
        CHECK(output.stem.sizes() == at::IntArrayRef({2, 8, 36, 40}));
        CHECK(output.taps.size() == network->tap_shapes(plans[0]).size());
        CHECK(output.blocks.size() == static_cast<size_t>(network->blocks()));
        REQUIRE(output.heads.size() == output.levels.size());
        auto sum = output.stem.square().sum();
        for (size_t i = 0; i < output.heads.size(); ++i) {
          const auto& head = output.heads[i];
          CHECK(head.level == output.levels[i].level);
          const auto& places = output.levels[i].boxes;
          CHECK(head.input.sizes() == at::IntArrayRef({2, 32, places.size(2), places.size(3)}));
          REQUIRE(head.classes.size() == 2);
          REQUIRE(head.boxes.size() == 2);
          for (const auto* taps : {&head.classes, &head.boxes})
            for (const auto& tap : *taps) {
              CHECK(tap.sizes() == head.input.sizes());
              if (i == 0) CHECK(tap.lt(0).any().item<bool>());  // before the activation
              sum = sum + tap.square().sum();                   // backward reads the tap's values
            }
          sum = sum + head.input.square().sum();
        }
        CHECK_NOTHROW(sum.backward());
      }
}

TEST_CASE("the gradient of what a detector answers reaches every parameter", "[models]") {
  for (const char* kind : {"retinanet", "fcos"})
    for (const char* norm : {"none", "batch", "per-level", "frozen", "group"})
      for (const char* heads : {"shared", "unshared"})
        for (const bool quantize : {false, true}) {
          INFO(kind << ", " << norm << ", " << heads << (quantize ? ", quantized" : ""));
          auto options = quantize ? quantized(kind, "lsq") : narrow(kind);
          options.norm = norm;
          options.heads = heads;
          at::manual_seed(8);
          const auto network = make_detector(options);
          sum_of(network->forward(pictures(2, 128, 160))).backward();
          for (const auto& item : network->module().named_parameters()) {
            INFO(item.key());
            REQUIRE(item.value().grad().defined());
            CHECK(item.value().grad().isfinite().all().item<bool>());
          }
        }
}

TEST_CASE("every quantizer of a detector's activations is watched, a shared one at each level", "[models]") {
  const auto network = trained_detector(quantized());
  std::map<Quantizer*, int> seen;
  network->watch_quantizers([&](Quantizer& quantizer, const at::Tensor& /*x*/) { ++seen[&quantizer]; });
  network->forward(pictures(1, 64, 64));
  network->watch_quantizers({});
  CHECK(seen.size() == network->quantized_layers().size());
  int several = 0;
  for (const auto& [quantizer, count] : seen) {
    CHECK((count == 1 || count == 5));
    several += count == 5 ? 1 : 0;
  }
  CHECK(several == 4);
  network->forward(pictures(1, 64, 64));
  CHECK(seen.size() == network->quantized_layers().size());
}

TEST_CASE("blocks of a detector's backbone can be bypassed", "[models]") {
  const at::NoGradGuard no_gradient;
  const auto network = trained_detector(quantized());
  const auto x = pictures(1, 64, 64);
  const auto before = network->forward(x);
  std::vector<bool> some(static_cast<size_t>(network->blocks()));
  some[2] = true;
  network->bypass(some);
  CHECK_FALSE(network->forward(x).levels[0].boxes.equal(before.levels[0].boxes));
  network->bypass({});
  expect_same(network->forward(x), before);
}

TEST_CASE("a second set of norms has those of pyramid and heads as well", "[models]") {
  for (const char* norm : {"batch", "per-level", "group"}) {
    INFO(norm);
    at::manual_seed(9);
    auto options = narrow();
    options.norm = norm;
    const auto network = make_detector(options);
    const auto bank = network->make_norms();
    const auto count = [](const torch::nn::Module& module) {
      size_t found = 0;
      for (const auto& item : module.named_parameters())
        found += item.value().dim() == 1 && item.key().ends_with("weight");
      return found;
    };
    CHECK(count(*bank->module()) == count(network->module()));
    network->module().eval();
    bank->module()->eval();
    const at::NoGradGuard no_gradient;
    const auto x = pictures(1, 64, 64);
    const auto own = network->forward(x);
    expect_same(network->forward(x, nullptr, bank.get()), own);
    for (const auto& item : bank->module()->named_parameters()) item.value().fill_(0.5);
    CHECK_FALSE(network->forward(x, nullptr, bank.get()).levels[4].classes.equal(own.levels[4].classes));
    expect_same(network->forward(x), own);
  }
}
