#include "base/files/file_kind.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/files/safetensors_prefix.h"

namespace auxbench {
namespace {

constexpr size_t kLooked = 512;  // bytes in which text must be text

struct Signature {
  size_t at;
  std::string_view bytes;
  const char* what;
};

using namespace std::string_view_literals;

// The more telling first.
constexpr std::array kSignatures = {
    Signature{0, "version https://git-lfs"sv,
              "a Git LFS pointer, not the file it stands for: `git lfs pull` in its repository fetches that"},
    Signature{0, "version https://hawser"sv,
              "a Git LFS pointer, not the file it stands for: `git lfs pull` in its repository fetches that"},
    Signature{0, "\x1f\x8b"sv, "compressed by gzip: unpack it first (gunzip)"},
    Signature{0, "\x1f\x9d"sv, "compressed by compress: unpack it first (uncompress)"},
    Signature{0,
              "\xfd"
              "7zXZ\0"sv,
              "compressed by xz: unpack it first (unxz)"},
    Signature{0, "BZh"sv, "compressed by bzip2: unpack it first (bunzip2)"},
    Signature{0, "\x28\xb5\x2f\xfd"sv, "compressed by zstd: unpack it first (unzstd)"},
    Signature{0, "\x04\x22\x4d\x18"sv, "compressed by lz4: unpack it first (unlz4)"},
    Signature{0, "7z\xbc\xaf\x27\x1c"sv, "a 7z archive: unpack it first"},
    Signature{0, "Rar!\x1a\x07"sv, "a RAR archive: unpack it first"},
    Signature{0, "PK\x05\x06"sv, "an empty zip file"},
    Signature{0, "PK\x07\x08"sv, "a zip file in several parts: not one of torch.save"},
    Signature{0, "GGUF"sv, "a GGUF file (llama.cpp), which is not read: export the weights as safetensors"},
    Signature{0, "FUGG"sv, "a GGUF file (llama.cpp), which is not read: export the weights as safetensors"},
    Signature{0, "lmgg"sv, "a GGML file (llama.cpp), which is not read: export the weights as safetensors"},
    Signature{0, "tjgg"sv, "a GGML file (llama.cpp), which is not read: export the weights as safetensors"},
    Signature{0, "\x89HDF\r\n\x1a\n"sv, "an HDF5 file (Keras), which is not read: export the weights as safetensors"},
    Signature{0, "\x93NUMPY"sv, "a NumPy array, which is not read: write it with safetensors.numpy.save_file"},
    Signature{4, "TFL3"sv, "a TensorFlow Lite file, which is not read: export the weights as safetensors"},
    Signature{4, "ET12"sv, "an ExecuTorch program, which is not read: save the model's state_dict"},
    Signature{0, "PAR1"sv, "a Parquet file: no weights"},
    Signature{0,
              "\x7f"
              "ELF"sv,
              "a program or shared library: no weights"},
    Signature{0, "%PDF"sv, "a PDF document: no weights"},
    Signature{0, "\x89PNG\r\n\x1a\n"sv, "a PNG picture: no weights"},
    Signature{0, "\xff\xd8\xff"sv, "a JPEG picture: no weights"},
};

bool has_at(std::string_view bytes, size_t at, std::string_view wanted) {
  return bytes.size() >= at && bytes.substr(at).starts_with(wanted);
}

// Of a tar archive: the name of its first file, and what torch.save wrote as one before its version 0.1.10.
std::string tar_format(std::string_view bytes) {
  constexpr size_t kMagicAt = 257, kNameBytes = 100;
  if (!has_at(bytes, kMagicAt, "ustar")) return {};
  const auto name = bytes.substr(0, std::min(bytes.find('\0'), kNameBytes));
  for (const std::string_view own : {"sys_info", "pickle", "storages", "tensors"})
    if (name == own || name == "./" + std::string(own))
      return "torch.save's tar format of before PyTorch 0.1.10, which is not read: load and save it with PyTorch";
  return "a tar archive: unpack it first (tar -xf)";
}

// Fields of ONNX's ModelProto as its writers order them: ir_version, then a text or the graph or the opsets. TensorFlow's
// SavedModel begins with the same byte and has no small version before a text.
bool is_onnx(std::string_view bytes) {
  if (bytes.size() < 4 || bytes[0] != '\x08') return false;
  const auto version = static_cast<unsigned char>(bytes[1]), next = static_cast<unsigned char>(bytes[2]);
  const bool known = next == 0x12 || next == 0x1a || next == 0x22 || next == 0x32 || next == 0x3a || next == 0x42;
  return version >= 1 && version < 64 && known;
}

// Without control bytes, and most of it ASCII: markup is, whatever language it marks up.
bool is_text(std::string_view bytes) {
  const auto looked = bytes.substr(0, kLooked);
  size_t ascii = 0;
  for (const char c : looked) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < ' ' && std::isspace(byte) == 0) || byte == 0x7f) return false;
    ascii += byte < 0x80 ? 1 : 0;
  }
  return 2 * ascii > looked.size();
}

// Of text: what it says it is.
std::string text_format(std::string_view bytes) {
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  while (!bytes.empty() && std::isspace(static_cast<unsigned char>(bytes.front())) != 0) bytes.remove_prefix(1);
  std::string start(bytes.substr(0, kLooked));
  std::transform(start.begin(), start.end(), start.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto begins = [&](std::string_view with) { return start.starts_with(with); };
  const bool markup = begins("<?xml") || begins("<!--") || begins("<!doctype");
  if (begins("<!doctype html") || begins("<html") || (markup && start.find("<html") != std::string::npos))
    return "a web page, not weights: the download went to a page (of a log-in or an error) instead of the file";
  if (markup || begins("<")) return "XML or another text with markup, not weights (an error message of a server?)";
  if (begins("{") || begins("[")) return "JSON, not weights (an index, or an error message of a server?)";
  return "text, not weights";
}

}  // namespace

bool starts_as_safetensors(std::string_view bytes) {
  return bytes.size() > kSafetensorsPrefixBytes && bytes[kSafetensorsPrefixBytes] == '{' &&
         safetensors_header_bytes(bytes) <= kLongestSafetensorsHeader;
}

std::string foreign_format(std::string_view bytes) {
  if (bytes.empty()) return "an empty file";
  if (starts_as_safetensors(bytes)) return {};
  for (const auto& known : kSignatures)
    if (has_at(bytes, known.at, known.bytes)) return known.what;
  if (auto tar = tar_format(bytes); !tar.empty()) return tar;
  if (is_onnx(bytes)) return "an ONNX file, which is not read: export the weights as safetensors, or save a state_dict";
  if (bytes.size() > kSafetensorsPrefixBytes &&
      std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; }))
    return std::to_string(bytes.size()) + " bytes of zeros: the download or copy was not finished";
  return is_text(bytes) ? text_format(bytes) : std::string();
}

}  // namespace auxbench
