#include "base/files/torch_file.h"

#include <cstring>

#include "base/error.h"
#include "base/files/file.h"
#include "base/files/file_kind.h"
#include "base/files/pickle.h"
#include "base/random.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

// Made by scripts/dump_torch_files.py.
std::filesystem::path saved(const std::string& name) {
  return std::filesystem::path(AUXBENCH_SOURCE_ROOT) / "tests/base/weights" / name;
}

std::vector<float> floats(const SafeTensor& tensor) {
  std::vector<float> values(tensor.bytes.size() / sizeof(float));
  std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

std::vector<float> counting(float first, size_t count) {
  std::vector<float> values;
  for (size_t i = 0; i < count; ++i) values.push_back(first + static_cast<float>(i));
  return values;
}

std::string complaint(const std::string& bytes) {
  try {
    parse_torch_file(bytes, "w.pth");
  } catch (const UserError& error) {
    CHECK(error.code() == ExitCode::data_missing);
    return error.what();
  }
  return "no complaint";
}

}  // namespace

TEST_CASE("weights of torch.save are read, in both formats, alone and within a checkpoint", "[base]") {
  for (const char* name : {"weights.pth", "weights-legacy.pth", "checkpoint.pth", "checkpoint-legacy.pth"}) {
    INFO(name);
    const auto contents = read_weights(saved(name));
    CHECK(contents.tensors.size() == 6);
    const auto& conv = contents.tensors.at("conv1.weight");
    CHECK(conv.dtype == "F32");
    CHECK(conv.shape == std::vector<int64_t>{2, 1, 3, 3});
    CHECK(floats(conv) == counting(0, 18));
    CHECK(floats(contents.tensors.at("fc.bias")) == counting(34, 3));
    const auto& tracked = contents.tensors.at("bn1.num_batches_tracked");
    CHECK(tracked.dtype == "I64");
    CHECK(tracked.shape.empty());
    CHECK(tracked.bytes == std::string("\7\0\0\0\0\0\0\0", 8));
    // What was read is written and read again.
    CHECK(parse_safetensors(dump_safetensors(contents), name).tensors.at("conv1.weight").bytes == conv.bytes);
  }
}

TEST_CASE("views come out contiguous, whatever their strides, types and sizes", "[base]") {
  for (const char* name : {"views.pth", "views-legacy.pth"}) {
    INFO(name);
    const auto tensors = read_torch_file(saved(name)).tensors;
    CHECK(tensors.at("transposed").shape == std::vector<int64_t>{6, 4});
    CHECK(std::vector<float>{0, 6, 12, 18, 1, 7} == [&] {
      auto values = floats(tensors.at("transposed"));
      values.resize(6);
      return values;
    }());
    CHECK(floats(tensors.at("slice")) == std::vector<float>{8, 9, 10, 14, 15, 16});
    CHECK(floats(tensors.at("parameter")) == counting(0, 6));
    CHECK(tensors.at("half").dtype == "F16");
    CHECK(tensors.at("brain").dtype == "BF16");
    CHECK(tensors.at("flags").bytes == std::string("\1\0", 2));
    CHECK(tensors.at("empty").shape == std::vector<int64_t>{0, 3});
    CHECK(tensors.at("empty").bytes.empty());
  }
}

TEST_CASE("types that torch got later, and tensors with attributes, are read", "[base]") {
  const auto bytes_of = [](std::initializer_list<unsigned> values) {
    std::string bytes;
    for (const auto value : values) bytes.push_back(static_cast<char>(value));
    return bytes;
  };
  for (const char* name : {"types.pth", "types-legacy.pth"}) {
    INFO(name);
    const auto tensors = read_torch_file(saved(name)).tensors;
    CHECK(tensors.size() == 9);
    CHECK(tensors.at("u16").dtype == "U16");
    CHECK(tensors.at("u16").bytes == bytes_of({1, 0, 255, 255}));
    CHECK(tensors.at("u32").dtype == "U32");
    CHECK(tensors.at("u32").bytes == bytes_of({1, 0, 0, 0, 255, 255, 255, 255}));
    CHECK(tensors.at("u64").dtype == "U64");  // a transposed view: 1, 3, 2, 4
    CHECK(tensors.at("u64").bytes.substr(8, 8) == bytes_of({3, 0, 0, 0, 0, 0, 0, 0}));
    CHECK(tensors.at("e4m3").dtype == "F8_E4M3");
    CHECK(tensors.at("e4m3").bytes == bytes_of({0, 0x30, 0xc0, 0x7e}));
    CHECK(tensors.at("e5m2").dtype == "F8_E5M2");
    CHECK(tensors.at("e5m2").bytes == bytes_of({0, 0x38, 0xc0, 0x5f}));
    CHECK(tensors.at("complex").dtype == "C64");
    CHECK(floats(tensors.at("complex")) == std::vector<float>{1, 2});
    CHECK(floats(tensors.at("attributed")) == counting(0, 3));
    CHECK(floats(tensors.at("stateful")) == counting(0, 4));
    CHECK(floats(tensors.at("buffer")) == counting(0, 2));
  }
}

TEST_CASE("tensors that are not plain numbers are refused by name", "[base]") {
  const std::vector<std::pair<const char*, const char*>> refusals = {
      {"conjugate", "weight: a conjugate or negated view is not read"},
      {"complex128", "weight: a storage of type \"torch.ComplexDoubleStorage\" is not read"},
      {"quantized", "weight: made by \"torch._utils._rebuild_qtensor\""},
      {"sparse", "weight: made by \"torch._utils._rebuild_sparse_tensor\""},
      {"subclass", "weight: a tensor of class \"__main__.Subclass\" is not read"},
      {"module", "holds an object of class torch.nn.modules.linear.Linear, not a dictionary of tensors"}};
  for (const auto& [name, wanted] : refusals) {
    INFO(name);
    CHECK_THAT(complaint(read_file(saved(std::string(name) + ".pth"))), contains_text(wanted));
  }
}

TEST_CASE("what is given as weights and is something else is named", "[base]") {
  const auto tar = [](const std::string& first) {
    std::string bytes(1024, '\0');
    bytes.replace(0, first.size(), first).replace(257, 5, "ustar");
    return bytes;
  };
  const std::vector<std::pair<std::string, const char*>> files = {
      {"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 46830571\n", "a Git LFS pointer"},
      {"<!DOCTYPE html>\n<html><head><title>Sign in</title>", "a web page"},
      {"\xef\xbb\xbf\n  <html lang=\"de\">", "a web page"},
      {"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "XML"},
      {"{\"error\": \"not found\"}", "JSON"},
      {"404: Not Found", "text, not weights"},
      {std::string("\x1f\x8b\x08\0\0\0\0\0\0\3", 10), "compressed by gzip"},
      {std::string("\xfd"
                   "7zXZ\0\0\4",
                   8),
       "compressed by xz"},
      {"BZh91AY&SY\1\2", "compressed by bzip2"},
      {std::string("\x28\xb5\x2f\xfd\4\0", 6), "compressed by zstd"},
      {std::string("GGUF\3\0\0\0\0\0\0\0", 12), "a GGUF file"},
      {std::string("\x89HDF\r\n\x1a\n\0\0", 10), "an HDF5 file"},
      {std::string("\x08\x07\x12\x07pytorch\x1a\x05"
                   "2.1.0",
                   18),
       "an ONNX file"},
      {std::string("\x93NUMPY\1\0v\0{'descr'", 18), "a NumPy array"},
      {"", "an empty file"},
      {std::string(4096, '\0'), "4096 bytes of zeros"},
      {tar("sys_info"), "tar format of before PyTorch 0.1.10"},
      {tar("resnet18.pth"), "a tar archive: unpack it first"},
      {std::string("PK\5\6", 4) + std::string(18, '\0'), "an empty zip file"},
      {"\x89PNG\r\n\x1a\n....", "a PNG picture"}};
  for (const auto& [bytes, wanted] : files) {
    INFO(wanted);
    for (const auto& read : {parse_weights, parse_torch_file, parse_safetensors}) {
      try {
        read(bytes, "w.pth");
        FAIL("read");
      } catch (const UserError& error) {
        CHECK(error.code() == ExitCode::data_missing);
        CHECK_THAT(error.what(), Catch::Matchers::StartsWith("w.pth: ") && contains_text(wanted));
      }
    }
  }
  CHECK(foreign_format(read_file(saved("weights.pth"))).empty());
  CHECK(foreign_format(read_file(saved("weights-legacy.pth"))).empty());
  CHECK(foreign_format(dump_safetensors({})).empty());
}

TEST_CASE("a pickle of something else is no file of safetensors", "[base]") {
  // Protocol 4 with a short frame: the fifth byte is 0, as in a header's length.
  CHECK_THROWS_WITH(parse_weights(std::string("\x80\4\x95\6\0\0\0\0\0\0\0]\x94(K\1e.", 18), "w.pth"),
                    contains_text("a pickle, but not one of torch.save"));
}

TEST_CASE("code in a file of weights is named and not executed", "[base]") {
  for (const char* name : {"hostile.pth", "hostile-legacy.pth"})
    CHECK_THAT(complaint(read_file(saved(name))),
               contains_text("weight: made by \"posix.system\", which no file of plain weights needs; it was not run"));
}

TEST_CASE("a file of weights that is cut is refused, wherever", "[base]") {
  for (const char* name : {"weights.pth", "weights-legacy.pth", "types-legacy.pth"}) {
    const auto whole = read_file(saved(name));
    INFO(name);
    for (size_t kept = 0; kept < whole.size(); ++kept) {
      INFO(kept << " bytes of " << whole.size());
      CHECK(complaint(whole.substr(0, kept)) != "no complaint");
    }
  }
}

TEST_CASE("damaged files of weights are refused or read, and never more than that", "[base]") {
  RandomStream chance(stream_seed(0, "damage"));
  for (const char* name : {"weights.pth", "weights-legacy.pth", "views.pth", "views-legacy.pth", "types.pth",
                           "types-legacy.pth", "checkpoint-legacy.pth"}) {
    const auto whole = read_file(saved(name));
    for (int attempt = 0; attempt < 2000; ++attempt) {
      auto damaged = whole;
      for (uint64_t left = 1 + chance.below(3); left > 0; --left)
        damaged[chance.below(damaged.size())] = static_cast<char>(chance.below(256));
      static_cast<void>(complaint(damaged));
    }
  }
}

TEST_CASE("a tensor that reaches beyond its storage, or claims more than it, is refused", "[base]") {
  const auto whole = read_file(saved("weights-legacy.pth"));
  // The shape (2, 1, 3, 3) of conv1.weight is K\2 K\1 K\3 K\3 in the pickle.
  const std::string shape = "K\2K\1K\3K\3";
  const auto at = whole.find(shape);
  REQUIRE(at != std::string::npos);
  auto damaged = whole;
  damaged[at + 1] = 3;
  CHECK_THAT(complaint(damaged), contains_text("conv1.weight: reaches beyond its storage"));
}

TEST_CASE("a name that safetensors cannot hold is refused", "[base]") {
  const auto whole = read_file(saved("weights-legacy.pth"));
  const std::string name = "conv1.weight";
  for (const std::string other : {"__metadata__", "conv\xff.weight"}) {
    auto renamed = whole;
    REQUIRE(renamed.find(name) != std::string::npos);
    renamed.replace(renamed.find(name), name.size(), other);
    CHECK_THAT(complaint(renamed), contains_text("name is not UTF-8, or is \"__metadata__\""));
  }
}

TEST_CASE("a small file that would fill the memory with views of one storage is refused", "[base]") {
  const auto hostile = read_file(std::string(AUXBENCH_SOURCE_ROOT) + "/tests/fuzz/seeds/torch_file/hostile-views.pth");
  CHECK_THAT(complaint(hostile), contains_text("too many tensors share one storage"));
}

TEST_CASE("pickles are values, and what they leave out or overdo is refused", "[base]") {
  const auto list = read_pickle("(lI1\naV\xc3\xa4\na.rest", "p");
  CHECK(list.bytes == 12);
  const auto* items = list.root->as<PickleList>();
  REQUIRE(items != nullptr);
  REQUIRE(items->items.size() == 2);
  CHECK(*items->items[0]->as<int64_t>() == 1);
  CHECK(*items->items[1]->as<std::string>() == "\xc3\xa4");
  CHECK(*read_pickle(std::string_view("\x80\x02\x8a\x02\0\xff.", 7), "p").root->as<int64_t>() == -256);
  CHECK(*read_pickle(std::string_view("G\x3f\xf8\0\0\0\0\0\0.", 10), "p").root->as<double>() == 1.5);
  for (const std::string wrong :
       {"", ".", "I1\n", "I1\nI2\n.", "a.", "t.", "(.", "u.", "}I1\n(I2\nu.", "h\7.", "X\xff\xff\xff\xff.", "\x80\x09.",
        "Ix\n.", "c__main__\nX\n)\x92.", "]I1\nb.", "NNs.", "(I1\n0."})
    CHECK_THROWS_AS(read_pickle(wrong, "p"), UserError);
}
