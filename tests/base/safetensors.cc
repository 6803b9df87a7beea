#include "base/files/safetensors.h"

#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/files/file.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;

namespace {

std::string length_prefix(uint64_t length) {
  std::string bytes;
  for (unsigned i = 0; i < 8; ++i) bytes.push_back(static_cast<char>((length >> (8 * i)) & 0xFFU));
  return bytes;
}

std::string file_of(const std::string& header, const std::string& data = "") {
  return length_prefix(header.size()) + header + data;
}

std::string complaint(const std::string& bytes) {
  try {
    parse_safetensors(bytes, "file");
  } catch (const UserError& error) {
    CHECK(error.code() == ExitCode::data_missing);
    const std::string message = error.what();
    CHECK(message.substr(0, 6) == "file: ");
    CHECK(message.find('\n') == std::string::npos);
    CHECK(message.size() < 300);
    return message.substr(6);
  }
  return "nothing";
}

// A header of one tensor "x" with these members.
std::string header_of(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"x":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
}

std::string two_tensors(const std::string& first, const std::string& second) {
  const std::string begin = R"({"dtype":"U8","shape":[4],"data_offsets":)";
  return file_of(R"({"a":)" + begin + first + R"(},"b":)" + begin + second + "}}", "12345678");
}

SafeTensors sample() {
  SafeTensors contents;
  contents.tensors["weight"] = {.dtype = "F32", .shape = {2, 1}, .bytes = std::string("\0\0\x80\x3f\0\0\0\x40", 8)};
  contents.tensors["count"] = {.dtype = "I64", .shape = {}, .bytes = std::string("\x05\0\0\0\0\0\0\0", 8)};
  contents.tensors["none"] = {.dtype = "BF16", .shape = {0, 3}, .bytes = ""};
  contents.tensors["flags"] = {.dtype = "BOOL", .shape = {3}, .bytes = std::string("\1\0\1", 3)};
  contents.metadata = {{"format", "pt"}, {"state", "{\"a\": 1}"}};
  return contents;
}

}  // namespace

TEST_CASE("a tensor's elements are as many as its bytes hold, none of an empty one", "[base]") {
  const SafeTensor two = {.dtype = "I16", .shape = {2}, .bytes = {'\x01', '\x02', '\xff', '\xff'}};
  CHECK(elements_of<int16_t>(two) == std::vector<int16_t>{0x0201, -1});
  CHECK(elements_of<float>({.dtype = "F32", .shape = {0, 6}}).empty());
}

TEST_CASE("a safetensors file gives back what was written", "[base]") {
  const test::TempFolder folder;
  const auto written = sample();
  write_safetensors(folder.path() / "file", written);
  const auto read = read_safetensors(folder.path() / "file");
  CHECK(read.metadata == written.metadata);
  REQUIRE(read.tensors.size() == written.tensors.size());
  for (const auto& [name, tensor] : written.tensors) {
    INFO(name);
    REQUIRE(read.tensors.count(name) == 1);
    CHECK(read.tensors.at(name).dtype == tensor.dtype);
    CHECK(read.tensors.at(name).shape == tensor.shape);
    CHECK(read.tensors.at(name).bytes == tensor.bytes);
  }
}

TEST_CASE("the bytes of a safetensors file are pinned: name order, header filled to 8 bytes with spaces", "[base]") {
  SafeTensors contents;
  contents.tensors["b"] = {.dtype = "U8", .shape = {2}, .bytes = "xy"};
  contents.tensors["a"] = {.dtype = "I8", .shape = {1}, .bytes = "z"};
  const std::string header =
      R"({"a":{"data_offsets":[0,1],"dtype":"I8","shape":[1]},"b":{"data_offsets":[1,3],"dtype":"U8","shape":[2]}})";
  const std::string padding((8 - header.size() % 8) % 8, ' ');
  CHECK(dump_safetensors(contents) == file_of(header + padding, "zxy"));
  CHECK((header + padding).size() % 8 == 0);
  CHECK(dump_safetensors({}) == file_of("{}      "));
}

TEST_CASE("a file that another writer ordered otherwise is read", "[base]") {
  const auto contents = parse_safetensors(two_tensors("[4,8]", "[0,4]"), "file");
  CHECK(contents.tensors.at("a").bytes == "5678");
  CHECK(contents.tensors.at("b").bytes == "1234");
}

TEST_CASE("a header length that lies is refused", "[base]") {
  CHECK(complaint("") == "an empty file");
  CHECK(complaint(std::string("\x50\2\0\0\0\0\0", 7)) == "truncated: 7 bytes");
  CHECK(complaint(length_prefix(3) + "{}") == "truncated: header of 3 bytes, 2 are there");
  const std::string huge = " bytes, at most 100000000 make a safetensors file";
  CHECK(complaint(length_prefix(100000001) + "{}") == "header of 100000001" + huge);
  CHECK(complaint(length_prefix(~uint64_t{0}) + "{}") == "header of 18446744073709551615" + huge);
}

TEST_CASE("a safetensors file cut anywhere is refused", "[base]") {
  const auto whole = dump_safetensors(sample());
  for (size_t size = 0; size < whole.size(); ++size) {
    INFO(size);
    CHECK(complaint(whole.substr(0, size)) != "nothing");
  }
  CHECK(complaint(whole) == "nothing");
  CHECK(complaint(whole + "x") == "1 bytes belong to no tensor");
}

TEST_CASE("a header that is no JSON object is refused", "[base]") {
  for (const char* header : {"", "[]", "null", " {}", "\xEF\xBB\xBF{}"})
    CHECK(complaint(file_of(header)) == "header is not a JSON object");
  CHECK(complaint(file_of(std::string("{}\0 hidden", 10))) == "header is not a JSON object");
  CHECK(complaint(file_of("{\"a\": ")) == "header is not JSON, byte 7");
  CHECK(complaint(file_of("{} {}")) == "header is not JSON, byte 4");
  CHECK(complaint(file_of("{\"\xFF\": 1}")).substr(0, 18) == "header is not JSON");
  CHECK(complaint(file_of("{\"a\": 1e999}")) == "header holds a number that is out of range");
}

TEST_CASE("names given twice are refused, wherever they stand", "[base]") {
  const std::string tensor = R"({"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  CHECK(complaint(file_of(R"({"x":)" + tensor + R"(,"x":)" + tensor + "}")) == R"("x" is given twice)");
  CHECK(complaint(file_of(R"({"x":)" + tensor + R"(,"\u0078":)" + tensor + "}")) == R"("x" is given twice)");
  CHECK(complaint(file_of(R"({"x":{"dtype":"U8","dtype":"U8"}})")) == R"("dtype" is given twice)");
  CHECK(complaint(file_of(R"({"__metadata__":{"k":"1","k":"2"}})")) == R"("k" is given twice)");
  CHECK(complaint(file_of(R"({"x":)" + tensor + R"(,"y":)" + tensor + "}")) == "nothing");
}

TEST_CASE("a header nested without end is refused", "[base]") {
  CHECK(complaint(file_of(R"({"x":)" + std::string(1000000, '['))) == "header is nested too deeply");
  std::string objects = "{";
  for (int i = 0; i < 100000; ++i) objects += R"("x":{)";
  CHECK(complaint(file_of(objects)) == "header is nested too deeply");
}

TEST_CASE("offsets out of the data, overlapping or leaving holes are refused", "[base]") {
  CHECK(complaint(two_tensors("[0,4]", "[4,8]")) == "nothing");
  CHECK(complaint(two_tensors("[0,4]", "[5,9]")) == R"(tensor "b": ends at byte 9, the data have 8)");
  CHECK(complaint(two_tensors("[0,4]", "[3,7]")) == R"(tensor "b": overlaps another)");
  CHECK(complaint(two_tensors("[0,4]", "[0,4]")) == R"(tensor "b": overlaps another)");
  CHECK(complaint(two_tensors("[0,4]", "[4,7]")) == R"(tensor "b": holds 3 bytes, its shape needs 4)");
  CHECK(complaint(file_of(header_of(R"("U8")", "[2]", "[1,3]"), "123")) == R"(tensor "x": leaves a hole before it)");
  CHECK(complaint(file_of(header_of(R"("U8")", "[2]", "[0,2]"), "123")) == "1 bytes belong to no tensor");
  for (const char* offsets : {"[2,0]", "[0]", "[0,1,2]", "[]"})
    CHECK(complaint(file_of(header_of(R"("U8")", "[2]", offsets), "12")) ==
          R"(tensor "x": data_offsets are not [begin, end])");
  CHECK(complaint(file_of(header_of(R"("U8")", "[2]", "[0,18446744073709551615]"), "12")) ==
        R"(tensor "x": ends at byte 18446744073709551615, the data have 2)");
  CHECK(complaint(file_of(header_of(R"("U8")", "[2]", R"({"0":0})"), "12")) ==
        R"(tensor "x": data_offsets: is not a list)");
}

TEST_CASE("unknown dtypes are refused and known ones have their sizes", "[base]") {
  CHECK(complaint(file_of(header_of(R"("F33")", "[0]", "[0,0]"))) == R"(tensor "x": unknown dtype "F33")");
  CHECK(complaint(file_of(header_of("7", "[0]", "[0,0]"))) == R"(tensor "x": dtype is not a string)");
  CHECK_THROWS_AS(safetensors_element_size("f32"), UserError);
  CHECK_THROWS_AS(safetensors_element_size("F4"), UserError);
  const std::vector<std::pair<std::string, int64_t>> sizes = {
      {"F64", 8},     {"F32", 4},     {"F16", 2},     {"BF16", 2},        {"C64", 8},        {"I64", 8}, {"I32", 4},
      {"I16", 2},     {"I8", 1},      {"U64", 8},     {"U32", 4},         {"U16", 2},        {"U8", 1},  {"BOOL", 1},
      {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"F8_E8M0", 1}, {"F8_E4M3FNUZ", 1}, {"F8_E5M2FNUZ", 1}};
  for (const auto& [dtype, size] : sizes) {
    INFO(dtype);
    CHECK(safetensors_element_size(dtype) == size);
    const std::string data(static_cast<size_t>(3 * size), 'x');
    const auto file = file_of(header_of("\"" + dtype + "\"", "[3]", "[0," + std::to_string(3 * size) + "]"), data);
    REQUIRE(complaint(file) == "nothing");
    // Types that nothing computes with are listed and written, too.
    const auto contents = parse_safetensors(file, "file");
    CHECK(parse_safetensors(dump_safetensors(contents), "file").tensors.at("x").bytes == data);
  }
}

TEST_CASE("types of less than a byte are read where they come to whole bytes", "[base]") {
  CHECK(complaint(file_of(header_of(R"("F4")", "[2,3]", "[0,3]"), "123")) == "nothing");
  CHECK(complaint(file_of(header_of(R"("F6_E2M3")", "[4]", "[0,3]"), "123")) == "nothing");
  CHECK(complaint(file_of(header_of(R"("F6_E3M2")", "[4]", "[0,2]"), "12")) ==
        R"(tensor "x": holds 2 bytes, its shape needs 3)");
  CHECK(complaint(file_of(header_of(R"("F4")", "[3]", "[0,2]"), "12")) ==
        R"(tensor "x": shape overflows, or is no whole bytes)");
}

TEST_CASE("shapes that are negative, not whole or overflow are refused", "[base]") {
  for (const char* extent : {"-1", "1.0", "1e3", "true", "null", "\"1\"", "[1]", "99999999999999999999"}) {
    INFO(extent);
    const auto file = file_of(header_of(R"("U8")", "[" + std::string(extent) + "]", "[0,0]"));
    CHECK(complaint(file).substr(0, 10) == (std::string(extent) == "[1]" ? "header is " : R"(tensor "x")"));
  }
  for (const char* shape : {"[9223372036854775808]", "[4294967296,4294967296]", "[2305843009213693952]",
                            "[3037000500,3037000500,3037000500]", "[9223372036854775807,3,0]"})
    CHECK(complaint(file_of(header_of(R"("F64")", shape, "[0,0]"))) == R"(tensor "x": shape overflows)");
  CHECK(complaint(file_of(header_of(R"("U8")", "[9223372036854775807]", "[0,0]"))) ==
        R"(tensor "x": holds 0 bytes, its shape needs 9223372036854775807)");
}

TEST_CASE("tensors must be objects with exactly the three keys", "[base]") {
  CHECK(complaint(file_of(R"({"x":1})")) == R"(tensor "x": dtype is missing)");
  CHECK(complaint(file_of(R"({"x":{"dtype":"U8","shape":[]}})")) == R"(tensor "x": data_offsets is missing)");
  CHECK(complaint(file_of(R"({"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"more":1}})")) ==
        R"(tensor "x": has keys beside dtype, shape and data_offsets)");
}

TEST_CASE("metadata other than strings are refused", "[base]") {
  CHECK(complaint(file_of(R"({"__metadata__":[]})")) == "__metadata__ is not an object");
  CHECK(complaint(file_of(R"({"__metadata__":{"k":1}})")) == R"(__metadata__: "k" is not a string)");
}

TEST_CASE("a hostile name stays on one short line of the message", "[base]") {
  CHECK(complaint(file_of(R"({"a\nb":1})")) == R"(tensor "a\nb": dtype is missing)");
  CHECK(complaint(file_of("{\"" + std::string(100000, 'n') + "\":1}")).size() < 200);
}

TEST_CASE("contents that do not agree with themselves are not written", "[base]") {
  auto contents = sample();
  contents.tensors["weight"].bytes.pop_back();
  CHECK_THROWS_AS(dump_safetensors(contents), LogicFault);
  contents = sample();
  contents.tensors["__metadata__"] = contents.tensors["count"];
  CHECK_THROWS_AS(dump_safetensors(contents), LogicFault);
  contents = sample();
  contents.tensors["count"].dtype = "F128";
  CHECK_THROWS_AS(dump_safetensors(contents), LogicFault);
}
