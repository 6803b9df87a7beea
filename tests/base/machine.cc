#include "base/machine.h"

#include "base/files/file.h"
#include "base/parallel.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;

namespace {

// A made-up /proc and /sys/fs/cgroup.
class MadeUpSystem {
 public:
  explicit MadeUpSystem(const std::string& groups) { put("proc/self/cgroup", groups); }
  void put(const std::string& path, const std::string& text) const {
    make_folder((folder_.path() / path).parent_path());
    write_file_atomically(folder_.path() / path, text);
  }
  [[nodiscard]] SystemFolders folders() const { return {folder_.path() / "proc", folder_.path() / "cgroup"}; }

 private:
  test::TempFolder folder_;
};

}  // namespace

TEST_CASE("the tightest control group above a process says how many processors' time it has", "[base]") {
  const MadeUpSystem system("0::/a/b\n");
  CHECK_FALSE(cgroup_processors(system.folders()));
  system.put("cgroup/a/b/cpu.max", "max 100000\n");
  CHECK_FALSE(cgroup_processors(system.folders()));
  system.put("cgroup/a/cpu.max", "150000 100000\n");
  system.put("cgroup/cpu.max", "400000 100000\n");
  CHECK(cgroup_processors(system.folders()) == 1.5);
}

TEST_CASE("control groups of version 1 are read too, where a container sees its own as the root", "[base]") {
  const MadeUpSystem system("4:memory:/docker/x\n3:cpuacct,cpu:/docker/x\n0::/\n");
  system.put("cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  system.put("cgroup/cpu/cpu.cfs_period_us", "100000\n");
  CHECK_FALSE(cgroup_processors(system.folders()));
  system.put("cgroup/cpu/cpu.cfs_quota_us", "50000\n");
  CHECK(cgroup_processors(system.folders()) == 0.5);
  system.put("proc/meminfo", "MemTotal: 900 kB\nMemAvailable: 100 kB\n");
  system.put("cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  system.put("cgroup/memory/memory.usage_in_bytes", "1000\n");
  CHECK(available_memory(system.folders()) == 102'400);
  system.put("cgroup/memory/docker/x/memory.limit_in_bytes", "50000\n");
  system.put("cgroup/memory/docker/x/memory.usage_in_bytes", "40000\n");
  system.put("cgroup/memory/docker/x/memory.stat", "cache 7\ntotal_inactive_file 2000\n");
  CHECK(available_memory(system.folders()) == 12'000);
}

TEST_CASE("what memory is left is the least of the system's and the group's", "[base]") {
  const MadeUpSystem system("0::/job\n");
  CHECK(available_memory(system.folders()) == 0);
  system.put("proc/meminfo", "MemAvailable:     100 kB\n");
  CHECK(available_memory(system.folders()) == 102'400);
  system.put("cgroup/job/memory.max", "max\n");
  system.put("cgroup/job/memory.current", "5000\n");
  CHECK(available_memory(system.folders()) == 102'400);
  system.put("cgroup/job/memory.max", "6000\n");
  system.put("cgroup/job/memory.stat", "file 9\ninactive_file 500\n");
  CHECK(available_memory(system.folders()) == 1500);
  system.put("cgroup/job/memory.max", "4000\n");
  CHECK(available_memory(system.folders()) == 1);
}

TEST_CASE("there is always a thread to run", "[base]") { CHECK(available_threads() >= 1); }
