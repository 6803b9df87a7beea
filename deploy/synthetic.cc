#include "deploy/synthetic.h"

#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "models/list/models.h"

namespace auxbench {
namespace {

using Kind = IntegerStep::Kind;
using Type = IntegerValue::Type;

const ModelFacts& depth_of(const std::string& model) {
  if (const auto* depth = find_model(model); depth != nullptr && depth->exists) return *depth;
  std::string known;
  for (const auto& one : kModels)
    if (one.exists) known += (known.empty() ? "" : ", ") + std::string(one.name);
  throw UserError(ExitCode::usage, "no network " + model + ", only " + known);
}

constexpr int kEndBits = 8;

class Builder {
 public:
  Builder(int weight_bits, int activation_bits, int64_t image, int64_t seed)
      : weight_bits_(weight_bits), activation_bits_(activation_bits), random_(stream_seed(seed, "synthetic network")) {
    network_ = {.channels = 3, .height = image, .width = image, .classes = 1000};
  }

  IntegerNetwork build(const ModelFacts& depth) {
    size_t x = pixels();
    x = convolution({.name = "conv1", .in = x, .out = 64, .kernel = 7, .stride = 2, .bits = kEndBits});
    x = max_pool(x);
    int64_t width = 64;
    for (size_t stage = 0; stage < depth.blocks.size(); ++stage, width *= 2)
      for (int i = 0; i < depth.blocks[stage]; ++i) {
        last_ = stage + 1 == depth.blocks.size() && i + 1 == depth.blocks[stage];
        const auto name = "layer" + std::to_string(stage + 1) + "." + std::to_string(i) + ".";
        x = block(name, x, width, i == 0 && stage > 0 ? 2 : 1, depth.bottleneck);
      }
    classify(x);
    return std::move(network_);
  }

 private:
  struct Layer {
    std::string name;
    size_t in = 0;
    int64_t out = 0, kernel = 1, stride = 1;
    int bits = 0;  // of its weights
    size_t residual = kNoValue;
    bool activation = true, floats = false;
  };

  size_t new_value(Type type, int64_t channels, int bits = 0) {
    const int32_t largest = type == Type::codes ? (1 << bits) - 1 : 0;
    network_.values.push_back(
        {.type = type,
         .channels = channels,
         .codes = {.largest = largest, .scale = largest > 0 ? 1.0F / static_cast<float>(largest) : 1.0F}});
    return network_.values.size() - 1;
  }

  // DoReFa's: round(clip(v, 0, 1) n).
  void encode(IntegerStep& step, int64_t channels, int bits) {
    step.out_codes = new_value(Type::codes, channels, bits);
    const int n = (1 << bits) - 1;
    if (n > 7) {
      step.encoder = {.kind = "affine", .lo = 0, .hi = 1, .multiply = static_cast<float>(n)};
      return;
    }
    step.encoder.kind = "thresholds";
    for (int j = 1; j <= n; ++j) step.encoder.table.push_back((static_cast<float>(j) - 0.5F) / static_cast<float>(n));
  }

  size_t pixels() {
    IntegerStep image = {.kind = Kind::image, .name = "image", .out_floats = new_value(Type::floats, 3)};
    IntegerStep coded = {.kind = Kind::elementwise, .name = "pixels", .inputs = {image.out_floats}};
    encode(coded, 3, kEndBits);
    const auto codes = coded.out_codes;
    network_.steps.push_back(std::move(image));
    network_.steps.push_back(std::move(coded));
    return codes;
  }

  float uniform(double lowest, double highest) {
    return static_cast<float>(lowest + random_.uniform() * (highest - lowest));
  }

  size_t convolution(const Layer& layer) {
    const auto in = network_.values[layer.in];
    const auto taps = layer.kernel * layer.kernel * in.channels;
    IntegerStep step = {.kind = Kind::convolution,
                        .name = layer.name,
                        .inputs = {layer.in},
                        .out = layer.out,
                        .r = layer.kernel,
                        .s = layer.kernel,
                        .stride = layer.stride,
                        .pad = layer.kernel / 2,
                        .weight_bits = layer.bits,
                        .odd_weights = layer.bits < kEndBits,
                        .residual = layer.residual};
    const int levels = 1 << layer.bits;
    for (int64_t i = 0; i < layer.out * taps; ++i)
      step.weights.push_back(
          static_cast<int8_t>(static_cast<int>(random_.below(static_cast<uint64_t>(levels))) - levels / 2));
    // Sums of so many random products, brought to a deviation of about one: codes spread over all levels.
    const double weight = step.odd_weights ? levels / std::sqrt(3.0) : levels / std::sqrt(12.0);
    const double code = in.codes.largest * 0.6;
    const auto scale = static_cast<float>(1 / (std::sqrt(static_cast<double>(taps)) * weight * code));
    step.scale.assign(static_cast<size_t>(layer.out), scale);
    for (int64_t o = 0; o < layer.out; ++o) {
      step.alpha.push_back(uniform(0.3, 0.9));
      step.beta.push_back(uniform(0.0, 0.8));
    }
    size_t made = kNoValue;
    if (layer.activation) {
      step.clamp = true;
      if (!layer.floats) encode(step, layer.out, activation_bits_);
      made = step.out_codes;
    }
    if (made == kNoValue) made = step.out_floats = new_value(Type::floats, layer.out);
    network_.steps.push_back(std::move(step));
    return made;
  }

  size_t max_pool(size_t in) {
    const auto channels = network_.values[in].channels;
    IntegerStep step = {.kind = Kind::max_pool, .name = "maxpool", .inputs = {in}};
    step.out_codes = new_value(Type::codes, channels, activation_bits_);
    network_.steps.push_back(step);
    return step.out_codes;
  }

  size_t block(const std::string& name, size_t x, int64_t width, int64_t stride, bool bottleneck) {
    const int64_t out = bottleneck ? 4 * width : width;
    size_t shortcut = x;
    if (stride != 1 || network_.values[x].channels != out)
      shortcut = convolution({.name = name + "downsample.0",
                              .in = x,
                              .out = out,
                              .stride = stride,
                              .bits = weight_bits_,
                              .activation = false});
    size_t y = x;
    if (bottleneck) {
      y = convolution({.name = name + "conv1", .in = y, .out = width, .bits = weight_bits_});
      y = convolution(
          {.name = name + "conv2", .in = y, .out = width, .kernel = 3, .stride = stride, .bits = weight_bits_});
    } else {
      y = convolution(
          {.name = name + "conv1", .in = y, .out = width, .kernel = 3, .stride = stride, .bits = weight_bits_});
    }
    return convolution({.name = name + (bottleneck ? "conv3" : "conv2"),
                        .in = y,
                        .out = out,
                        .kernel = bottleneck ? 1 : 3,
                        .bits = weight_bits_,
                        .residual = shortcut,
                        .floats = last_});
  }

  void classify(size_t features) {
    const auto channels = network_.values[features].channels;
    IntegerStep mean = {
        .kind = Kind::mean, .name = "mean", .inputs = {features}, .out_floats = new_value(Type::floats, channels)};
    IntegerStep coded = {.kind = Kind::elementwise, .name = "fc.input_quantizer", .inputs = {mean.out_floats}};
    encode(coded, channels, kEndBits);
    const auto codes = coded.out_codes;
    network_.steps.push_back(std::move(mean));
    network_.steps.push_back(std::move(coded));
    const auto logits =
        convolution({.name = "fc", .in = codes, .out = network_.classes, .bits = kEndBits, .activation = false});
    network_.outputs = {{kLogits, logits}};
  }

  int weight_bits_, activation_bits_;
  RandomStream random_;
  IntegerNetwork network_;
  bool last_ = false;
};

}  // namespace

IntegerNetwork synthetic_resnet(const std::string& model, int weight_bits, int activation_bits, int64_t image,
                                int64_t seed) {
  const auto& depth = depth_of(model);
  const bool known = weight_bits == 1 || weight_bits == 2 || weight_bits == 3 || weight_bits == 4 || weight_bits == 8;
  if (!known || activation_bits < 1 || activation_bits > 8 || image < 32)
    throw UserError(ExitCode::usage,
                    "synthetic networks have weights of 1, 2, 3, 4 or 8 bits, activations of 1 to 8, "
                    "images of at least 32 pixels");
  auto network = Builder(weight_bits, activation_bits, image, seed).build(depth);
  value_sizes(network);
  return network;
}

}  // namespace auxbench
