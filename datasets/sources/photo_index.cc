#include "datasets/sources/photo_index.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/files/file.h"
#include "base/files/sha256.h"
#include "base/parallel.h"
#include "datasets/file_times.h"
#include "datasets/places.h"
#include "datasets/sources/photo_walk.h"

namespace auxbench {
namespace {

constexpr std::string_view kFormat = "auxbench photo index 2";

// When a folder changed; its name counts from the folder that is indexed.
struct Watched {
  std::string folder;
  int64_t changed = 0;
};

struct Scan {
  PhotoIndex index;
  std::vector<Watched> watched;  // the folder itself, "", and all below it
};

void close_class(PhotoIndex& index) {
  index.ends.push_back(static_cast<size_t>(index.count()) + index.classes.back().files.size());
}

void add_file(PhotoClass& own, std::string_view name, uint32_t bytes) {
  own.names += name;
  own.files.push_back({.name_end = static_cast<uint32_t>(own.names.size()), .bytes = bytes});
}

void add_class(const std::filesystem::path& folder, const std::vector<WalkedFolder>& walk, Scan& scan) {
  auto& own = scan.index.classes.emplace_back();
  own.name = folder.filename().string();
  for (const auto& [name, listing] : walk) {
    const auto before = name.empty() ? "" : name + "/";
    for (const auto& file : listing.photographs) add_file(own, before + file.name, file.bytes);
    scan.index.others += listing.others;
    scan.watched.push_back({name.empty() ? own.name : own.name + "/" + name, listing.changed});
  }
  if (own.files.empty()) refuse_data(folder.string(), "a class folder without photographs");
  close_class(scan.index);
}

// Calls visit(name, bytes) for a class's photographs in order.
template <typename Visit>
void for_each_file(const PhotoClass& own, const Visit& visit) {
  uint32_t begin = 0;
  for (const auto& file : own.files) {
    visit(std::string_view(own.names).substr(begin, file.name_end - begin), file.bytes);
    begin = file.name_end;
  }
}

std::string digest_of(const PhotoIndex& index) {
  Sha256 digest;
  std::string line;
  for (const auto& own : index.classes)
    for_each_file(own, [&](std::string_view name, uint32_t bytes) {
      line.assign(std::to_string(bytes)).append(" ").append(own.name).append("/").append(name).append("\n");
      digest.add(line);
    });
  return digest.hex();
}

Scan scan(const std::filesystem::path& folder, int threads) {
  const auto outer = list_folder(folder);
  if (!outer.photographs.empty())
    refuse_data(folder.string(),
                std::to_string(outer.photographs.size()) +
                    " photographs lie in the folder itself: each must lie in a folder of its class (for "
                    "ImageNet's validation images a script sorts them, as PyTorch's examples do)");
  if (outer.folders.empty()) refuse_data(folder.string(), "no class folders in it");
  Scan result;
  result.index.folder = folder;
  result.index.others = outer.others;
  result.watched.push_back({"", outer.changed});
  // Some at a time: listings take more memory than what is kept of them.
  constexpr size_t kFoldersAtATime = 64;
  for (size_t first = 0; first < outer.folders.size(); first += kFoldersAtATime) {
    std::vector<std::vector<WalkedFolder>> walks(std::min(kFoldersAtATime, outer.folders.size() - first));
    parallel_for(walks.size(), threads, [&](size_t i) { walks[i] = walk_folder(folder / outer.folders[first + i]); });
    for (size_t i = 0; i < walks.size(); ++i) add_class(folder / outer.folders[first + i], walks[i], result);
  }
  result.index.digest = digest_of(result.index);
  return result;
}

// One line each: format, folder, digest, others, number of folders; for each folder "CHANGE NAME"; for each class
// "COUNT NAME" and its photographs "BYTES NAME"; then the SHA-256 of all that. A file that was cut or damaged is no index.
std::string index_text(const Scan& scan) {
  const auto& index = scan.index;
  std::string text(kFormat);
  text.append("\n").append(index.folder.string()).append("\n").append(index.digest).append("\n");
  text.append(std::to_string(index.others)).append("\n").append(std::to_string(scan.watched.size())).append("\n");
  const auto add = [&text](const auto number, std::string_view name) {
    text.append(std::to_string(number)).append(" ").append(name).append("\n");
  };
  for (const auto& watched : scan.watched) add(watched.changed, watched.folder);
  for (const auto& own : index.classes) {
    add(own.files.size(), own.name);
    for_each_file(own, [&](std::string_view name, uint32_t bytes) { add(bytes, name); });
  }
  return text.append(sha256_hex(text)).append("\n");
}

// Takes lines and words off the front; anything unexpected makes the whole no index.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : rest_(text) {}

  std::optional<std::string_view> line() {
    const auto end = rest_.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const auto taken = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return taken;
  }
  template <typename Number>
  static bool number(std::string_view& line, Number& value) {
    const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), value);
    if (error != std::errc()) return false;
    line.remove_prefix(static_cast<size_t>(stop - line.data()));
    if (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    return true;
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

bool read_watched(LineReader& reader, Scan& scan) {
  auto head = reader.line();
  size_t count = 0;
  if (!head || !LineReader::number(*head, count)) return false;
  for (size_t i = 0; i < count; ++i) {
    auto line = reader.line();
    int64_t changed = 0;
    if (!line || !LineReader::number(*line, changed)) return false;
    scan.watched.push_back({std::string(*line), changed});
  }
  return true;
}

bool read_classes(LineReader& reader, PhotoIndex& index) {
  while (!reader.at_end()) {
    auto head = reader.line();
    size_t count = 0;
    if (!head || !LineReader::number(*head, count)) return false;
    auto& own = index.classes.emplace_back();
    own.name = *head;
    for (size_t i = 0; i < count; ++i) {
      auto line = reader.line();
      uint32_t bytes = 0;
      if (!line || !LineReader::number(*line, bytes)) return false;
      add_file(own, *line, bytes);
    }
    close_class(index);
  }
  return true;
}

std::optional<Scan> parse_index(std::string_view text, const std::filesystem::path& folder) {
  constexpr size_t kTail = 65;  // 64 digits and the end of the line
  if (text.size() < kTail || sha256_hex(text.substr(0, text.size() - kTail)) + "\n" != text.substr(text.size() - kTail))
    return std::nullopt;
  LineReader reader(text.substr(0, text.size() - kTail));
  if (reader.line() != kFormat || reader.line() != folder.string()) return std::nullopt;
  Scan scan;
  scan.index.folder = folder;
  const auto digest = reader.line();
  auto others = reader.line();
  if (!digest || !others || !LineReader::number(*others, scan.index.others)) return std::nullopt;
  scan.index.digest = *digest;
  if (!read_watched(reader, scan) || !read_classes(reader, scan.index)) return std::nullopt;
  return scan;
}

// The folders are as they were.
bool is_still_true(const Scan& scan) {
  return std::all_of(scan.watched.begin(), scan.watched.end(), [&](const Watched& watched) {
    struct stat known {};
    const auto folder = watched.folder.empty() ? scan.index.folder : scan.index.folder / watched.folder;
    return stat(folder.c_str(), &known) == 0 && changed_at(known) == watched.changed;
  });
}

std::optional<Scan> kept_index(const std::filesystem::path& folder) {
  const auto file = photo_index_file(folder);
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return std::nullopt;
  try {
    auto scan = parse_index(read_file(file), folder);
    if (scan && is_still_true(*scan)) return scan;
  } catch (const UserError&) {  // an unreadable cache is no cache
  }
  return std::nullopt;
}

bool all_settled(const Scan& scan, int64_t begin) {
  return std::all_of(scan.watched.begin(), scan.watched.end(),
                     [&](const Watched& watched) { return is_settled(watched.changed, begin); });
}

void keep_index(const Scan& scan) {
  const auto file = photo_index_file(scan.index.folder);
  try {
    make_folder(file.parent_path());
    write_file_atomically(file, index_text(scan));
  } catch (const UserError&) {  // no room for a cache: the next run scans again
  }
}

}  // namespace

Photo PhotoIndex::photo(size_t index) const {
  const auto label = static_cast<size_t>(std::upper_bound(ends.begin(), ends.end(), index) - ends.begin());
  AUXBENCH_CHECK(label < classes.size(), "a photograph there is");
  const auto& own = classes[label];
  const size_t at = index - (label == 0 ? 0 : ends[label - 1]);
  const size_t begin = at == 0 ? 0 : own.files[at - 1].name_end;
  return {.label = static_cast<int64_t>(label),
          .name = std::string_view(own.names).substr(begin, own.files[at].name_end - begin),
          .bytes = own.files[at].bytes};
}

std::string PhotoIndex::relative(size_t index) const {
  const auto found = photo(index);
  return classes[static_cast<size_t>(found.label)].name + "/" + std::string(found.name);
}

PhotoIndex scan_photo_folder(const std::filesystem::path& folder, int threads) { return scan(folder, threads).index; }

PhotoIndex read_photo_index(const std::filesystem::path& folder, int threads) {
  std::error_code error;
  const auto real = std::filesystem::canonical(folder, error);
  if (error) refuse_data(folder.string(), "cannot be read: " + error.message());
  if (auto kept = kept_index(real)) {
    kept->index.from_cache = true;
    return std::move(kept->index);
  }
  const auto begin = nanoseconds_now();
  auto fresh = scan(real, threads);
  if (all_settled(fresh, begin)) keep_index(fresh);
  return std::move(fresh.index);
}

std::vector<std::filesystem::path> kept_photo_folders(const std::filesystem::path& folder) {
  std::error_code error;
  const auto real = std::filesystem::canonical(folder, error);
  std::ifstream file(photo_index_file(real));
  std::string format, place, digest, others, count;
  if (error || !std::getline(file, format) || !std::getline(file, place) || !std::getline(file, digest) ||
      !std::getline(file, others) || !std::getline(file, count) || format != kFormat || place != real.string())
    return {};
  std::vector<std::filesystem::path> folders;
  std::string line;
  for (auto left = std::strtoull(count.c_str(), nullptr, 10); left > 0; --left) {
    if (!std::getline(file, line)) return {};
    const auto name = line.substr(std::min(line.find(' '), line.size() - 1) + 1);
    folders.push_back(name.empty() ? real : real / name);
  }
  return folders;
}

std::filesystem::path photo_index_file(const std::filesystem::path& folder) {
  return cache_folder() / "photo-index" / (sha256_hex(folder.string()).substr(0, 16) + ".txt");
}

}  // namespace auxbench
