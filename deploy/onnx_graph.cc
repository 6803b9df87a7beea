#include "deploy/onnx_graph.h"

#include <bit>

// The numbers of fields below are onnx.proto's.
namespace auxbench::onnx {
namespace {

static_assert(std::endian::native == std::endian::little, "raw data of tensors are little-endian");

Message node_of(const std::string& op, const Names& inputs, const std::string& output, const Attributes& attributes) {
  Message made;
  for (const auto& input : inputs) made.bytes(1, input);
  made.bytes(2, output).bytes(3, output).bytes(4, op);
  for (const auto& each : attributes) made.message(5, each);
  return made;
}

}  // namespace

Message attribute(const std::string& name, int64_t value) {
  constexpr int64_t kInteger = 2;
  return Message().bytes(1, name).integer(3, value).integer(20, kInteger);
}

Message attribute(const std::string& name, const Numbers& values) {
  constexpr int64_t kIntegers = 7;
  return Message().bytes(1, name).integers(8, values).integer(20, kIntegers);
}

Message attribute(const std::string& name, const std::string& value) {
  constexpr int64_t kText = 3;
  return Message().bytes(1, name).bytes(4, value).integer(20, kText);
}

Message float_value(const std::string& name, const Numbers& sizes) {
  Message shape;
  for (const auto size : sizes) shape.message(1, size == 0 ? Message().bytes(2, "N") : Message().integer(1, size));
  const auto tensor = Message().integer(1, static_cast<int64_t>(Type::float32)).message(2, shape);
  return Message().bytes(1, name).message(2, Message().message(1, tensor));
}

Message entry(const std::string& key, const std::string& value) { return Message().bytes(1, key).bytes(2, value); }

std::string Graph::name(const std::string& wanted) {
  auto found = wanted;
  for (int i = 2; !taken_.insert(found).second; ++i) found = wanted + "." + std::to_string(i);
  return found;
}

std::string Graph::constant(const std::string& wanted, Type type, const Numbers& sizes, std::string_view raw) {
  auto called = name(wanted);
  const auto tensor =
      Message().integers(1, sizes).integer(2, static_cast<int64_t>(type)).bytes(8, called).bytes(9, raw);
  message_.message(5, tensor);
  return called;
}

std::string Graph::node(const std::string& op, const Names& inputs, const std::string& wanted,
                        const Attributes& attributes) {
  auto called = name(wanted);
  message_.message(1, node_of(op, inputs, called, attributes));
  return called;
}

std::string Graph::cast(const std::string& input, Type type, const std::string& wanted) {
  return node("Cast", {input}, wanted, {attribute("to", static_cast<int64_t>(type))});
}

void Graph::last_node(const std::string& op, const Names& inputs, const std::string& output,
                      const Attributes& attributes) {
  message_.message(1, node_of(op, inputs, output, attributes));
}

Message Graph::finish(const std::string& called, const Message& input, const std::vector<Message>& outputs) const {
  auto whole = message_;
  whole.bytes(2, called).message(11, input);
  for (const auto& output : outputs) whole.message(12, output);
  return whole;
}

}  // namespace auxbench::onnx
