#include "base/files/located_json.h"

#include <string_view>

#include "base/files/file.h"

namespace auxbench {
namespace {

using nlohmann::json;

// Finds the ends of values and their places; strings, numbers and literals themselves are left to the library.
class Parser {
 public:
  Parser(const std::string& text, const std::string& file, ExitCode on_error)
      : text_(text), file_(file), on_error_(on_error) {}

  LocatedJson run() {
    LocatedJson result;
    skip_mark();
    result.value = value("", result.places, 0);
    skip_space();
    if (position_ < text_.size()) fail("unexpected text after the end of the value");
    return result;
  }

 private:
  using Places = std::map<std::string, Place>;

  [[noreturn]] void fail(const std::string& what) const { fail(column(), what); }
  [[noreturn]] void fail(int column, const std::string& what) const {
    throw UserError(on_error_, file_ + ":" + std::to_string(line_) + ":" + std::to_string(column) + ": " + what);
  }

  void skip_mark() {
    const std::string_view text = text_;
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) fail("the file is UTF-16: save it as UTF-8");
    if (text.starts_with("\xef\xbb\xbf")) position_ = line_start_ = 3;
  }

  [[nodiscard]] int column() const { return static_cast<int>(position_ - line_start_) + 1; }
  [[nodiscard]] char peek() const { return position_ < text_.size() ? text_[position_] : '\0'; }

  void skip_space() {
    while (position_ < text_.size() && std::string_view(" \t\r\n").find(text_[position_]) != std::string_view::npos) {
      if (text_[position_++] != '\n') continue;
      ++line_;
      line_start_ = position_;
    }
  }

  bool take(char wanted) {
    skip_space();
    if (peek() != wanted) return false;
    ++position_;
    return true;
  }

  json value(const std::string& pointer, Places& places, int depth) {
    constexpr int kDeepest = 64;
    skip_space();
    if (depth > kDeepest) fail("nested more than 64 levels deep");
    if (position_ >= text_.size()) fail("the file ends in the middle of a value");
    places[pointer] = {file_, line_, column()};
    if (take('{')) return object(pointer, places, depth);
    if (take('[')) return array(pointer, places, depth);
    return peek() == '"' ? json(string()) : scalar();
  }

  json object(const std::string& pointer, Places& places, int depth) {
    json result = json::object();
    if (take('}')) return result;
    do {
      skip_space();
      if (peek() != '"') fail("expected a key in quotes");
      const auto key_column = column();
      const auto key = string();
      const auto child = child_pointer(pointer, key);
      if (result.contains(key)) fail(key_column, child + ": key appears twice");
      if (!take(':')) fail("expected ':' after the key");
      result[key] = value(child, places, depth + 1);
    } while (take(','));
    if (!take('}')) fail(position_ >= text_.size() ? "the file ends inside an object" : "expected ',' or '}'");
    return result;
  }

  json array(const std::string& pointer, Places& places, int depth) {
    json result = json::array();
    if (take(']')) return result;
    do result.push_back(value(child_pointer(pointer, result.size()), places, depth + 1));
    while (take(','));
    if (!take(']')) fail(position_ >= text_.size() ? "the file ends inside a list" : "expected ',' or ']'");
    return result;
  }

  std::string string() {
    auto end = position_ + 1;
    while (end < text_.size() && text_[end] != '"' && text_[end] != '\n') end += text_[end] == '\\' ? 2U : 1U;
    if (end >= text_.size() || text_[end] != '"') fail("the string does not end on its line");
    return library(end + 1, "a string").get<std::string>();
  }

  json scalar() {
    const auto end = std::min(text_.find_first_of(" \t\r\n,]}:", position_), text_.size());
    if (end == position_) fail("expected a value");
    return library(end, "a value (true, false, null, a number or a string in quotes)");
  }

  json library(size_t end, const char* expected) {
    auto parsed = json::parse(text_.begin() + static_cast<std::ptrdiff_t>(position_),
                              text_.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    if (parsed.is_discarded()) fail(std::string("expected ") + expected);
    position_ = end;
    return parsed;
  }

  const std::string& text_;
  const std::string& file_;
  ExitCode on_error_;
  size_t position_ = 0, line_start_ = 0;
  int line_ = 1;
};

// The parts below a pointer stand together: they begin with it and '/', and '0' comes after '/'.
template <typename Places>
auto below(Places& places, const std::string& pointer) {
  return std::pair(places.lower_bound(pointer + "/"), places.lower_bound(pointer + "0"));
}

void erase_with_below(std::map<std::string, Place>& places, const std::string& pointer) {
  const auto [begin, end] = below(places, pointer);
  places.erase(begin, end);
  places.erase(pointer);
}

// The places of the patch's part `from` and below become those of the target's part `to`.
void copy_with_below(const LocatedJson& patch, const std::string& from, LocatedJson& target, const std::string& to) {
  erase_with_below(target.places, to);
  if (const auto own = patch.places.find(from); own != patch.places.end()) target.places[to] = own->second;
  const auto [begin, end] = below(patch.places, from);
  for (auto place = begin; place != end; ++place) target.places[to + place->first.substr(from.size())] = place->second;
}

bool says_yes(const std::function<bool(const std::string&)>& asked, const std::string& pointer) {
  return asked && asked(pointer);
}

void append(json& target, const json& patch, const std::string& pointer, const LocatedJson& source,
            LocatedJson& result) {
  for (size_t i = 0; i < patch.size(); ++i) {
    copy_with_below(source, child_pointer(pointer, i), result, child_pointer(pointer, target.size()));
    target.push_back(patch[i]);
  }
}

void merge_into(json& target, const json& patch, const std::string& pointer, const LocatedJson& source,
                const MergeExceptions& exceptions, LocatedJson& result) {
  if (patch.is_array() && target.is_array() && says_yes(exceptions.appends, pointer))
    return append(target, patch, pointer, source, result);
  if (!patch.is_object()) {
    target = patch;
    copy_with_below(source, pointer, result, pointer);
    return;
  }
  if (!target.is_object()) {
    target = json::object();
    if (source.places.contains(pointer)) result.places[pointer] = source.places.at(pointer);
  }
  for (const auto& [key, value] : patch.items()) {
    const auto child = child_pointer(pointer, key);
    if (value.is_null() && !says_yes(exceptions.keeps_null, child)) {
      target.erase(key);
      erase_with_below(result.places, child);
    } else {
      merge_into(target[key], value, child, source, exceptions, result);
    }
  }
}

}  // namespace

std::string LocatedJson::at(const std::string& pointer) const {
  for (auto part = pointer;; part = part.substr(0, part.rfind('/'))) {
    if (const auto found = places.find(part); found != places.end())
      return found->second.file + ":" + std::to_string(found->second.line) + ":" +
             std::to_string(found->second.column) + ": " + (pointer.empty() ? "/" : pointer);
    if (part.empty()) return pointer;
  }
}

LocatedJson parse_located(const std::string& text, const std::string& file, ExitCode on_error) {
  return Parser(text, file, on_error).run();
}

LocatedJson read_located(const std::filesystem::path& path, ExitCode on_error) {
  return parse_located(read_file(path, on_error), path.string(), on_error);
}

void merge_located(LocatedJson& target, const LocatedJson& patch, const MergeExceptions& exceptions) {
  merge_into(target.value, patch.value, "", patch, exceptions, target);
}

std::string child_pointer(const std::string& pointer, const std::string& key) {
  std::string escaped;
  for (const char c : key) escaped += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return pointer + "/" + escaped;
}

std::string child_pointer(const std::string& pointer, size_t index) { return pointer + "/" + std::to_string(index); }

}  // namespace auxbench
