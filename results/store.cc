#include "results/store.h"

#include <algorithm>

#include "base/error.h"
#include "base/files/file.h"
#include "base/files/json_depth.h"
#include "base/files/whole_safetensors.h"

namespace auxbench {
namespace {

constexpr const char* kRecords = "records.jsonl";
constexpr const char* kRecord = "record.json";

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
void read_line(const std::string& line, const std::string& place, const char* cut, StoredRecords& stored) {
  if (nested_deeper_than(line, kJsonLevels))
    throw UserError(ExitCode::usage, place + ": not a record: nested too deeply");
  const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    stored.warnings.push_back(place + cut);
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

// A record as one line, from its file: JSON without the blanks that no string holds.
std::string without_blanks(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\' && i + 1 < text.size()) {
      line += c;
      line += text[++i];
      continue;
    }
    if (c == '"') in_string = !in_string;
    if (in_string || (c != ' ' && c != '\n' && c != '\t' && c != '\r')) line += c;
  }
  return line;
}

// Cells that start from it start from its auxiliary module, too.
bool has_module(const Record& record) {
  const auto aid = record.spec.find("aid");
  return aid != record.spec.end() && aid->is_array() && std::find(aid->begin(), aid->end(), "auxi") != aid->end();
}

// What read_records goes through: the lines of the derived file, then every cell's own.
class FolderReader {
 public:
  explicit FolderReader(const std::filesystem::path& folder) : folder_(folder) {}

  StoredRecords read() {
    const auto path = folder_ / kRecords;
    if (std::filesystem::exists(path)) split(read_file(path, ExitCode::usage));
    find_cells();
    const auto place = path.string() + ":";
    for (size_t i = 0; i < lines_.size(); ++i)
      if (!lines_[i].empty()) read_line(std::string(lines_[i]), place + std::to_string(i + 1), kHalfLine, stored_);
    for (const auto& [id, text] : newer_) {
      const auto left_out = stored_.warnings.size() + stored_.foreign.size();
      read_line(text, cell_file(id).string(), kNoJson, stored_);
      if (stored_.warnings.size() + stored_.foreign.size() <= left_out) stored_.behind.push_back(id);
    }
    for (const auto& foreign : stored_.foreign)
      stored_.warnings.push_back(foreign.place + ": " + foreign.id +
                                 " is of another version and left out: " + foreign.why);
    return std::move(stored_);
  }

 private:
  static constexpr const char* kHalfLine = ": half a line, left out (a run was cut off while writing it)";
  static constexpr const char* kNoJson = ": no JSON, left out";

  [[nodiscard]] std::filesystem::path cell_file(const std::string& id) const {
    return folder_ / "cells" / id / kRecord;
  }

  // The text stays, the lines are parts of it.
  void split(std::string text) {
    text_ = std::move(text);
    const std::string_view all = text_;
    for (size_t begin = 0; begin < all.size();) {
      const auto end = std::min(all.find('\n', begin), all.size());
      lines_.push_back(all.substr(begin, end - begin));
      begin = end + 1;
    }
  }

  // The keys of a record are written in the order of the alphabet: the id of a line is looked for by its name, and a
  // wrong answer costs a second reading and nothing else.
  [[nodiscard]] static std::string id_in(std::string_view line) {
    constexpr std::string_view kKey = "\"id\":\"";
    const auto begin = line.rfind(kKey);
    if (begin == std::string_view::npos) return {};
    const auto first = begin + kKey.size();
    return std::string(line.substr(first, line.find('"', first) - first));
  }

  // Those cells' files that are not, to the letter, the last line of their id.
  void find_cells() {
    std::map<std::string, size_t> last;
    for (size_t i = 0; i < lines_.size(); ++i) last[id_in(lines_[i])] = i;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "cells", ignored)) {
      const auto id = entry.path().filename().string();
      if (!std::filesystem::exists(entry.path() / kRecord, ignored)) continue;
      auto text = without_blanks(read_file(entry.path() / kRecord, ExitCode::usage));
      const auto line = last.find(id);
      if (line == last.end() || lines_[line->second] != text) newer_[id] = std::move(text);
    }
  }

  const std::filesystem::path& folder_;
  std::string text_;
  std::vector<std::string_view> lines_;
  std::map<std::string, std::string> newer_;  // id to its file's text, on one line
  StoredRecords stored_;
};

}  // namespace

StoredRecords read_records(const std::filesystem::path& folder) { return FolderReader(folder).read(); }

std::optional<Record> RecordFolder::read(const std::string& id) const {
  const auto path = cell_folder(id) / kRecord;
  if (!std::filesystem::exists(path)) return std::nullopt;
  StoredRecords one;
  read_line(read_file(path, ExitCode::usage), path.string(), "", one);
  const auto found = one.by_id.find(id);
  if (found == one.by_id.end()) return std::nullopt;
  return std::move(found->second);
}

bool RecordFolder::is_finished(const Record& record) const {
  if (!is_final(record.status)) return false;
  if (record.status == Status::diverged) return true;
  const auto folder = cell_folder(record.id);
  return is_whole_safetensors(folder / kWeightsFile) &&
         (!has_module(record) || is_whole_safetensors(folder / kAuxiliaryFile));
}

void RecordFolder::save(const Record& record) const {
  const auto json = record_to_json(record);
  make_folder(cell_folder(record.id));
  write_file_atomically(cell_folder(record.id) / kRecord, text_of(json, 2) + "\n");
  try {
    append_lines(folder_ / kRecords, text_of(json, -1) + "\n");
  } catch (const UserError&) {
    // The record is safe. The next run finds that the line is missing and writes it.
  }
}

Store::Store(const std::filesystem::path& folder)
    : RecordFolder((make_folder(folder), folder)), stored_(read_records(folder)) {
  std::string lines;
  for (const auto& id : stored_.behind)
    if (const auto record = find(id)) lines += text_of(record_to_json(*record), -1) + "\n";
  if (!lines.empty()) append_lines(folder / kRecords, lines);
}

std::optional<Record> Store::find(const std::string& id) const {
  const auto found = stored_.by_id.find(id);
  if (found == stored_.by_id.end()) return std::nullopt;
  return found->second;
}

std::optional<Record> Store::refresh(const std::string& id) {
  if (auto record = read(id)) stored_.by_id.insert_or_assign(id, std::move(*record));
  return find(id);
}

void Store::save(const Record& record) {
  RecordFolder::save(record);
  stored_.by_id.insert_or_assign(record.id, record);
}

}  // namespace auxbench
