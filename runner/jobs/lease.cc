#include "runner/jobs/lease.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "base/error.h"
#include "base/files/file.h"

namespace auxbench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

[[noreturn]] void refuse(const fs::path& path, const std::string& what) {
  throw UserError(ExitCode::usage, path.string() + ": " + what + ": " + std::strerror(errno));
}

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string whole(std::istream& file) {
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string this_host() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  std::error_code ignored;
  return std::string(name) + " " + first_line("/proc/sys/kernel/random/boot_id") + " " +
         fs::read_symlink("/proc/self/ns/pid", ignored).string();
}

struct ProcessState {
  char state = 0;       // 'Z': dead, and its parent has not asked yet; 0: unknown
  std::string started;  // in ticks since the boot
};

// The process's name stands in brackets and may hold anything; what follows are plain words.
ProcessState state_of(const std::string& process) {
  const auto line = first_line(fs::path("/proc") / process / "stat");
  const auto end = line.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream words(line.substr(end + 1));
  ProcessState found;
  words >> found.state;
  constexpr int kWordsBetween = 18;  // the start is the 22nd field, the state the 3rd
  std::string word;
  for (int i = 0; i < kWordsBetween; ++i) words >> word;
  words >> found.started;
  return found;
}

bool is_gone(const LeaseNote& note) {
  if (note.process <= 0 || note.process > INT32_MAX || note.host != this_host()) return false;
  if (kill(static_cast<pid_t>(note.process), 0) != 0 && errno == ESRCH) return true;
  const auto found = state_of(std::to_string(note.process));
  if (found.state == 0) return false;
  return found.state == 'Z' || found.state == 'X' || found.started != note.started;
}

// Of one length for all beats: it is written over itself.
std::string text_of(const LeaseNote& note) {
  auto beats = std::to_string(note.beats);
  beats.insert(0, 20 - beats.size(), '0');
  const json out = {{"host", note.host},
                    {"process", note.process},
                    {"started", note.started},
                    {"token", note.token},
                    {"beats", beats}};
  return out.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

// What is no lease keeps its text alone: it is held for as long as that changes.
LeaseNote note_of(const std::string& text) {
  LeaseNote note = {.text = text};
  const auto found = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (found.is_discarded()) return note;
  try {
    // As a reference: the library's conversion would take 1e300 for a number of a process.
    LeaseNote whole = {.host = found.at("host"),
                       .process = found.at("process").get_ref<const json::number_integer_t&>(),
                       .started = found.at("started"),
                       .token = found.at("token"),
                       .text = text};
    whole.beats = std::stoull(found.at("beats").get<std::string>());
    return whole;
  } catch (const std::exception&) {
    return note;
  }
}

std::string new_token() {
  std::random_device random;
  char text[32];
  std::snprintf(text, sizeof text, "%08x%08x", random(), random());
  return text;
}

bool write_whole(int descriptor, const std::string& text) {
  return pwrite(descriptor, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

// A file of its own, complete, that no other process knows.
int write_aside(const fs::path& path, const std::string& text) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) refuse(path, "cannot be opened");
  if (write_whole(descriptor, text)) return descriptor;
  const int why = errno;
  close(descriptor);
  unlink(path.c_str());
  errno = why;
  refuse(path, "cannot be written");
}

// Where there are no links: a reader may see the file before its content, and takes it for a lease like any other.
int make_exclusively(const fs::path& file, const std::string& text) {
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0 && errno == EEXIST) return -1;
  if (descriptor < 0) {
    const std::string why = errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS
                                ? "this file system makes neither links nor files exclusively, so that two runs could "
                                  "not share it; choose another --out"
                                : "cannot be created";
    refuse(file, why);
  }
  if (!write_whole(descriptor, text)) {
    close(descriptor);
    unlink(file.c_str());
    refuse(file, "cannot be written");
  }
  return descriptor;
}

// The lease's descriptor, or -1 where there is one already.
int create(const fs::path& file, const LeaseNote& note) {
  auto aside = file;
  aside += ".tmp" + note.token;
  const auto text = text_of(note);
  const int descriptor = write_aside(aside, text);
  const bool linked = link(aside.c_str(), file.c_str()) == 0;
  const int why = errno;
  unlink(aside.c_str());
  if (linked) return descriptor;
  close(descriptor);
  return why == EEXIST ? -1 : make_exclusively(file, text);
}

}  // namespace

std::optional<LeaseNote> read_lease(const fs::path& cell_folder) {
  std::ifstream file(cell_folder / kLeaseFile, std::ios::binary);
  if (!file) return std::nullopt;
  return note_of(whole(file));
}

std::string holder_text(const LeaseNote& note) {
  if (note.token.empty()) return "an unknown process";
  return "process " + std::to_string(note.process) + " of " + note.host.substr(0, note.host.find(' '));
}

Lease::Lease(fs::path file, LeaseNote note, int descriptor)
    : file_(std::move(file)), note_(std::move(note)), descriptor_(descriptor) {}

std::unique_ptr<Lease> Lease::take(const fs::path& cell_folder) {
  make_folder(cell_folder);
  const auto self = std::to_string(getpid());
  LeaseNote note = {
      .host = this_host(), .process = getpid(), .started = state_of(self).started, .token = new_token(), .beats = 1};
  const int descriptor = create(cell_folder / kLeaseFile, note);
  if (descriptor < 0) return nullptr;
  return std::unique_ptr<Lease>(new Lease(cell_folder / kLeaseFile, std::move(note), descriptor));
}

Lease::~Lease() {
  if (is_ours()) unlink(file_.c_str());
  close(descriptor_);
}

void Lease::beat() {
  ++note_.beats;
  // On a network's file system others see it when it is synced. What fails here is told by the observers' patience.
  if (write_whole(descriptor_, text_of(note_))) fdatasync(descriptor_);
}

bool Lease::is_ours() const {
  const auto found = read_lease(file_.parent_path());
  return found && found->token == note_.token;
}

bool take_away(const fs::path& cell_folder, const LeaseNote& judged) {
  const auto file = cell_folder / kLeaseFile;
  auto aside = file;
  aside += ".tmp" + new_token();
  if (rename(file.c_str(), aside.c_str()) != 0) return false;
  std::ifstream moved(aside, std::ios::binary);
  const bool same = whole(moved) == judged.text;
  // Somebody else's, who came in between, goes back; where a third has come since, the two compute the same cell.
  if (!same) static_cast<void>(link(aside.c_str(), file.c_str()));
  unlink(aside.c_str());
  return same;
}

LeaseWatch::LeaseWatch(std::function<double()> now, double patience_seconds)
    : now_(std::move(now)), patience_(patience_seconds) {
  if (!now_)
    now_ = [] { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); };
}

LeaseWatch::Look LeaseWatch::look(const fs::path& cell_folder) {
  auto note = read_lease(cell_folder);
  if (!note) {
    seen_.erase(cell_folder);
    return {};
  }
  Look result = {.state = State::held, .note = std::move(*note)};
  if (is_gone(result.note)) result.state = State::stale;
  const auto [seen, first] = seen_.try_emplace(cell_folder, Seen{.text = result.note.text, .since = now_()});
  if (seen->second.text != result.note.text) seen->second = {.text = result.note.text, .since = now_()};
  if (now_() - seen->second.since >= patience_) result.state = State::stale;
  return result;
}

}  // namespace auxbench
