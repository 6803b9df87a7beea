// SHA-256 (FIPS 180-4) as lower-case hex, by OpenSSL's libcrypto.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace auxbench {

std::string sha256_hex(std::string_view bytes);

// Streams the file; throws UserError(data_missing) when it cannot be read.
std::string sha256_file(const std::filesystem::path& path);

}  // namespace auxbench
