#include "runner/training/error_text.h"

#include <algorithm>
#include <new>
#include <string_view>

#include "base/error.h"
#include "base/torch_prelude.h"

namespace auxbench {
namespace {

constexpr size_t kMost = 400;  // bytes of what we did not write ourselves

// LibTorch's own words behind a stack that is not ours to show.
std::string complaint_of(const std::exception& error) {
  if (const auto* torch = dynamic_cast<const c10::Error*>(&error)) return torch->what_without_backtrace();
  std::string text = error.what();
  // Errors that crossed another thread or library come as plain text with the stack in it.
  for (const std::string_view mark : {"\nException raised from ", "\nframe #0"})
    if (const auto at = text.find(mark); at != std::string::npos) text.resize(at);
  return text;
}

std::string one_line(std::string text, size_t most = kMost) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  for (auto& c : text)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  if (text.size() <= most) return text;
  size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;  // not within a character
  return text.substr(0, end) + "...";
}

// "DefaultCPUAllocator: can't allocate memory: you tried to allocate 123 bytes. Error code 12": the number.
std::string bytes_asked(const std::string& text) {
  constexpr std::string_view kBefore = "ried to allocate ";
  const auto at = text.find(kBefore);
  if (at == std::string::npos) return {};
  const auto begin = at + kBefore.size();
  const auto end = text.find_first_of(".,\n", text.find_first_not_of("0123456789.", begin));
  return text.substr(begin, std::min(end, begin + 32) - begin);
}

}  // namespace

bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return true;
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) return true;
  const std::string_view text = error.what();
  return text.find("can't allocate memory") != std::string_view::npos ||
         text.find("CUDA out of memory") != std::string_view::npos;
}

std::string error_text(const std::exception& error) {
  if (dynamic_cast<const UserError*>(&error) != nullptr) return one_line(error.what(), std::string::npos);
  const auto text = complaint_of(error);
  if (is_out_of_memory(error)) {
    const auto asked = bytes_asked(text);
    return one_line("not enough memory" + (asked.empty() ? std::string() : ": " + asked + " were asked for at once") +
                    ": a narrower network or a smaller batch needs less");
  }
  if (dynamic_cast<const c10::Error*>(&error) != nullptr) return one_line("LibTorch: " + text);
  return one_line(text);
}

}  // namespace auxbench
