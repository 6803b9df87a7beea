#include "reports/integer_table.h"

#include "reports/layout.h"
#include "results/summary.h"

namespace auxbench {
namespace {

std::string bits_of(const Record& record) {
  const auto bits = [&](const char* key) {
    const auto found = record.facts.find(key);
    return found == record.facts.end() ? std::string("-") : found->second.dump();
  };
  return bits("weight_real_bits") + "/" + bits("activation_real_bits");
}

std::string twin_text(const nlohmann::json& facts) {
  const auto status = facts.value("status", "");
  const auto reason = facts.value("reason", "");
  if (status == "equal") return "equal";
  if (status == "differs")
    return std::to_string(facts.value("differing", 0)) + " of " + std::to_string(facts.value("images", 0)) +
           " differ: " + reason;
  return "no integer form: " + reason;
}

std::string grouped(int64_t number) {
  auto text = std::to_string(number);
  for (auto place = static_cast<int>(text.size()) - 3; place > 0; place -= 3)
    text.insert(static_cast<size_t>(place), ",");
  return text;
}

double seconds_of(const Record& record, const char* name) {
  const auto found = record.seconds.find(name);
  return found == record.seconds.end() ? 0 : found->second;
}

IntegerRow row_of(const std::string& id, const Record& record, const nlohmann::json& facts) {
  const auto top1 = metric_value(record, "top1");
  if (facts.value("status", "") == "none")
    return {{id, bits_of(record), top1 ? number_text(*top1, 2) : "-", "-", twin_text(facts), "-", "-", "-", "-", "-"}};
  const double ours = seconds_of(record, "integer image"), theirs = seconds_of(record, "full-precision image");
  std::string module = "-";
  if (facts.contains("module_free")) module = facts.at("module_free").get<bool>() ? "same file" : "another file";
  return {{id, bits_of(record), top1 ? number_text(*top1, 2) : "-", number_text(facts.value("top1", 0.0), 2),
           twin_text(facts), grouped(facts.value("bytes", int64_t{0})),
           grouped(facts.value("integer_macs", int64_t{0})), ours > 0 ? grouped(static_cast<int64_t>(1 / ours)) : "-",
           ours > 0 ? number_text(theirs / ours, 1) : "-", module}};
}

}  // namespace

IntegerTable integer_table(const ReportInput& input) {
  IntegerTable table;
  table.header = {"cell",  "bits",        "top1",     "top1, integers",   "twin check",
                  "bytes", "integer MAC", "images/s", "x full precision", "without module"};
  for (const auto& id : input.cell_order) {
    const auto found = input.records.find(id);
    if (found == input.records.end()) continue;
    const auto facts = found->second.facts.find("integer");
    if (facts == found->second.facts.end()) continue;
    const auto status = facts->second.value("status", "");
    (status == "equal" ? table.equal : status == "differs" ? table.differing : table.none) += 1;
    table.images += facts->second.value("images", int64_t{0});
    table.rows.push_back(row_of(id, found->second, facts->second));
  }
  return table;
}

}  // namespace auxbench
