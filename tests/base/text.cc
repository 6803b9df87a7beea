#include "base/text.h"

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/catch.h"

using namespace auxbench;

namespace {

// What a shell takes a word for, byte by byte. A mark keeps newlines at the end.
std::string as_shell_takes(const std::string& word, const std::string& shell) {
  const std::string script = "printf %s " + word + "; printf .";
  const std::string command = shell + " -c " + shell_word(script);
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string found;
  for (int c = std::fgetc(pipe.get()); c != EOF; c = std::fgetc(pipe.get())) found += static_cast<char>(c);
  if (!found.empty()) found.pop_back();
  return found;
}

}  // namespace

TEST_CASE("what a terminal would obey is written as bytes, and other text stays", "[base]") {
  CHECK(printable("caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80 'a\\b'") ==
        "caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80 'a\\b'");
  CHECK(printable("\x1b[2J\n\t\r\x7f") == "\\x1b[2J\\x0a\\x09\\x0d\\x7f");
  CHECK(printable("\xc2\x9b"
                  "2J") ==
        "\\xc2\\x9b"
        "2J");  // CSI as one character
  CHECK(printable("a\xe2\x80\xae"
                  "b\xe2\x81\xa6"
                  "c") ==
        "a\\xe2\\x80\\xae"
        "b\\xe2\\x81\\xa6"
        "c");
  CHECK(printable("caf\xe9.JPEG") == "caf\\xe9.JPEG");
  CHECK(printable(std::string("a\0b", 3)) == "a\\x00b");
  CHECK(printable_lines("one\x1b\ntwo\n") == "one\\x1b\ntwo\n");
}

TEST_CASE("UTF-8 is what RFC 3629 says", "[base]") {
  for (const char* good :
       {"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf"})
    CHECK(is_utf8(good));
  for (const char* bad : {"\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82",
                          "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "a\xff"})
    CHECK_FALSE(is_utf8(bad));
}

TEST_CASE("JSON for a terminal says what it said", "[base]") {
  const nlohmann::json value = {{"a\x7f", "x\xc2\x9b\xe2\x80\xae\n\x1b caf\xc3\xa9"}, {"list", {1, 2}}};
  const auto text = printable_json(value.dump(2));
  CHECK(text.find("\\u007f") != std::string::npos);
  CHECK(text.find("\\u009b\\u202e") != std::string::npos);
  CHECK(text.find("caf\xc3\xa9") != std::string::npos);
  CHECK(nlohmann::json::parse(text) == value);
}

TEST_CASE("a word is quoted so that every shell takes it as meant, and can be read", "[base]") {
  CHECK(shell_word("suites/smoke.json") == "suites/smoke.json");
  CHECK(shell_word("lsq+") == "lsq+");
  CHECK(shell_word("") == "''");
  CHECK(shell_word("a b") == "'a b'");
  std::string every;
  for (int c = 1; c < 256; ++c) every += static_cast<char>(c);
  const std::vector<std::string> words = {every,
                                          "it's.json",
                                          "`id`.json",
                                          "$(id)",
                                          "a\tb",
                                          "a\\b",
                                          "\\",
                                          "a\nb",
                                          "ends\n\n",
                                          "\n",
                                          "'",
                                          "''",
                                          "100%",
                                          "%s\n'\\",
                                          "~",
                                          "!x",
                                          "#x",
                                          "*",
                                          "a;b",
                                          "caf\xc3\xa9",
                                          "caf\xe9's",
                                          "-n",
                                          "\x1b[2J'\\",
                                          "\xe9\n\xe9",
                                          "$HOME",
                                          "\"x\"",
                                          "a&b|c>d",
                                          "[x]{y,z}",
                                          "\\n\t",
                                          "\x01"
                                          "2"};
  for (const auto& word : words) {
    const auto quoted = shell_word(word);
    CHECK(is_utf8(quoted));
    CHECK(printable_lines(quoted) == quoted);
    CHECK(as_shell_takes(quoted, "sh") == word);
    CHECK(as_shell_takes(quoted, "bash") == word);
  }
}
