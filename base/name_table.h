// The names of an enumeration's values, written out once and read both ways.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace auxbench {

template <typename Value, size_t kCount>
class NameTable {
 public:
  explicit constexpr NameTable(const std::pair<Value, const char*> (&entries)[kCount]) {
    for (size_t i = 0; i < kCount; ++i) entries_[i] = entries[i];
  }

  [[nodiscard]] std::string name_of(Value value) const {
    for (const auto& [known, name] : entries_)
      if (known == value) return name;
    AUXBENCH_CHECK(false, "a value with a name");
  }
  // None for a name that is unknown.
  [[nodiscard]] std::optional<Value> value_of(std::string_view name) const {
    for (const auto& [value, known] : entries_)
      if (name == known) return value;
    return std::nullopt;
  }

 private:
  std::array<std::pair<Value, const char*>, kCount> entries_{};
};

}  // namespace auxbench
