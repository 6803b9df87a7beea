#include "datasets/missing.h"

#include "base/format.h"

namespace auxbench {

std::string two_splits(int64_t train, int64_t test) {
  return with_commas(train) + " + " + with_commas(test) + " images";
}

void MissingParts::add(std::string_view split, std::string_view what, int64_t found, int64_t expected) {
  if (found == expected) return;
  if (!text_.empty()) text_ += "; ";
  text_.append(split).append(": ").append(with_commas(found)).append(" of ").append(with_commas(expected));
  text_.append(" ").append(what).append(", ");
  text_ += found < expected ? with_commas(expected - found) + " missing" : with_commas(found - expected) + " too many";
}

}  // namespace auxbench
