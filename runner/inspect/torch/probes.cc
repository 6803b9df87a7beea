#include "runner/inspect/torch/probes.h"

#include <nlohmann/json.hpp>

#include "models/plain_names.h"
#include "runner/inspect/torch/probe_files.h"

namespace auxbench {
namespace {

using std::to_string;

// What NetworkOptions of a command line may be, before anything is made of them.
void check_network(const NetworkOptions& options) {
  constexpr double kWidest = 64;  // times ResNet's own
  constexpr int64_t kLargestStride = 1024;
  if (!network_exists(options.model)) refuse_probe(options.model + ": no such model");
  if (!(options.width > 0 && options.width <= kWidest))
    refuse_probe("--width " + nlohmann::json(options.width).dump() + ": expected a number above 0, at most 64");
  if (options.stem_stride < 1 || options.stem_stride > kLargestStride)
    refuse_probe("--stem-stride " + to_string(options.stem_stride) + ": expected 1 to 1024");
}

at::Tensor scalar(double value) { return at::full({}, value, at::kDouble); }

// One number, or one for each row of codes: [channels, 1, 1, 1] for filters.
at::Tensor shaped_to_multiply(const at::Tensor& scale, const at::Tensor& codes) {
  if (scale.dim() == 0) return scale;
  std::vector<int64_t> shape(static_cast<size_t>(codes.dim()), 1);
  shape[0] = scale.size(0);
  return scale.view(shape);
}

// Names by which the quantizer's probe says what codes stand for; a learned parameter called so is "learned.NAME".
std::string name_of_parameter(const std::string& name) {
  const bool taken =
      name == "scale" || name == "offset" || name == "basis" || name == "codes" || name == "values" || name == "levels";
  return taken ? "learned." + name : name;
}

SafeTensors quantizer_numbers(const std::string& method, Role role, int bits, const QuantizerSettings& settings,
                              const SafeTensors& in) {
  const auto quantizer = make_quantizer(method, role, bits, settings);
  const auto given = required_tensor(in, "input", "--input");
  if (at::isComplexType(given.scalar_type())) refuse_probe("--input: input is complex");
  const auto x = given.to(at::kDouble).requires_grad_(true);
  const auto coded = quantizer->encode(x, Phase::training);
  const auto values = decode(coded);
  NamedTensors out = {{"values", values},
                      {"codes", coded.codes},
                      {"offset", coded.offset.defined() ? coded.offset : scalar(0)},
                      {"levels", at::full({}, quantizer->levels(), at::kLong)}};
  if (coded.scale.defined()) out["scale"] = shaped_to_multiply(coded.scale, coded.codes);
  if (coded.basis.defined()) out["basis"] = coded.basis;
  for (const auto& [name, parameter] : quantizer->parameters()) out[name_of_parameter(name)] = parameter;
  for (const auto& [name, state] : quantizer->state()) out["state." + name] = state;
  if (!in.tensors.contains("grad")) return file_of(out);
  const auto gradient = required_tensor(in, "grad", "--grad").to(at::kDouble);
  if (gradient.sizes() != x.sizes())
    refuse_probe("--grad: grad has shape " + shape_text(gradient.sizes()) + ", input " + shape_text(x.sizes()));
  values.backward(gradient);
  out["input_grad"] = x.grad();
  for (const auto& [name, parameter] : quantizer->parameters())
    if (parameter.grad().defined()) out[name + "_grad"] = parameter.grad();
  return file_of(out);
}

SafeTensors model_numbers(const ModelProbe& probe, const SafeTensors& given, const SafeTensors& in) {
  auto options = probe.network;
  check_network(options);
  const auto weights = plain_names(given, {"conv1.weight", "fc.weight"}, "--weights");
  options.in_channels = weight_dimension(weights, "conv1.weight", 1, 4);
  options.classes = weight_dimension(weights, "fc.weight", 0, 2);
  const auto images = required_images(in, options.in_channels);
  if (images.scalar_type() != at::kFloat && images.scalar_type() != at::kDouble)
    refuse_probe("--input: input is of type " + in.tensors.at("input").dtype + ", expected F32 or F64");
  const auto network = make_network(options);
  move_module(network->module(), c10::kCPU, images.scalar_type());
  import_tensors(weights, named_tensors(network->module()), "--weights");
  network->module().eval();
  const at::NoGradGuard no_gradient;
  const TapPlan plan;
  const auto output = network->forward(images, probe.taps ? &plan : nullptr);
  NamedTensors out = {{"logits", output.logits}};
  if (probe.taps) out["stem"] = output.stem;
  for (size_t i = 0; i < output.taps.size(); ++i) out["tap." + to_string(i)] = output.taps[i];
  return file_of(out);
}

}  // namespace

SafeTensors probe_quantizer(const std::string& method, Role role, int bits, const QuantizerSettings& settings,
                            const SafeTensors& in) {
  return in_words([&] { return quantizer_numbers(method, role, bits, settings, in); });
}

SafeTensors probe_model(const ModelProbe& probe, const SafeTensors& weights, const SafeTensors& in) {
  return in_words([&] { return model_numbers(probe, weights, in); });
}

}  // namespace auxbench
