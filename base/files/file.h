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

// Writes to a temporary neighbour, fsyncs it, renames it over `path`, fsyncs the folder.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

// Appends `line` and a newline with one write and fsyncs. If the file's last line was cut by a crash (no
// newline at its end) it is ended first, so that the new line stands alone.
void append_line(const std::filesystem::path& path, std::string_view line);

// Creates the folder and its parents.
void make_folder(const std::filesystem::path& path);

// An exclusive advisory lock on a file for as long as the object lives; the kernel drops it when the
// process dies, however it dies.
class FileLock {
 public:
  // Throws UserError naming the process that holds it.
  explicit FileLock(const std::filesystem::path& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace auxbench
