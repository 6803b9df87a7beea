#include "deploy/onnx.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "base/error.h"
#include "base/files/canonical_json.h"
#include "deploy/affine_encoder.h"
#include "deploy/protobuf.h"

namespace auxbench {
namespace {

using onnx::attribute;
using onnx::Attributes;
using onnx::Names;
using onnx::Numbers;
using onnx::Type;
using Kind = IntegerStep::Kind;

constexpr int64_t kIrVersion = 8, kOpset = 17;

// How codes lie in their tensor: element = step u + base.
struct Storage {
  Type type = Type::uint8;
  int32_t step = 1, base = 0;

  [[nodiscard]] int32_t lowest() const { return type == Type::int8 ? -128 : 0; }
  [[nodiscard]] int32_t highest() const { return type == Type::int8 ? 127 : 255; }
  [[nodiscard]] bool holds(int32_t element) const { return element >= lowest() && element <= highest(); }
  bool operator==(const Storage&) const = default;
};

Storage storage_of(const CodeMeaning& codes) {
  for (const auto type : {Type::int8, Type::uint8}) {
    const Storage found = {type, codes.step, codes.shift};
    if (found.holds(codes.shift) && found.holds(codes.step * codes.largest + codes.shift)) return found;
  }
  return {};
}

// u = clip(round((v - subtract) / scale), lowest, lowest + largest) - lowest: what QuantizeLinear can do.
struct Rounding {
  float subtract = 0, scale = 1;
  int32_t lowest = 0;

  [[nodiscard]] float code(float v, int32_t largest) const {
    const auto low = static_cast<float>(lowest), high = static_cast<float>(lowest + largest);
    return std::clamp(std::nearbyint((v - subtract) / scale), low, high) - low;
  }
};

// The smallest float whose code is at least `wanted`, of codes that rise; infinite where there is none, or no smallest.
float threshold_of(const requantize::Encoder& encoder, int32_t wanted) {
  float below = -std::numeric_limits<float>::max(), reached = std::numeric_limits<float>::max();
  if (requantize::encode(encoder, below) >= wanted) return -std::numeric_limits<float>::infinity();
  if (requantize::encode(encoder, reached) < wanted) return std::numeric_limits<float>::infinity();
  for (;;) {
    const auto middle = static_cast<float>((static_cast<double>(below) + static_cast<double>(reached)) / 2);
    if (middle == below || middle == reached) return reached;
    (requantize::encode(encoder, middle) >= wanted ? reached : below) = middle;
  }
}

std::vector<float> thresholds_of(const FrozenEncoder& frozen, int32_t largest) {
  if (frozen.kind == "thresholds") return frozen.table;
  const auto encoder = affine_encoder(frozen, largest);
  std::vector<float> found;
  for (int32_t u = 1; u <= largest; ++u) found.push_back(threshold_of(encoder, u));
  return found;
}

bool has_thresholds(const Rounding& rounding, const std::vector<float>& thresholds) {
  const auto largest = static_cast<int32_t>(thresholds.size());
  float wanted = 0;
  return std::all_of(thresholds.begin(), thresholds.end(), [&](float t) {
    wanted += 1;
    const float before = std::nextafter(t, -std::numeric_limits<float>::infinity());
    return std::isfinite(before) && rounding.code(t, largest) >= wanted && rounding.code(before, largest) < wanted;
  });
}

// The scale that looks right may be an ulp or two off, where the encoder divides and multiplies.
std::optional<Rounding> find_rounding(Rounding form, const std::vector<float>& thresholds) {
  for (int i = 0; i < 2; ++i) form.scale = std::nextafter(form.scale, 0.0F);
  for (int i = 0; i < 5; ++i, form.scale = std::nextafter(form.scale, std::numeric_limits<float>::infinity()))
    if (form.scale > 0 && std::isfinite(form.scale) && has_thresholds(form, thresholds)) return form;
  return std::nullopt;
}

std::optional<Rounding> find_rounding(const FrozenEncoder& encoder, const CodeMeaning& codes) {
  if (codes.largest < 1) return std::nullopt;
  const auto thresholds = thresholds_of(encoder, codes.largest);
  std::vector<Rounding> forms;
  if (encoder.kind == "affine") {
    forms.push_back({encoder.subtract, encoder.divide / encoder.multiply, -encoder.add});
  } else {
    const float first = thresholds.front(), last = thresholds.back();
    for (const int32_t lowest : {codes.shift, 0})
      for (const float subtract : {0.0F, codes.offset}) {
        forms.push_back({subtract, codes.scale, lowest});
        forms.push_back({subtract, (last - subtract) / (static_cast<float>(lowest + codes.largest) - 0.5F), lowest});
        forms.push_back({subtract, (last - first) / static_cast<float>(codes.largest - 1), lowest});
      }
  }
  for (const auto& form : forms)
    if (const auto found = find_rounding(form, thresholds)) return found;
  return std::nullopt;
}

// [out][r][s][c] -> [out][c][r][s], each number through `convert`.
template <typename To, typename From, typename Convert>
std::vector<To> in_onnx_order(const IntegerStep& step, const std::vector<From>& weights, const Convert& convert) {
  const int64_t taps = step.r * step.s, channels = std::ssize(weights) / (step.out * taps);
  std::vector<To> moved;
  moved.reserve(weights.size());
  for (int64_t o = 0; o < step.out; ++o)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t tap = 0; tap < taps; ++tap)
        moved.push_back(convert(weights[static_cast<size_t>((o * taps + tap) * channels + c)]));
  return moved;
}

class Exporter {
 public:
  explicit Exporter(const IntegerNetwork& network)
      : network_(network),
        sizes_(value_sizes(network)),
        names_(network.values.size()),
        whole_(network.values.size()),
        storage_(network.values.size()) {
    choose_storage();
  }

  std::string model() {
    for (const char* reserved : {"images", "logits"}) graph_.name(reserved);
    for (const auto& step : network_.steps) append(step);
    graph_.last_node("Flatten", {names_[network_.logits]}, "logits");
    const auto images = onnx::float_value("images", {0, network_.channels, network_.height, network_.width});
    const auto logits = onnx::float_value("logits", {0, network_.classes});
    const auto model = protobuf::Message()
                           .integer(1, kIrVersion)
                           .bytes(2, "auxbench")
                           .message(7, graph_.finish("auxbench", images, logits))
                           .message(8, protobuf::Message().bytes(1, "").integer(2, kOpset))
                           .message(14, onnx::entry("auxbench.encoders", canonical_json(encoders_)))
                           .message(14, onnx::entry("auxbench.convolutions", canonical_json(convolutions_)));
    constexpr size_t kMost = std::numeric_limits<int32_t>::max();
    if (model.bytes().size() > kMost)
      throw UserError(ExitCode::usage, "a network of more than 2 GiB does not fit into an ONNX model");
    return model.bytes();
  }

 private:
  // As u where a digit is taken of it or it is one, and on both sides of a pooling that would differ otherwise.
  void choose_storage() {
    for (size_t i = 0; i < storage_.size(); ++i) storage_[i] = storage_of(network_.values[i].codes);
    for (bool changed = true; changed;) {
      changed = false;
      for (const auto& step : network_.steps) {
        if (step.out_codes == kNoValue || (step.kind != Kind::digit && step.kind != Kind::max_pool)) continue;
        auto &from = storage_[step.inputs.front()], &to = storage_[step.out_codes];
        if (step.kind == Kind::max_pool && from == to) continue;
        changed = changed || from != Storage{} || to != Storage{};
        from = to = Storage{};
      }
    }
  }

  void append(const IntegerStep& step) {
    layer_ = graph_.name(step.name.empty() ? step_kind_name(step.kind) : step.name);
    const auto in = [&](size_t i) { return names_[step.inputs[i]]; };
    switch (step.kind) {
      case Kind::image:
        names_[step.out_floats] = "images";
        return;
      case Kind::convolution:
        return finish(step, convolution(step));
      case Kind::float_convolution:
        return finish(step, float_convolution(step));
      case Kind::elementwise:
        return finish(step, in(0));
      case Kind::digit:
        names_[step.out_codes] = digit(step, in(0));
        return;
      case Kind::max_pool:
        names_[step.out_codes == kNoValue ? step.out_floats : step.out_codes] = graph_.node(
            "MaxPool", {in(0)}, label(step.out_codes == kNoValue ? "max" : "codes"), window(3, 2, {1, 1, 1, 1}));
        return;
      case Kind::average_pool:
        names_[step.out_floats] = average_pool(step, in(0));
        return;
      case Kind::mean:
        names_[step.out_floats] = mean(in(0));
        return;
      case Kind::weighted_sum:
      case Kind::blend:
        names_[step.out_floats] = weighted_sum(step);
        return;
    }
  }

  [[nodiscard]] std::string label(const std::string& what) const { return layer_ + "." + what; }

  std::string dequantize(const std::string& input, Type type, float scale, const std::string& wanted) {
    Names inputs = {input, graph_.scalar(wanted + ".scale", scale)};
    if (type == Type::int8) inputs.push_back(graph_.scalar<int8_t>(wanted + ".zero_point", 0));
    if (type == Type::uint8) inputs.push_back(graph_.scalar<uint8_t>(wanted + ".zero_point", 0));
    return graph_.node("DequantizeLinear", inputs, wanted);
  }

  std::string integer(const std::string& wanted, Type type, int32_t value) {
    if (type == Type::int8) return graph_.scalar(wanted, static_cast<int8_t>(value));
    return graph_.scalar(wanted, static_cast<uint8_t>(value));
  }

  std::string quantize(const std::string& input, Type type, float scale, int32_t zero_point,
                       const std::string& wanted) {
    const auto divisor = graph_.scalar(wanted + ".scale", scale);
    return graph_.node("QuantizeLinear", {input, divisor, integer(wanted + ".zero_point", type, zero_point)}, wanted);
  }

  template <typename T>
  std::string with(const std::string& op, const std::string& input, T number, const std::string& wanted) {
    return graph_.node(op, {input, graph_.scalar(wanted + ".by", number)}, wanted);
  }
  template <typename T>
  std::string with(const std::string& op, const std::string& input, const std::vector<T>& numbers,
                   const std::string& wanted) {
    return graph_.node(op, {input, graph_.per_channel(wanted + ".by", numbers)}, wanted);
  }

  // step u + shift as floats.
  std::string whole_numbers(size_t value) {
    auto& found = whole_[value];
    if (!found.empty()) return found;
    const auto& codes = network_.values[value].codes;
    const auto& stored = storage_[value];
    const bool as_u = stored.step != codes.step || stored.base != codes.shift;
    const auto wanted = names_[value] + ".numbers";
    found = dequantize(names_[value], stored.type, as_u ? static_cast<float>(codes.step) : 1.0F, wanted);
    if (as_u && codes.shift != 0) found = with("Add", found, static_cast<float>(codes.shift), wanted + ".shifted");
    return found;
  }

  std::string residual(size_t value) {
    const auto& v = network_.values[value];
    if (v.type == IntegerValue::Type::floats) return names_[value];
    const auto wanted = label("residual.values");
    const bool as_u = storage_[value].step != v.codes.step || storage_[value].base != v.codes.shift;
    const auto scaled = as_u ? with("Mul", whole_numbers(value), v.codes.scale, wanted)
                             : dequantize(names_[value], storage_[value].type, v.codes.scale, wanted);
    return v.codes.offset == 0 ? scaled : with("Add", scaled, v.codes.offset, wanted + ".offset");
  }

  static Attributes window(int64_t kernel, int64_t stride, const Numbers& pads) {
    return {attribute("kernel_shape", Numbers{kernel, kernel}), attribute("strides", Numbers{stride, stride}),
            attribute("pads", pads)};
  }

  static Attributes geometry(const IntegerStep& step) {
    return {attribute("kernel_shape", Numbers{step.r, step.s}), attribute("strides", Numbers{step.stride, step.stride}),
            attribute("pads", Numbers(4, step.pad))};
  }

  [[nodiscard]] Numbers weight_sizes(const IntegerStep& step) const {
    return {step.out, network_.values[step.inputs.front()].channels, step.r, step.s};
  }

  std::string float_convolution(const IntegerStep& step) {
    const auto weights = in_onnx_order<float>(step, step.float_weights, [](float w) { return w; });
    const auto kernel = graph_.constant<float>(label("weights"), weight_sizes(step), weights);
    convolutions_[layer_] = "float32";
    return graph_.node("Conv", {names_[step.inputs.front()], kernel}, label("sums"), geometry(step));
  }

  // The weights as floats that are whole numbers.
  std::string weight_numbers(const IntegerStep& step) {
    const auto value = [&](int8_t code) { return step.odd_weights ? 2 * code + 1 : code; };
    const auto weights = in_onnx_order<int32_t>(step, step.weights, value);
    const auto [lowest, highest] = std::minmax_element(weights.begin(), weights.end());
    if (*lowest < -128 || *highest > 127) {
      const auto kernel = graph_.constant<int32_t>(label("weights"), weight_sizes(step), weights);
      return dequantize(kernel, Type::int32, 1, label("weights.numbers"));
    }
    const std::vector<int8_t> narrow =
        in_onnx_order<int8_t>(step, step.weights, [&](int8_t code) { return static_cast<int8_t>(value(code)); });
    const auto kernel = graph_.constant<int8_t>(label("weights"), weight_sizes(step), narrow);
    return dequantize(kernel, Type::int8, 1, label("weights.numbers"));
  }

  // Whether float32 holds every sum of products, and every sum on the way to it.
  [[nodiscard]] bool sums_are_exact(const IntegerStep& step) const {
    const auto& codes = network_.values[step.inputs.front()].codes;
    const int64_t largest = std::max(std::abs(codes.shift), std::abs(codes.step * codes.largest + codes.shift));
    const auto taps = static_cast<size_t>(std::ssize(step.weights) / step.out);
    for (size_t first = 0; first < step.weights.size(); first += taps) {
      int64_t sum = 0;
      for (const int code : std::span(step.weights).subspan(first, taps))
        sum += std::abs(step.odd_weights ? 2 * code + 1 : code) * std::max<int64_t>(1, largest);
      if (sum > int64_t{1} << 24) return false;
    }
    return true;
  }

  // The lines of requantize::Epilogue that only sums of codes have.
  std::string convolution(const IntegerStep& step) {
    const auto input = step.inputs.front();
    const auto kernel = weight_numbers(step);
    convolutions_[layer_] = sums_are_exact(step) ? "exact" : "float32";
    auto v = graph_.node("Conv", {whole_numbers(input), kernel}, label("sums"), geometry(step));
    // in_double is for sums that are no floats; here they are, and then one product rounds as the other.
    v = with("Mul", v, step.scale, label("scaled"));
    if (step.partial != kNoValue) v = graph_.node("Add", {names_[step.partial], v}, label("joined"));
    if (!step.offset_scale.empty()) v = graph_.node("Add", {v, offset_terms(step, kernel)}, label("offset"));
    return step.relu_first ? graph_.node("Relu", {v}, label("relu")) : v;
  }

  // What stands at each pixel is the sum of the weights that are inside the image there.
  std::string offset_terms(const IntegerStep& step, const std::string& kernel) {
    const auto size = sizes_[step.inputs.front()];
    const Numbers axes = {1}, shape = {1, 1, size.h, size.w};
    const auto axis = graph_.constant<int64_t>(label("offset.axes"), {1}, axes);
    const auto summed = graph_.node("ReduceSum", {kernel, axis}, label("offset.weights"));
    const auto map = graph_.constant<int64_t>(label("offset.shape"), {4}, shape);
    const auto zeros = graph_.node("ConstantOfShape", {map}, label("offset.zeros"));
    const auto ones = with("Add", zeros, 1.0F, label("offset.ones"));
    const auto inside = graph_.node("Conv", {ones, summed}, label("offset.inside"), geometry(step));
    return with("Mul", inside, step.offset_scale, label("offset.terms"));
  }

  std::string digit(const IntegerStep& step, const std::string& codes) {
    std::vector<uint8_t> digits;
    for (int u = 0; u < 16; ++u) digits.push_back(static_cast<uint8_t>(step.digit_mask >> u & 1));
    const auto table = graph_.constant<uint8_t>(label("digits"), {16}, digits);
    return graph_.node("Gather", {table, graph_.cast(codes, Type::int64, label("index"))}, label("codes"));
  }

  std::string average_pool(const IntegerStep& step, const std::string& input) {
    // Where a size is odd, what is left is averaged alone: padding that is not counted.
    const auto size = sizes_[step.inputs.front()];
    auto attributes = window(2, 2, {0, 0, size.h % 2, size.w % 2});
    attributes.push_back(attribute("count_include_pad", int64_t{0}));
    return graph_.node("AveragePool", {input}, label("average"), attributes);
  }

  std::string mean(const std::string& input) {
    const auto wide = graph_.cast(input, Type::float64, label("double"));
    const auto reduced = graph_.node("ReduceMean", {wide}, label("mean.double"),
                                     {attribute("axes", Numbers{2, 3}), attribute("keepdims", int64_t{1})});
    return graph_.cast(reduced, Type::float32, label("mean"));
  }

  std::string weighted_sum(const IntegerStep& step) {
    std::string sum;
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      const auto number = std::to_string(i);
      const auto summand = with("Mul", names_[step.inputs[i]], step.factors[i], label("summand" + number));
      sum = i == 0 ? summand : graph_.node("Add", {sum, summand}, label("sum" + number));
    }
    return sum;
  }

  // The lines of requantize::Epilogue from the norm on.
  void finish(const IntegerStep& step, std::string v) {
    if (std::any_of(step.alpha.begin(), step.alpha.end(), [](float alpha) { return alpha != 1; }))
      v = with("Mul", v, step.alpha, label("multiplied"));
    if (!step.beta.empty()) v = with("Add", v, step.beta, label("added"));
    if (step.residual != kNoValue) v = graph_.node("Add", {v, residual(step.residual)}, label("residual"));
    if (step.clamp) v = clip(v, step.lo, step.hi, label("activation"));
    if (step.out_floats != kNoValue) names_[step.out_floats] = v;
    if (step.out_codes != kNoValue) names_[step.out_codes] = encoded(step, v);
  }

  std::string clip(const std::string& v, float lo, float hi, const std::string& wanted) {
    if (lo == 0 && std::isinf(hi)) return graph_.node("Relu", {v}, wanted);
    Names inputs = {v, graph_.scalar(wanted + ".min", lo)};
    if (!std::isinf(hi)) inputs.push_back(graph_.scalar(wanted + ".max", hi));
    return graph_.node("Clip", inputs, wanted);
  }

  std::string encoded(const IntegerStep& step, const std::string& v) {
    const auto& codes = network_.values[step.out_codes].codes;
    const auto& stored = storage_[step.out_codes];
    const auto rounding = stored.step == 1 ? find_rounding(step.encoder, codes) : std::nullopt;
    if (rounding && stored.holds(stored.base - rounding->lowest)) {
      encoders_[layer_] = "QuantizeLinear";
      return rounded(v, *rounding, codes.largest, stored);
    }
    encoders_[layer_] = step.encoder.kind;
    const auto u = step.encoder.kind == "affine" ? affine(step.encoder, v) : count(step.encoder.table, v);
    return quantize(u, stored.type, 1.0F / static_cast<float>(stored.step), stored.base, label("codes"));
  }

  std::string rounded(std::string v, const Rounding& rounding, int32_t largest, const Storage& stored) {
    if (rounding.subtract != 0) v = with("Sub", v, rounding.subtract, label("centred"));
    const bool whole_type = stored.base == stored.lowest() && stored.base + largest == stored.highest();
    const auto zero_point = stored.base - rounding.lowest;
    v = quantize(v, stored.type, rounding.scale, zero_point, label(whole_type ? "codes" : "rounded"));
    if (whole_type) return v;
    const auto lo = integer(label("codes.min"), stored.type, stored.base);
    const auto hi = integer(label("codes.max"), stored.type, stored.base + largest);
    return graph_.node("Clip", {v, lo, hi}, label("codes"));
  }

  // u as a float; what would change nothing is left out.
  std::string affine(const FrozenEncoder& encoder, std::string v) {
    if (encoder.subtract != 0) v = with("Sub", v, encoder.subtract, label("centred"));
    if (encoder.divide != 1) v = with("Div", v, encoder.divide, label("divided"));
    v = clip(v, encoder.lo, encoder.hi, label("clipped"));
    if (encoder.multiply != 1) v = with("Mul", v, encoder.multiply, label("stretched"));
    v = graph_.node("Round", {v}, label("rounded"));
    return encoder.add == 0 ? v : with("Add", v, static_cast<float>(encoder.add), label("counted"));
  }

  std::string count(const std::vector<float>& thresholds, const std::string& v) {
    std::string sum;
    for (size_t j = 0; j < thresholds.size(); ++j) {
      const auto number = std::to_string(j + 1);
      const auto reached = with("GreaterOrEqual", v, thresholds[j], label("reached" + number));
      const auto one = graph_.cast(reached, Type::float32, label("one" + number));
      sum = j == 0 ? one : graph_.node("Add", {sum, one}, label("count" + number));
    }
    return sum.empty() ? with("Mul", v, 0.0F, label("count")) : sum;
  }

  const IntegerNetwork& network_;
  std::vector<ValueSize> sizes_;
  std::vector<std::string> names_, whole_;  // tensors of values, and of codes as floats
  std::vector<Storage> storage_;
  onnx::Graph graph_;
  std::string layer_;
  nlohmann::json encoders_ = nlohmann::json::object(), convolutions_ = nlohmann::json::object();
};

}  // namespace

std::string to_onnx(const IntegerNetwork& network) { return Exporter(network).model(); }

}  // namespace auxbench
