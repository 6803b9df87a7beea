#include "reports/kernel_record.h"

namespace auxbench {

KernelRecord::KernelRecord(const nlohmann::json& record) : record_(record) {
  constexpr int kSchemaVersion = 1;
  if (!record.is_object() || record.value("kind", "") != "kernels")
    refuse_data("record of kernels", "its kind is not kernels");
  if (record.at("schema_version") != kSchemaVersion)
    refuse_data("record of kernels", "schema version " + record.at("schema_version").dump() + ", this program reads " +
                                         std::to_string(kSchemaVersion));
  for (const auto& row : record.at("rows")) rows_[row.at("row")] = &row;
  for (const auto& race : record.at("races")) races_[race.at("race")] = &race;
}

const nlohmann::json* KernelRecord::row(const std::string& name) const {
  const auto found = rows_.find(name);
  return found == rows_.end() ? nullptr : found->second;
}

const nlohmann::json& KernelRecord::race_of(const nlohmann::json& row) const {
  const std::string name = row.at("race");
  const auto found = races_.find(name);
  if (found == races_.end()) refuse_data("record of kernels", "no race named " + name);
  return *found->second;
}

bool is_completed(const nlohmann::json& entry) { return entry.at("status") == "completed"; }

std::string race_title(const nlohmann::json& race) {
  if (!race.contains("kind")) return race.at("race");
  const bool layer = race.at("kind") == "layer";
  std::string title = layer ? race.at("layer").at("name") : race.at("network");
  const int threads = race.at("threads");
  if (threads != 1) title += ", " + std::to_string(threads) + " threads";
  if (race.at("weights") != "hot") title += ", " + race.at("weights").get<std::string>();
  return title;
}

std::string bits_title(const nlohmann::json& row) {
  return "w" + std::to_string(row.at("weight_bits").get<int>()) + "a" +
         std::to_string(row.at("activation_bits").get<int>());
}

}  // namespace auxbench
