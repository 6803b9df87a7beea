// A JSON object read key by key, strictly: types are held to, and what nobody asked for is refused. For .cc files of
// this room.
#pragma once

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "runner/plan/language.h"

namespace auxbench {

class StrictObject {
 public:
  using json = nlohmann::json;

  // `place` begins every message: "FILE: /cells/3"; of the whole file it is "FILE: ".
  StrictObject(const json& object, std::string place) : object_(object), place_(std::move(place)) {
    if (!object.is_object()) refuse_data(here(), "expected an object");
  }

  [[nodiscard]] bool has(const std::string& key) const { return object_.contains(key); }
  [[nodiscard]] std::string place_of(const std::string& key) const { return place_ + "/" + key; }

  // The value under a key that must be there.
  const json& need(const std::string& key) {
    if (!has(key)) refuse_data(here(), key + " is missing");
    read_.insert(key);
    return object_.at(key);
  }
  template <typename T>
  void need(const std::string& key, T& value) {
    take(need(key), place_of(key), value);
  }
  // Leaves the value as it is where the key is missing.
  template <typename T>
  void may(const std::string& key, T& value) {
    if (has(key)) need(key, value);
  }
  // Calls each(element, place) for a list that may be missing.
  template <typename Each>
  void list(const std::string& key, const Each& each) {
    if (!has(key)) return;
    const auto& elements = need(key);
    if (!elements.is_array()) refuse_data(place_of(key), "expected a list");
    for (size_t i = 0; i < elements.size(); ++i) each(elements[i], place_of(key) + "/" + std::to_string(i));
  }
  // Refuses keys that were not asked for.
  void finish() const {
    for (const auto& [key, value] : object_.items())
      if (!read_.contains(key)) refuse_data(place_ + "/" + key, "unknown key");
  }

 private:
  [[nodiscard]] std::string here() const { return place_.ends_with(' ') ? place_ + "/" : place_; }

  static void take(const json& value, const std::string& place, std::string& out) {
    if (!value.is_string()) refuse_data(place, "expected a string");
    value.get_to(out);
  }
  static void take(const json& value, const std::string& place, bool& out) {
    if (!value.is_boolean()) refuse_data(place, "expected true or false");
    value.get_to(out);
  }
  static void take(const json& value, const std::string& place, double& out) {
    if (!value.is_number() || !std::isfinite(value.get<double>())) refuse_data(place, "expected a number");
    value.get_to(out);
  }
  static void take(const json& value, const std::string& place, int& out) {
    if (!value.is_number_integer() || value > json(kLargestWhole) || value < json(-kLargestWhole))
      refuse_data(place, "expected a whole number");
    value.get_to(out);
  }
  template <typename T>
  static void take(const json& value, const std::string& place, std::optional<T>& out) {
    take(value, place, out.emplace());
  }
  template <typename T>
  static void take(const json& value, const std::string& place, std::vector<T>& out) {
    if (!value.is_array()) refuse_data(place, "expected a list");
    for (size_t i = 0; i < value.size(); ++i) take(value[i], place + "/" + std::to_string(i), out.emplace_back());
  }
  template <typename T>
  static void take(const json& value, const std::string& place, std::map<std::string, T>& out) {
    if (!value.is_object()) refuse_data(place, "expected an object");
    for (const auto& [key, inner] : value.items()) take(inner, place + "/" + key, out[key]);
  }

  const json& object_;
  std::string place_;
  std::set<std::string> read_;
};

}  // namespace auxbench
