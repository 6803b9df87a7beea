// SHA-256 (FIPS 180-4) as lower-case hex, by OpenSSL's libcrypto.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace auxbench {

std::string sha256_hex(std::string_view bytes);

// Piece by piece.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::string_view bytes);
  std::string hex();  // once, at the end

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Streams the file; throws UserError(data_missing) when it cannot be read.
std::string sha256_file(const std::filesystem::path& path);

}  // namespace auxbench
