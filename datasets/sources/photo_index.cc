#include "datasets/sources/photo_index.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>

#include "base/check.h"
#include "base/error.h"
#include "base/files/file.h"
#include "base/files/sha256.h"
#include "base/parallel.h"
#include "datasets/file_times.h"
#include "datasets/places.h"

namespace auxbench {
namespace {

constexpr std::string_view kFormat = "auxbench photo index 1";

[[noreturn]] void refuse_system(const std::filesystem::path& path, const char* what) {
  refuse_data(path.string(), std::string(what) + ": " + std::strerror(errno));
}

bool is_photograph(std::string_view name) {
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || name.front() == '.') return false;
  std::string ending(name.substr(dot + 1));
  for (auto& c : ending) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return ending == "jpg" || ending == "jpeg" || ending == "png";
}

struct Entry {
  std::string name;
  uint32_t bytes;
};

struct Listing {
  std::vector<Entry> files;
  std::vector<std::string> folders;
  int64_t changed = 0;  // nanoseconds since 1970
};

Listing list(const std::filesystem::path& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(opendir(folder.c_str()), closedir);
  if (!open) refuse_system(folder, "cannot be listed");
  Listing listing;
  struct stat known {};
  if (fstat(dirfd(open.get()), &known) != 0) refuse_system(folder, "cannot be listed");
  listing.changed = changed_at(known);
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(open.get());
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (name.find('\n') != std::string::npos) refuse_data(folder.string(), "a file's name has a line break");
    if (fstatat(dirfd(open.get()), entry->d_name, &known, 0) != 0) refuse_system(folder / name, "cannot be looked at");
    if (S_ISDIR(known.st_mode))
      listing.folders.push_back(name);
    else if (S_ISREG(known.st_mode) && known.st_size > std::numeric_limits<uint32_t>::max())
      refuse_data((folder / name).string(), "larger than 4 GiB");
    else if (S_ISREG(known.st_mode))
      listing.files.push_back({name, static_cast<uint32_t>(known.st_size)});
  }
  if (errno != 0) refuse_system(folder, "cannot be listed to its end");
  std::sort(listing.folders.begin(), listing.folders.end());
  std::sort(listing.files.begin(), listing.files.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return listing;
}

struct Scan {
  PhotoIndex index;
  int64_t changed = 0;                 // of the folder itself
  std::vector<int64_t> class_changed;  // of each class folder
};

void close_class(PhotoIndex& index) {
  index.ends.push_back(static_cast<size_t>(index.count()) + index.classes.back().files.size());
}

void add_file(PhotoClass& own, std::string_view name, uint32_t bytes) {
  own.names += name;
  own.files.push_back({.name_end = static_cast<uint32_t>(own.names.size()), .bytes = bytes});
}

void add_class(const std::filesystem::path& folder, const Listing& listing, PhotoIndex& index) {
  auto& own = index.classes.emplace_back();
  own.name = folder.filename().string();
  for (const auto& file : listing.files) {
    if (is_photograph(file.name))
      add_file(own, file.name, file.bytes);
    else
      ++index.others;
  }
  if (own.files.empty()) refuse_data(folder.string(), "a class folder without photographs");
  close_class(index);
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
  const auto outer = list(folder);
  const auto in_folder =
      std::count_if(outer.files.begin(), outer.files.end(), [](const auto& file) { return is_photograph(file.name); });
  if (in_folder > 0)
    refuse_data(folder.string(),
                std::to_string(in_folder) +
                    " photographs lie in the folder itself: each must lie in a folder of its class (for "
                    "ImageNet's validation images a script sorts them, as PyTorch's examples do)");
  if (outer.folders.empty()) refuse_data(folder.string(), "no class folders in it");
  Scan result;
  result.index.folder = folder;
  result.changed = outer.changed;
  // Some at a time: listings take more memory than what is kept of them.
  constexpr size_t kFoldersAtATime = 64;
  for (size_t first = 0; first < outer.folders.size(); first += kFoldersAtATime) {
    std::vector<Listing> listings(std::min(kFoldersAtATime, outer.folders.size() - first));
    parallel_for(listings.size(), threads, [&](size_t i) { listings[i] = list(folder / outer.folders[first + i]); });
    for (size_t i = 0; i < listings.size(); ++i) {
      result.class_changed.push_back(listings[i].changed);
      add_class(folder / outer.folders[first + i], listings[i], result.index);
    }
  }
  result.index.others += static_cast<int64_t>(outer.files.size());
  result.index.digest = digest_of(result.index);
  return result;
}

// One line each: format, folder, its change, digest, others; then for each class "CHANGE COUNT NAME" and its
// photographs "BYTES NAME"; then the SHA-256 of all that. A file that was cut or damaged is no index.
std::string index_text(const Scan& scan) {
  const auto& index = scan.index;
  std::string text(kFormat);
  text.append("\n").append(index.folder.string()).append("\n").append(std::to_string(scan.changed));
  text.append("\n").append(index.digest).append("\n").append(std::to_string(index.others)).append("\n");
  for (size_t label = 0; label < index.classes.size(); ++label) {
    const auto& own = index.classes[label];
    text.append(std::to_string(scan.class_changed[label])).append(" ").append(std::to_string(own.files.size()));
    text.append(" ").append(own.name).append("\n");
    for_each_file(own, [&](std::string_view name, uint32_t bytes) {
      text.append(std::to_string(bytes)).append(" ").append(name).append("\n");
    });
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

bool read_classes(LineReader& reader, Scan& scan) {
  auto& index = scan.index;
  while (!reader.at_end()) {
    auto head = reader.line();
    int64_t changed = 0;
    size_t count = 0;
    if (!head || !LineReader::number(*head, changed) || !LineReader::number(*head, count)) return false;
    scan.class_changed.push_back(changed);
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
  auto changed = reader.line();
  const auto digest = reader.line();
  auto others = reader.line();
  if (!changed || !digest || !others || !LineReader::number(*changed, scan.changed) ||
      !LineReader::number(*others, scan.index.others))
    return std::nullopt;
  scan.index.digest = *digest;
  if (!read_classes(reader, scan)) return std::nullopt;
  return scan;
}

// The folders are as they were.
bool is_still_true(const Scan& scan) {
  const auto unchanged = [](const std::filesystem::path& folder, int64_t changed) {
    struct stat known {};
    return stat(folder.c_str(), &known) == 0 && changed_at(known) == changed;
  };
  if (!unchanged(scan.index.folder, scan.changed)) return false;
  for (size_t i = 0; i < scan.index.classes.size(); ++i)
    if (!unchanged(scan.index.folder / scan.index.classes[i].name, scan.class_changed[i])) return false;
  return true;
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
  return is_settled(scan.changed, begin) && std::all_of(scan.class_changed.begin(), scan.class_changed.end(),
                                                        [&](int64_t changed) { return is_settled(changed, begin); });
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

std::filesystem::path photo_index_file(const std::filesystem::path& folder) {
  return cache_folder() / "photo-index" / (sha256_hex(folder.string()).substr(0, 16) + ".txt");
}

}  // namespace auxbench
