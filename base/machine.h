// The machine under this process, and the share of it that control groups leave.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace auxbench {

// "AMD EPYC ..." from the system; empty where unknown.
std::string cpu_name();

// Where the limits are read from; tests name folders of their own.
struct SystemFolders {
  std::filesystem::path proc = "/proc";
  std::filesystem::path cgroup = "/sys/fs/cgroup";
};

// Processors' worth of time that control groups (version 2: cpu.max, version 1: cpu.cfs_quota_us) allow this process:
// quota / period of the tightest group it is in. None without a limit.
std::optional<double> cgroup_processors(const SystemFolders& system = {});

// Bytes that this process and its children can still take: the least of the system's MemAvailable and of what is left in
// each control group above it (memory.max or memory.limit_in_bytes, less what cannot be given back). 0: unknown.
int64_t available_memory(const SystemFolders& system = {});

}  // namespace auxbench
