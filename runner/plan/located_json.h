// Strict JSON that remembers where each value stood.
//
// No comments, no trailing commas, no duplicate keys, nothing after the value, at most 64 levels deep.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace auxbench {

struct Place {
  std::string file;
  int line = 0;
  int column = 0;
};

// A value and the places of all its parts by JSON pointer (RFC 6901); "" is the whole.
struct LocatedJson {
  nlohmann::json value;
  std::map<std::string, Place> places;

  // "file:line:col: /pointer" of the part, or of its nearest parent with a place.
  [[nodiscard]] std::string at(const std::string& pointer) const;
};

// Throws UserError(invalid_suite) with the place of the first mistake.
LocatedJson parse_located(const std::string& text, const std::string& file);
LocatedJson read_located(const std::filesystem::path& path);

// RFC 7386: `patch` over `target`, places included.
void merge_located(LocatedJson& target, const LocatedJson& patch);

// One step down: "/a" and key "b/c" give "/a/b~1c".
std::string child_pointer(const std::string& pointer, const std::string& key);
std::string child_pointer(const std::string& pointer, size_t index);

}  // namespace auxbench
