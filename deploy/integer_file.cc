#include "deploy/integer_file.h"

#include <array>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/canonical_json.h"
#include "base/error.h"
#include "base/file.h"
#include "base/safetensors.h"
#include "base/sha256.h"
#include "kernels/bitpack/bitpack.h"

namespace auxbench {
namespace {

using nlohmann::json;
using Kind = IntegerStep::Kind;

constexpr const char* kFormat = "auxbench-integer-1";
constexpr int kKinds = static_cast<int>(Kind::blend) + 1;

// JSON has no infinities: one is a word.
json number(float v) { return std::isinf(v) ? json(v > 0 ? "inf" : "-inf") : json(static_cast<double>(v)); }
float number(const json& v) {
  if (!v.is_string()) return static_cast<float>(v.get<double>());
  return v.get<std::string>() == "inf" ? std::numeric_limits<float>::infinity()
                                       : -std::numeric_limits<float>::infinity();
}

json index(size_t value) { return value == kNoValue ? json(nullptr) : json(value); }
size_t index(const json& value) { return value.is_null() ? kNoValue : value.get<size_t>(); }

json to_json(const CodeMeaning& codes) {
  return {{"largest", codes.largest},
          {"step", codes.step},
          {"shift", codes.shift},
          {"scale", number(codes.scale)},
          {"offset", number(codes.offset)}};
}

CodeMeaning meaning_from(const json& from) {
  return {.largest = from.at("largest").get<int32_t>(),
          .step = from.at("step").get<int32_t>(),
          .shift = from.at("shift").get<int32_t>(),
          .scale = number(from.at("scale")),
          .offset = number(from.at("offset"))};
}

json to_json(const FrozenEncoder& encoder) {
  return {{"kind", encoder.kind},
          {"subtract", number(encoder.subtract)},
          {"divide", number(encoder.divide)},
          {"lo", number(encoder.lo)},
          {"hi", number(encoder.hi)},
          {"multiply", number(encoder.multiply)},
          {"add", encoder.add}};
}

FrozenEncoder encoder_from(const json& from) {
  FrozenEncoder encoder;
  encoder.kind = from.at("kind").get<std::string>();
  if (encoder.kind != "none" && encoder.kind != "thresholds" && encoder.kind != "affine")
    throw std::runtime_error("an encoder of unknown kind");
  encoder.subtract = number(from.at("subtract"));
  encoder.divide = number(from.at("divide"));
  encoder.lo = number(from.at("lo"));
  encoder.hi = number(from.at("hi"));
  encoder.multiply = number(from.at("multiply"));
  encoder.add = from.at("add").get<int32_t>();
  return encoder;
}

json to_json(const IntegerStep& step) {
  return {{"kind", step_kind_name(step.kind)},
          {"name", step.name},
          {"inputs", step.inputs},
          {"out", step.out},
          {"r", step.r},
          {"s", step.s},
          {"stride", step.stride},
          {"pad", step.pad},
          {"weight_bits", step.weight_bits},
          {"weights", std::ssize(step.weights)},
          {"odd_weights", step.odd_weights},
          {"in_double", step.in_double},
          {"partial", index(step.partial)},
          {"relu_first", step.relu_first},
          {"residual", index(step.residual)},
          {"clamp", step.clamp},
          {"lo", number(step.lo)},
          {"hi", number(step.hi)},
          {"encoder", to_json(step.encoder)},
          {"digit_mask", step.digit_mask},
          {"out_floats", index(step.out_floats)},
          {"out_codes", index(step.out_codes)}};
}

Kind kind_from(const std::string& name) {
  for (int i = 0; i < kKinds; ++i)
    if (name == step_kind_name(static_cast<Kind>(i))) return static_cast<Kind>(i);
  throw std::runtime_error("a step of unknown kind " + name);
}

IntegerStep step_from(const json& from) {
  IntegerStep step;
  step.kind = kind_from(from.at("kind").get<std::string>());
  step.name = from.at("name").get<std::string>();
  step.inputs = from.at("inputs").get<std::vector<size_t>>();
  step.out = from.at("out").get<int64_t>();
  step.r = from.at("r").get<int64_t>();
  step.s = from.at("s").get<int64_t>();
  step.stride = from.at("stride").get<int64_t>();
  step.pad = from.at("pad").get<int64_t>();
  step.weight_bits = from.at("weight_bits").get<int>();
  step.odd_weights = from.at("odd_weights").get<bool>();
  step.in_double = from.at("in_double").get<bool>();
  step.partial = index(from.at("partial"));
  step.relu_first = from.at("relu_first").get<bool>();
  step.residual = index(from.at("residual"));
  step.clamp = from.at("clamp").get<bool>();
  step.lo = number(from.at("lo"));
  step.hi = number(from.at("hi"));
  step.encoder = encoder_from(from.at("encoder"));
  step.digit_mask = from.at("digit_mask").get<uint32_t>();
  step.out_floats = index(from.at("out_floats"));
  step.out_codes = index(from.at("out_codes"));
  return step;
}

struct FloatArray {
  const char* name;
  std::vector<float>& (*of)(IntegerStep&);
};

constexpr std::array<FloatArray, 7> kFloatArrays = {
    {{"float_weights", [](IntegerStep& s) -> std::vector<float>& { return s.float_weights; }},
     {"scale", [](IntegerStep& s) -> std::vector<float>& { return s.scale; }},
     {"offset_scale", [](IntegerStep& s) -> std::vector<float>& { return s.offset_scale; }},
     {"alpha", [](IntegerStep& s) -> std::vector<float>& { return s.alpha; }},
     {"beta", [](IntegerStep& s) -> std::vector<float>& { return s.beta; }},
     {"thresholds", [](IntegerStep& s) -> std::vector<float>& { return s.encoder.table; }},
     {"factors", [](IntegerStep& s) -> std::vector<float>& { return s.factors; }}}};

std::string tensor_name(size_t step, const std::string& array) { return std::to_string(step) + "." + array; }

void store_arrays(IntegerStep step, size_t i, SafeTensors& contents) {
  for (const auto& array : kFloatArrays) {
    const auto& numbers = array.of(step);
    if (numbers.empty()) continue;
    contents.tensors[tensor_name(i, array.name)] = {
        .dtype = "F32",
        .shape = {std::ssize(numbers)},
        .bytes = std::string(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float))};
  }
  if (step.weights.empty()) return;
  std::string packed(bitpack::packed_bytes(step.weights.size(), step.weight_bits), '\0');
  bitpack::pack(step.weights, step.weight_bits, {reinterpret_cast<uint8_t*>(packed.data()), packed.size()});
  contents.tensors[tensor_name(i, "weights")] = {
      .dtype = "U8", .shape = {std::ssize(packed)}, .bytes = std::move(packed)};
}

void load_arrays(const json& from, size_t i, const SafeTensors& contents, IntegerStep& step) {
  for (const auto& array : kFloatArrays) {
    const auto found = contents.tensors.find(tensor_name(i, array.name));
    if (found == contents.tensors.end()) continue;
    if (found->second.dtype != "F32") throw std::runtime_error(found->first + " is not F32");
    auto& numbers = array.of(step);
    numbers.resize(found->second.bytes.size() / sizeof(float));
    std::memcpy(numbers.data(), found->second.bytes.data(), found->second.bytes.size());
  }
  const auto count = from.at("weights").get<size_t>();
  if (count == 0) return;
  const auto found = contents.tensors.find(tensor_name(i, "weights"));
  if (step.weight_bits < 1 || step.weight_bits > 8) throw std::runtime_error("weights of a width there is not");
  if (found == contents.tensors.end() || found->second.bytes.size() > (size_t{1} << 40) ||
      count > found->second.bytes.size() * 8 ||
      found->second.bytes.size() != bitpack::packed_bytes(count, step.weight_bits))
    throw std::runtime_error("the wrong number of weights in step " + step.name);
  step.weights.resize(count);
  const auto& bytes = found->second.bytes;
  bitpack::unpack_signed({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, step.weight_bits,
                         step.weights);
}

std::string digest_of(const std::string& graph, const SafeTensors& contents) {
  Sha256 hash;
  hash.add(graph);
  for (const auto& [name, tensor] : contents.tensors) {
    hash.add(name);
    hash.add(tensor.bytes);
  }
  return hash.hex();
}

json graph_of(const IntegerNetwork& network) {
  json values = json::array(), steps = json::array();
  for (const auto& value : network.values)
    values.push_back({{"type", value.type == IntegerValue::Type::codes ? "codes" : "floats"},
                      {"channels", value.channels},
                      {"codes", to_json(value.codes)}});
  for (const auto& step : network.steps) steps.push_back(to_json(step));
  return {{"channels", network.channels}, {"height", network.height}, {"width", network.width},
          {"classes", network.classes},   {"logits", network.logits}, {"values", std::move(values)},
          {"steps", std::move(steps)}};
}

IntegerNetwork network_from(const json& graph, const SafeTensors& contents) {
  IntegerNetwork network = {.channels = graph.at("channels").get<int64_t>(),
                            .height = graph.at("height").get<int64_t>(),
                            .width = graph.at("width").get<int64_t>(),
                            .classes = graph.at("classes").get<int64_t>()};
  network.logits = graph.at("logits").get<size_t>();
  for (const auto& value : graph.at("values"))
    network.values.push_back({.type = value.at("type").get<std::string>() == "codes" ? IntegerValue::Type::codes
                                                                                     : IntegerValue::Type::floats,
                              .channels = value.at("channels").get<int64_t>(),
                              .codes = meaning_from(value.at("codes"))});
  size_t i = 0;
  for (const auto& from : graph.at("steps")) {
    network.steps.push_back(step_from(from));
    load_arrays(from, i++, contents, network.steps.back());
  }
  return network;
}

}  // namespace

std::string dump_integer_network(const IntegerNetwork& network) {
  SafeTensors contents;
  for (size_t i = 0; i < network.steps.size(); ++i) store_arrays(network.steps[i], i, contents);
  const auto graph = canonical_json(graph_of(network));
  contents.metadata = {{"format", kFormat}, {"graph", graph}, {"sha256", digest_of(graph, contents)}};
  return dump_safetensors(contents);
}

IntegerNetwork parse_integer_network(std::string_view bytes, const std::string& place) {
  const auto contents = parse_safetensors(bytes, place);
  const auto entry = [&](const char* name) -> const std::string& {
    const auto found = contents.metadata.find(name);
    if (found == contents.metadata.end()) refuse_data(place, "not an integer network: no " + std::string(name));
    return found->second;
  };
  if (entry("format") != kFormat) refuse_data(place, "format " + entry("format") + ", expected " + kFormat);
  const auto& graph = entry("graph");
  if (digest_of(graph, contents) != entry("sha256")) refuse_data(place, "altered: its SHA-256 is another");
  try {
    auto network = network_from(json::parse(graph), contents);
    value_sizes(network);
    return network;
  } catch (const UserError& error) {
    refuse_data(place, error.what());
  } catch (const std::exception& error) {
    refuse_data(place, std::string("not an integer network: ") + error.what());
  }
}

void write_integer_network(const std::filesystem::path& path, const IntegerNetwork& network) {
  write_file_atomically(path, dump_integer_network(network));
}

IntegerNetwork read_integer_network(const std::filesystem::path& path) {
  return parse_integer_network(read_file(path), path.string());
}

}  // namespace auxbench
