#include "reports/xml_syntax.h"

#include <algorithm>
#include <string_view>

namespace auxbench {
namespace {

// Bytes of the UTF-8 character that `rest` begins with; 0 where it begins with none. XML knows no surrogates and not the
// two last code points of the first plane.
size_t character_bytes(std::string_view rest) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(rest[i]); };
  const auto first = byte(0);
  const size_t bytes = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (bytes == 0 || rest.size() < bytes) return 0;
  for (size_t i = 1; i < bytes; ++i)
    if ((byte(i) & 0xc0U) != 0x80) return 0;
  if (bytes < 3) return bytes;
  const auto second = byte(1);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool surrogate = first == 0xed && second >= 0xa0;
  const bool beyond = first == 0xf4 && second >= 0x90;
  const bool none = first == 0xef && second == 0xbf && byte(2) >= 0xbe;
  return overlong || surrogate || beyond || none ? 0 : bytes;
}

std::vector<std::string> characters(const std::string& text) {
  std::vector<std::string> found;
  for (size_t at = 0; at < text.size();) {
    const auto bytes = character_bytes(std::string_view(text).substr(at));
    const bool control = bytes == 1 && (static_cast<unsigned char>(text[at]) < ' ' || text[at] == '\x7f');
    found.push_back(bytes == 0 ? "?" : control ? " " : text.substr(at, bytes));
    at += std::max<size_t>(bytes, 1);
  }
  return found;
}

std::string joined(const std::vector<std::string>& parts, size_t begin, size_t end) {
  std::string text;
  for (size_t i = begin; i < end; ++i) text += parts[i];
  return text;
}

}  // namespace

std::string xml_escaped(const std::string& text) {
  std::string safe;
  for (const auto& character : characters(text)) {
    if (character == "<")
      safe += "&lt;";
    else if (character == ">")
      safe += "&gt;";
    else if (character == "&")
      safe += "&amp;";
    else if (character == "\"")
      safe += "&quot;";
    else
      safe += character;
  }
  return safe;
}

std::vector<std::string> wrapped(const std::string& text, size_t width, size_t most) {
  const auto all = characters(text);
  std::vector<std::string> lines;
  size_t begin = 0;
  while (begin < all.size()) {
    if (all.size() - begin <= width) {
      lines.push_back(joined(all, begin, all.size()));
      break;
    }
    if (lines.size() + 1 == most) {
      lines.push_back(joined(all, begin, begin + width - std::min<size_t>(width, 3)) + "...");
      break;
    }
    size_t end = begin + width;
    while (end > begin && all[end] != " ") --end;
    if (end == begin) end = begin + width;  // one long word
    lines.push_back(joined(all, begin, end));
    begin = end;
    while (begin < all.size() && all[begin] == " ") ++begin;
  }
  return lines;
}

}  // namespace auxbench
