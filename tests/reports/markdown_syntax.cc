#include "reports/markdown_syntax.h"

#include "tests/support/catch.h"

using namespace auxbench;

TEST_CASE("what Markdown would take for its own is escaped, a backslash first of all", "[reports]") {
  CHECK(escaped("a|b") == "a\\|b");
  CHECK(escaped("a\\|b") == "a\\\\\\|b");
  CHECK(escaped("<script>&lt; *e* _f_ `g` [h](i) ~~j~~") ==
        "\\<script>\\&lt; \\*e\\* \\_f\\_ \\`g\\` \\[h\\](i) \\~\\~j\\~\\~");
  CHECK(escaped("two\nlines\r\tand\x1b[2J\x7f") == "two lines  and \\[2J ");
  CHECK(escaped("+2.0 (64.7 -> 66.7), 95 % CI") == "+2.0 (64.7 -> 66.7), 95 % CI");
  CHECK(escaped("größer") == "größer");
}

TEST_CASE("a line of its own is no heading, list, quotation or block of code", "[reports]") {
  CHECK(paragraph("# a") == "\\# a");
  CHECK(paragraph("- a") == "\\- a");
  CHECK(paragraph("+ a") == "\\+ a");
  CHECK(paragraph("> a") == "\\> a");
  CHECK(paragraph("===") == "\\===");
  CHECK(paragraph("    a") == "a");
  CHECK(paragraph("\n\n# a") == "\\# a");
  CHECK(paragraph("12. a") == "12\\. a");
  CHECK(paragraph("12) a") == "12\\) a");
  CHECK(paragraph("12 runs") == "12 runs");
  CHECK(paragraph("A note.") == "A note.");
  CHECK(paragraph(" ").empty());
}

TEST_CASE("code stays code whatever backticks it has", "[reports]") {
  CHECK(code("auxbench run") == "`auxbench run`");
  CHECK(code("a`b``c") == "``` a`b``c ```");
  CHECK(code("a\nb") == "`a b`");
}

TEST_CASE("a header has a rule of as many columns under it", "[reports]") {
  CHECK(table_line({"a", "b|c"}) == "| a | b\\|c |\n");
  CHECK(table_header({"a", "b|c"}) == "| a | b\\|c |\n|---|---|\n");
}
