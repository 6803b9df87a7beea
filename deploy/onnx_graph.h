// What ONNX models are made of: graphs of nodes and constants, as messages (deploy/protobuf.h). Nothing is read.
// Torch-free.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/protobuf.h"

namespace auxbench::onnx {

using protobuf::Message;
using Numbers = std::vector<int64_t>;
using Names = std::vector<std::string>;

enum class Type : int64_t { float32 = 1, uint8 = 2, int8 = 3, int32 = 6, int64 = 7, float64 = 11 };  // TensorProto's

constexpr Type type_of(float) { return Type::float32; }
constexpr Type type_of(double) { return Type::float64; }
constexpr Type type_of(uint8_t) { return Type::uint8; }
constexpr Type type_of(int8_t) { return Type::int8; }
constexpr Type type_of(int32_t) { return Type::int32; }
constexpr Type type_of(int64_t) { return Type::int64; }

// AttributeProto.
Message attribute(const std::string& name, int64_t value);
Message attribute(const std::string& name, const Numbers& values);
Message attribute(const std::string& name, const std::string& value);
using Attributes = std::vector<Message>;

// ValueInfoProto of a float tensor; a size of 0 is not known and called N.
Message float_value(const std::string& name, const Numbers& sizes);

// StringStringEntryProto.
Message entry(const std::string& key, const std::string& value);

// A GraphProto in the making. What is added is called as wanted, or that and a number where the name is taken; the name
// it got is returned.
class Graph {
 public:
  std::string name(const std::string& wanted);

  template <typename T>
  std::string constant(const std::string& wanted, const Numbers& sizes, std::span<const T> values) {
    return constant(wanted, type_of(T{}), sizes, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  }
  template <typename T>
  std::string scalar(const std::string& wanted, T value) {
    return constant<T>(wanted, {}, std::span<const T>(&value, 1));
  }
  // One number per channel of an NCHW tensor.
  template <typename T>
  std::string per_channel(const std::string& wanted, const std::vector<T>& values) {
    return constant<T>(wanted, {1, std::ssize(values), 1, 1}, values);
  }

  // A node is called as its output is.
  std::string node(const std::string& op, const Names& inputs, const std::string& wanted,
                   const Attributes& attributes = {});
  std::string cast(const std::string& input, Type type, const std::string& wanted);
  // A node whose output has a name taken before.
  void last_node(const std::string& op, const Names& inputs, const std::string& output,
                 const Attributes& attributes = {});

  // The GraphProto with its own name, inputs and outputs.
  Message finish(const std::string& called, const Message& input, const std::vector<Message>& outputs) const;

 private:
  std::string constant(const std::string& wanted, Type type, const Numbers& sizes, std::string_view raw);

  Message message_;
  std::set<std::string> taken_;
};

}  // namespace auxbench::onnx
