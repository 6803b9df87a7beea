// The settings of methods that take a word in a suite ("fitted").
//
// Every setting is a number to the method; a word stands for its place in the list of setting_words.inc, from 0. The
// suite language, ids and probes speak the word, so that a new word in the list renames no cell.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace auxbench {

struct WordSetting {
  std::string method, name;        // "dorefa", "activation.range"
  std::vector<std::string> words;  // the first is the default

  // The number behind a word; none for a word that is not in the list.
  [[nodiscard]] std::optional<double> number_of(const std::string& word) const;
  // The inverse.
  [[nodiscard]] const std::string& word_of(double number) const;
};

const std::vector<WordSetting>& word_settings();

// nullptr where the method has no such setting, or its values are plain numbers.
const WordSetting* find_word_setting(const std::string& method, const std::string& name);

}  // namespace auxbench
