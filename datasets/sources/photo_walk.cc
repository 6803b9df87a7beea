#include "datasets/sources/photo_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "datasets/file_times.h"

namespace auxbench {
namespace {

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

// Only photographs and what may be a folder need to be looked at; an entry may be a link, and a link may lead nowhere.
void add_entry(int folder, const std::filesystem::path& place, const dirent& entry, FolderListing& listing) {
  const std::string name = entry.d_name;
  const bool photograph = is_photograph(name);
  if (entry.d_type == DT_REG && !photograph) {
    ++listing.others;
    return;
  }
  if (name.find('\n') != std::string::npos) refuse_data(place.string(), "a file's name has a line break");
  struct stat known {};
  if (fstatat(folder, entry.d_name, &known, 0) != 0) {
    if (photograph) refuse_system(place / name, "cannot be looked at");
    ++listing.others;  // a link to nothing, as editors leave them
  } else if (S_ISDIR(known.st_mode)) {
    listing.folders.push_back(name);
  } else if (!S_ISREG(known.st_mode) || !photograph) {
    ++listing.others;
  } else if (known.st_size > std::numeric_limits<uint32_t>::max()) {
    refuse_data((place / name).string(), "larger than 4 GiB");
  } else {
    listing.photographs.push_back({name, static_cast<uint32_t>(known.st_size)});
  }
}

void walk_into(const std::filesystem::path& place, const std::string& name, std::vector<std::pair<dev_t, ino_t>>& above,
               std::vector<WalkedFolder>& walk) {
  auto listing = list_folder(place);
  if (std::find(above.begin(), above.end(), listing.identity) != above.end())
    refuse_data(place.string(), "a link to a folder that it lies in");
  const auto inner = listing.folders;
  above.push_back(listing.identity);
  walk.push_back({name, std::move(listing)});
  for (const auto& folder : inner) walk_into(place / folder, name.empty() ? folder : name + "/" + folder, above, walk);
  above.pop_back();
}

}  // namespace

FolderListing list_folder(const std::filesystem::path& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(opendir(folder.c_str()), closedir);
  if (!open) refuse_system(folder, "cannot be listed");
  FolderListing listing;
  struct stat known {};
  if (fstat(dirfd(open.get()), &known) != 0) refuse_system(folder, "cannot be listed");
  listing.changed = changed_at(known);
  listing.identity = {known.st_dev, known.st_ino};
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(open.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") add_entry(dirfd(open.get()), folder, *entry, listing);
  }
  if (errno != 0) refuse_system(folder, "cannot be listed to its end");
  std::sort(listing.folders.begin(), listing.folders.end());
  std::sort(listing.photographs.begin(), listing.photographs.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return listing;
}

std::vector<WalkedFolder> walk_folder(const std::filesystem::path& folder) {
  std::vector<WalkedFolder> walk;
  std::vector<std::pair<dev_t, ino_t>> above;
  walk_into(folder, "", above, walk);
  std::sort(walk.begin(), walk.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return walk;
}

}  // namespace auxbench
