// Files that survive a kill: whole or not at all.
//
// Every failure throws UserError with the path and the system's reason; the exit code is the caller's
// `on_error` (reading data: data_missing; writing results: usage).
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace auxbench {

// The whole file as bytes.
std::string read_file(const std::filesystem::path& path, ExitCode on_error = ExitCode::data_missing);

// Writes to a temporary neighbour of a name of its own, fsyncs it, renames it over `path`, fsyncs the folder. A terminal,
// a pipe, /dev/null and what /dev/stdout leads to are written through, never replaced; a block device is refused.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

// Appends whole lines, each ended by a newline, with one write and fsyncs. If the file's last line was cut by a crash (no
// newline at its end) it is ended first, so that the new ones stand alone. Others may append at the same time: where the
// file system knows flock, no write falls between another's.
void append_lines(const std::filesystem::path& path, std::string_view lines);

// Creates the folder and its parents.
void make_folder(const std::filesystem::path& path);

// Deletes what write_file_atomically left in the folder when its process was killed. For who has the folder to himself.
void remove_unfinished(const std::filesystem::path& folder);

// Waits for the folder and holds it against others of its kind for as long as the object lives; the kernel lets go when
// the process dies. A help against wasted work, not a promise: where the file system has no flock it does nothing.
class ShortLock {
 public:
  explicit ShortLock(const std::filesystem::path& folder);
  ~ShortLock();
  ShortLock(const ShortLock&) = delete;
  ShortLock& operator=(const ShortLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace auxbench
