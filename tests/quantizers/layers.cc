// Layers with quantized weights and inputs: where they stand, what they register, what they keep of codes.
#include "quantizers/quantized_layers.h"

#include "base/torch_prelude.h"
#include "quantizers/packed_codes.h"
#include "tests/support/catch.h"

using namespace auxbench;

TEST_CASE("a plan has as many first and last layers as a network has", "[quantizers]") {
  at::manual_seed(1);
  PrecisionPlan plan = {.quantizer = "dorefa", .weight_bits = 2, .activation_bits = 2, .first_last = "8-bit"};
  const ConvOptions options = {.in = 4, .out = 4, .kernel = 3, .padding = 1};
  const auto levels = [&](LayerPosition position) {
    QuantConv conv(options, plan, position, true);
    auto* input = conv.weight().input_quantizer();
    return std::pair(conv.weight().weight_quantizer()->levels(), input == nullptr ? 0 : input->levels());
  };
  for (int i = 0; i < 2; ++i) {
    CHECK(levels(LayerPosition::first) == std::pair<int64_t, int64_t>(256, 0));
    CHECK(levels(LayerPosition::inner) == std::pair<int64_t, int64_t>(4, 4));
    CHECK(levels(LayerPosition::last) == std::pair<int64_t, int64_t>(256, 256));
  }
  CHECK(QuantLinear(4, 3, plan, LayerPosition::inner).weight().weight_quantizer()->levels() == 4);
}

TEST_CASE("a last convolution without a norm has the scale that brings its weights closest", "[quantizers]") {
  const PrecisionPlan plan = {.quantizer = "dorefa", .weight_bits = 2, .activation_bits = 2, .first_last = "same"};
  ConvOptions options = {.in = 3, .out = 4};
  at::manual_seed(3);
  QuantConv with_norm(options, plan, LayerPosition::last, true);
  options.norm = false;
  at::manual_seed(3);
  QuantConv without(options, plan, LayerPosition::last, true);
  const auto x = at::rand({1, 3, 4, 4});
  const auto w = without.weight().values().detach();
  const auto q = make_quantizer("dorefa", Role::weight, 2)->quantize(w);
  const auto scale = (w * q).sum() / q.square().sum();
  CHECK(without.forward(x).allclose(with_norm.forward(x) * scale, 1e-6, 1e-7));
  const auto error = [&](double factor) { return (w - q * scale * factor).square().sum().item<double>(); };
  CHECK(error(1) < error(1.01));
  CHECK(error(1) < error(0.99));
}

TEST_CASE("at one bit the scale without a norm is the mean magnitude, and never below zero", "[quantizers]") {
  const PrecisionPlan plan = {
      .quantizer = "dorefa-relu6-official", .weight_bits = 1, .activation_bits = 1, .first_last = "same"};
  at::manual_seed(3);
  QuantLinear layer(64, 4, plan);
  const auto coded = layer.weight().encoded(false);
  CHECK(coded.scale.item<float>() == Approx(layer.weight().values().detach().abs().mean().item<float>()).epsilon(1e-6));
  // QIL prunes all of it: <q, q> is 0.
  PrecisionPlan pruned = {.quantizer = "qil", .weight_bits = 2, .activation_bits = 2, .first_last = "same"};
  pruned.settings = {{"weight.centre", 8}, {"weight.width", 1}};
  QuantLinear zeros(64, 4, pruned);
  CHECK(zeros.weight().encoded(false).scale.item<float>() > 0);
}

TEST_CASE("the weights' gradient without a norm is that of the scaled values", "[quantizers]") {
  const PrecisionPlan plan = {.quantizer = "dorefa", .weight_bits = 2, .activation_bits = 2, .first_last = "same"};
  at::manual_seed(5);
  QuantLinear layer(16, 4, plan);
  const auto images = at::rand({8, 16});
  layer.forward(images).square().sum().backward();
  const auto x = make_quantizer("dorefa", Role::activation, 2)->quantize(images);
  auto w = layer.weight().values().detach().clone().requires_grad_(true);
  const auto q = make_quantizer("dorefa", Role::weight, 2)->quantize(w);
  const auto scale = ((w * q).sum() / q.square().sum()).detach();
  at::linear(x, q * scale, layer.bias().detach()).square().sum().backward();
  CHECK(layer.weight().values().grad().allclose(w.grad(), 1e-4, 1e-6));
}

TEST_CASE("quantizers' tensors are told by who registered them, not by their names", "[quantizers]") {
  const PrecisionPlan plan = {.quantizer = "lsq", .weight_bits = 2, .activation_bits = 2};
  QuantConv conv({.in = 2, .out = 2}, plan, LayerPosition::inner, true);
  torch::nn::Module root;
  root.register_module("conv", conv.module());
  // A head with a name like a quantizer's.
  root.register_module("cls_activation", std::make_shared<torch::nn::Module>())
      ->register_parameter("weight", at::zeros({1}));
  CHECK(quantizer_tensors(root) == std::set<std::string>{"conv.input_quantizer.fitted", "conv.input_quantizer.step",
                                                         "conv.weight_quantizer.fitted", "conv.weight_quantizer.step"});
}

TEST_CASE("codes of every range are kept and come back as they were, a byte a number up to 256 places",
          "[quantizers]") {
  for (const auto& range : {CodeRange{0, 3}, CodeRange{-128, 127}, CodeRange{0, 255}, CodeRange{-255, 255, 2},
                            CodeRange{-1, 1, 2}, CodeRange{0, 100}, CodeRange{0, 1530}, CodeRange{}}) {
    INFO(range.first << " .. " << range.last);
    const auto last = std::max(range.last, range.first + 1);
    const auto codes = at::arange(range.first, last + 1, range.step, at::kFloat).view({1, -1}).expand({3, -1}).t();
    const PackedCodes packed(codes.contiguous(), range);
    CHECK(packed.unpack().equal(codes));
    const bool bytes = range.last >= range.first && (range.last - range.first) / range.step < 256;
    CHECK((packed.bytes_per_number() == 1) == bytes);
  }
}

TEST_CASE("no gradient hangs on codes, and none is promised where nobody wants one", "[quantizers]") {
  const auto quantizer = make_quantizer("dorefa", Role::activation, 2);
  const auto x = at::rand({2, 3}).requires_grad_(true);
  const auto coded = quantizer->encode(x);
  CHECK_FALSE(coded.codes.requires_grad());
  REQUIRE(coded.edge.defined());
  CHECK(coded.edge.sizes() == x.sizes());
  CHECK(coded.edge.storage().nbytes() == 4);
  CHECK_FALSE(quantizer->encode(x.detach()).edge.defined());
  const at::NoGradGuard no_gradient;
  CHECK_FALSE(quantizer->encode(x).edge.defined());
}

TEST_CASE("LQ-Nets' layer convolves values in training, sums of digits in evaluation", "[quantizers]") {
  at::manual_seed(4);
  const PrecisionPlan plan = {.quantizer = "lq-net", .weight_bits = 3, .activation_bits = 3};
  QuantConv conv({.in = 16, .out = 8, .kernel = 3, .padding = 1}, plan, LayerPosition::inner, true);
  const auto x = at::rand({2, 16, 6, 6});
  const auto basis = [](Quantizer* quantizer) { return quantizer->state().at("basis").clone(); };
  auto& layer = conv.weight();
  const auto a = make_quantizer("lq-net", Role::activation, 3), w = make_quantizer("lq-net", Role::weight, 3);
  const auto trained = conv.forward(x);
  CHECK(trained.equal(at::conv2d(a->quantize(x), w->quantize(layer.values()), {}, 1, 1)));
  CHECK_FALSE(basis(layer.input_quantizer()).equal(basis(a.get())));  // the pass has taught it something
  conv.module()->eval();
  const at::NoGradGuard no_gradient;
  const auto exact = conv_on_codes(layer.input_quantizer()->encode(x), layer.encoded(true), {.padding = 1});
  CHECK(conv.forward(x).equal(exact));
}

TEST_CASE("a convolution's bias is added behind it, and who watches sees what comes before", "[quantizers]") {
  const PrecisionPlan plan = {.quantizer = "dorefa", .weight_bits = 2, .activation_bits = 2};
  for (const auto* precision : {&plan, static_cast<const PrecisionPlan*>(nullptr)}) {
    ConvOptions options = {.in = 4, .out = 3, .kernel = 3, .padding = 1};
    const auto make = [&] {
      at::manual_seed(6);
      return QuantConv(options, precision == nullptr ? PrecisionPlan() : *precision, LayerPosition::inner, true);
    };
    auto plain = make();
    CHECK_FALSE(plain.bias().defined());
    options.bias = true;
    auto with_bias = make();
    CHECK(with_bias.bias().eq(0).all().item<bool>());
    const auto bias = at::tensor({1.0F, -2.0F, 0.5F});
    with_bias.bias().detach().copy_(bias);
    const auto x = at::rand({2, 4, 5, 5});
    const auto expected = plain.forward(x) + bias.view({1, 3, 1, 1});
    CHECK(with_bias.forward(x).equal(expected));
    at::Tensor seen;
    with_bias.weight().watch([&](const LayerPass& pass) { seen = pass.output; });
    CHECK(with_bias.forward(x).equal(expected));
    CHECK(seen.equal(plain.forward(x)));
    with_bias.weight().watch({});
    with_bias.forward(x).sum().backward();
    CHECK(with_bias.bias().grad().eq(2 * 5 * 5).all().item<bool>());
  }
}

TEST_CASE("a layer that convolves several maps encodes its weights once for all of them", "[quantizers]") {
  const std::vector<at::Tensor> maps = {at::rand({2, 4, 8, 8}), at::rand({2, 4, 4, 4}), at::rand({2, 4, 2, 2})};
  const auto pass = [&](QuantConv& conv) {
    std::vector<at::Tensor> outputs;
    auto sum = at::zeros({});
    for (const auto& map : maps) {
      outputs.push_back(conv.forward(map));
      sum = sum + outputs.back().square().sum();
    }
    sum.backward();
    return outputs;
  };
  for (const char* method : {"dorefa", "lsq", "qil", "lq-net"}) {
    INFO(method);
    const PrecisionPlan plan = {.quantizer = method, .weight_bits = 3, .activation_bits = 32};
    const auto make = [&] {
      at::manual_seed(7);
      return QuantConv({.in = 4, .out = 3, .kernel = 3, .padding = 1}, plan, LayerPosition::inner, true);
    };
    auto each = make(), once = make();
    const auto apart = pass(each);
    {
      const OneEncoding encoding(once.weight());
      const auto together = pass(once);
      CHECK(together.front().equal(apart.front()));
      if (method != std::string("lq-net"))
        for (size_t i = 0; i < maps.size(); ++i) CHECK(together[i].equal(apart[i]));
    }
    const auto& state = once.weight().weight_quantizer()->state();
    if (method == std::string("lq-net")) {
      CHECK(state.at("updates").item<double>() == 1);
      CHECK(each.weight().weight_quantizer()->state().at("updates").item<double>() == 3);
      continue;
    }
    CHECK(once.weight().values().grad().allclose(each.weight().values().grad(), 1e-4, 1e-5));
    for (const auto& [name, parameter] : once.weight().weight_quantizer()->parameters()) {
      INFO(name);
      CHECK(parameter.grad().allclose(each.weight().weight_quantizer()->parameters().at(name).grad(), 1e-4, 1e-4));
    }
    // Behind it weights are encoded anew: what has changed since is seen.
    const at::NoGradGuard no_gradient;
    const auto before = once.forward(maps[0]);
    once.weight().values().detach().mul_(-1);
    CHECK_FALSE(once.forward(maps[0]).equal(before));
  }
}
