#include "base/files/canonical_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/check.h"

namespace auxbench {
namespace {

// Number::toString of ECMAScript: shortest digits that read back, then one of four layouts by exponent.
std::string number_text(double value) {
  AUXBENCH_CHECK(std::isfinite(value), "a number that JSON can hold");
  if (value == 0) return "0";
  std::array<char, 32> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(value), std::chars_format::scientific).ptr;
  const std::string scientific(buffer.data(), end);
  const auto mark = scientific.find('e');
  std::string digits = scientific.substr(0, mark);
  std::erase(digits, '.');
  const int point = std::stoi(scientific.substr(mark + 1)) + 1;  // digits before the decimal point
  const int count = static_cast<int>(digits.size());
  std::string text = value < 0 ? "-" : "";
  if (count <= point && point <= 21) return text + digits + std::string(static_cast<size_t>(point - count), '0');
  if (0 < point && point <= 21) return text + digits.insert(static_cast<size_t>(point), ".");
  if (-6 < point && point <= 0) return text + "0." + std::string(static_cast<size_t>(-point), '0') + digits;
  const int exponent = point - 1;
  if (count > 1) digits.insert(1, ".");
  return text + digits + "e" + (exponent < 0 ? "-" : "+") + std::to_string(std::abs(exponent));
}

std::string integer_text(const nlohmann::json& value) {
  const double real = value.get<double>();
  AUXBENCH_CHECK(std::abs(real) <= 9007199254740992.0, "an integer that a double holds exactly");
  return number_text(real);
}

std::u16string utf16(const std::string& text) {
  std::u16string units;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t point = length == 1 ? lead : lead & (0xFFU >> (length + 1));
    for (size_t k = 1; k < length && i + k < text.size(); ++k)
      point = (point << 6U) | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
    i += length;
    if (point < 0x10000) {
      units.push_back(static_cast<char16_t>(point));
    } else {
      units.push_back(static_cast<char16_t>(0xD800 + ((point - 0x10000) >> 10U)));
      units.push_back(static_cast<char16_t>(0xDC00 + ((point - 0x10000) & 0x3FFU)));
    }
  }
  return units;
}

void append(const nlohmann::json& value, std::string& text) {
  if (value.is_object()) {
    std::vector<std::pair<std::u16string, std::string>> keys;
    for (const auto& [key, ignored] : value.items()) keys.emplace_back(utf16(key), key);
    std::sort(keys.begin(), keys.end());
    const char* separator = "{";
    for (const auto& [units, key] : keys) {
      text += separator + nlohmann::json(key).dump() + ":";
      append(value.at(key), text);
      separator = ",";
    }
    text += keys.empty() ? "{}" : "}";
  } else if (value.is_array()) {
    text += "[";
    for (size_t i = 0; i < value.size(); ++i) {
      if (i > 0) text += ",";
      append(value[i], text);
    }
    text += "]";
  } else if (value.is_number_float()) {
    text += number_text(value.get<double>());
  } else if (value.is_number()) {
    text += integer_text(value);
  } else {
    text += value.dump();
  }
}

}  // namespace

std::string canonical_json(const nlohmann::json& value) {
  std::string text;
  append(value, text);
  return text;
}

}  // namespace auxbench
