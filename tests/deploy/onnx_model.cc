// onnx_model FOLDER: seeded networks of every kind of step as NAME.onnx, random images as NAME.images and what
// our engine says of them as NAME.OUTPUT for each output (raw float32), and cases.json, which tells their shapes and how
// far apart outputs may be. tests/deploy/onnx.py runs it and reads them.
//
// Pixels are multiples of 1/16 and weights of float layers multiples of 1/64: float32 adds their products without
// rounding in any order, as float64 does. What is left to differ is a float classifier, and there the bound is the
// textbook's.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files/file.h"
#include "base/random.h"
#include "deploy/executor.h"
#include "deploy/onnx.h"
#include "deploy/synthetic.h"
#include "tests/deploy/network_builder.h"

using namespace auxbench;
using namespace auxbench::test;

namespace {

constexpr int64_t kImages = 8;

struct Case {
  IntegerNetwork network;
  nlohmann::json forms = nlohmann::json::object();  // of encoders, where it matters which
  nlohmann::json sums = nlohmann::json::object();   // of convolutions, likewise
  int64_t images = kImages;
};

// stem, 3 x 3 with stride, 1 x 1, classifier.
IntegerNetwork plain(Builder build, const Activation& activation, int bits, bool odd) {
  auto second = build.convolution("conv1", build.stem(activation), 20, 3, 2, bits, odd);
  build.norm(second);
  auto third = build.convolution("conv2", build.with_codes(std::move(second), activation, 20), 16, 1, 1, bits, odd);
  third.clamp = true;
  third.lo = -4;
  third.hi = 4;
  return build.classify(build.with_floats(std::move(third), 16));
}

// Signs of sums without a norm: sums that are zero stand on the threshold.
Case ties() {
  Builder build("ties");
  const auto in = build.encoded("sign", build.x(), sign_activation());
  auto first = build.convolution("conv1", in, 24, 1, 1, 1, true);
  first.scale.assign(24, 0.1F);
  auto second =
      build.convolution("conv2", build.with_codes(std::move(first), sign_activation(), 24), 24, 3, 1, 1, true);
  second.scale.assign(24, 0.3F);
  auto third =
      build.convolution("conv3", build.with_codes(std::move(second), sign_activation(), 24), 16, 3, 2, 1, true);
  return {build.classify(build.with_floats(std::move(third), 16)), {{"sign", "thresholds"}, {"conv1", "thresholds"}}};
}

// Codes that stand for values with an offset, which a border has less of (LSQ+); a residual of them.
Case offsets() {
  Builder build("offsets");
  const auto in = build.stem(uniform_activation(15, -8, 0.21F, 0.37F));
  auto first = build.convolution("conv1", in, 16, 3, 1, 4, false);
  build.norm(first);
  first.residual = in;
  first.clamp = true;
  first.lo = -1;
  first.hi = 1;
  const auto next = build.with_codes(std::move(first), uniform_activation(3, 0, 0.3F, -0.2F), 16);
  auto second = build.convolution("conv2", next, 12, 3, 2, 2, true);
  build.norm(second);
  return {build.classify(build.with_floats(std::move(second), 12)), {{"stem", "QuantizeLinear"}}};
}

// A residual stream in floats beside codes, ReLU before the norm, a float classifier.
Case residual_stream() {
  Builder build("residual stream");
  auto stem = build.float_convolution("stem", build.x(), 16, 3, 1);
  stem.out_floats = build.floats(16);
  auto stream = stem.out_floats;
  auto codes = build.with_codes(std::move(stem), sign_activation(), 16);
  for (int i = 0; i < 3; ++i) {
    auto step = build.convolution("block" + std::to_string(i), codes, 16, 3, 1, 1, true);
    step.relu_first = i == 1;
    build.norm(step);
    step.residual = stream;
    step.clamp = true;
    step.lo = -1;
    step.hi = 1;
    stream = step.out_floats = build.floats(16);
    codes = build.with_codes(std::move(step), sign_activation(), 16);
  }
  return {build.classify_in_floats(stream)};
}

// LQ-Nets: two digits by two digits, added one by one.
Case digits() {
  Builder build("digits");
  const auto in = build.stem({{.largest = 3}, thresholds({0.2F, 0.5F, 1.1F})});
  std::vector<size_t> bits;
  for (int i = 0; i < 2; ++i)
    bits.push_back(build.add({.kind = Kind::digit,
                              .name = "conv1.digit" + std::to_string(i),
                              .inputs = {in},
                              .digit_mask = i == 0 ? 0b0110U : 0b1010U,
                              .out_codes = build.codes(16, {.largest = 1})}));
  size_t partial = kNoValue;
  for (size_t i = 0; i < 4; ++i) {
    auto step = build.convolution("conv1.term" + std::to_string(i), bits[i % 2], 12, 3, 1, 1, true);
    step.partial = partial;
    if (i == 3) build.norm(step);
    partial = build.with_floats(std::move(step), 12);
  }
  return {build.classify(partial), {{"stem", "thresholds"}}};
}

// What is not a convolution: poolings of floats and codes at odd sizes, sums, encoders by themselves.
Case others() {
  Builder build("others", 3, 21, 17);
  auto stem = build.float_convolution("stem", build.x(), 16, 7, 1);
  const auto stream = build.with_floats(std::move(stem), 16);
  const auto pooled = build.add(Kind::max_pool, "maxpool", {stream});
  const auto coded = build.encoded("encoder", pooled, uniform_activation(15, -8, 0.4F));
  const auto smaller = build.add({.kind = Kind::max_pool,
                                  .name = "maxpool.codes",
                                  .inputs = {coded},
                                  .out_codes = build.codes(16, build.of(coded).codes)});
  const auto averaged = build.add(Kind::average_pool, "avgpool", {pooled});
  auto step = build.convolution("conv1", smaller, 16, 3, 1, 3, true);
  step.residual = averaged;
  const auto left = build.with_floats(std::move(step), 16);
  const auto blended = build.add(Kind::blend, "blend", {left, averaged}, {0.3F, 0.7F});
  const auto sum = build.add(Kind::weighted_sum, "sum", {left, blended, averaged}, {0.2F, 1.1F, -0.4F});
  auto norm = IntegerStep{.kind = Kind::elementwise, .name = "norm", .inputs = {sum}, .out = 16, .clamp = true};
  build.norm(norm);
  norm.hi = 6;
  auto last = build.convolution("conv2", build.with_codes(std::move(norm), clipped_activation(255, 2.3456F), 16), 16, 3,
                                2, 8, true);
  return {build.classify(build.with_floats(std::move(last), 16)),
          {{"encoder", "QuantizeLinear"}, {"norm", "affine"}},
          {{"stem", "float32"}, {"conv2", "exact"}}};
}

// Codes that stand for -255, -253 .. 255, which no tensor of 8 bits holds: pooled, multiplied, added.
Case wide_codes() {
  Builder build("wide codes");
  auto activation = uniform_activation(255, -128, 0.02F);
  activation.meaning = {.largest = 255, .step = 2, .shift = -255, .scale = 0.01F, .offset = 0.01F};
  const auto wide = build.stem(activation);
  const auto in = build.add({.kind = Kind::max_pool,
                             .name = "maxpool",
                             .inputs = {wide},
                             .out_codes = build.codes(16, build.of(wide).codes)});
  auto first = build.convolution("conv1", in, 16, 3, 1, 2, true);
  build.norm(first);
  first.residual = in;
  const auto next = build.with_codes(std::move(first), symmetric_activation(127, 2.3456F, 0.13F), 16);
  auto second = build.convolution("conv2", next, 16, 3, 1, 8, false);
  return {build.classify(build.with_floats(std::move(second), 16)), {{"stem", "QuantizeLinear"}, {"conv1", "affine"}}};
}

// Sums that could leave float32's whole numbers by their weights, and do not; scaled in float64. Their mean is what
// there is to predict from.
Case wide_sums() {
  Builder build("wide sums");
  const auto in = build.stem(uniform_activation(255, 0, 0.01F), 128);
  auto step = build.convolution("conv1", in, kClasses, 3, 1, 8, false);
  step.in_double = true;
  build.norm(step);
  const auto last = build.with_floats(std::move(step), kClasses);
  return {build.finish(build.add(Kind::mean, "mean", {last})), {{"stem", "QuantizeLinear"}}, {{"conv1", "float32"}}};
}

// A pyramid of two levels: the upper one comes down as floats, to be added, and as codes, to be multiplied; one layer's
// weights on both levels; an odd size, whose half is rounded up.
Case pyramid() {
  Builder build("pyramid", 3, 11, 14);
  const auto four_bits = uniform_activation(15, -8, 0.25F);
  const auto fine = build.stem(four_bits);
  auto step = build.convolution("down", fine, 16, 3, 2, 4, false);
  step.alpha.assign(16, 1.0F);
  step.beta.assign(16, 0.25F);
  step.out_floats = build.floats(16);
  const auto above = step.out_floats;
  const auto coarse = build.with_codes(std::move(step), four_bits, 16);
  const auto floats =
      build.add({.kind = Kind::upsample, .name = "up.floats", .inputs = {above, fine}, .out_floats = build.floats(16)});
  const auto codes = build.add({.kind = Kind::upsample,
                                .name = "up.codes",
                                .inputs = {coarse, fine},
                                .out_codes = build.codes(16, build.of(coarse).codes)});
  auto lateral = build.convolution("lateral", codes, 16, 1, 1, 4, false);
  lateral.residual = floats;
  const auto sum = build.with_codes(std::move(lateral), four_bits, 16);
  auto head = build.convolution("head", sum, 12, 3, 1, 8, false);
  build.norm(head);
  auto again = head;
  const auto first = build.with_floats(std::move(head), 12);
  again.name = "head@4";
  again.inputs = {coarse};
  again.weights.clear();
  again.shares = build.last_step();
  const auto second = build.with_floats(std::move(again), 12);
  auto raw = build.float_convolution("raw", build.x(), 8, 3, 1);
  raw.alpha.assign(8, 1.0F);
  raw.beta.assign(8, 0.5F);
  const auto third = build.with_floats(std::move(raw), 8);
  return {build.finish({{"classes.3", first}, {"classes.4", second}, {"boxes.3", third}}),
          {{"down", "QuantizeLinear"}},
          {{"head", "exact"}, {"head@4", "exact"}}};
}

std::vector<std::pair<std::string, Case>> all_cases() {
  const std::vector<std::pair<std::string, Activation>> activations = {{"sign", sign_activation()},
                                                                       {"2 bits", uniform_thresholds(3, 0.3F)},
                                                                       {"uneven", uneven_activation()},
                                                                       {"4 bits", uniform_activation(15, -8, 0.15F)},
                                                                       {"8 bits", clipped_activation(255, 2.7183F)}};
  std::vector<std::pair<std::string, Case>> cases;
  for (const int bits : {1, 2, 3, 4, 8})
    for (const bool odd : {false, true})
      for (const auto& [called, activation] : activations) {
        const auto name = std::to_string(bits) + (odd ? " odd by " : " by ") + called;
        cases.emplace_back(name, Case{plain(Builder(name), activation, bits, odd)});
        if (called == "2 bits") cases.back().second.forms = {{"stem", "QuantizeLinear"}, {"conv1", "QuantizeLinear"}};
        if (called == "uneven") cases.back().second.forms = {{"stem", "thresholds"}};
      }
  cases.emplace_back("ties", ties());
  cases.emplace_back("offsets", offsets());
  cases.emplace_back("residual stream", residual_stream());
  cases.emplace_back("digits", digits());
  cases.emplace_back("others", others());
  cases.emplace_back("wide codes", wide_codes());
  cases.emplace_back("wide sums", wide_sums());
  cases.emplace_back("pyramid", pyramid());
  for (const bool shared : {true, false}) {
    const SyntheticDetector detector = {
        .height = 64, .width = 96, .classes = 5, .anchors = 3, .channels = 32, .tower = 2, .shared_heads = shared};
    cases.emplace_back(shared ? "retinanet" : "retinanet with unshared heads",
                       Case{.network = synthetic_retinanet(detector), .images = 2});
  }
  cases.emplace_back("resnet18", Case{.network = synthetic_resnet("resnet18", 2, 2, 32), .images = 2});
  return cases;
}

std::vector<float> some_images(const IntegerNetwork& network, int64_t count) {
  RandomStream random(7);
  std::vector<float> images;
  for (int64_t i = 0; i < count * network.channels * network.height * network.width; ++i)
    images.push_back(static_cast<float>(static_cast<int>(random.below(65)) - 32) / 16.0F);
  return images;
}

// n rounded products and n - 1 rounded sums are within n eps sum |w x| of the truth, eps = 2^-24; two roundings more
// for the engine's own and the bias.
double tolerance(const IntegerNetwork& network, const Executor& engine) {
  const auto& last = network.steps.back();
  if (last.kind != Kind::float_convolution || network.classes == 0) return 0;
  const auto features = engine.value(last.inputs.front());
  const auto taps = static_cast<size_t>(network.values[last.inputs.front()].channels);
  double most = 0;
  for (size_t n = 0; n < features.size(); n += taps)
    for (size_t k = 0; k < last.float_weights.size(); k += taps) {
      double sum = std::fabs(double(last.beta[k / taps]));
      for (size_t i = 0; i < taps; ++i) sum += std::fabs(double(features[n + i]) * double(last.float_weights[k + i]));
      most = std::max(most, sum);
    }
  return static_cast<double>(taps + 2) * std::ldexp(1.0, -24) * most;
}

// [N][h][w][channels] -> [N, channels, h, w], as ONNX has it.
std::vector<float> channels_first(const ExecutorOutput& output, int64_t images) {
  const int64_t pixels = output.h * output.w;
  std::vector<float> moved;
  for (int64_t n = 0; n < images; ++n)
    for (int64_t c = 0; c < output.channels; ++c)
      for (int64_t p = 0; p < pixels; ++p)
        moved.push_back(output.numbers[static_cast<size_t>((n * pixels + p) * output.channels + c)]);
  return moved;
}

std::string as_bytes(std::span<const float> numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes()};
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fputs("usage: onnx_model FOLDER\n", stderr);
    return 2;
  }
  const std::filesystem::path folder = arguments[1];
  auto list = nlohmann::json::array();
  for (const auto& [name, each] : all_cases()) {
    const auto& network = each.network;
    const auto images = some_images(network, each.images);
    Executor engine(network, {.batch = each.images, .keep_values = true});
    write_file_atomically(folder / (name + ".images"), as_bytes(images));
    engine.run(images);
    auto outputs = nlohmann::json::object();
    for (const auto& output : network.outputs) {
      const auto found = engine.output(output.name);
      write_file_atomically(folder / (name + "." + output.name), as_bytes(channels_first(found, each.images)));
      outputs[output.name] = {each.images, found.channels, found.h, found.w};
      if (output.name == kLogits) outputs[output.name] = {each.images, found.channels};
    }
    write_file_atomically(folder / (name + ".onnx"), to_onnx(network));
    list.push_back({{"name", name},
                    {"images", {each.images, network.channels, network.height, network.width}},
                    {"outputs", outputs},
                    {"tolerance", tolerance(network, engine)},
                    {"forms", each.forms},
                    {"sums", each.sums}});
  }
  write_file_atomically(folder / "cases.json", list.dump(1) + "\n");
  return 0;
}
