// Reads a method's settings by name and refuses those it does not know. For .cc files of this room.
#pragma once

#include <set>

#include "quantizers/quantizer.h"

namespace auxbench {

class SettingsReader {
 public:
  SettingsReader(const QuantizerSettings& settings, std::string method)
      : settings_(settings), method_(std::move(method)) {}

  double number(const std::string& name, double otherwise) {
    known_.insert(name);
    const auto found = settings_.find(name);
    return found == settings_.end() ? otherwise : found->second;
  }
  bool flag(const std::string& name, bool otherwise = false) { return number(name, otherwise ? 1 : 0) != 0; }
  [[nodiscard]] bool has(const std::string& name) const { return settings_.contains(name); }

  // Throws UserError(usage) for a setting that was not asked for.
  void finish() const;

 private:
  const QuantizerSettings& settings_;
  std::string method_;
  std::set<std::string> known_;
};

}  // namespace auxbench
