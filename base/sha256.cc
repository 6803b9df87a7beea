#include "base/sha256.h"

#include <openssl/evp.h>

#include <array>
#include <fstream>
#include <memory>

#include "base/check.h"
#include "base/error.h"

namespace auxbench {
namespace {

class Digest {
 public:
  Digest() {
    AUXBENCH_CHECK(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1,
                   "libcrypto to know SHA-256");
  }
  void add(const char* bytes, size_t count) {
    AUXBENCH_CHECK(EVP_DigestUpdate(context_.get(), bytes, count) == 1, "libcrypto to digest bytes");
  }
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
    unsigned int length = 0;
    AUXBENCH_CHECK(EVP_DigestFinal_ex(context_.get(), raw.data(), &length) == 1, "libcrypto to finish a digest");
    constexpr const char* kDigits = "0123456789abcdef";
    std::string text;
    for (unsigned int i = 0; i < length; ++i) {
      text += kDigits[raw[i] >> 4U];
      text += kDigits[raw[i] & 15U];
    }
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  Digest digest;
  digest.add(bytes.data(), bytes.size());
  return digest.hex();
}

std::string sha256_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw UserError(ExitCode::data_missing, path.string() + ": cannot be read");
  Digest digest;
  std::array<char, 1 << 16> chunk{};
  while (file.read(chunk.data(), chunk.size()) || file.gcount() > 0)
    digest.add(chunk.data(), static_cast<size_t>(file.gcount()));
  if (file.bad()) throw UserError(ExitCode::data_missing, path.string() + ": reading failed");
  return digest.hex();
}

}  // namespace auxbench
