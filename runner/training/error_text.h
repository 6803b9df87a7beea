// What a thrown exception comes to in one line: for a record's reason and for a verb's message.
#pragma once

#include <exception>
#include <string>

namespace auxbench {

// A UserError's and our own checks' words as they are. Of LibTorch's errors the complaint alone, never its stack; where
// memory was refused, "not enough memory" and how much was asked for. Line breaks become spaces; what we did
// not write ourselves is cut behind 400 bytes.
std::string error_text(const std::exception& error);

// Whether memory was refused, on the host or on a device.
bool is_out_of_memory(const std::exception& error);

}  // namespace auxbench
