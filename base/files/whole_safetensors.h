// Whether a file of tensors is all there, without reading its tensors.
#pragma once

#include <filesystem>

namespace auxbench {

// True when the file begins with the header of a safetensors file and is exactly as long as that says. False for a file
// that was cut, is something else, or is not there. What the bytes of the tensors are is not looked at.
bool is_whole_safetensors(const std::filesystem::path& path);

}  // namespace auxbench
