// Integer networks: what was read is written, reads back as the same and runs, alike on every instruction set.
// Each input is read with the right header length and checksum too, and once more with arrays as long as its steps ask
// for: with wrong ones nothing that was put into the steps would be reached.
#include "deploy/integer_file.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/files/safetensors.h"
#include "deploy/executor.h"
#include "tests/fuzz/target.h"

using namespace auxbench;
using nlohmann::json;

namespace {

constexpr size_t kPrefix = 8, kMostValues = 64;
constexpr int64_t kMostWeights = 1 << 14;
// For speed: what is run of what may be run.
constexpr int64_t kMostMacs = 1 << 20, kMostCodes = 1 << 20, kWidestBorder = 64;

// With the header ending at the last "}}", which few data hold.
std::string with_length(std::string_view bytes) {
  std::string corrected(bytes);
  const auto end = bytes.rfind("}}");
  if (end == std::string_view::npos || end < kPrefix) return corrected;
  for (size_t i = 0; i < kPrefix; ++i) corrected[i] = static_cast<char>(((end + 2 - kPrefix) >> (8 * i)) & 0xFFU);
  return corrected;
}

std::optional<SafeTensors> contents_of(std::string_view bytes) {
  std::optional<SafeTensors> contents;
  fuzz::may_refuse(ExitCode::data_missing, [&] { contents = parse_safetensors(bytes, "input"); });
  if (contents && !contents->metadata.contains("graph")) contents.reset();
  return contents;
}

std::string with_checksum(SafeTensors contents) {
  contents.metadata["sha256"] = integer_file_digest(contents);
  return dump_safetensors(contents);
}

// --- Arrays as long as steps ask for.

int64_t number_at(const json& from, const char* key) {
  const bool there = from.is_object() && from.contains(key) && from.at(key).is_number_integer();
  return there ? std::clamp<int64_t>(from.at(key).get<int64_t>(), 0, kMostWeights + 1) : 0;
}

// The value that a step names, or null.
json named_value(const json& graph, const json& index) {
  const auto& values = graph.at("values");
  return index.is_number_unsigned() && index < values.size() ? values.at(index.get<size_t>()) : json();
}

void fit(SafeTensors& contents, const std::string& name, const char* dtype, int64_t bytes, bool wanted) {
  const auto found = contents.tensors.find(name);
  if (found == contents.tensors.end() && !wanted) return;
  const auto old = found == contents.tensors.end() ? std::string() : found->second.bytes;
  std::string fitted(static_cast<size_t>(bytes), '\0');
  for (size_t i = 0; i < fitted.size() && !old.empty(); ++i) fitted[i] = old[i % old.size()];
  const int64_t size = safetensors_element_size(dtype);
  contents.tensors[name] = {.dtype = dtype, .shape = {bytes / size}, .bytes = std::move(fitted)};
}

void fit_step(const json& graph, json& step, const std::string& prefix, SafeTensors& contents) {
  if (!step.is_object() || !step.contains("kind") || !step.contains("inputs") || !step["inputs"].is_array()) return;
  const bool on_codes = step["kind"] == "convolution", on_floats = step["kind"] == "float-convolution";
  const auto& inputs = step["inputs"];
  const int64_t in = inputs.empty() ? 0 : number_at(named_value(graph, inputs[0]), "channels");
  const int64_t out = on_codes || on_floats ? number_at(step, "out") : in;
  if (out > kMostWeights) return;
  for (const char* array : {"scale", "offset_scale", "alpha", "beta"})
    fit(contents, prefix + array, "F32", 4 * out, /*wanted=*/false);
  fit(contents, prefix + "factors", "F32", 4 * std::ssize(inputs), /*wanted=*/false);
  const auto codes = named_value(graph, step.value("out_codes", json()));
  if (codes.is_object() && codes.contains("codes"))
    fit(contents, prefix + "thresholds", "F32", 4 * number_at(codes["codes"], "largest"), /*wanted=*/false);
  if (step.contains("shares")) return;  // with another step's weights
  int64_t weights = out;
  for (const int64_t factor : {number_at(step, "r"), number_at(step, "s"), in})
    weights = std::min(weights * factor, kMostWeights + 1);
  if (weights > kMostWeights) return;
  if (on_floats) fit(contents, prefix + "float_weights", "F32", 4 * weights, /*wanted=*/true);
  if (!on_codes) return;
  step["weights"] = weights;
  fit(contents, prefix + "weights", "U8", (weights * number_at(step, "weight_bits") + 7) / 8, /*wanted=*/true);
}

SafeTensors with_arrays(SafeTensors contents) {
  auto graph = json::parse(contents.metadata.at("graph"), nullptr, false);
  for (const char* list : {"values", "steps"})
    if (!graph.is_object() || !graph.contains(list) || !graph[list].is_array()) return contents;
  size_t i = 0;
  for (auto& step : graph["steps"]) fit_step(graph, step, std::to_string(i++) + ".", contents);
  contents.metadata["graph"] = graph.dump();
  return contents;
}

// --- What was read.

bool is_small(const IntegerNetwork& network) {
  if (network.values.size() > kMostValues || network.macs() > kMostMacs) return false;
  const auto sizes = value_sizes(network);
  for (size_t i = 0; i < sizes.size(); ++i)
    if ((sizes[i].h + 2 * kWidestBorder) * (sizes[i].w + 2 * kWidestBorder) * network.values[i].channels > kMostCodes)
      return false;
  return true;
}

bool all_within(const std::vector<float>& numbers, float most) {
  return std::all_of(numbers.begin(), numbers.end(), [most](float v) { return std::abs(v) <= most; });
}

// Whether no number on the way can be infinite or NaN, of which instruction sets make what they like; nor in float64,
// which may be added up in any order.
bool is_exact(const IntegerNetwork& network, const IntegerStep& step) {
  constexpr float kMost = 1 << 20;
  for (const auto* array : {&step.scale, &step.offset_scale, &step.alpha, &step.beta, &step.factors})
    if (!all_within(*array, kMost)) return false;
  const CodeMeaning added = step.residual == kNoValue ? CodeMeaning() : network.values[step.residual].codes;
  return step.kind != IntegerStep::Kind::float_convolution && all_within({added.scale, added.offset}, kMost);
}

// All values up to the first that may differ, one after another.
std::vector<float> exact_values(const IntegerNetwork& network, const Executor& engine) {
  constexpr float kMost = 1e18F;
  std::vector<float> all;
  for (const auto& step : network.steps) {
    if (!is_exact(network, step)) break;
    for (const auto made : {step.out_floats, step.out_codes}) {
      if (made == kNoValue) continue;
      const auto numbers = engine.value(made);
      if (!all_within(numbers, kMost)) return all;
      all.insert(all.end(), numbers.begin(), numbers.end());
    }
  }
  return all;
}

void run(const IntegerNetwork& network, ValueSize size) {
  std::vector<float> images(static_cast<size_t>(2 * network.channels * size.h * size.w));
  for (size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(i * 37 % 64) / 32 - 0.5F;
  std::vector<float> expected;
  std::string before;
  for (const char* cap : {"generic", "avx2", "avx512", "amx"}) {
    const auto isa = detect_isa(cap);
    if (isa.name() == before) continue;
    Executor engine(network, {.batch = 2}, isa), keeping(network, {.batch = 2, .keep_values = true}, isa);
    engine.run(images, size);
    for (const auto& [name, value] : network.outputs) {
      const auto found = engine.output(name);
      AUXBENCH_CHECK(std::ssize(found.numbers) == 2 * found.h * found.w * network.values[value].channels,
                     "a number for each channel of each pixel");
    }
    keeping.run(images, size);
    const auto values = exact_values(network, keeping);
    AUXBENCH_CHECK(before.empty() || values == expected, "on " + isa.name() + " what " + before + " says");
    expected = values;
    before = isa.name();
  }
}

// At its own size and, where it can be, at another.
void run(const IntegerNetwork& network) {
  run(network, {network.height, network.width});
  const ValueSize other = {network.height + 1, network.width + 2};
  try {
    value_sizes(network, other);
  } catch (const UserError&) {
    return;  // a kernel that this size is too much for
  }
  run(network, other);
}

void read(std::string_view bytes) {
  fuzz::may_refuse(ExitCode::data_missing, [&] {
    const auto network = parse_integer_network(bytes, "input");
    const auto written = dump_integer_network(network);
    try {
      AUXBENCH_CHECK(dump_integer_network(parse_integer_network(written, "written")) == written,
                     "the network that was written");
      if (is_small(network)) run(network);
    } catch (const UserError& error) {
      AUXBENCH_CHECK(false, std::string("a network that was read to be fit for all, not ") + error.what());
    }
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = fuzz::text_of(data, size);
  read(bytes);
  auto contents = contents_of(bytes);
  if (!contents) contents = contents_of(with_length(bytes));
  if (!contents) return 0;
  read(with_checksum(*contents));
  read(with_checksum(with_arrays(*contents)));
  return 0;
}
