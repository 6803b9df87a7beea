#include "base/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace auxbench {
namespace {

[[gnu::format(printf, 1, 0)]] std::string formatted(const char* format, std::va_list arguments) {
  std::va_list again;
  va_copy(again, arguments);
  const int size = std::vsnprintf(nullptr, 0, format, again);
  va_end(again);
  std::string text(size > 0 ? static_cast<size_t>(size) + 1 : 1, '\0');
  std::vsnprintf(text.data(), text.size(), format, arguments);
  text.pop_back();
  return text;
}

// The reason of the first failure; that there was one the stream remembers itself.
int& first_fault() {
  static int reason = 0;
  return reason;
}

void put(std::string_view text, FILE* stream) {
  errno = 0;
  const bool whole = std::fwrite(text.data(), 1, text.size(), stream) == text.size();
  if (!whole && stream == stdout && first_fault() == 0) first_fault() = errno;
}

template <typename Json>
void put_json(const Json& value) {
  put(printable_json(value.dump(2, ' ', false, Json::error_handler_t::replace)) + "\n", stdout);
}

}  // namespace

void keep_standard_streams() {
  // The other way round: to read what is to be written, and to write what is to be read.
  for (const auto& [stream, mode] :
       {std::pair{STDIN_FILENO, O_WRONLY}, {STDOUT_FILENO, O_RDONLY}, {STDERR_FILENO, O_RDONLY}})
    if (fcntl(stream, F_GETFD) < 0 && errno == EBADF) static_cast<void>(open("/dev/null", mode));
}

bool is_screen(int descriptor) {
  const char* type = std::getenv("TERM");
  return isatty(descriptor) != 0 && type != nullptr && *type != '\0' && std::strcmp(type, "dumb") != 0;
}

void print_line(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  const auto text = formatted(format, arguments);
  va_end(arguments);
  put(printable(text) + "\n", stdout);
}

void print_lines(std::string_view text) { put(printable_lines(text), stdout); }

void print_json(const nlohmann::json& value) { put_json(value); }

void print_json(const nlohmann::ordered_json& value) { put_json(value); }

void warn_line(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  const auto text = formatted(format, arguments);
  va_end(arguments);
  put(printable(text) + "\n", stderr);
}

std::optional<std::string> output_fault() {
  errno = 0;
  const bool stuck = std::fflush(stdout) != 0;
  if (stuck && first_fault() == 0) first_fault() = errno;
  if (stuck || std::ferror(stdout) != 0)
    return first_fault() != 0 ? std::strerror(first_fault()) : "it cannot be written";
  // File systems of a network may say only when a file is closed that it did not fit.
  const int twin = dup(STDOUT_FILENO);
  if (twin >= 0 && close(twin) != 0) return std::strerror(errno);
  return std::nullopt;
}

}  // namespace auxbench
