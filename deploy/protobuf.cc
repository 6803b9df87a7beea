#include "deploy/protobuf.h"

namespace auxbench::protobuf {
namespace {

constexpr uint32_t kVarint = 0, kLengthAndBytes = 2;

}  // namespace

// Seven bits a byte, the low ones first; the top bit says that more follow.
void Message::varint(uint64_t value) {
  for (; value >= 128; value >>= 7) bytes_.push_back(static_cast<char>((value & 127) | 128));
  bytes_.push_back(static_cast<char>(value));
}

void Message::key(uint32_t field, uint32_t wire_type) { varint(uint64_t{field} << 3 | wire_type); }

// A negative number is its two's complement of 64 bits.
Message& Message::integer(uint32_t field, int64_t value) {
  key(field, kVarint);
  varint(static_cast<uint64_t>(value));
  return *this;
}

Message& Message::bytes(uint32_t field, std::string_view value) {
  key(field, kLengthAndBytes);
  varint(value.size());
  bytes_ += value;
  return *this;
}

Message& Message::message(uint32_t field, const Message& value) { return bytes(field, value.bytes_); }

Message& Message::integers(uint32_t field, std::span<const int64_t> values) {
  for (const auto value : values) integer(field, value);
  return *this;
}

}  // namespace auxbench::protobuf
