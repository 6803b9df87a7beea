#include "reports/kernel_table.h"

#include <algorithm>
#include <set>
#include <vector>

#include "base/format.h"
#include "base/quantile.h"
#include "base/text.h"
#include "reports/kernel_record.h"
#include "reports/markdown_syntax.h"

namespace auxbench {
namespace {

using nlohmann::json;

constexpr const char* kArithmetics[] = {"fp32", "bf16", "int8"};

std::string spread_text(const json& spread) {
  return three_digits(spread.at("median")) + " (" + three_digits(spread.at("q25")) + " .. " +
         three_digits(spread.at("q75")) + ")";
}

std::string giga(const json& entry) { return three_digits(entry.at("mac_per_s").get<double>() * 1e-9); }

std::string over_text(const json& row, const std::string& arithmetic) {
  const auto& over = row.at("over");
  return over.contains(arithmetic) ? spread_text(over.at(arithmetic)) : "-";
}

std::string ratio_text(const json& row, const char* contestant) {
  const auto& ratios = row.at("ratios");
  return ratios.contains(contestant) ? spread_text(ratios.at(contestant)) : "-";
}

std::string plural(int64_t count, const std::string& word) {
  return std::to_string(count) + " " + word + (count == 1 ? "" : "s");
}

class Page {
 public:
  explicit Page(const KernelRecord& record) : record_(record), json_(record.json()) {}

  std::string render() {
    std::string text = "# " + escaped(json_.at("title")) + "\n\n" + introduction();
    for (const auto& table : json_.at("tables")) text += table_text(table);
    return text + opponents() + peaks() + machine();
  }

 private:
  [[nodiscard]] std::string introduction() const {
    const auto& machine = json_.at("machine");
    return "Made by " + code(json_.at("command")) + ": " +
           plural(json_.at("repetitions").get<int64_t>(), "repetition") +
           ", in each all contestants of a layer once, in random order, in one process. Times are medians, in brackets "
           "stand quartiles. \"Over\" says how many times faster ours is than the fastest library of that arithmetic, "
           "paired by repetition. Ours includes what follows the sums: codes of as many bits come out; libraries have "
           "their bias and ReLU fused, and u8 comes out of int8. " +
           escaped(machine.at("cpu")) + ", " + plural(machine.at("processors").get<int64_t>(), "core") + "; " +
           json_.at("finished").get<std::string>().substr(0, 10) + ".\n";
  }

  std::string table_text(const json& table) {
    const auto id = table.at("id").get<std::string>();
    std::string text = "\n## " + escaped(table.at("title")) + "\n\n";
    if (const auto note = table.at("note").get<std::string>(); !note.empty()) text += paragraph(note) + "\n\n";
    std::string layers, networks;
    std::vector<std::string> absent;
    std::set<std::string> shown;
    bool beyond = false;
    for (const auto& name : table.at("rows")) {
      const auto* row = record_.row(name);
      if (row == nullptr || !is_completed(*row)) {
        absent.push_back(name.get<std::string>() + ": " +
                         (row == nullptr ? "the run ended before" : row->at("reason").get<std::string>()));
        continue;
      }
      const auto& race = record_.race_of(*row);
      if (!shown.insert(bits_title(*row) + " " + row->value("kernel", "") + " " + row->at("race").get<std::string>())
               .second)
        continue;  // asked for by name, and the plan's choice
      (race.at("kind") == "layer" ? layers : networks) += row_text(*row, race);
      beyond = beyond || (row->contains("peak") && row->at("peak").at("percent").at("median").get<double>() > 100);
    }
    if (!layers.empty())
      text += table_header(
                  {"layer", "bits", "kernel", "us", "GMAC/s", "% of peak", "over fp32", "over bf16", "over int8"}) +
              layers;
    if (!networks.empty())
      text += table_header({"network", "bits", "ms", "images/s", "GMAC/s", "over LibTorch fp32", "over fp32, sum",
                            "over int8, sum"}) +
              networks;
    if (beyond)
      text +=
          "\nBeyond 100 %: all taps are counted, also those outside the image; and nine products where exact Winograd "
          "takes four.\n";
    if (!networks.empty())
      text +=
          "\nSums are over the network's convolutions, each timed alone by the library that is fastest at it; what "
          "lies between them costs nothing there.\n";
    if (!absent.empty()) text += "\nNot timed:\n\n";
    for (const auto& line : absent) text += "- " + escaped(line) + "\n";
    return text + "\n" + code(command_for(id)) + "\n";
  }

  // The run's own command, of this table alone.
  [[nodiscard]] std::string command_for(const std::string& id) const {
    const auto command = json_.at("command").get<std::string>();
    return command.find("--quick") == std::string::npos && command.find("--only") == std::string::npos
               ? command + " --only " + shell_word(id)
               : command;
  }

  static std::string row_text(const json& row, const json& race) {
    const double us = row.at("us").at("median");
    if (race.at("kind") == "layer") {
      const auto kernel = row.at("kernel").get<std::string>() + (row.contains("asked_for") ? " (asked for)" : "");
      return table_line({race_title(race), bits_title(row), kernel, three_digits(us), giga(row),
                         row.contains("peak") ? three_digits(row.at("peak").at("percent").at("median")) : "-",
                         over_text(row, "fp32"), over_text(row, "bf16"), over_text(row, "int8")});
    }
    return table_line({race_title(race), bits_title(row), three_digits(us * 1e-3), three_digits(1e6 / us), giga(row),
                       ratio_text(row, "libtorch-fp32"), ratio_text(row, "vendor-fp32"),
                       ratio_text(row, "vendor-int8")});
  }

  // Every opponent's time in every race, and what ran there.
  std::string opponents() {
    std::vector<std::string> names;
    std::map<std::string, std::set<std::string>> ran, missing;
    for (const auto& race : json_.at("races")) {
      if (!is_completed(race)) continue;
      for (const auto& [name, entry] : race.at("opponents").items()) {
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
        if (is_completed(entry))
          ran[name].insert(escaped(entry.at("library")) + ", " + code(entry.at("implementation")));
        else
          missing[name].insert(entry.at("reason").get<std::string>());
      }
    }
    std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return key_of(a) < key_of(b); });
    if (names.empty()) return {};
    std::string text = "\n## Opponents\n\nMicroseconds, medians.\n\n";
    auto header = names;
    header.insert(header.begin(), "race");
    text += table_header(header);
    for (const auto& race : json_.at("races"))
      if (is_completed(race)) text += opponent_line(race, names);
    text += "\n";
    for (const auto& name : names) {
      for (const auto& what : ran[name]) text += "- " + escaped(name) + ": " + what + "\n";
      for (const auto& why : missing[name]) text += "- " + escaped(name) + ", not everywhere: " + escaped(why) + "\n";
    }
    return text;
  }

  // By arithmetic, then by library.
  static std::pair<size_t, std::string> key_of(const std::string& name) {
    const auto word = name.substr(name.rfind('-') + 1);
    const auto* found = std::find(std::begin(kArithmetics), std::end(kArithmetics), word);
    return {static_cast<size_t>(found - std::begin(kArithmetics)), name};
  }

  static std::string opponent_line(const json& race, const std::vector<std::string>& names) {
    std::vector<std::string> cells = {race_title(race)};
    for (const auto& name : names) {
      const auto& all = race.at("opponents");
      cells.push_back(
          all.contains(name) && is_completed(all.at(name)) ? three_digits(all.at(name).at("us").at("median")) : "-");
    }
    return table_line(cells);
  }

  // The middle of what each race measured.
  [[nodiscard]] std::string peaks() const {
    std::map<std::pair<std::string, int>, std::vector<double>> rates;
    std::map<std::string, std::string> mixes;
    for (const auto& race : json_.at("races")) {
      if (!race.contains("peaks")) continue;
      for (const auto& [name, peak] : race.at("peaks").items()) {
        const bool reads = peak.contains("bytes_per_s");
        rates[{name, race.at("threads").get<int>()}].push_back(peak.at(reads ? "bytes_per_s" : "mac_per_s"));
        mixes[name] = reads ? "memory" : peak.at("mix").get<std::string>();
      }
    }
    if (rates.empty()) return {};
    std::string text =
        "\n## At best\n\nLoops of one mix of instructions in registers, G products a second, and the reading of "
        "memory, GB/s: medians over the races they ran in.\n\n" +
        table_header({"what", "instructions", "threads", "G/s"});
    for (const auto& [key, values] : rates)
      text += table_line(
          {key.first, mixes.at(key.first), std::to_string(key.second), three_digits(quantile(values, 0.5) * 1e-9)});
    return text;
  }

  [[nodiscard]] std::string machine() const {
    const auto& found = json_.at("machine");
    const auto word = [&](const char* key) { return found.at(key).get<std::string>(); };
    std::string text = "\n## Machine\n\n" + table_header({"what", "which"});
    const auto cap = word("isa_cap");
    text += table_line({"processor", word("cpu")});
    text += table_line({"instruction sets used", word("isa") + (cap.empty() ? "" : ", AUXBENCH_ISA=" + cap)});
    if (const auto note = word("isa_note"); !note.empty()) text += table_line({"not used", note});
    if (found.contains("clock_ghz"))
      text += table_line({"clock, from a chain of products", three_digits(found.at("clock_ghz")) + " GHz"});
    text += table_line({"caches", "L2 " + std::to_string(found.at("l2_bytes").get<int64_t>() >> 10) + " KiB, L3 " +
                                      std::to_string(found.at("l3_bytes").get<int64_t>() >> 20) +
                                      " MiB; cold weights fill " +
                                      std::to_string(json_.at("cold_bytes").get<int64_t>() >> 20) + " MiB"});
    text += table_line({"system", word("os")});
    text += table_line({"compiler", word("compiler")});
    return text + table_line({"auxbench", word("version") + ", commit " + word("commit") +
                                              (found.at("dirty").get<bool>() ? ", with local changes" : "")});
  }

  const KernelRecord& record_;
  const json& json_;
};

}  // namespace

std::string render_kernel_tables(const json& record) {
  return read_kernel_record(record, [](const KernelRecord& read) { return Page(read).render(); });
}

}  // namespace auxbench
