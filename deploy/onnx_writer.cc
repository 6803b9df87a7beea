#include "deploy/onnx_writer.h"

#include <algorithm>
#include <cmath>

#include "deploy/operation.h"

namespace auxbench {
namespace {

using onnx::Names;
using onnx::Type;

CodeStorage storage_of(const CodeMeaning& codes) {
  for (const auto type : {Type::int8, Type::uint8}) {
    const CodeStorage found = {type, codes.step, codes.shift};
    if (found.holds(codes.shift) && found.holds(codes.step * codes.largest + codes.shift)) return found;
  }
  return {};
}

}  // namespace

onnx::Attributes onnx_window(int64_t kernel, int64_t stride, const onnx::Numbers& pads) {
  return {onnx::attribute("kernel_shape", onnx::Numbers{kernel, kernel}),
          onnx::attribute("strides", onnx::Numbers{stride, stride}), onnx::attribute("pads", pads)};
}

OnnxWriter::OnnxWriter(const IntegerNetwork& network)
    : network_(network),
      sizes_(value_sizes(network)),
      names_(network.values.size()),
      whole_(network.values.size()),
      storage_(network.values.size()) {
  choose_storage();
  graph_.name(kInput);
  for (const auto& output : network.outputs) graph_.name(output.name);
}

void OnnxWriter::append(const IntegerStep& step) {
  layer_ = graph_.name(step.name.empty() ? step_kind_name(step.kind) : step.name);
  operation_of(step.kind).write_onnx(step, *this);
}

// As u where a digit is taken of it or it is one, and on both sides of a pooling that would differ otherwise.
void OnnxWriter::choose_storage() {
  for (size_t i = 0; i < storage_.size(); ++i) storage_[i] = storage_of(network_.values[i].codes);
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& step : network_.steps) {
      const auto makes = operation_of(step.kind).traits().makes;
      const bool of_codes = makes == Traits::Makes::codes || makes == Traits::Makes::as_inputs;
      if (step.out_codes == kNoValue || !of_codes) continue;
      auto &from = storage_[step.inputs.front()], &to = storage_[step.out_codes];
      if (makes == Traits::Makes::as_inputs && from == to) continue;
      changed = changed || from != CodeStorage{} || to != CodeStorage{};
      from = to = CodeStorage{};
    }
  }
}

std::string OnnxWriter::dequantize(const std::string& input, Type type, float scale, const std::string& wanted) {
  Names inputs = {input, graph_.scalar(wanted + ".scale", scale)};
  if (type == Type::int8) inputs.push_back(graph_.scalar<int8_t>(wanted + ".zero_point", 0));
  if (type == Type::uint8) inputs.push_back(graph_.scalar<uint8_t>(wanted + ".zero_point", 0));
  return graph_.node("DequantizeLinear", inputs, wanted);
}

std::string OnnxWriter::integer(const std::string& wanted, Type type, int32_t value) {
  if (type == Type::int8) return graph_.scalar(wanted, static_cast<int8_t>(value));
  return graph_.scalar(wanted, static_cast<uint8_t>(value));
}

std::string OnnxWriter::quantize(const std::string& input, Type type, float scale, int32_t zero_point,
                                 const std::string& wanted) {
  const auto divisor = graph_.scalar(wanted + ".scale", scale);
  return graph_.node("QuantizeLinear", {input, divisor, integer(wanted + ".zero_point", type, zero_point)}, wanted);
}

// step u + shift as floats.
std::string OnnxWriter::whole_numbers(size_t value) {
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

std::string OnnxWriter::residual(size_t value) {
  const auto& v = network_.values[value];
  if (v.type == IntegerValue::Type::floats) return names_[value];
  const auto wanted = label("residual.values");
  const bool as_u = storage_[value].step != v.codes.step || storage_[value].base != v.codes.shift;
  const auto scaled = as_u ? with("Mul", whole_numbers(value), v.codes.scale, wanted)
                           : dequantize(names_[value], storage_[value].type, v.codes.scale, wanted);
  return v.codes.offset == 0 ? scaled : with("Add", scaled, v.codes.offset, wanted + ".offset");
}

// The lines of requantize::Epilogue from the norm on.
void OnnxWriter::finish(const IntegerStep& step, std::string v) {
  if (std::any_of(step.alpha.begin(), step.alpha.end(), [](float alpha) { return alpha != 1; }))
    v = with("Mul", v, step.alpha, label("multiplied"));
  if (!step.beta.empty()) v = with("Add", v, step.beta, label("added"));
  if (step.residual != kNoValue) v = graph_.node("Add", {v, residual(step.residual)}, label("residual"));
  if (step.clamp) v = clip(v, step.lo, step.hi, label("activation"));
  if (step.out_floats != kNoValue) names_[step.out_floats] = v;
  if (step.out_codes != kNoValue) names_[step.out_codes] = encoded(step, v);
}

std::string OnnxWriter::clip(const std::string& v, float lo, float hi, const std::string& wanted) {
  if (lo == 0 && std::isinf(hi)) return graph_.node("Relu", {v}, wanted);
  Names inputs = {v, graph_.scalar(wanted + ".min", lo)};
  if (!std::isinf(hi)) inputs.push_back(graph_.scalar(wanted + ".max", hi));
  return graph_.node("Clip", inputs, wanted);
}

std::string OnnxWriter::encoded(const IntegerStep& step, const std::string& v) {
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

std::string OnnxWriter::rounded(std::string v, const Rounding& rounding, int32_t largest, const CodeStorage& stored) {
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
std::string OnnxWriter::affine(const FrozenEncoder& encoder, std::string v) {
  if (encoder.subtract != 0) v = with("Sub", v, encoder.subtract, label("centred"));
  if (encoder.divide != 1) v = with("Div", v, encoder.divide, label("divided"));
  v = clip(v, encoder.lo, encoder.hi, label("clipped"));
  if (encoder.multiply != 1) v = with("Mul", v, encoder.multiply, label("stretched"));
  v = graph_.node("Round", {v}, label("rounded"));
  return encoder.add == 0 ? v : with("Add", v, static_cast<float>(encoder.add), label("counted"));
}

std::string OnnxWriter::count(const std::vector<float>& thresholds, const std::string& v) {
  std::string sum;
  for (size_t j = 0; j < thresholds.size(); ++j) {
    const auto number = std::to_string(j + 1);
    const auto reached = with("GreaterOrEqual", v, thresholds[j], label("reached" + number));
    const auto one = graph_.cast(reached, Type::float32, label("one" + number));
    sum = j == 0 ? one : graph_.node("Add", {sum, one}, label("count" + number));
  }
  return sum.empty() ? with("Mul", v, 0.0F, label("count")) : sum;
}

}  // namespace auxbench
