#include "runner/bench/rates/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/quantile.h"

namespace auxbench::rates {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Quartiles& quartiles) {
  return {{"q25", quartiles.q25}, {"median", quartiles.median}, {"q75", quartiles.q75}};
}

// 2 operations a multiply-accumulate.
Quartiles tera_operations(const Row& row) { return row.per_second->times(2e-12 * row.macs); }

double fastest_bf16(const std::vector<Row>& rows) {
  double fastest = 0;
  for (const Row& row : rows)
    if (row.is_bf16 && row.per_second) fastest = std::max(fastest, tera_operations(row).median);
  return fastest;
}

Json to_json(const Row& row, double bf16) {
  Json json = {{"name", row.name}, {"group", row.group}, {"status", row.status}};
  if (!row.note.empty()) json["note"] = row.note;
  if (!row.per_second) return json;
  json["milliseconds"] = to_json(*row.milliseconds);
  if (row.clock_mhz) json["clock_mhz"] = *row.clock_mhz;
  if (row.unit == "bytes") {
    json["gigabytes_per_second"] = to_json(row.per_second->times(1e-9));
    return json;
  }
  if (row.per_cycle) json[row.unit + "_per_cycle_per_sm"] = to_json(*row.per_cycle);
  if (row.macs == 0) {
    json["giga_" + row.unit + "_per_second"] = to_json(row.per_second->times(1e-9));
    return json;
  }
  if (row.per_cycle) json["macs_per_cycle_per_sm"] = to_json(row.per_cycle->times(row.macs));
  json["tera_operations_per_second"] = to_json(tera_operations(row));
  if (bf16 > 0) json["percent_of_bf16"] = 100 * tera_operations(row).median / bf16;
  return json;
}

Json to_json(const Device& device) {
  return {{"name", device.name},
          {"compute_capability", std::to_string(device.major) + "." + std::to_string(device.minor)},
          {"multiprocessors", device.multiprocessors},
          {"highest_clock_mhz", device.highest_clock_mhz},
          {"l2_bytes", device.l2_bytes},
          {"memory_bytes", device.memory_bytes},
          {"driver_version", device.driver_version},
          {"runtime_version", device.runtime_version},
          {"has_wgmma", device.has_wgmma}};
}

}  // namespace

Quartiles Quartiles::of(const std::vector<double>& values) {
  return {quantile(values, 0.25), quantile(values, 0.5), quantile(values, 0.75)};
}

bool Report::is_whole() const {
  return std::all_of(rows.begin(), rows.end(),
                     [](const Row& row) { return row.status == kMeasured || row.status == kAbsent; });
}

std::string Report::json() const {
  Json json = {{"schema_version", 1}, {"device", to_json(device)}};
  json["method"] = {{"repetitions", repetitions}, {"seconds_per_row", seconds_per_row}};
  json["rows"] = Json::array();
  for (const Row& row : rows) json["rows"].push_back(to_json(row, fastest_bf16(rows)));
  return json.dump(2) + "\n";
}

}  // namespace auxbench::rates
