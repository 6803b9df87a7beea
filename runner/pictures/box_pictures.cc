#include "runner/pictures/box_pictures.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/files/file.h"
#include "base/files/safetensors.h"
#include "base/files/sha256.h"
#include "datasets/box_grid.h"
#include "datasets/image/encode_png.h"
#include "reports/detection_model.h"
#include "results/summary.h"

namespace auxbench {
namespace {

using Records = std::map<std::string, Record>;

constexpr int kDrawing = 1;  // raised where the same samples are drawn otherwise
constexpr size_t kDigits = 16;
constexpr const char *kPrefix = "boxes-", *kSuffix = ".png";
constexpr const char* kWhatItShows =
    "some of the evaluation images, the run of the least seed of each column: true boxes broad and blue, found ones "
    "narrow and orange";

// A run that is shown, under the title of its column.
struct ShownRun {
  std::string title;
  const Record* record = nullptr;
};

bool is_detector(const Record& record) {
  return (record.status == Status::completed || record.status == Status::mistrusted) &&
         detection_facts(record).has_value();
}

// Mistrusted ones behind the others, then by seed.
std::pair<bool, int64_t> place_of(const Record& record) {
  return {record.status == Status::mistrusted, seed_of(record)};
}

std::vector<ShownRun> shown_runs(const Table& table, const TableRow& row, const Records& records) {
  std::vector<ShownRun> runs;
  for (size_t i = 0; i < table.columns.size() && i < row.entries.size(); ++i) {
    const Record* first = nullptr;
    for (const auto& id : row.entries[i].cells) {
      const auto found = records.find(id);
      if (found == records.end() || !is_detector(found->second)) continue;
      if (first == nullptr || place_of(found->second) < place_of(*first)) first = &found->second;
    }
    if (first == nullptr) continue;
    const auto* doubt = first->status == Status::mistrusted ? " (mistrusted)" : "";
    runs.push_back({.title = table.columns[i].title + doubt, .record = first});
  }
  return runs;
}

std::string title_of(const Table& table, const TableRow& row) { return table.title + ": " + row.title; }

std::string picture_name(const std::string& title, const std::vector<ShownRun>& runs) {
  nlohmann::json shown = {kDrawing, title};
  for (const auto& run : runs) {
    const auto weights = run.record->facts.find("weights_sha256");
    shown.push_back(
        {run.title, run.record->id, weights == run.record->facts.end() ? nlohmann::json() : weights->second});
  }
  const auto text = shown.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return kPrefix + sha256_hex(text).substr(0, kDigits) + kSuffix;
}

bool is_picture_name(const std::string& name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return false;
  const auto digits = name.substr(std::strlen(kPrefix), name.size() - std::strlen(kPrefix) - std::strlen(kSuffix));
  return digits.size() == kDigits && digits.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool is_there(const std::filesystem::path& path) {
  std::error_code unknown;  // what cannot be looked at counts as not there
  return std::filesystem::exists(path, unknown);
}

// Pages are read elsewhere: a message that begins with a place in the folder names it from the folder.
std::string without_folder(const std::string& text, const std::filesystem::path& folder) {
  const auto prefix = (folder / "").string();
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

BoxSamples samples_of(const Record& record, const RecordFolder& folder) {
  const auto file = folder.cell_folder(record.id) / kBoxSamplesFile;
  if (!is_there(file)) {
    const auto why = record.facts.find(kNoBoxSamples);
    refuse_data(file.string(),
                why != record.facts.end() && why->second.is_string() ? why->second.get<std::string>() : "no such file");
  }
  return read_box_samples(file);
}

// Draws it unless it is there; why there is none where it cannot be drawn.
std::optional<std::string> draw(const std::filesystem::path& file, const std::string& title,
                                const std::vector<ShownRun>& runs, const RecordFolder& folder) {
  if (is_there(file)) return std::nullopt;
  std::vector<BoxColumn> columns;
  try {
    for (const auto& run : runs) columns.push_back({.title = run.title, .samples = samples_of(*run.record, folder)});
  } catch (const UserError& error) {
    return without_folder(error.what(), folder.folder());
  }
  make_folder(file.parent_path());
  write_file_atomically(file, encode_png(draw_box_grid(title, columns)));
  return std::nullopt;
}

// Names of files in the folder of pictures.
void remove_others(const std::filesystem::path& pictures, const std::set<std::string>& wanted) {
  std::error_code ignored;  // what cannot be removed is in nobody's way
  for (const auto& entry : std::filesystem::directory_iterator(pictures, ignored)) {
    const auto name = entry.path().filename().string();
    if (is_picture_name(name) && !wanted.contains(name)) std::filesystem::remove(entry.path(), ignored);
  }
}

// "detections" of a cell's outcomes: a row a box, `rows` of them for each image.
struct FoundBoxes {
  std::vector<float> numbers;
  size_t rows = 0;
};

FoundBoxes read_outcomes(const std::filesystem::path& file, int64_t images) {
  const auto contents = read_safetensors(file);
  const auto found = contents.tensors.find("detections");
  if (found == contents.tensors.end()) refuse_data(file.string(), "has no detections");
  const auto& shape = found->second.shape;
  if (found->second.dtype != "F32" || shape.size() != 3 || shape[0] != images || shape[2] != 6)
    refuse_data(file.string(), "detections: not those of " + std::to_string(images) + " images");
  return {.numbers = elements_of<float>(found->second), .rows = static_cast<size_t>(shape[1])};
}

void complete_one(const PlannedCell& cell, const std::filesystem::path& folder, DatasetRequest request) {
  const auto outcomes = folder / kOutcomesFile;
  if (!is_there(outcomes)) refuse_data(outcomes.string(), "no such file");
  request.image_size = cell.spec.image_size;
  const auto images = part_of(load_dataset(cell.spec.dataset, request).test, cell.spec.test_images);
  const auto found = read_outcomes(outcomes, images->count());
  write_file_atomically(folder / kBoxSamplesFile,
                        dump_box_samples(take_box_samples(*images, found.numbers, found.rows)));
}

}  // namespace

std::vector<RowPicture> draw_box_pictures(const Plan& plan, const Records& records, const RecordFolder& folder) {
  const auto pictures = folder.folder() / kPicturesFolder;
  std::vector<RowPicture> all;
  std::set<std::string> wanted;
  for (size_t table = 0; table < plan.tables.size(); ++table)
    for (size_t row = 0; row < plan.tables[table].rows.size(); ++row) {
      const auto& laid = plan.tables[table].rows[row];
      const auto runs = laid.epoch ? std::vector<ShownRun>() : shown_runs(plan.tables[table], laid, records);
      if (runs.empty()) continue;
      RowPicture picture = {.table = table, .row = row};
      if (all.size() >= kMostPanels) {
        picture.text = "a page has " + std::to_string(kMostPanels) + " at most";
      } else {
        const auto title = title_of(plan.tables[table], laid);
        const auto name = picture_name(title, runs);
        wanted.insert(name);
        const auto why_not = draw(pictures / name, title, runs, folder);
        if (!why_not) picture.file = std::string(kPicturesFolder) + "/" + name;
        picture.text = why_not.value_or(kWhatItShows);
      }
      all.push_back(std::move(picture));
    }
  remove_others(pictures, wanted);
  return all;
}

std::vector<std::string> complete_box_samples(const Plan& plan, const Records& records, const RecordFolder& folder,
                                              const DatasetRequest& request) {
  std::vector<std::string> hindrances;
  std::set<std::string> passed_over;  // data sets
  for (const auto& cell : plan.cells) {
    const auto record = records.find(cell.id);
    if (record == records.end() || !is_detector(record->second) || passed_over.contains(cell.spec.dataset)) continue;
    const auto own = folder.cell_folder(cell.id);
    if (!is_there(own) || is_there(own / kBoxSamplesFile)) continue;
    try {
      complete_one(cell, own, request);
    } catch (const UserError& error) {
      hindrances.push_back("no pictures of what " + cell.id + " finds: " + error.what());
      passed_over.insert(cell.spec.dataset);
    }
  }
  return hindrances;
}

}  // namespace auxbench
