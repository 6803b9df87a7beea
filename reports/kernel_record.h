// For .cc files of this folder: what the table and the picture both read from a record of kernels.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"

namespace auxbench {

class KernelRecord {
 public:
  // The record must outlive it. Throws UserError(data_missing).
  explicit KernelRecord(const nlohmann::json& record);

  [[nodiscard]] const nlohmann::json& json() const { return record_; }
  // Null where the run did not come that far.
  [[nodiscard]] const nlohmann::json* row(const std::string& name) const;
  // Throws UserError(data_missing) where the row's race is not in the record.
  [[nodiscard]] const nlohmann::json& race_of(const nlohmann::json& row) const;

 private:
  const nlohmann::json& record_;
  std::map<std::string, const nlohmann::json*> rows_, races_;
};

bool is_completed(const nlohmann::json& entry);

// "c64-3x3", "c64-3x3, 2 threads, cold", "resnet18": of a race; its bits: "w1a2".
std::string race_title(const nlohmann::json& race);
std::string bits_title(const nlohmann::json& row);

// Does the work; a field that is missing, or of another type, is a UserError(data_missing).
template <typename Work>
std::string read_kernel_record(const nlohmann::json& record, const Work& work) {
  try {
    return work(KernelRecord(record));
  } catch (const nlohmann::json::exception& error) {
    refuse_data("record of kernels", error.what());
  }
}

}  // namespace auxbench
