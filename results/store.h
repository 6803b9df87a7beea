// The results folder, which several processes on several machines may write at once.
//
//   DIR/cells/<id>/         record.json: the truth about a cell; its lease, checkpoint, weights, outcomes
//   DIR/records.jsonl       derived: one record a line; the last line of an id counts
//   DIR/plan.json           what the cells are (runner/plan/plan_file.h)
//
// A line whose cell has no record.json stands for itself (a published folder has no others); where there is one, it
// decides. Nothing but a cell's lease (runner/jobs/lease.h) keeps two writers from one record.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "results/record.h"

namespace auxbench {

// Of a finished cell, in its folder: the network, and the auxiliary module for the cells that fine-tune it further.
inline constexpr const char* kWeightsFile = "weights.safetensors";
inline constexpr const char* kAuxiliaryFile = "auxiliary.safetensors";
inline constexpr const char* kOutcomesFile = "outcomes.safetensors";  // per test image, as the task's evaluator names

// A record that this program cannot read: a version before or after it wrote it.
struct ForeignRecord {
  std::string id;     // as it says itself, or "?"
  std::string place;  // file:line
  std::string why;    // "record of schema version 9, this program reads 1"
};

// A folder read without writing. A line cut in half by a crash, a record.json that is no JSON, and a record of another
// version, are left out and named in `warnings`; JSON that is no record throws UserError with file and line.
struct StoredRecords {
  std::map<std::string, Record> by_id;
  std::vector<ForeignRecord> foreign;  // that no later line of the same id replaces
  std::vector<std::string> warnings;
  std::vector<std::string> behind;  // ids whose record.json records.jsonl does not have, or not as it is now
};
StoredRecords read_records(const std::filesystem::path& folder);

// The folder without what its records are: one cell's at a time, always as it is on the disk.
class RecordFolder {
 public:
  explicit RecordFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path cell_folder(const std::string& id) const { return folder_ / "cells" / id; }
  // None where there is no record.json or no record of this version in it; throws as read_records does.
  [[nodiscard]] std::optional<Record> read(const std::string& id) const;
  // A record that a later run need not make again, and whose weights are still there: whole files, as their headers say
  // how long they are. What the bytes are is not looked at.
  [[nodiscard]] bool is_finished(const Record& record) const;
  // Durable when it returns: record.json first, then the line. Throws UserError where record.json cannot be written; a
  // line that cannot is only missing from what is derived.
  void save(const Record& record) const;

 private:
  std::filesystem::path folder_;
};

// The folder with all its records in memory.
class Store : public RecordFolder {
 public:
  // Makes the folder when needed and brings records.jsonl up to date. Throws UserError when it cannot be written.
  explicit Store(const std::filesystem::path& folder);

  [[nodiscard]] const std::vector<std::string>& warnings() const { return stored_.warnings; }
  [[nodiscard]] const std::map<std::string, Record>& records() const { return stored_.by_id; }  // by id
  [[nodiscard]] std::optional<Record> find(const std::string& id) const;
  // Takes in what another process may have saved since; what the cell's record is then.
  std::optional<Record> refresh(const std::string& id);
  void save(const Record& record);

 private:
  StoredRecords stored_;
};

}  // namespace auxbench
