#include "runner/training/provenance.h"

#include <sys/utsname.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>

#include "runner/build_info.h"
#include "runner/training/device.h"

namespace auxbench {
namespace {

// First line of a command's output; empty when it fails.
std::string ask(const std::string& command) {
  const auto close = [](FILE* pipe) { pclose(pipe); };
  const std::unique_ptr<FILE, decltype(close)> pipe(popen((command + " 2>/dev/null").c_str(), "r"), close);
  std::array<char, 256> line{};
  if (!pipe || std::fgets(line.data(), line.size(), pipe.get()) == nullptr) return {};
  std::string text = line.data();
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

// The commit of the source tree the program was built from. A pack for another machine names it in AUXBENCH_COMMIT, which
// goes first: another checkout may lie there where ours was.
void find_commit(Provenance& made) {
  const std::string dirty = "-dirty";
  if (const char* packed = std::getenv("AUXBENCH_COMMIT"); packed != nullptr) {
    made.commit = packed;
    made.dirty = made.commit.ends_with(dirty);
    if (made.dirty) made.commit.resize(made.commit.size() - dirty.size());
    return;
  }
  const std::string git = std::string("git -C '") + kSourceRoot + "' ";
  made.commit = ask(git + "rev-parse HEAD");
  if (made.commit.empty()) made.commit = "unknown";
  made.dirty = !ask(git + "status --porcelain --untracked-files=no").empty();
}

}  // namespace

Provenance collect_provenance() {
  Provenance made;
  find_commit(made);
  made.version = kVersion;
  made.compiler = kCompiler;
  made.torch = torch_version();
  made.cpu = cpu_name();
  made.threads = threads_used();
  utsname system{};
  if (uname(&system) == 0) made.os = std::string(system.sysname) + " " + system.release + " " + system.machine;
  return made;
}

std::string utc_now() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

}  // namespace auxbench
