#include "reports/integer_table.h"

#include <type_traits>

#include "base/format.h"

namespace auxbench {
namespace {

// A fact of a record that anybody may have written: what is missing, or of another type, is the other value.
template <typename Value>
Value fact(const nlohmann::json& facts, const std::string& key, Value otherwise) {
  const auto found = facts.find(key);
  if (found == facts.end()) return otherwise;
  if constexpr (std::is_same_v<Value, std::string>)
    return found->is_string() ? found->template get<Value>() : otherwise;
  else
    return found->is_number_integer() ? found->template get<Value>() : otherwise;
}

std::string check_text(const nlohmann::json& facts) {
  const auto status = fact<std::string>(facts, "status", "");
  const auto reason = fact<std::string>(facts, "reason", "");
  if (status == "equal") return "equal";
  if (status == "differs")
    return std::to_string(fact<int64_t>(facts, "differing", 0)) + " of " +
           std::to_string(fact<int64_t>(facts, "images", 0)) + " differ: " + reason;
  return "no integer form: " + reason;
}

// Of an image, in seconds: less is no measurement.
constexpr double kShortest = 1e-9;

double seconds_of(const Record& record, const char* name) {
  const auto found = record.seconds.find(name);
  return found == record.seconds.end() ? 0 : found->second;
}

// The metric that decides is named where the header names another.
std::vector<std::string> row_of(const Record& record, const nlohmann::json& facts, const std::string& header) {
  // Both evaluations name it alike.
  std::string metric, value = "-", as_integers = "-";
  const auto text_of = [&](double number) { return (metric == header ? "" : metric + " ") + number_text(number, 2); };
  if (!record.metrics.empty()) {
    metric = record.metrics.front().name;
    value = text_of(record.metrics.front().value);
  }
  if (const auto found = facts.find(metric); found != facts.end() && found->is_number())
    as_integers = text_of(found->get<double>());
  std::vector<std::string> row = {record.id, real_bits_text(record), value};
  if (fact<std::string>(facts, "status", "") == "none") {
    row.insert(row.end(), {"-", check_text(facts), "-", "-", "-", "-", "-"});
    return row;
  }
  const double ours = seconds_of(record, "integer image"), theirs = seconds_of(record, "full-precision image");
  std::string module = "-";
  if (const auto free = facts.find("module_free"); free != facts.end() && free->is_boolean())
    module = free->get<bool>() ? "same file" : "another file";
  row.insert(row.end(), {as_integers, check_text(facts), with_commas(fact<int64_t>(facts, "bytes", 0)),
                         with_commas(fact<int64_t>(facts, "integer_macs", 0)),
                         ours > kShortest ? with_commas(static_cast<int64_t>(1 / ours)) : "-",
                         ours > kShortest ? number_text(theirs / ours, 1) : "-", module});
  return row;
}

}  // namespace

std::string real_bits_text(const Record& record) {
  const auto bits = [&](const char* key) {
    const auto found = record.facts.find(key);
    return found == record.facts.end() ? std::string("-") : found->second.dump();
  };
  return bits("weight_real_bits") + "/" + bits("activation_real_bits");
}

IntegerTable integer_table(const FoundRecords& records, const std::string& metric) {
  IntegerTable table;
  table.header = {"cell",  "bits",        metric,     metric + ", integers", "bit-exactness check",
                  "bytes", "integer MAC", "images/s", "x full precision",    "without module"};
  for (const auto* record : records) {
    const auto facts = record->facts.find("integer");
    if (facts == record->facts.end() || !facts->second.is_object()) continue;
    const auto status = fact<std::string>(facts->second, "status", "");
    (status == "equal" ? table.equal : status == "differs" ? table.differing : table.none) += 1;
    table.images += fact<int64_t>(facts->second, "images", 0);
    table.rows.push_back(row_of(*record, facts->second, metric));
  }
  return table;
}

}  // namespace auxbench
