#include "models/network.h"

#include "base/error.h"
#include "base/torch_prelude.h"
#include "models/weights.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

int64_t parameter_count(const Network& network) {
  int64_t count = 0;
  for (const auto& [name, tensor] : named_tensors(const_cast<Network&>(network).module()))
    if (tensor.requires_grad()) count += tensor.numel();
  return count;
}

at::Tensor images(int64_t count, int64_t channels, int64_t size) { return at::rand({count, channels, size, size}); }

PrecisionPlan two_bits(const char* quantizer = "dorefa") {
  return {.quantizer = quantizer, .weight_bits = 2, .activation_bits = 2, .first_last = "float"};
}

}  // namespace

TEST_CASE("ResNets have torchvision's number of parameters", "[models]") {
  CHECK(parameter_count(*make_network({.model = "resnet18"})) == 11689512);
  CHECK(parameter_count(*make_network({.model = "resnet34"})) == 21797672);
  CHECK(parameter_count(*make_network({.model = "resnet50"})) == 25557032);
  CHECK(parameter_count(*make_network({.model = "resnet101"})) == 44549160);
}

TEST_CASE("ResNets have torchvision's names and shapes", "[models]") {
  const auto basic = make_network({.model = "resnet18"});
  const auto tensors = named_tensors(basic->module());
  CHECK(tensors.size() == 122);  // of torchvision's state dict
  CHECK(tensors.at("conv1.weight").sizes() == at::IntArrayRef({64, 3, 7, 7}));
  CHECK(tensors.at("layer1.0.conv2.weight").sizes() == at::IntArrayRef({64, 64, 3, 3}));
  CHECK(tensors.at("layer2.0.downsample.0.weight").sizes() == at::IntArrayRef({128, 64, 1, 1}));
  CHECK(tensors.at("layer2.0.downsample.1.running_mean").sizes() == at::IntArrayRef({128}));
  CHECK(tensors.at("fc.bias").sizes() == at::IntArrayRef({1000}));
  CHECK_FALSE(tensors.contains("layer1.0.downsample.0.weight"));
  const auto deep = make_network({.model = "resnet50"});
  const auto bottleneck = named_tensors(deep->module());
  CHECK(bottleneck.size() == 320);
  CHECK(bottleneck.at("layer1.0.downsample.0.weight").sizes() == at::IntArrayRef({256, 64, 1, 1}));
  CHECK(bottleneck.at("layer4.2.conv3.weight").sizes() == at::IntArrayRef({2048, 512, 1, 1}));
}

TEST_CASE("initial weights follow torchvision: Kaiming by fan-out, norms at one and zero", "[models]") {
  at::manual_seed(1);
  const auto network = make_network({.model = "resnet18"});
  const auto tensors = named_tensors(network->module());
  const auto weight = tensors.at("layer3.1.conv1.weight").detach();
  CHECK(weight.std().item<double>() == Approx(std::sqrt(2.0 / (256 * 9))).epsilon(0.01));
  CHECK(std::abs(weight.mean().item<double>()) < 1e-3);
  CHECK(tensors.at("layer3.1.bn1.weight").eq(1).all().item<bool>());
  CHECK(tensors.at("layer3.1.bn1.bias").eq(0).all().item<bool>());
  CHECK(tensors.at("fc.weight").detach().abs().max().item<double>() <= 1 / std::sqrt(512.0));
}

TEST_CASE("width, stem, classes and input channels shape the network", "[models]") {
  const auto network = make_network(
      {.model = "resnet34", .in_channels = 1, .classes = 10, .stem = "small", .stem_stride = 2, .width = 0.125});
  const TapPlan plan;
  const auto output = network->forward(images(2, 1, 28), &plan);
  CHECK(output.logits.sizes() == at::IntArrayRef({2, 10}));
  CHECK(output.stem.sizes() == at::IntArrayRef({2, 8, 14, 14}));
  REQUIRE(output.taps.size() == 16);
  CHECK(output.taps.back().sizes() == at::IntArrayRef({2, 64, 2, 2}));
}

TEST_CASE("taps have the shapes that tap_shapes promises", "[models]") {
  for (const char* model : {"resnet18", "resnet50"}) {
    for (const bool skip : {true, false}) {
      for (const TapPlan& plan : {TapPlan{}, TapPlan{.per_layer = true}, TapPlan{.after_add = false}}) {
        const auto network = make_network(
            {.model = model, .in_channels = 1, .classes = 10, .skip = skip, .stem = "small", .width = 0.0625});
        const auto output = network->forward(images(2, 1, 16), &plan);
        const auto shapes = network->tap_shapes(plan);
        REQUIRE(output.taps.size() == shapes.size());
        for (size_t i = 0; i < shapes.size(); ++i) {
          CHECK(output.taps[i].size(1) == shapes[i].channels);
          CHECK(output.taps[i].size(2) * shapes[i].stride == output.stem.size(2));
        }
      }
    }
  }
}

TEST_CASE("the plain network has no shortcuts and no shortcut weights", "[models]") {
  const auto network = make_network({.model = "resnet34", .skip = false, .width = 0.0625});
  for (const auto& [name, tensor] : named_tensors(network->module()))
    CHECK(name.find("downsample") == std::string::npos);
  // With the residual branches silenced nothing of the input is left.
  for (auto& [name, tensor] : named_tensors(network->module()))
    if (name.find("bn2.weight") != std::string::npos) tensor.detach().zero_();
  const auto a = network->forward(images(2, 3, 64)).logits;
  const auto b = network->forward(images(2, 3, 64)).logits;
  CHECK(a.equal(b));
}

TEST_CASE("a residual network still sees its input when the branches are silenced", "[models]") {
  const auto network = make_network({.model = "resnet34", .width = 0.0625});
  for (auto& [name, tensor] : named_tensors(network->module()))
    if (name.find("bn2.weight") != std::string::npos) tensor.detach().zero_();
  CHECK_FALSE(network->forward(images(2, 3, 64)).logits.equal(network->forward(images(2, 3, 64)).logits));
}

TEST_CASE("taps are float before the activation, wherever activations are quantized", "[models]") {
  for (const char* place : {"conv-input", "block-output"}) {
    at::manual_seed(2);
    const auto network = make_network({.model = "resnet18",
                                       .in_channels = 1,
                                       .classes = 10,
                                       .stem = "small",
                                       .width = 0.125,
                                       .quantize_at = place,
                                       .precision = two_bits()});
    const TapPlan plan;
    const auto output = network->forward(images(4, 1, 16), &plan);
    for (const auto& tap : output.taps) {
      CHECK(tap.lt(0).any().item<bool>());
      CHECK((tap * 3).frac().abs().gt(1e-3).any().item<bool>());
    }
  }
}

TEST_CASE("asking for taps does not change the logits", "[models]") {
  const auto network = make_network({.model = "resnet50",
                                     .in_channels = 1,
                                     .classes = 10,
                                     .stem = "small",
                                     .width = 0.0625,
                                     .precision = two_bits()});
  network->module().eval();
  const auto x = images(3, 1, 16);
  const TapPlan plan = {.per_layer = true};
  CHECK(network->forward(x).logits.equal(network->forward(x, &plan).logits));
}

TEST_CASE("nor does it change gradients, whatever the block computes in place", "[models]") {
  const TapPlan plans[] = {{}, {.per_layer = true}, {.after_add = false}, {.per_layer = true, .after_add = false}};
  for (const char* block : {"post-act", "pre-act", "bireal", "group"})
    for (const char* activation : {"relu", "relu6", "hardtanh", "tanh"})
      for (const char* method : {"none", "dorefa"}) {
        INFO(block << ", " << activation << ", " << method);
        at::manual_seed(6);
        const auto network = make_network({.model = "resnet18",
                                           .in_channels = 1,
                                           .classes = 10,
                                           .stem = "small",
                                           .width = 0.0625,
                                           .block = block,
                                           .bases = 2,
                                           .activation = activation,
                                           .precision = two_bits(method)});
        const auto x = images(2, 1, 16);
        const auto gradients = [&](const TapPlan* plan) {
          network->module().zero_grad();
          auto output = network->forward(x, plan);
          output.logits.square().sum().backward();
          std::vector<at::Tensor> found = {output.logits.detach()};
          for (const auto& parameter : network->module().parameters())
            found.push_back(parameter.grad().defined() ? parameter.grad().clone() : at::Tensor());
          return found;
        };
        const auto expected = gradients(nullptr);
        for (const auto& plan : plans) {
          const auto found = gradients(&plan);
          REQUIRE(found.size() == expected.size());
          for (size_t i = 0; i < found.size(); ++i) {
            REQUIRE(found[i].defined() == expected[i].defined());
            if (found[i].defined()) REQUIRE(found[i].equal(expected[i]));
          }
        }
      }
}

TEST_CASE("taps can be trained on, each with the values it was handed out with", "[models]") {
  for (const char* block : {"post-act", "pre-act", "bireal", "group"})
    for (const bool after_add : {true, false}) {
      INFO(block << (after_add ? ", sum" : ", branch"));
      at::manual_seed(7);
      const auto network = make_network({.model = "resnet18",
                                         .in_channels = 1,
                                         .classes = 10,
                                         .stem = "small",
                                         .width = 0.0625,
                                         .block = block,
                                         .bases = 2,
                                         .precision = two_bits()});
      const TapPlan plan = {.per_layer = true, .after_add = after_add};
      auto output = network->forward(images(2, 1, 16), &plan);
      CHECK(output.stem.lt(0).any().item<bool>());
      auto sum = output.stem.square().sum();
      for (const auto& tap : output.taps) {
        CHECK(tap.lt(0).any().item<bool>());
        sum = sum + tap.square().sum();  // backward reads the tap's values
      }
      CHECK_NOTHROW(sum.backward());
    }
}

TEST_CASE("one network takes images of any size, from batch to batch", "[models]") {
  const TapPlan plan = {.per_layer = true};
  for (const char* block : {"post-act", "pre-act", "bireal", "group"})
    for (const char* stem : {"small", "imagenet"}) {
      INFO(block << ", " << stem);
      at::manual_seed(8);
      const auto network = make_network({.model = "resnet18",
                                         .in_channels = 1,
                                         .classes = 10,
                                         .stem = stem,
                                         .width = 0.0625,
                                         .block = block,
                                         .bases = 2,
                                         .precision = two_bits("lsq")});
      const auto shapes = network->tap_shapes(plan);
      const auto check = [&](int64_t height, int64_t width) {
        const auto output = network->forward(at::rand({2, 1, height, width}), &plan);
        CHECK(output.logits.sizes() == at::IntArrayRef({2, 10}));
        CHECK(output.stem.size(2) == (stem == std::string("small") ? height : height / 4));
        REQUIRE(output.taps.size() == shapes.size());
        for (size_t i = 0; i < shapes.size(); ++i) {
          const auto of_stem = [&](int64_t axis) {
            return (output.stem.size(axis) + shapes[i].stride - 1) / shapes[i].stride;
          };
          CHECK(output.taps[i].sizes() == at::IntArrayRef({2, shapes[i].channels, of_stem(2), of_stem(3)}));
        }
        if (network->module().is_training()) output.logits.sum().backward();
      };
      for (const int64_t size : {32, 24, 40}) check(size, size);
      check(24, 40);
      network->module().eval();
      const at::NoGradGuard no_gradient;
      const auto x = images(2, 1, 24);
      const auto before = network->forward(x).logits;
      for (const int64_t size : {32, 24, 40}) check(size, size);
      check(40, 24);
      CHECK(network->forward(x).logits.equal(before));  // nothing of other sizes is remembered
    }
}

TEST_CASE("where activations are quantized at the output, each layer learns a step of its own", "[models]") {
  for (const char* model : {"resnet18", "resnet50"}) {
    at::manual_seed(9);
    const auto network = make_network({.model = model,
                                       .in_channels = 1,
                                       .classes = 10,
                                       .stem = "small",
                                       .width = 0.125,
                                       .quantize_at = "block-output",
                                       .precision = two_bits("lsq")});
    network->forward(images(4, 1, 16));
    const auto tensors = named_tensors(network->module());
    CHECK(tensors.contains("layer2.0.inner_activation.step"));
    CHECK(tensors.contains("layer2.0.final_activation.step"));
    REQUIRE(tensors.contains("layer2.0.inner2_activation.step") == (model == std::string("resnet50")));
    if (!tensors.contains("layer2.0.inner2_activation.step")) continue;
    CHECK_FALSE(tensors.at("layer2.0.inner2_activation.step").equal(tensors.at("layer2.0.inner_activation.step")));
  }
}

TEST_CASE("in evaluation an image's logits do not depend on its batch", "[models]") {
  const auto network = make_network(
      {.model = "resnet18", .in_channels = 1, .classes = 10, .stem = "small", .width = 0.125, .precision = two_bits()});
  network->module().to(at::kDouble);
  network->module().eval();
  const auto x = images(5, 1, 16).to(at::kDouble);
  CHECK(network->forward(x).logits[3].allclose(network->forward(x.slice(0, 3, 4)).logits[0], 1e-12, 1e-12));
}

TEST_CASE("the precision plan leaves first and last layers as it says", "[models]") {
  PrecisionPlan plan = two_bits();
  CHECK(plan.layer(LayerPosition::first).weight_bits == 32);
  CHECK(plan.layer(LayerPosition::inner).activation_bits == 2);
  plan.first_last = "8-bit";
  CHECK(plan.layer(LayerPosition::first).weight_bits == 8);
  CHECK(plan.layer(LayerPosition::first).activation_bits == 32);
  CHECK(plan.layer(LayerPosition::last).activation_bits == 8);
  plan.first_last = "same";
  CHECK(plan.layer(LayerPosition::last).weight_bits == 2);
  plan.quantizer = "none";
  CHECK(plan.layer(LayerPosition::inner).weight_bits == 32);
}

TEST_CASE("quantized layers see only their levels", "[models]") {
  // 8-bit first and last layers change the logits of the same weights, and so does 2-bit everything.
  const auto logits_with = [](const char* first_last) {
    at::manual_seed(3);
    PrecisionPlan plan = two_bits();
    plan.first_last = first_last;
    const auto network = make_network(
        {.model = "resnet18", .in_channels = 1, .classes = 10, .stem = "small", .width = 0.125, .precision = plan});
    network->module().eval();
    return network->forward(images(2, 1, 16)).logits;
  };
  const auto whole = logits_with("float");
  CHECK(whole.equal(logits_with("float")));
  CHECK_FALSE(whole.equal(logits_with("8-bit")));
  CHECK_FALSE(whole.equal(logits_with("same")));
}

TEST_CASE("weights come back as they went, and a wrong file is named", "[models]") {
  at::manual_seed(4);
  const auto a = make_network({.model = "resnet18", .width = 0.125});
  const auto b = make_network({.model = "resnet18", .width = 0.125});
  SafeTensors file;
  store_tensors(named_tensors(a->module()), file);
  load_tensors(parse_safetensors(dump_safetensors(file), "memory"), "", named_tensors(b->module()), "memory");
  for (const auto& [name, tensor] : named_tensors(a->module()))
    CHECK(tensor.equal(named_tensors(b->module()).at(name)));

  auto wrong = file;
  wrong.tensors["fc.weight"].shape = {64, 1000};
  CHECK_THROWS_WITH(load_tensors(wrong, "", named_tensors(b->module()), "w.safetensors"),
                    "w.safetensors: fc.weight: expected [1000,64], found [64,1000]");
  wrong = file;
  wrong.tensors.erase("bn1.bias");
  CHECK_THROWS_WITH(load_tensors(wrong, "", named_tensors(b->module()), "w"), "w: bn1.bias: missing");
  wrong = file;
  wrong.tensors["stranger"] = wrong.tensors["fc.bias"];
  CHECK_THROWS_WITH(load_tensors(wrong, "", named_tensors(b->module()), "w"),
                    "w: stranger: the network has no such tensor");
  wrong = file;
  wrong.tensors["fc.bias"].dtype = "I32";
  CHECK_THROWS_AS(load_tensors(wrong, "", named_tensors(b->module()), "w"), UserError);
}
