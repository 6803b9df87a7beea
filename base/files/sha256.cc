#include "base/files/sha256.h"

#include <openssl/evp.h>

#include <array>
#include <fstream>
#include <memory>

#include "base/check.h"
#include "base/error.h"

namespace auxbench {

struct Sha256::State {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  AUXBENCH_CHECK(state_->context && EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) == 1,
                 "libcrypto to know SHA-256");
}

Sha256::~Sha256() = default;

void Sha256::add(std::string_view bytes) {
  AUXBENCH_CHECK(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1, "libcrypto to digest bytes");
}

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned int length = 0;
  AUXBENCH_CHECK(EVP_DigestFinal_ex(state_->context.get(), raw.data(), &length) == 1, "libcrypto to finish a digest");
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < length; ++i) {
    text += kDigits[raw[i] >> 4U];
    text += kDigits[raw[i] & 15U];
  }
  return text;
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 digest;
  digest.add(bytes);
  return digest.hex();
}

std::string sha256_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw UserError(ExitCode::data_missing, path.string() + ": cannot be read");
  Sha256 digest;
  std::array<char, 1 << 16> chunk{};
  while (file.read(chunk.data(), chunk.size()) || file.gcount() > 0)
    digest.add({chunk.data(), static_cast<size_t>(file.gcount())});
  if (file.bad()) throw UserError(ExitCode::data_missing, path.string() + ": reading failed");
  return digest.hex();
}

}  // namespace auxbench
