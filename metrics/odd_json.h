// What a strict parser of JSON refuses: read as Python's json module reads it, or refused with line and column.
//
// Python writes NaN, Infinity and -Infinity, which are no JSON, and whole numbers of any size. Here the first three
// become an empty list, which is a number nowhere; a whole number beyond 64 bits becomes the nearest double.
#pragma once

#include <string>
#include <string_view>

namespace auxbench {

// JSON that says the same as `text`. Throws UserError(data_missing) "PLACE:LINE:COLUMN: WHAT" for what Python does not
// read either, and for numbers beyond the range of doubles; lines and columns are counted from 1, columns in bytes.
std::string mend_json(std::string text, const std::string& place);

}  // namespace auxbench
