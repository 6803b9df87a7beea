// The results folder: append-only records.jsonl, one folder per cell, one writer at a time.
//
//   DIR/records.jsonl       one record a line; the last line of an id counts
//   DIR/cells/<id>/         record.json, checkpoint, predictions
//   DIR/plan.json           what the cells are (runner/plan/plan_file.h)
//   DIR/lock                held by the process that writes
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "results/record.h"

namespace auxbench {

// A record that this program cannot read: a version before or after it wrote it.
struct ForeignRecord {
  std::string id;     // as it says itself, or "?"
  std::string place;  // file:line
  std::string why;    // "record of schema version 9, this program reads 1"
};

// A folder read without writing. A line cut in half by a crash, and a record of another version, are left out and named
// in `warnings`; a line that is no record at all throws UserError with file and line.
struct StoredRecords {
  std::map<std::string, Record> by_id;
  std::vector<ForeignRecord> foreign;  // that no later line of the same id replaces
  std::vector<std::string> warnings;
};
StoredRecords read_records(const std::filesystem::path& folder);

class Store {
 public:
  // Makes the folder when needed and takes its lock. Throws UserError when it cannot be written or another run holds
  // it.
  explicit Store(const std::filesystem::path& folder);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  [[nodiscard]] const std::filesystem::path& folder() const;
  [[nodiscard]] std::filesystem::path cell_folder(const std::string& id) const;
  [[nodiscard]] const std::vector<std::string>& warnings() const;
  [[nodiscard]] const std::map<std::string, Record>& records() const;  // by id, those saved here included
  [[nodiscard]] std::optional<Record> find(const std::string& id) const;
  // Durable when it returns: record.json first, then the line.
  void save(const Record& record);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace auxbench
