// Text from anywhere: names of files, keys of JSON, reasons. What may be done with it where it is shown or kept.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace auxbench {

// Bytes of the UTF-8 character (RFC 3629) that `rest` begins with; 0 where it begins with none.
size_t utf8_bytes(std::string_view rest);

bool is_utf8(std::string_view text);

// One line that no terminal obeys: each byte of a control character (C0 with the newline, DEL, C1), of one that turns
// the direction of writing or breaks lines (U+061C, U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069), and each byte
// that is no UTF-8, is written as \xNN.
std::string printable(std::string_view text);

// Likewise, of text of several lines: newlines stay.
std::string printable_lines(std::string_view text);

// JSON as a library has written it, valid UTF-8: the same characters within its strings as \uNNNN, so that it says what
// it said. Newlines stand between values alone, and stay.
std::string printable_json(std::string_view json);

// A word that every POSIX shell takes for exactly these bytes. Text that is UTF-8 without control characters is in single
// quotes where it needs quotes; other bytes are made by printf, so that the word itself is printable UTF-8. No NUL.
std::string shell_word(std::string_view bytes);

}  // namespace auxbench
