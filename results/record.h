// Record: all the evidence of one cell. One JSON line in records.jsonl, one file in the cell's folder.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace auxbench {

// A status is never a number.
enum class Status { listed, skipped, completed, mistrusted, diverged, failed, timed_out, interrupted };

std::string status_name(Status status);
Status status_from_name(const std::string& name);  // throws UserError for an unknown one

// True for a status that a later run need not try again: completed, mistrusted, diverged.
bool is_final(Status status);

struct Metric {
  std::string name;  // "top1"
  double value = 0;  // finite
  std::string unit;  // "%"
  bool higher_is_better = true;
};

// Where and by what the number was made.
struct Provenance {
  std::string commit;  // of the source tree, or "unknown"
  bool dirty = false;
  std::string version, compiler, torch, cpu, gpu, device, os;
  std::string flags;  // of the device, that a number depends on; empty for a CPU
  int threads = 0;
  std::string data_manifest;
  std::string started, finished;  // UTC, ISO 8601
};

struct Record {
  static constexpr int kSchemaVersion = 1;
  std::string id;
  std::string slug;
  Status status = Status::listed;
  std::string reason;   // why it is not simply completed
  nlohmann::json spec;  // canonical JSON of the cell
  std::vector<Metric> metrics;
  std::map<std::string, std::vector<double>> curves;  // by epoch: "train_loss", "top1" ...
  // "train", "evaluate", "total", of which "earlier runs" that were interrupted; left out when records are compared
  std::map<std::string, double> seconds;
  std::map<std::string, nlohmann::json> facts;  // real bits, images, steps, digest of the weights ...
  Provenance provenance;
  std::string rerun;  // command that makes this record again
};

void to_json(nlohmann::json& json, const Provenance& made);
void from_json(const nlohmann::json& json, Provenance& made);

nlohmann::json record_to_json(const Record& record);
// Throws UserError naming `place` when a field is missing or of the wrong type, or the schema is another.
Record record_from_json(const nlohmann::json& json, const std::string& place);

// The record without what may differ between two runs of the same cell: times, provenance, rerun command.
nlohmann::json comparable_part(const Record& record);

}  // namespace auxbench
