// Strict JSON that remembers where each value stood.
//
// No comments, no trailing commas, no duplicate keys, nothing after the value, at most 64 levels deep. A byte order mark
// before the value, which some editors write, is passed over; it counts for no column.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"

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

// Throws UserError(on_error) with the place of the first mistake, "file:line:col: what".
LocatedJson parse_located(const std::string& text, const std::string& file,
                          ExitCode on_error = ExitCode::invalid_suite);
LocatedJson read_located(const std::filesystem::path& path, ExitCode on_error = ExitCode::invalid_suite);

// Where a merge departs from RFC 7386; each is asked about the pointer of a part of the patch, and none is: no.
struct MergeExceptions {
  std::function<bool(const std::string& pointer)> keeps_null;  // a null stands in the result, for a later merge
  std::function<bool(const std::string& pointer)> appends;     // an array comes behind the one that is there
};

// RFC 7386: `patch` over `target`, places included. A null removes and an array replaces, but for exceptions.
void merge_located(LocatedJson& target, const LocatedJson& patch, const MergeExceptions& exceptions = {});

// One step down: "/a" and key "b/c" give "/a/b~1c".
std::string child_pointer(const std::string& pointer, const std::string& key);
std::string child_pointer(const std::string& pointer, size_t index);

}  // namespace auxbench
