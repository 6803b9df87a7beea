// An integer network as one file: safetensors, weights at their bits (kernels/bitpack), the steps as JSON in the
// metadata, and a SHA-256 over both. The same network gives the same bytes.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "deploy/integer_network.h"

namespace auxbench {

struct SafeTensors;

std::string dump_integer_network(const IntegerNetwork& network);

// Throws UserError (data_missing), naming `place`: cut, altered, another format, steps that do not fit together or ask
// for more than value_sizes() allows.
IntegerNetwork parse_integer_network(std::string_view bytes, const std::string& place);

// The SHA-256 that the metadata of a file with these contents must hold. There must be a "graph" in them.
std::string integer_file_digest(const SafeTensors& contents);

void write_integer_network(const std::filesystem::path& path, const IntegerNetwork& network);  // atomically
IntegerNetwork read_integer_network(const std::filesystem::path& path);

}  // namespace auxbench
