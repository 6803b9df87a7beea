// The vocabulary of suites: which keys each kind of object may have, of what type, with what values.
//
// The checker, the schema's test and docs/suites.md all follow this one list.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "base/files/located_json.h"

namespace auxbench {

struct LanguageKey {
  std::string object;  // suite | group | cell | stage | calibration | auxi | detector | step | tier | rule | table |
                       // column | row | claim
  std::string key;
  std::string type;  // string | integer | number | boolean | strings | integers | numbers | object | settings (name to
                     // number) | quantizer settings (name to number, or to a word of setting_words.inc) | any | TYPE[],
                     // or the name of an object
  std::vector<std::string> values;  // of a string, or of each string in a list; empty: free
  double least = 0;                 // of a number
  double most = std::numeric_limits<double>::infinity();
};

const std::vector<LanguageKey>& suite_language();

// The values of a string of that object.
const std::vector<std::string>& words_of(const std::string& object, const std::string& key);

// The largest whole number that may stand anywhere.
inline constexpr int kLargestWhole = std::numeric_limits<int>::max();

// Checks the object at `pointer` key by key, objects inside it included. Throws UserError(invalid_suite) as
// "file:line:col: /pointer: what, did you mean ...".
void check_object(const LocatedJson& suite, const std::string& pointer, const std::string& object);

// Checks one value as if it stood under `key` of a cell: for matrix and zip, and for matches.
void check_cell_value(const LocatedJson& suite, const std::string& pointer, const std::string& key);

// The key must be one of a cell's. `pointer` is where it stands.
void check_cell_key(const LocatedJson& suite, const std::string& pointer, const std::string& key);

// The text, which stands at `pointer`, must do for a part of a folder's name: not empty, at most 100 bytes, without
// slashes and control characters, neither "." nor "..".
void check_folder_name(const LocatedJson& suite, const std::string& pointer, const std::string& name);

[[noreturn]] void refuse_at(const LocatedJson& suite, const std::string& pointer, const std::string& what);

// ", did you mean X?" for the nearest of `known`, or nothing when none is near.
std::string suggestion(const std::string& word, const std::vector<std::string>& known);

}  // namespace auxbench
