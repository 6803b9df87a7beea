#include "deploy/integer_file.h"

#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/files/canonical_json.h"
#include "base/files/file.h"
#include "base/files/safetensors.h"
#include "base/files/sha256.h"
#include "kernels/bitpack/bitpack.h"

namespace auxbench {
namespace {

using nlohmann::json;
using Kind = IntegerStep::Kind;

constexpr const char* kFormat = "auxbench-integer-1";

// JSON has no infinities: one is a word.
json number(float v) { return std::isinf(v) ? json(v > 0 ? "inf" : "-inf") : json(static_cast<double>(v)); }
float number(const json& from, const char* key) {
  constexpr auto kMost = static_cast<double>(std::numeric_limits<float>::max());
  const auto& v = from.at(key);
  if (v == "inf") return std::numeric_limits<float>::infinity();
  if (v == "-inf") return -std::numeric_limits<float>::infinity();
  if (!v.is_number() || std::abs(v.get<double>()) > kMost) throw std::runtime_error(std::string(key) + " is no float");
  return static_cast<float>(v.get<double>());
}

// The library would cut what does not fit. Nothing in a network needs more than 32 bits.
template <typename Whole>
Whole whole(const json& v, const char* key) {
  const bool fits = v.is_number_unsigned() ? std::in_range<Whole>(v.get<uint64_t>())
                                           : v.is_number_integer() && std::in_range<Whole>(v.get<int64_t>());
  if (!fits) throw std::runtime_error(std::string(key) + " is no whole number that 32 bits hold");
  return v.get<Whole>();
}
int32_t integer(const json& from, const char* key) { return whole<int32_t>(from.at(key), key); }

json index(size_t value) { return value == kNoValue ? json(nullptr) : json(value); }
size_t index(const json& from, const char* key) {
  return from.at(key).is_null() ? kNoValue : whole<uint32_t>(from.at(key), key);
}

json to_json(const CodeMeaning& codes) {
  return {{"largest", codes.largest},
          {"step", codes.step},
          {"shift", codes.shift},
          {"scale", number(codes.scale)},
          {"offset", number(codes.offset)}};
}

CodeMeaning meaning_from(const json& from) {
  return {.largest = integer(from, "largest"),
          .step = integer(from, "step"),
          .shift = integer(from, "shift"),
          .scale = number(from, "scale"),
          .offset = number(from, "offset")};
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
  encoder.subtract = number(from, "subtract");
  encoder.divide = number(from, "divide");
  encoder.lo = number(from, "lo");
  encoder.hi = number(from, "hi");
  encoder.multiply = number(from, "multiply");
  encoder.add = integer(from, "add");
  return encoder;
}

json to_json(const IntegerStep& step) {
  json made = {{"kind", step_kind_name(step.kind)},
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
  // Left out where there is nothing to say: files of networks that share no weights are what they always were.
  if (step.shares != kNoValue) made["shares"] = step.shares;
  return made;
}

Kind kind_from(const std::string& name) {
  for (const auto kind : {
#define AUXBENCH_OPERATION(known) Kind::known,
#include "deploy/operations/operations.inc"
#undef AUXBENCH_OPERATION
       })
    if (name == step_kind_name(kind)) return kind;
  throw std::runtime_error("a step of unknown kind " + name);
}

IntegerStep step_from(const json& from) {
  IntegerStep step;
  step.kind = kind_from(from.at("kind").get<std::string>());
  step.name = from.at("name").get<std::string>();
  for (const auto& input : from.at("inputs")) step.inputs.push_back(whole<uint32_t>(input, "an input"));
  step.out = integer(from, "out");
  step.r = integer(from, "r");
  step.s = integer(from, "s");
  step.stride = integer(from, "stride");
  step.pad = integer(from, "pad");
  step.weight_bits = integer(from, "weight_bits");
  step.odd_weights = from.at("odd_weights").get<bool>();
  if (from.contains("shares")) step.shares = whole<uint32_t>(from.at("shares"), "shares");
  step.in_double = from.at("in_double").get<bool>();
  step.partial = index(from, "partial");
  step.relu_first = from.at("relu_first").get<bool>();
  step.residual = index(from, "residual");
  step.clamp = from.at("clamp").get<bool>();
  step.lo = number(from, "lo");
  step.hi = number(from, "hi");
  step.encoder = encoder_from(from.at("encoder"));
  step.digit_mask = whole<uint32_t>(from.at("digit_mask"), "digit_mask");
  step.out_floats = index(from, "out_floats");
  step.out_codes = index(from, "out_codes");
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
    if (found == contents.tensors.end() || found->second.bytes.empty()) continue;
    if (found->second.dtype != "F32") throw std::runtime_error(found->first + " is not F32");
    array.of(step) = elements_of<float>(found->second);
  }
  const auto count = size_t{whole<uint32_t>(from.at("weights"), "weights")};
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

json graph_of(const IntegerNetwork& network) {
  json values = json::array(), steps = json::array();
  for (const auto& value : network.values)
    values.push_back({{"type", value.type == IntegerValue::Type::codes ? "codes" : "floats"},
                      {"channels", value.channels},
                      {"codes", to_json(value.codes)}});
  for (const auto& step : network.steps) steps.push_back(to_json(step));
  json graph = {{"channels", network.channels}, {"height", network.height},    {"width", network.width},
                {"classes", network.classes},   {"values", std::move(values)}, {"steps", std::move(steps)}};
  const auto& [kind, flavour, image_size] = network.detector;
  if (!kind.empty()) graph["detector"] = {{"kind", kind}, {"flavour", flavour}, {"image_size", image_size}};
  // A classifier's file says "logits", as it did before there were several outputs.
  if (network.outputs.size() == 1 && network.outputs.front().name == kLogits) {
    graph["logits"] = network.outputs.front().value;
    return graph;
  }
  graph["outputs"] = json::array();
  for (const auto& output : network.outputs)
    graph["outputs"].push_back({{"name", output.name}, {"value", output.value}});
  return graph;
}

std::vector<IntegerOutput> outputs_from(const json& graph) {
  if (!graph.contains("outputs")) return {{kLogits, whole<uint32_t>(graph.at("logits"), "logits")}};
  std::vector<IntegerOutput> outputs;
  for (const auto& from : graph.at("outputs"))
    outputs.push_back({from.at("name").get<std::string>(), whole<uint32_t>(from.at("value"), "value")});
  return outputs;
}

IntegerDetector detector_from(const json& graph) {
  if (!graph.contains("detector")) return {};
  const auto& from = graph.at("detector");
  return {.kind = from.at("kind").get<std::string>(),
          .flavour = from.at("flavour").get<std::string>(),
          .image_size = integer(from, "image_size")};
}

IntegerValue value_from(const json& from) {
  const auto type = from.at("type").get<std::string>();
  if (type != "codes" && type != "floats") throw std::runtime_error("of unknown type");
  return {.type = type == "codes" ? IntegerValue::Type::codes : IntegerValue::Type::floats,
          .channels = integer(from, "channels"),
          .codes = meaning_from(from.at("codes"))};
}

// What goes wrong in `body` is said to be at `place`.
template <typename Body>
void named(const std::string& place, const Body& body) {
  try {
    body();
  } catch (const std::exception& error) {
    throw std::runtime_error(place + ": " + error.what());
  }
}

IntegerNetwork network_from(const json& graph, const SafeTensors& contents) {
  IntegerNetwork network = {.channels = integer(graph, "channels"),
                            .height = integer(graph, "height"),
                            .width = integer(graph, "width"),
                            .classes = integer(graph, "classes")};
  network.outputs = outputs_from(graph);
  network.detector = detector_from(graph);
  for (const auto& value : graph.at("values"))
    named("value " + std::to_string(network.values.size()), [&] { network.values.push_back(value_from(value)); });
  for (const auto& from : graph.at("steps")) {
    const auto i = network.steps.size();
    named("step " + std::to_string(i), [&] {
      network.steps.push_back(step_from(from));
      load_arrays(from, i, contents, network.steps.back());
    });
  }
  return network;
}

}  // namespace

std::string integer_file_digest(const SafeTensors& contents) {
  Sha256 hash;
  hash.add(contents.metadata.at("graph"));
  for (const auto& [name, tensor] : contents.tensors) {
    hash.add(name);
    hash.add(tensor.bytes);
  }
  return hash.hex();
}

std::string dump_integer_network(const IntegerNetwork& network) {
  SafeTensors contents;
  for (size_t i = 0; i < network.steps.size(); ++i) store_arrays(network.steps[i], i, contents);
  contents.metadata = {{"format", kFormat}, {"graph", canonical_json(graph_of(network))}};
  contents.metadata["sha256"] = integer_file_digest(contents);
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
  if (integer_file_digest(contents) != entry("sha256")) refuse_data(place, "altered: its SHA-256 is another");
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
