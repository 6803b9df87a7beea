// What a file is that was given as weights and is none: said by its first bytes, so that the refusal names it.
#pragma once

#include <string>
#include <string_view>

namespace auxbench {

// What the bytes are and what to do about it ("a Git LFS pointer: the file itself is fetched by `git lfs pull`"), or
// empty where nothing known is recognised. Safetensors and the two formats of torch.save that are read here are not
// recognised: ask after their own readers found nothing.
std::string foreign_format(std::string_view bytes);

// Whether the bytes begin as a safetensors file does: a header's length of at most 100 MB, then '{'.
bool starts_as_safetensors(std::string_view bytes);

}  // namespace auxbench
