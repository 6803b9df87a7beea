#include "reports/origin.h"

#include "base/machine.h"

namespace auxbench {
namespace {

std::string threads_text(int threads) { return std::to_string(threads) + (threads == 1 ? " thread" : " threads"); }

void add(const Provenance& made, std::map<std::string, std::set<std::string>>& made_by) {
  made_by["auxbench"].insert(made.version + ", commit " + made.commit + (made.dirty ? ", with local changes" : ""));
  made_by["compiler"].insert(made.compiler);
  made_by["torch"].insert(made.torch);
  made_by["machine"].insert(made.cpu + (made.gpu.empty() ? "" : ", " + made.gpu) + ", " + threads_text(made.threads) +
                            ", " + made.os);
  if (!made.data_manifest.empty()) made_by["data (SHA-256)"].insert(made.data_manifest);
}

}  // namespace

std::string machine_text(const Provenance& made) {
  std::string text = made.device + ", " + threads_text(made.threads);
  for (const auto& part : {made.cpu, made.gpu})
    if (!part.empty()) text += ", " + part;
  return text;
}

std::string this_machine(const std::string& device) {
  Provenance here;
  here.device = device;
  here.threads = 1;
  here.cpu = cpu_name();
  return machine_text(here);
}

FoundRecords found_records(const ReportInput& input) {
  FoundRecords found;
  for (const auto& cell : input.plan.cells)
    if (const auto record = input.records.find(cell.id); record != input.records.end())
      found.push_back(&record->second);
  return found;
}

std::string deciding_metric(const FoundRecords& records) {
  std::string name;
  for (const auto* record : records) {
    if (record->metrics.empty()) continue;
    if (name.empty()) name = record->metrics.front().name;
    if (name != record->metrics.front().name) return "metric";
  }
  return name.empty() ? "metric" : name;
}

Origin origin_of(const FoundRecords& records, const std::string& here) {
  Origin origin;
  std::set<std::string> machines;
  for (const auto* record : records) {
    machines.insert(machine_text(record->provenance));
    if (const auto missing = record->facts.find("data_missing");
        missing != record->facts.end() && missing->second.is_string())
      origin.missing.insert(missing->second.get<std::string>());
    add(record->provenance, origin.made_by);
  }
  if (machines.empty()) origin.machines = here;
  for (const auto& machine : machines) origin.machines += (origin.machines.empty() ? "" : "; ") + machine;
  return origin;
}

}  // namespace auxbench
