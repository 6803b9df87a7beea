// Pieces of a Markdown page from texts that anybody may have written: none of them can leave its place. For .cc files of
// this room.
#pragma once

#include <string>
#include <vector>

namespace auxbench {

// One line of plain text, in a table or in a sentence: what Markdown or HTML would take for its own is escaped, control
// characters and ends of lines become spaces.
std::string escaped(const std::string& text);

// The same for a line of its own, which no first character may turn into a heading, a list or a quotation.
std::string paragraph(const std::string& text);

// `text`, whatever backticks it has.
std::string code(const std::string& text);

// "| a | b |\n", escaped; a header is followed by the rule under it.
std::string table_line(const std::vector<std::string>& cells);
std::string table_header(const std::vector<std::string>& cells);

}  // namespace auxbench
