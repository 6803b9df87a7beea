// Writes Protocol Buffers messages (the wire format of proto2 and proto3), as far as deploy/onnx.h needs them; nothing is
// read. Torch-free.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace auxbench::protobuf {

// Fields in the order in which they are added; a number that is added again is a repeated field. What a number means is
// the schema's business.
class Message {
 public:
  Message& integer(uint32_t field, int64_t value);                     // int32, int64, enum
  Message& bytes(uint32_t field, std::string_view value);              // string, bytes
  Message& message(uint32_t field, const Message& value);              // embedded message
  Message& integers(uint32_t field, std::span<const int64_t> values);  // repeated int64, one by one as proto2 does

  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  void varint(uint64_t value);
  void key(uint32_t field, uint32_t wire_type);

  std::string bytes_;
};

}  // namespace auxbench::protobuf
