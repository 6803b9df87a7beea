#include "reports/markdown_syntax.h"

#include <algorithm>
#include <string_view>

namespace auxbench {
namespace {

bool is_control(char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }

}  // namespace

std::string escaped(const std::string& text) {
  constexpr std::string_view kSpecial = "\\|<&*_`[]~";
  std::string safe;
  safe.reserve(text.size() + text.size() / 8);
  for (const char c : text) {
    if (kSpecial.find(c) != std::string_view::npos) safe += '\\';
    safe += is_control(c) ? ' ' : c;
  }
  return safe;
}

std::string paragraph(const std::string& text) {
  auto safe = escaped(text);
  safe.erase(0, std::min(safe.find_first_not_of(' '), safe.size()));  // four spaces would make it code
  constexpr std::string_view kOpening = "#>-+=";
  if (!safe.empty() && kOpening.find(safe.front()) != std::string_view::npos) return "\\" + safe;
  // "1." and "1)" open a list.
  const auto digits = safe.find_first_not_of("0123456789");
  if (digits != std::string::npos && digits > 0 && (safe[digits] == '.' || safe[digits] == ')'))
    safe.insert(digits, "\\");
  return safe;
}

std::string code(const std::string& text) {
  std::string line;
  size_t longest = 0, current = 0;
  for (const char c : text) {
    line += is_control(c) ? ' ' : c;
    current = c == '`' ? current + 1 : 0;
    longest = std::max(longest, current);
  }
  const std::string fence(longest + 1, '`');
  return longest == 0 ? fence + line + fence : fence + " " + line + " " + fence;
}

std::string table_line(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const auto& cell : cells) line += " " + escaped(cell) + " |";
  return line + "\n";
}

std::string table_header(const std::vector<std::string>& cells) {
  std::string line = table_line(cells) + "|";
  for (size_t i = 0; i < cells.size(); ++i) line += "---|";
  return line + "\n";
}

}  // namespace auxbench
