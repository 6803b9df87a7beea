// How deep JSON is nested, before it is made into values: these are copied and written by recursion.
#pragma once

#include <string_view>

namespace auxbench {

// No file of ours nests deeper.
inline constexpr int kJsonLevels = 64;

// True when brackets outside strings are ever open more than `levels` at once, in JSON or what is nearly so.
inline bool nested_deeper_than(std::string_view text, int levels) {
  int open = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\')
      ++i;
    else if (c == '"')
      in_string = !in_string;
    else if (!in_string && (c == '[' || c == '{') && ++open > levels)
      return true;
    else if (!in_string && (c == ']' || c == '}'))
      --open;
  }
  return false;
}

}  // namespace auxbench
