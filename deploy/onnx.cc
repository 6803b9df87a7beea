#include "deploy/onnx.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files/canonical_json.h"
#include "deploy/onnx_writer.h"

namespace auxbench {
namespace {

constexpr int64_t kIrVersion = 8, kOpset = 17;
constexpr size_t kMostBytes = std::numeric_limits<int32_t>::max();

// Adds the node whose result is the output, and returns its description. Logits lose their one pixel.
protobuf::Message add_output(const IntegerOutput& output, const IntegerNetwork& network, OnnxWriter& writer) {
  const auto& tensor = writer.name(output.value);
  if (output.name == kLogits) {
    writer.graph().last_node("Flatten", {tensor}, output.name);
    return onnx::float_value(output.name, {0, network.classes});
  }
  writer.graph().last_node("Identity", {tensor}, output.name);
  const auto size = writer.size(output.value);
  return onnx::float_value(output.name, {0, network.values[output.value].channels, size.h, size.w});
}

}  // namespace

std::string to_onnx(const IntegerNetwork& network) {
  OnnxWriter writer(network);
  for (const auto& step : network.steps) writer.append(step);
  std::vector<protobuf::Message> outputs;
  for (const auto& output : network.outputs) outputs.push_back(add_output(output, network, writer));
  const auto images = onnx::float_value(OnnxWriter::kInput, {0, network.channels, network.height, network.width});
  const auto model = protobuf::Message()
                         .integer(1, kIrVersion)
                         .bytes(2, "auxbench")
                         .message(7, writer.graph().finish("auxbench", images, outputs))
                         .message(8, protobuf::Message().bytes(1, "").integer(2, kOpset))
                         .message(14, onnx::entry("auxbench.encoders", canonical_json(writer.encoders())))
                         .message(14, onnx::entry("auxbench.convolutions", canonical_json(writer.convolutions())));
  if (model.bytes().size() > kMostBytes)
    throw UserError(ExitCode::usage, "a network of more than 2 GiB does not fit into an ONNX model");
  return model.bytes();
}

}  // namespace auxbench
