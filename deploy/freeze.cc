#include "deploy/freeze.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/check.h"
#include "base/error.h"
#include "base/torch_prelude.h"
#include "deploy/frozen_quantizer.h"
#include "quantizers/code_conv.h"
#include "quantizers/quantized_layers.h"

namespace auxbench {
namespace {

using Node = GraphNode::Kind;
using Step = IntegerStep::Kind;
using Type = IntegerValue::Type;

std::vector<float> floats(const at::Tensor& tensor) {
  const auto flat = tensor.detach().to(at::kFloat).contiguous();
  return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

// One number for each output channel.
std::vector<float> per_channel(const at::Tensor& numbers, int64_t channels) {
  return floats(numbers.dim() == 0 ? numbers.expand({channels}) : numbers);
}

// [out, in, r, s] -> [out][r][s][in]
std::vector<float> in_kernel_order(const at::Tensor& weights) { return floats(weights.permute({0, 2, 3, 1})); }

// Weight codes as the kernels take them.
struct WeightCodes {
  std::vector<int8_t> codes;
  int bits = 8;
  bool odd = false;
};

WeightCodes weight_codes(const at::Tensor& whole_numbers, const std::string& name) {
  const auto values = in_kernel_order(whole_numbers);
  if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }))
    throw UserError(ExitCode::usage, name + ": weights that are not finite have no codes (the training diverged)");
  WeightCodes found;
  found.odd = std::all_of(values.begin(), values.end(), [](float v) { return static_cast<int>(v) % 2 != 0; });
  int lowest = 0, highest = 0;
  std::vector<int> codes;
  for (const float v : values) {
    const int code = found.odd ? (static_cast<int>(v) - 1) / 2 : static_cast<int>(v);
    codes.push_back(code);
    lowest = std::min(lowest, code);
    highest = std::max(highest, code);
  }
  for (const int bits : {1, 2, 3, 4, 8}) {
    found.bits = bits;
    if (lowest >= -(1 << (bits - 1)) && highest < (1 << (bits - 1))) {
      for (const int code : codes) found.codes.push_back(static_cast<int8_t>(code));
      return found;
    }
  }
  throw UserError(ExitCode::usage, name + ": weight codes from " + std::to_string(lowest) + " to " +
                                       std::to_string(highest) + " do not fit in 8 bits");
}

// A factor of a convolution on codes: the whole numbers, or one digit of them, and what they count.
struct WeightTerm {
  at::Tensor numbers, scale;
};

std::vector<WeightTerm> weight_terms(const Codes& w) {
  if (!w.basis.defined()) return {{w.codes, w.scale}};
  std::vector<WeightTerm> terms;
  for (int64_t j = 0; j < w.basis.size(-1); ++j) {
    const auto digit = at::floor(w.codes / static_cast<double>(int64_t{1} << j)).remainder(2);
    terms.push_back({w.signed_digits ? digit * 2 - 1 : digit, w.basis.select(-1, j)});
  }
  return terms;
}

class Freezer {
 public:
  Freezer(const Graph& graph, const ImageSize& image) : graph_(graph), readers_(graph.nodes.size()) {
    result_.network = {.channels = image.channels, .height = image.height, .width = image.width};
    result_.value_of_node.assign(graph.nodes.size(), kNoValue);
    for (size_t i = 0; i < graph.nodes.size(); ++i)
      for (const auto input : graph.nodes[i].inputs) readers_[input].push_back(i);
  }

  FrozenNetwork freeze() {
    done_.assign(graph_.nodes.size(), false);
    for (size_t i = 0; i < graph_.nodes.size(); ++i)
      if (!done_[i]) append(i);
    auto& network = result_.network;
    const auto logits = result_.value_of_node.back();
    AUXBENCH_CHECK(logits != kNoValue, "logits that are a value");
    network.outputs = {{kLogits, logits}};
    network.classes = network.values[logits].channels;
    value_sizes(network);
    for (const auto& step : network.steps) check_finite(step);
    return std::move(result_);
  }

 private:
  // What a network that overflowed leaves: norms of negative variance, scales that are infinite.
  static void check_finite(const IntegerStep& step) {
    for (const auto* numbers : {&step.scale, &step.offset_scale, &step.alpha, &step.beta, &step.factors,
                                &step.float_weights, &step.encoder.table})
      if (!std::all_of(numbers->begin(), numbers->end(), [](float v) { return std::isfinite(v); }))
        throw UserError(ExitCode::usage, step.name + ": its scales are not finite numbers");
  }

  const GraphNode& node(size_t index) const { return graph_.nodes[index]; }

  size_t new_value(Type type, int64_t channels, const CodeMeaning& meaning = {}) {
    result_.network.values.push_back({.type = type, .channels = channels, .codes = meaning});
    return result_.network.values.size() - 1;
  }

  [[nodiscard]] int64_t channels_of(size_t value) const { return result_.network.values[value].channels; }

  size_t floats_of(size_t index, const std::string& reader) const {
    const auto value = result_.value_of_node[index];
    if (node(index).kind == Node::quantization)
      throw UserError(ExitCode::usage, reader + ": multiplies values, not codes, behind a quantizer");
    AUXBENCH_CHECK(value != kNoValue, "an input that is a value");
    return value;
  }

  const FrozenQuantizer& quantizer_of(size_t index) {
    const auto& n = node(index);
    auto [found, is_new] = quantizers_.try_emplace(n.quantizer);
    if (is_new) found->second = freeze_quantizer(*n.quantizer, n.name);
    return found->second;
  }

  void append(size_t index) {
    const auto& n = node(index);
    IntegerStep step = {.name = n.name};
    switch (n.kind) {
      case Node::image:
        step.kind = Step::image;
        return finish_floats(step, index, result_.network.channels);
      case Node::convolution:
        return append_convolution(index);
      case Node::max_pool:
        return append_plain(step, Step::max_pool, index);
      case Node::average_pool:
        return append_plain(step, Step::average_pool, index);
      case Node::mean:
        return append_plain(step, Step::mean, index);
      case Node::weighted_sum:
        return append_plain(step, Step::weighted_sum, index);
      case Node::blend:
        return append_plain(step, Step::blend, index);
      default: {
        // What could not become part of the step before it.
        step.kind = Step::elementwise;
        step.inputs = {floats_of(n.inputs.front(), n.name)};
        stage_ = 0;
        AUXBENCH_CHECK(absorb(step, n.inputs.front(), index), "a node that is a step by itself");
        return finish(step, index, channels_of(step.inputs.front()));
      }
    }
  }

  void append_plain(IntegerStep& step, Step kind, size_t index) {
    const auto& n = node(index);
    step.kind = kind;
    for (const auto input : n.inputs) step.inputs.push_back(floats_of(input, n.name));
    if (n.weights.defined()) step.factors = floats(n.weights);
    finish_floats(step, index, channels_of(step.inputs.front()));
  }

  void finish_floats(IntegerStep& step, size_t index, int64_t channels) {
    done_[index] = true;
    step.out_floats = result_.value_of_node[index] = new_value(Type::floats, channels);
    result_.network.steps.push_back(std::move(step));
  }

  void append_convolution(size_t index) {
    const auto& n = node(index);
    const auto source = n.inputs.front();
    const auto weights = encoded_weights(n);
    IntegerStep step = {.name = n.name,
                        .out = weights.codes.size(0),
                        .r = weights.codes.size(2),
                        .s = weights.codes.size(3),
                        .stride = n.geometry.stride,
                        .pad = n.geometry.padding};
    stage_ = 0;
    if (node(source).kind != Node::quantization) {
      step.kind = Step::float_convolution;
      step.inputs = {floats_of(source, n.name)};
      step.float_weights = in_kernel_order(decode(weights));
      return finish(step, index, step.out);
    }
    if (!weights.scale.defined() && !weights.basis.defined())
      throw UserError(ExitCode::usage, n.name + ": its weights are not quantized");
    step.kind = Step::convolution;
    append_terms(step, index, weights, quantizer_of(source));
  }

  // One step for each pair of digits, one altogether where neither side has a basis; in the order in which
  // conv_on_codes adds them up.
  void append_terms(IntegerStep step, size_t index, const Codes& weights, const FrozenQuantizer& input) {
    const auto& n = node(index);
    const auto source = result_.value_of_node[n.inputs.front()];
    const bool digits = !input.basis.empty();
    const auto terms = weight_terms(weights);
    const size_t inputs = digits ? input.basis.size() : 1;
    const auto taps = static_cast<double>(weights.codes.numel() / weights.codes.size(0));
    const auto largest = static_cast<double>(weights.basis.defined() ? 1 : weights.range.largest()) *
                         static_cast<double>(digits ? 1 : input.largest);
    step.in_double = taps * largest > kExactInFloat;
    for (size_t j = 0; j < terms.size(); ++j) {
      const auto coded = weight_codes(terms[j].numbers, n.name);
      step.weights = coded.codes;
      step.weight_bits = coded.bits;
      step.odd_weights = coded.odd;
      for (size_t i = 0; i < inputs; ++i) {
        const auto a_scale = at::scalar_tensor(digits ? input.basis[i] : input.meaning.scale, at::kFloat);
        step.inputs = {digits ? digit_of(source, input.order, static_cast<int>(i), n.name) : source};
        step.scale = per_channel(a_scale * terms[j].scale.to(at::kFloat), step.out);
        step.offset_scale.clear();
        if (input.meaning.offset != 0)
          step.offset_scale = per_channel(
              at::scalar_tensor(input.meaning.offset, at::kFloat) * terms[j].scale.to(at::kFloat), step.out);
        if (j + 1 == terms.size() && i + 1 == inputs) return finish(step, index, step.out);
        auto part = step;
        part.name += ".term" + std::to_string(j * inputs + i);
        part.out_floats = new_value(Type::floats, step.out);
        step.partial = part.out_floats;
        result_.network.steps.push_back(std::move(part));
      }
    }
  }

  size_t digit_of(size_t codes, const std::vector<int64_t>& order, int digit, const std::string& name) {
    auto [found, is_new] = digits_.try_emplace({codes, digit}, kNoValue);
    if (is_new) {
      found->second = new_value(Type::codes, channels_of(codes), {.largest = 1});
      uint32_t mask = 0;
      for (size_t u = 0; u < order.size(); ++u) mask |= static_cast<uint32_t>(order[u] >> digit & 1) << u;
      result_.network.steps.push_back({.kind = Step::digit,
                                       .name = name + ".digit" + std::to_string(digit),
                                       .inputs = {codes},
                                       .digit_mask = mask,
                                       .out_codes = found->second});
    }
    return found->second;
  }

  // Takes the nodes behind node `index` into its step, as far as they fit.
  void finish(IntegerStep& step, size_t index, int64_t channels) {
    done_[index] = true;
    size_t last = index;
    while (readers_[last].size() == 1 && absorb(step, last, readers_[last].front())) last = readers_[last].front();
    if (node(last).kind == Node::quantization) return finish_codes(step, last, channels);
    // Read by several, or by something else: floats, and the codes of one quantizer along with them.
    bool floats_wanted = readers_[last].empty();
    size_t quantization = kNoValue;
    for (const auto reader : readers_[last]) {
      if (quantization == kNoValue && absorb(step, last, reader, /*only_codes=*/true))
        quantization = reader;
      else
        floats_wanted = true;
    }
    if (floats_wanted) step.out_floats = result_.value_of_node[last] = new_value(Type::floats, channels);
    if (quantization != kNoValue) return finish_codes(step, quantization, channels);
    result_.network.steps.push_back(std::move(step));
  }

  void finish_codes(IntegerStep& step, size_t index, int64_t channels) {
    step.out_codes = result_.value_of_node[index] = new_value(Type::codes, channels, quantizer_of(index).meaning);
    result_.network.steps.push_back(std::move(step));
  }

  // Whether node `index`, which reads `from`, became part of the step. Parts come in the order of
  // requantize::Epilogue.
  bool absorb(IntegerStep& step, size_t from, size_t index, bool only_codes = false) {
    const auto& n = node(index);
    if (n.kind == Node::quantization && stage_ < kCodes) {
      step.encoder = quantizer_of(index).encoder;
      stage_ = kCodes;
    } else if (only_codes) {
      return false;
    } else if (n.kind == Node::norm && stage_ < kNorm) {
      step.alpha = floats(n.alpha);
      step.beta = floats(n.beta);
      stage_ = kNorm;
    } else if (n.kind == Node::bias && stage_ < kNorm) {
      step.beta = floats(n.beta);
      step.alpha.assign(step.beta.size(), 1);
      stage_ = kNorm;
    } else if (n.kind == Node::sum && stage_ < kSum) {
      const auto other = result_.value_of_node[n.inputs[0] == from ? n.inputs[1] : n.inputs[0]];
      if (other == kNoValue || n.inputs[0] == n.inputs[1]) return false;
      step.residual = other;
      stage_ = kSum;
    } else if (n.kind == Node::activation && stage_ < kClamp) {
      if (!clamp(step, n, index)) return false;
    } else {
      return false;
    }
    done_[index] = true;
    return true;
  }

  bool clamp(IntegerStep& step, const GraphNode& n, size_t index) {
    const bool before_norm = readers_[index].size() == 1 && node(readers_[index].front()).kind == Node::norm;
    if (before_norm && stage_ == 0 && step.kind == Step::convolution && n.activation == ActivationFunction::relu) {
      step.relu_first = true;
      stage_ = kRelu;
      return true;
    }
    step.clamp = true;
    switch (n.activation) {
      case ActivationFunction::relu:
        step.lo = 0;
        break;
      case ActivationFunction::relu6:
        step.lo = 0;
        step.hi = 6;
        break;
      case ActivationFunction::hardtanh:
        step.lo = -1;
        step.hi = 1;
        break;
      case ActivationFunction::tanh:
        throw UserError(ExitCode::usage,
                        n.name + ": the activation " + activation_name(n.activation) + " has no integer form");
    }
    stage_ = kClamp;
    return true;
  }

  static constexpr int kRelu = 1, kNorm = 2, kSum = 3, kClamp = 4, kCodes = 5;

  const Graph& graph_;
  std::vector<std::vector<size_t>> readers_;
  std::vector<bool> done_;
  int stage_ = 0;
  std::map<Quantizer*, FrozenQuantizer> quantizers_;
  std::map<std::pair<size_t, int>, size_t> digits_;
  FrozenNetwork result_;
};

}  // namespace

FrozenNetwork freeze(Network& network, const ImageSize& image) {
  const at::NoGradGuard no_gradient;
  AUXBENCH_CHECK(!network.module().is_training(), "a network in evaluation mode");
  const auto graph = network.graph();
  return Freezer(graph, image).freeze();
}

}  // namespace auxbench
