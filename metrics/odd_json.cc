#include "metrics/odd_json.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace auxbench {
namespace {

constexpr size_t kLongest = 200;

// Only looks for the first fault.
struct FaultFinder : nlohmann::detail::json_sax_acceptor<nlohmann::json> {
  size_t position = 0;  // bytes up to and with the one at which it was seen
  std::string what;

  bool parse_error(size_t at, const std::string& /*last*/, const nlohmann::detail::exception& error) {
    position = at;
    what = error.what();
    return false;
  }
};

[[noreturn]] void refuse(std::string_view text, size_t offset, const std::string& place, const std::string& what) {
  const auto before = text.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto begin = before.rfind('\n');  // npos + 1 is 0
  refuse_data(place + ":" + std::to_string(line) + ":" + std::to_string(offset - (begin + 1) + 1), what);
}

// "[json.exception.parse_error.101] parse error at line 1, column 5: WHAT" to WHAT.
std::string shortened(std::string what) {
  if (const auto end = what.find("] "); end != std::string::npos) what.erase(0, end + 2);
  if (what.starts_with("parse error at line"))
    if (const auto end = what.find(": "); end != std::string::npos) what.erase(0, end + 2);
  // It quotes what was read last, which may be all of the file.
  if (what.size() > kLongest) what.replace(kLongest, std::string::npos, "...");
  return what;
}

// Of the same length, so that places stay what they are.
void replace_words(std::string& text) {
  constexpr std::array<std::string_view, 3> kWords = {"NaN", "Infinity", "-Infinity"};
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
      continue;
    }
    if (text[i] == '"') quoted = !quoted;
    if (quoted || (text[i] != 'N' && text[i] != 'I' && text[i] != '-')) continue;
    for (const auto word : kWords) {
      if (text.compare(i, word.size(), word) != 0) continue;
      text.replace(i, word.size(), "[]" + std::string(word.size() - 2, ' '));
      break;
    }
  }
}

}  // namespace

std::string mend_json(std::string text, const std::string& place) {
  // Within JSON there is none; to the parser below it would be the end.
  if (const auto end = text.find('\0'); end != std::string::npos) refuse(text, end, place, "a NUL byte");
  replace_words(text);
  FaultFinder finder;
  if (!nlohmann::json::sax_parse(text, &finder))
    refuse(text, finder.position == 0 ? 0 : finder.position - 1, place, shortened(finder.what));
  return nlohmann::json::parse(text).dump();
}

}  // namespace auxbench
