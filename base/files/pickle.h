// Reads Python pickles as data and executes nothing.
//
// A pickle is a program that may name any function and call it. Here a name is only a name: what would be a call
// becomes a Call value, "this name with these arguments", and whoever reads the result decides what the few names it
// knows mean. Nothing is imported, looked up or run, whatever the pickle says. Protocols 0 to 5 as PyTorch writes them:
// numbers, texts, bytes, tuples, lists, dictionaries, persistent ids, calls (a new object of a class is one too). What
// else there is (sets, keyword arguments, out-of-band buffers) is refused by its opcode.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace auxbench {

struct PickleValue;
using PickleRef = const PickleValue*;  // owned by its Pickle

struct PickleName {  // "module" "name" of a function or class
  std::string text;  // "module.name"
};
struct PickleTuple {
  std::vector<PickleRef> items;
};
struct PickleList {
  std::vector<PickleRef> items;
};
struct PickleDict {  // in order of insertion; a key that comes again stands twice
  std::vector<std::pair<PickleRef, PickleRef>> items;
};
struct PickleCall {
  PickleRef callee, arguments;
  PickleDict items{};  // what was set on the result, as on an OrderedDict; state given by BUILD is dropped
};
struct PicklePersistent {
  PickleRef id;
};

struct PickleValue {
  std::variant<std::monostate, bool, int64_t, double, std::string, PickleName, PickleTuple, PickleList, PickleDict,
               PickleCall, PicklePersistent>
      value;

  template <typename T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&value);
  }
};

struct Pickle {
  std::deque<PickleValue> values;  // never moves
  PickleRef root = nullptr;
  size_t bytes = 0;  // of the input, up to and with its end mark
};

// One pickle from the beginning of `bytes`. Values may contain each other in circles: a reader limits its depth. Throws
// UserError(data_missing) "PLACE: WHAT" for a program that is cut, ill-formed, or uses what is not read here; memory is
// bounded by the input, of which a byte makes one value of about a hundred bytes at most.
Pickle read_pickle(std::string_view bytes, const std::string& place);

}  // namespace auxbench
