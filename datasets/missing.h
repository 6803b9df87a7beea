// What a published dataset has and the one at hand has not, in words with numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace auxbench {

std::string two_splits(int64_t train, int64_t test);  // "60,000 + 10,000 images"

class MissingParts {
 public:
  // "SPLIT: 4,999 of 5,000 WHAT, 1 missing", nothing where they are equal.
  void add(std::string_view split, std::string_view what, int64_t found, int64_t expected);
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace auxbench
