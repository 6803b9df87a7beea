#include "base/text.h"

#include <algorithm>
#include <cstdint>

namespace auxbench {
namespace {

unsigned byte_at(std::string_view text, size_t i) { return static_cast<unsigned char>(text[i]); }

// Of a character that is UTF-8.
uint32_t code_point(std::string_view character) {
  if (character.size() == 1) return byte_at(character, 0);
  uint32_t point = byte_at(character, 0) & (0xffU >> (character.size() + 1));
  for (size_t i = 1; i < character.size(); ++i) point = (point << 6U) | (byte_at(character, i) & 0x3fU);
  return point;
}

bool is_obeyed(uint32_t point) {
  const auto within = [point](uint32_t first, uint32_t last) { return first <= point && point <= last; };
  return point < 0x20 || within(0x7f, 0x9f) || point == 0x61c || within(0x200e, 0x200f) || within(0x2028, 0x202e) ||
         within(0x2066, 0x2069);
}

std::string digits(uint32_t number, uint32_t base, size_t count) {
  std::string text(count, '0');
  for (size_t i = count; i > 0 && number > 0; number /= base) text[--i] = "0123456789abcdef"[number % base];
  return text;
}

// Calls seen(character, whether it is harmless) for one character after the other; a byte that is no UTF-8 is one, too.
template <typename Seen>
void each_character(std::string_view text, const Seen& seen) {
  for (size_t at = 0; at < text.size();) {
    const auto bytes = utf8_bytes(text.substr(at));
    const auto character = text.substr(at, std::max<size_t>(bytes, 1));
    seen(character, bytes > 0 && !is_obeyed(code_point(character)));
    at += character.size();
  }
}

std::string escaped(std::string_view text, bool several_lines) {
  std::string safe;
  safe.reserve(text.size());
  each_character(text, [&](std::string_view character, bool harmless) {
    if (harmless || (several_lines && character == "\n")) {
      safe += character;
      return;
    }
    for (size_t i = 0; i < character.size(); ++i) safe += "\\x" + digits(byte_at(character, i), 16, 2);
  });
  return safe;
}

bool is_plain(char c) {
  constexpr std::string_view kPlain = "_-./:,+@%=";
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || kPlain.find(c) != kPlain.npos;
}

std::string in_single_quotes(std::string_view bytes) {
  std::string word = "'";
  for (const char c : bytes) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

// "$(printf 'FORMAT')": what stands in place of a command loses the newlines at its end, which therefore follow it.
std::string by_printf(std::string_view bytes) {
  const auto kept = bytes.find_last_not_of('\n') + 1;
  std::string format;
  each_character(bytes.substr(0, kept), [&](std::string_view character, bool harmless) {
    if (!harmless || character == "'") {
      for (size_t i = 0; i < character.size(); ++i) format += "\\" + digits(byte_at(character, i), 8, 3);
    } else if (character == "\\" || character == "%") {
      format += std::string(2, character.front());
    } else {
      format += character;
    }
  });
  std::string word = format.empty() ? "" : "\"$(printf '" + format + "')\"";
  if (kept < bytes.size()) word += in_single_quotes(bytes.substr(kept));
  return word;
}

}  // namespace

size_t utf8_bytes(std::string_view rest) {
  if (rest.empty()) return 0;
  const auto first = byte_at(rest, 0);
  const size_t bytes = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (bytes == 0 || rest.size() < bytes) return 0;
  for (size_t i = 1; i < bytes; ++i)
    if ((byte_at(rest, i) & 0xc0U) != 0x80) return 0;
  if (bytes < 3) return bytes;
  const auto second = byte_at(rest, 1);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool surrogate = first == 0xed && second >= 0xa0;
  const bool beyond = first == 0xf4 && second >= 0x90;
  return overlong || surrogate || beyond ? 0 : bytes;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto bytes = utf8_bytes(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

std::string printable(std::string_view text) { return escaped(text, false); }

std::string printable_lines(std::string_view text) { return escaped(text, true); }

std::string printable_json(std::string_view json) {
  std::string safe;
  safe.reserve(json.size());
  each_character(json, [&](std::string_view character, bool harmless) {
    if (harmless || character.size() == 1) {
      safe += character == "\x7f" ? std::string_view("\\u007f") : character;  // others of C0 the library has escaped
      return;
    }
    safe += "\\u" + digits(code_point(character), 16, 4);
  });
  return safe;
}

std::string shell_word(std::string_view bytes) {
  if (!bytes.empty() && std::all_of(bytes.begin(), bytes.end(), is_plain)) return std::string(bytes);
  bool harmless_all = true;
  each_character(bytes, [&](std::string_view, bool harmless) { harmless_all = harmless_all && harmless; });
  return harmless_all ? in_single_quotes(bytes) : by_printf(bytes);
}

}  // namespace auxbench
