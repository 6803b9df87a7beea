#include "runner/jobs/worker_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <set>

#include "base/error.h"
#include "base/format.h"

extern "C" char** environ;

namespace auxbench {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw UserError(ExitCode::usage, "a worker process: " + what + ": " + std::strerror(errno));
}

// The environment, with what keeps OpenMP to one thread that does not spin in place of what it said about that.
std::vector<std::string> worker_environment() {
  const std::vector<std::string> own = {"OMP_NUM_THREADS=1", "MKL_NUM_THREADS=1", "OMP_DYNAMIC=FALSE",
                                        "OMP_WAIT_POLICY=passive", "GOMP_SPINCOUNT=0"};
  std::vector<std::string> all = own;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const auto name = text.substr(0, text.find('=') + 1);
    bool replaced = name == "OMP_THREAD_LIMIT=";
    for (const auto& one : own) replaced = replaced || one.starts_with(name);
    if (!replaced) all.push_back(text);
  }
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// In the child, between fork and exec: nothing here may allocate.
[[noreturn]] void become_worker(pid_t parent, const std::array<int, 3>& streams, char** arguments, char** variables) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);  // it died before it could be watched
  for (int i = 0; i < 3; ++i)
    if (dup2(streams.at(static_cast<size_t>(i)), i) < 0) _exit(127);
  execve("/proc/self/exe", arguments, variables);
  _exit(127);
}

}  // namespace

std::string WorkerEnd::text() const {
  const std::string memory =
      "; it had " + number_text(static_cast<double>(peak_bytes) / (1 << 30), 2) + " GiB of memory at its peak";
  if (signal == SIGKILL) return "was killed by signal 9 (out of memory, or by somebody)" + memory;
  if (signal != 0) return "died of signal " + std::to_string(signal) + " (" + strsignal(signal) + ")" + memory;
  return "left with exit code " + std::to_string(exit_code) + memory;
}

WorkerProcess::WorkerProcess(const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {"auxbench"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  auto variables = worker_environment();
  const auto argument_list = pointers_to(words), variable_list = pointers_to(variables);
  // A socket, since writing to one whose reader is gone can be kept from raising a signal.
  std::array<int, 2> input{}, output{}, errors{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, input.data()) != 0) refuse("cannot be spoken to");
  if (pipe2(output.data(), O_CLOEXEC) != 0 || pipe2(errors.data(), O_CLOEXEC) != 0) refuse("cannot be heard");
  const pid_t parent = getpid();
  process_ = fork();
  if (process_ == 0)
    become_worker(parent, {input[1], output[1], errors[1]}, const_cast<char**>(argument_list.data()),
                  const_cast<char**>(variable_list.data()));
  const int why = errno;
  for (const int other : {input[1], output[1], errors[1]}) close(other);
  input_ = input[0], output_.descriptor = output[0], errors_.descriptor = errors[0];
  errno = why;
  if (process_ < 0) refuse("cannot be made");
  for (const int own : {output[0], errors[0]}) fcntl(own, F_SETFL, O_NONBLOCK);
}

WorkerProcess::~WorkerProcess() {
  if (process_ > 0 && !end()) {
    signal(SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  for (const int descriptor : {input_, output_.descriptor, errors_.descriptor})
    if (descriptor >= 0) close(descriptor);
}

std::vector<std::string> WorkerProcess::lines_of(Stream& stream) {
  std::vector<std::string> lines;
  std::array<char, 1 << 16> buffer;
  while (stream.descriptor >= 0) {
    const auto got = read(stream.descriptor, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) break;
    if (got <= 0) {
      close(stream.descriptor);
      stream.descriptor = -1;
      if (!stream.rest.empty()) lines.push_back(std::move(stream.rest));
      stream.rest.clear();
      break;
    }
    stream.rest.append(buffer.data(), static_cast<size_t>(got));
    for (auto end = stream.rest.find('\n'); end != std::string::npos; end = stream.rest.find('\n')) {
      lines.push_back(stream.rest.substr(0, end));
      stream.rest.erase(0, end + 1);
    }
  }
  return lines;
}

void WorkerProcess::send(const std::string& line) {
  const std::string text = line + "\n";
  for (size_t sent = 0; sent < text.size();) {
    const auto count = ::send(input_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return;
    sent += static_cast<size_t>(count);
  }
}

void WorkerProcess::signal(int number) const {
  if (process_ > 0 && !end_) kill(process_, number);
}

void WorkerProcess::close_input() {
  if (input_ >= 0) close(input_);
  input_ = -1;
}

std::optional<WorkerEnd> WorkerProcess::end() {
  if (end_) return end_;
  int status = 0;
  rusage used{};
  if (wait4(process_, &status, WNOHANG, &used) != process_) return std::nullopt;
  end_ = WorkerEnd{.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                   .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                   .peak_bytes = int64_t{1024} * used.ru_maxrss};
  return end_;
}

}  // namespace auxbench
