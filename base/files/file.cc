#include "base/files/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <random>

namespace auxbench {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& what, ExitCode code = ExitCode::usage) {
  throw UserError(code, path.string() + ": " + what + ": " + std::strerror(errno));
}

class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags)
      : path_(path), number_(open(path.c_str(), flags | O_CLOEXEC, 0666)) {
    if (number_ < 0) refuse(path, "cannot be opened");
  }
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  void write_all(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto written = write(number_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) refuse(path_, "cannot be written");
      bytes.remove_prefix(static_cast<size_t>(written));
    }
  }
  void sync() const {
    // Some file systems cannot sync a folder (EINVAL): nothing more can be done there.
    if (fsync(number_) != 0 && errno != EINVAL) refuse(path_, "cannot be synced to disk");
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  const std::filesystem::path& path_;
  int number_;
};

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

// Links in these folders lead to open files of a process: to replace such a link would be to lose the way to them.
bool leads_to_open_file(const std::filesystem::path& path) {
  struct stat own {};
  if (lstat(path.c_str(), &own) != 0 || !S_ISLNK(own.st_mode)) return false;
  std::error_code unknown;
  const auto folder = std::filesystem::canonical(folder_of(path), unknown).string() + "/";
  return !unknown && (folder == "/dev/" || folder.starts_with("/proc/"));
}

// True for a file and for what is not there yet. What else there is (a terminal, /dev/null, a pipe, what /dev/stdout or
// /dev/fd/N leads to) must not give way to a file, and is written through; a block device is refused.
bool is_replaceable(const std::filesystem::path& path) {
  struct stat there {};
  if (stat(path.c_str(), &there) != 0) return true;
  if (S_ISBLK(there.st_mode)) throw UserError(ExitCode::usage, path.string() + ": is a disk, and is not written to");
  const bool file = S_ISREG(there.st_mode) || S_ISDIR(there.st_mode);  // that it is a folder the renaming says
  return file && !leads_to_open_file(path);
}

constexpr const char* kTemporary = ".tmp";

// Processes of two machines may have one number: the folder may be shared.
const std::string& process_mark() {
  static const std::string kMark = std::to_string(std::random_device()());
  return kMark;
}

bool ends_without_newline(const Descriptor& file) {
  char last = '\n';
  const auto size = lseek(file.number(), 0, SEEK_END);
  return size > 0 && pread(file.number(), &last, 1, size - 1) == 1 && last != '\n';
}

}  // namespace

std::string read_file(const std::filesystem::path& path, ExitCode on_error) {
  errno = 0;
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) refuse(path, "cannot be read", on_error);
  const std::unique_ptr<const int, void (*)(const int*)> closing(&file, [](const int* number) { close(*number); });
  struct stat known {};
  // What has no size of its own (a pipe, /proc) is read to its end all the same. One byte more than there is shows the
  // end without a larger string, into which everything would be copied.
  const auto expected = fstat(file, &known) == 0 && known.st_size > 0 ? static_cast<size_t>(known.st_size) : 0;
  std::string bytes(expected == 0 ? 0 : expected + 1, '\0');
  constexpr size_t kStep = size_t{1} << 16;
  for (size_t filled = 0;;) {
    if (filled == bytes.size()) bytes.resize(filled + (filled == 0 ? kStep : 1));
    const auto got = read(file, bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse(path, "cannot be read", on_error);
    filled += static_cast<size_t>(got);
    if (got == 0) {
      bytes.resize(filled);
      return bytes;
    }
    if (filled == bytes.size() && known.st_size == 0) bytes.resize(2 * filled);
  }
}

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  if (!is_replaceable(path)) {
    Descriptor(path, O_WRONLY).write_all(bytes);
    return;
  }
  auto temporary = path;
  temporary += kTemporary + std::to_string(getpid()) + "-" + process_mark();
  try {
    const Descriptor file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    file.write_all(bytes);
    file.sync();
    if (rename(temporary.c_str(), path.c_str()) != 0) refuse(path, "cannot be replaced");
  } catch (...) {
    unlink(temporary.c_str());
    throw;
  }
  const auto folder = folder_of(path);
  Descriptor(folder, O_RDONLY | O_DIRECTORY).sync();
}

void append_lines(const std::filesystem::path& path, std::string_view lines) {
  const Descriptor file(path, O_RDWR | O_CREAT | O_APPEND);
  flock(file.number(), LOCK_EX);  // until it is closed; who cannot have it goes on without
  std::string text = ends_without_newline(file) ? "\n" : "";
  text.append(lines);
  file.write_all(text);
  file.sync();
}

void make_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw UserError(ExitCode::usage, path.string() + ": cannot be created: " + error.message());
}

void remove_unfinished(const std::filesystem::path& folder) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
    if (entry.path().filename().string().find(kTemporary) != std::string::npos)
      std::filesystem::remove(entry.path(), ignored);
}

ShortLock::ShortLock(const std::filesystem::path& folder)
    : descriptor_(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ >= 0) flock(descriptor_, LOCK_EX);
}

ShortLock::~ShortLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace auxbench
