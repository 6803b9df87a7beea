// What the program prints: the one way to standard output and to standard error, for names and reasons from anywhere.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace auxbench {

// For main(), before anything is opened: a standard stream that is closed is opened so that what is printed to it fails,
// instead of going into the next file that is opened.
void keep_standard_streams();

// A terminal whose cursor can be moved: not of the type "dumb", nor of none.
bool is_screen(int descriptor);

// One line on standard output; its newline is added. Formatted as printf does, then printable() (base/text.h).
[[gnu::format(printf, 1, 2)]] void print_line(const char* format, ...);
// Text of several lines on standard output, with its own newlines.
void print_lines(std::string_view text);
// Indented, on standard output; bytes that are no UTF-8 are replaced by U+FFFD.
void print_json(const nlohmann::json& value);
void print_json(const nlohmann::ordered_json& value);

// One line on standard error.
[[gnu::format(printf, 1, 2)]] void warn_line(const char* format, ...);

// Why some of what was printed has not arrived ("No space left on device"); none when all of it has. For the end.
std::optional<std::string> output_fault();

}  // namespace auxbench
