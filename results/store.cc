#include "results/store.h"

#include "base/error.h"
#include "base/files/file.h"
#include "base/files/json_depth.h"

namespace auxbench {
namespace {

constexpr const char* kRecords = "records.jsonl";

std::string own_id(const nlohmann::json& json) {
  const auto id = json.find("id");
  return id != json.end() && id->is_string() ? id->get<std::string>() : "?";
}

void forget(const std::string& id, StoredRecords& stored) {
  stored.by_id.erase(id);
  std::erase_if(stored.foreign, [&](const ForeignRecord& foreign) { return foreign.id == id && id != "?"; });
}

// A line that is no JSON at all is what a crash leaves behind; JSON that says its schema is a record, and where it cannot
// be read another version has written it; other JSON is somebody's mistake.
void read_line(const std::string& line, const std::string& place, StoredRecords& stored) {
  if (nested_deeper_than(line, kJsonLevels))
    throw UserError(ExitCode::usage, place + ": not a record: nested too deeply");
  const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    stored.warnings.push_back(place + ": half a line, left out (a run was cut off while writing it)");
    return;
  }
  const bool says_schema = json.is_object() && json.contains("schema_version");
  try {
    auto record = record_from_json(json, place);
    auto id = record.id;
    if (!stored.foreign.empty()) forget(id, stored);
    stored.by_id.insert_or_assign(std::move(id), std::move(record));
  } catch (const UserError& error) {
    if (!says_schema) throw;
    const auto id = own_id(json);
    forget(id, stored);
    stored.foreign.push_back({.id = id, .place = place, .why = std::string(error.what()).substr(place.size() + 2)});
  }
}

// A reason may name a file whose name is no UTF-8: that must not cost the record.
std::string text_of(const nlohmann::json& json, int indent) {
  return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

StoredRecords read_records(const std::filesystem::path& folder) {
  StoredRecords stored;
  const auto path = folder / kRecords;
  if (!std::filesystem::exists(path)) return stored;
  const auto text = read_file(path, ExitCode::usage);
  size_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    ++number;
    if (end > begin) read_line(text.substr(begin, end - begin), path.string() + ":" + std::to_string(number), stored);
    begin = end + 1;
  }
  for (const auto& foreign : stored.foreign)
    stored.warnings.push_back(foreign.place + ": " + foreign.id +
                              " is of another version and left out: " + foreign.why);
  return stored;
}

struct Store::State {
  explicit State(const std::filesystem::path& root)
      : folder(root), lock((make_folder(root), root / "lock")), stored(read_records(root)) {}

  std::filesystem::path folder;
  FileLock lock;
  StoredRecords stored;
};

Store::Store(const std::filesystem::path& folder) : state_(std::make_unique<State>(folder)) {}
Store::~Store() = default;

const std::filesystem::path& Store::folder() const { return state_->folder; }
std::filesystem::path Store::cell_folder(const std::string& id) const { return state_->folder / "cells" / id; }
const std::vector<std::string>& Store::warnings() const { return state_->stored.warnings; }

const std::map<std::string, Record>& Store::records() const { return state_->stored.by_id; }

std::optional<Record> Store::find(const std::string& id) const {
  const auto found = state_->stored.by_id.find(id);
  if (found == state_->stored.by_id.end()) return std::nullopt;
  return found->second;
}

void Store::save(const Record& record) {
  const auto json = record_to_json(record);
  make_folder(cell_folder(record.id));
  write_file_atomically(cell_folder(record.id) / "record.json", text_of(json, 2) + "\n");
  append_line(state_->folder / kRecords, text_of(json, -1));
  state_->stored.by_id.insert_or_assign(record.id, record);
}

}  // namespace auxbench
