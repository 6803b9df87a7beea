#include "reports/xml_syntax.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"

namespace auxbench {
namespace {

// Of the UTF-8 character that `rest` begins with; 0 where it begins with none. XML does not know the two last code points
// of the first plane.
size_t character_bytes(std::string_view rest) {
  const bool none = rest.starts_with("\xef\xbf\xbe") || rest.starts_with("\xef\xbf\xbf");
  return none ? 0 : utf8_bytes(rest);
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
