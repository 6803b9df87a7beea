// A cell's lease: whoever holds it computes the cell. A file cells/ID/lease, made exclusively and with its content at
// once, so that of all processes on all machines that share the folder one gets it:
//
//   host      name of the machine, its boot, its space of process numbers
//   process   number and start time: a number that is used again has another
//   token     of this lease alone
//   beats     raised every kBeatSeconds by the holder
//
// A lease is stale when its process is gone, which only the same host can tell, or when it did not change for
// kPatienceSeconds of the observer's own steady clock. No clock of another machine is read and no time of a file.
//
// Should two ever hold one cell's (a machine that slept), both do the same deterministic work, each file is replaced
// whole, and the one whose token is no longer there keeps its record to itself.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace auxbench {

inline constexpr const char* kLeaseFile = "lease";
inline constexpr double kBeatSeconds = 5;
inline constexpr double kPatienceSeconds = 60;

struct LeaseNote {
  std::string host;
  int64_t process = 0;
  std::string started;
  std::string token;
  uint64_t beats = 0;
  std::string text;  // the file as it was; a file that is no lease has only this
};

// None where there is no lease.
std::optional<LeaseNote> read_lease(const std::filesystem::path& cell_folder);

// "process 123 of HOST"
std::string holder_text(const LeaseNote& note);

class Lease {
 public:
  // Makes the cell's folder when needed. Null where there is a lease already. Throws UserError where the folder cannot be
  // written or its file system cannot make a file exclusively.
  static std::unique_ptr<Lease> take(const std::filesystem::path& cell_folder);
  // Gives it back, if it is still ours.
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  // The holder is alive. Any thread; needs no new space on the disk.
  void beat();
  // The file still holds our token.
  [[nodiscard]] bool is_ours() const;

 private:
  Lease(std::filesystem::path file, LeaseNote note, int descriptor);

  std::filesystem::path file_;
  LeaseNote note_;
  int descriptor_;
};

// Deletes the lease if it is still as it was judged; false: it is not, and stays. Of several that try, one succeeds.
bool take_away(const std::filesystem::path& cell_folder, const LeaseNote& judged);

// Tells stale leases from held ones, by looking again and again.
class LeaseWatch {
 public:
  enum class State { none, held, stale };
  struct Look {
    State state = State::none;
    LeaseNote note;  // unless none
  };
  // Seconds of a steady clock; by default this machine's.
  explicit LeaseWatch(std::function<double()> now = {}, double patience_seconds = kPatienceSeconds);
  Look look(const std::filesystem::path& cell_folder);

 private:
  struct Seen {
    std::string text;
    double since = 0;
  };
  std::function<double()> now_;
  double patience_;
  std::map<std::filesystem::path, Seen> seen_;
};

}  // namespace auxbench
