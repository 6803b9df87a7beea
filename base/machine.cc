#include "base/machine.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

namespace auxbench {
namespace {

namespace fs = std::filesystem;

// The first word of a file that holds a number; none for "max" or no file.
std::optional<int64_t> number_in(const fs::path& path) {
  std::ifstream file(path);
  int64_t value = 0;
  if (!(file >> value)) return std::nullopt;
  return value;
}

// "NAME VALUE" in a file of such lines.
std::optional<int64_t> number_after(const fs::path& path, const std::string& name) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string word;
    int64_t value = 0;
    if (words >> word >> value && word == name) return value;
  }
  return std::nullopt;
}

// The folders of this process's group and of all above it, for one controller ("" is version 2). A container often sees
// its own group as the root, while its path is told from outside: folders that are not there are passed over.
std::vector<fs::path> groups_of(const SystemFolders& system, const std::string& controller) {
  std::ifstream file(system.proc / "self" / "cgroup");
  std::string line;
  std::vector<fs::path> folders;
  const fs::path root = controller.empty() ? system.cgroup : system.cgroup / controller;
  while (std::getline(file, line)) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const auto names = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool ours = controller.empty() ? names == ",," : names.find("," + controller + ",") != std::string::npos;
    if (!ours) continue;
    for (fs::path path = line.substr(second + 1); path.has_relative_path(); path = path.parent_path())
      folders.push_back(root / path.relative_path());
  }
  folders.push_back(root);
  return folders;
}

void keep_least(std::optional<double> value, std::optional<double>& least) {
  if (value && (!least || *value < *least)) least = value;
}

std::optional<double> quota_of(const fs::path& group) {
  std::ifstream file(group / "cpu.max");
  double quota = 0, period = 0;
  if (file >> quota >> period && quota > 0 && period > 0) return quota / period;
  const auto old_quota = number_in(group / "cpu.cfs_quota_us"), old_period = number_in(group / "cpu.cfs_period_us");
  if (old_quota && old_period && *old_quota > 0 && *old_period > 0)
    return static_cast<double>(*old_quota) / static_cast<double>(*old_period);
  return std::nullopt;
}

// Pages of files that nobody uses are given back before anyone is refused.
std::optional<double> memory_left(const fs::path& group, const char* limit_name, const char* used_name,
                                  const char* inactive_name) {
  constexpr int64_t kNoLimit = int64_t{1} << 60;  // version 1 says so by a huge number
  const auto limit = number_in(group / limit_name), used = number_in(group / used_name);
  if (!limit || !used || *limit > kNoLimit) return std::nullopt;
  const auto inactive = number_after(group / "memory.stat", inactive_name).value_or(0);
  return static_cast<double>(std::max<int64_t>(1, *limit - *used + inactive));
}

}  // namespace

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  std::string line;
  while (std::getline(info, line))
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return {};
}

std::optional<double> cgroup_processors(const SystemFolders& system) {
  std::optional<double> least;
  for (const char* controller : {"", "cpu"})
    for (const auto& group : groups_of(system, controller)) keep_least(quota_of(group), least);
  return least;
}

int64_t available_memory(const SystemFolders& system) {
  std::optional<double> least;
  if (const auto kilobytes = number_after(system.proc / "meminfo", "MemAvailable:"))
    least = 1024.0 * static_cast<double>(*kilobytes);
  for (const auto& group : groups_of(system, ""))
    keep_least(memory_left(group, "memory.max", "memory.current", "inactive_file"), least);
  for (const auto& group : groups_of(system, "memory"))
    keep_least(memory_left(group, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"), least);
  return static_cast<int64_t>(least.value_or(0));
}

}  // namespace auxbench
