// Pieces of a picture from texts that anybody may have written: none of them can leave its place. For .cc files of this
// room.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace auxbench {

// Text of an XML element or of an attribute in quotes. Control characters become spaces, and bytes that are no UTF-8 a
// question mark: a picture with one of them is shown by no browser.
std::string xml_escaped(const std::string& text);

// At most `most` lines of at most `width` characters (code points), broken at spaces where there are any; what does not
// fit is cut off and ends in "...". Control characters are spaces. Not escaped.
std::vector<std::string> wrapped(const std::string& text, size_t width, size_t most);

}  // namespace auxbench
