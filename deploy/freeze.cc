#include "deploy/freeze.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "base/check.h"
#include "base/error.h"
#include "base/torch_prelude.h"
#include "deploy/frozen_quantizer.h"
#include "deploy/frozen_weights.h"
#include "quantizers/code_conv.h"
#include "quantizers/quantized_layers.h"

namespace auxbench {
namespace {

using Node = GraphNode::Kind;
using Step = IntegerStep::Kind;
using Type = IntegerValue::Type;

// One number for each output channel.
std::vector<float> per_channel(const at::Tensor& numbers, int64_t channels) {
  return floats(numbers.dim() == 0 ? numbers.expand({channels}) : numbers);
}

// Whether a node's map is as large as its first input's.
bool keeps_size(const GraphNode& n) {
  switch (n.kind) {
    case Node::quantization:
    case Node::norm:
    case Node::bias:
    case Node::activation:
    case Node::sum:
    case Node::weighted_sum:
    case Node::blend:
      return true;
    case Node::convolution: {
      const auto kernel = n.layer->values().sizes();
      const bool centred = std::all_of(kernel.begin() + 2, kernel.end(),
                                       [&](int64_t taps) { return taps == 2 * n.geometry.padding + 1; });
      return kernel.size() == 4 && centred && n.geometry.stride == 1;
    }
    default:
      return false;
  }
}

class Freezer {
 public:
  Freezer(const Graph& graph, const ImageSize& image)
      : graph_(graph), readers_(graph.nodes.size()), is_output_(graph.nodes.size()) {
    result_.network = {.channels = image.channels, .height = image.height, .width = image.width};
    result_.value_of_node.assign(graph.nodes.size(), kNoValue);
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      const auto& inputs = graph.nodes[i].inputs;
      for (size_t k = 0; k < inputs.size(); ++k)
        if (!size_alone(i, k)) readers_[inputs[k]].push_back(i);
    }
    for (const auto& output : graph.outputs) is_output_[output.node] = true;
  }

  FrozenNetwork freeze() {
    refuse_group_norms();
    done_.assign(graph_.nodes.size(), false);
    for (size_t i = 0; i < graph_.nodes.size(); ++i)
      if (!done_[i]) append(i);
    auto& network = result_.network;
    for (const auto& [name, index] : graph_.outputs) {
      const auto value = result_.value_of_node[index];
      AUXBENCH_CHECK(value != kNoValue && node(index).kind != Node::quantization, "outputs that are float values");
      network.outputs.push_back({name, value});
      if (name == kLogits) network.classes = network.values[value].channels;
    }
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

  void refuse_group_norms() const {
    for (const auto& n : graph_.nodes)
      if (n.kind == Node::norm && !n.alpha.defined())
        throw UserError(ExitCode::usage, n.name +
                                             ": a group norm, whose statistics are each image's own: no integer "
                                             "network has it");
  }

  const GraphNode& node(size_t index) const { return graph_.nodes[index]; }

  // Whether node `index` reads of its input `k` the size alone, and that another value has as well: then its input need
  // not be kept for it.
  [[nodiscard]] bool size_alone(size_t index, size_t k) const {
    return node(index).kind == Node::upsample && k == 1 && keeps_size(node(node(index).inputs[1]));
  }

  // A value made so far that is as large as the map of node `index`; kNoValue where there is none.
  [[nodiscard]] size_t value_of_size(size_t index) const {
    while (result_.value_of_node[index] == kNoValue && keeps_size(node(index))) index = node(index).inputs.front();
    return result_.value_of_node[index];
  }

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
      case Node::upsample:
        return append_upsample(step, index);
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

  void append_upsample(IntegerStep& step, size_t index) {
    const auto& n = node(index);
    const auto like = value_of_size(n.inputs[1]);
    AUXBENCH_CHECK(like != kNoValue, "a size that is a value's");
    step.kind = Step::upsample;
    step.inputs = {floats_of(n.inputs[0], n.name), like};
    finish_floats(step, index, channels_of(step.inputs.front()));
  }

  // The value of a summand. A map that is upsampled for the sum alone is made here and now, before the step that adds
  // it: a pyramid's lateral convolution adds it to its sums in one pass.
  size_t summand(size_t index) {
    const auto& n = node(index);
    const bool ready = n.kind == Node::upsample && result_.value_of_node[n.inputs[0]] != kNoValue &&
                       value_of_size(n.inputs[1]) != kNoValue;
    if (!done_[index] && ready) append(index);
    return result_.value_of_node[index];
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
      share(step, n, 0);
      finish(step, index, step.out);
      return remember(n, 0);
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
        const auto term = j * inputs + i;
        if (term + 1 == terms.size() * inputs) {
          share(step, n, term);
          finish(step, index, step.out);
          return remember(n, term);
        }
        auto part = step;
        part.name += ".term" + std::to_string(term);
        part.out_floats = new_value(Type::floats, step.out);
        step.partial = part.out_floats;
        share(part, n, term);
        result_.network.steps.push_back(std::move(part));
        remember(n, term);
      }
    }
  }

  // What makes the weights of a convolution's term what they are.
  using WeightKey = std::tuple<const QuantizedWeight*, int64_t, int64_t, bool, size_t>;
  static WeightKey key_of(const GraphNode& n, size_t term) {
    return {n.layer, n.branch.index, n.branch.of, n.with_norm, term};
  }

  // A layer that is used again, on another level of a pyramid, refers to the step that has its weights.
  void share(IntegerStep& step, const GraphNode& n, size_t term) const {
    const auto found = holders_.find(key_of(n, term));
    if (found == holders_.end()) return;
    const auto& holder = result_.network.steps[found->second];
    if (!same_convolution(result_.network, step, holder)) return;
    AUXBENCH_CHECK(step.weights == holder.weights && step.float_weights == holder.float_weights,
                   "one layer's weights, the same each time");
    step.shares = found->second;
    step.weights.clear();
    step.float_weights.clear();
  }

  // The step made last holds the term's weights, unless an earlier one does.
  void remember(const GraphNode& n, size_t term) {
    holders_.try_emplace(key_of(n, term), result_.network.steps.size() - 1);
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
    while (readers_[last].size() == 1 && !is_output_[last] && absorb(step, last, readers_[last].front()))
      last = readers_[last].front();
    if (node(last).kind == Node::quantization) return finish_codes(step, last, channels);
    // Read by several, or by something else, or an output: floats, and the codes of one quantizer along with them.
    bool floats_wanted = readers_[last].empty() || is_output_[last];
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
      if (n.inputs[0] == n.inputs[1]) return false;
      const auto other = summand(n.inputs[0] == from ? n.inputs[1] : n.inputs[0]);
      if (other == kNoValue) return false;
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
  std::vector<bool> is_output_, done_;
  int stage_ = 0;
  std::map<Quantizer*, FrozenQuantizer> quantizers_;
  std::map<std::pair<size_t, int>, size_t> digits_;
  std::map<WeightKey, size_t> holders_;  // the step that holds a layer's weights
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
