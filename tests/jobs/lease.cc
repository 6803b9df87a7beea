#include "runner/jobs/lease.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fcntl.h>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/files/file.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;

// In place of the system's: a file system without links answers so.
static bool links_work = true;
extern "C" int link(const char* from, const char* to) {
  if (links_work) return static_cast<int>(syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0));
  errno = EPERM;
  return -1;
}

namespace {

// A child that takes the lease and lives until it is killed.
pid_t holder_of(const std::filesystem::path& folder) {
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  const auto child = fork();
  if (child == 0) {
    const auto lease = Lease::take(folder);
    static_cast<void>(write(ready[1], "x", 1));
    pause();
    _exit(0);
  }
  char byte = 0;
  REQUIRE(read(ready[0], &byte, 1) == 1);
  close(ready[0]), close(ready[1]);
  return child;
}

void change(const std::filesystem::path& folder, const char* key, const nlohmann::json& value) {
  auto json = nlohmann::json::parse(read_file(folder / kLeaseFile));
  json[key] = value;
  write_file_atomically(folder / kLeaseFile, json.dump() + "\n");
}

}  // namespace

TEST_CASE("one lease at a time, given back at its end, with links and without", "[jobs]") {
  for (const bool with_links : {true, false}) {
    links_work = with_links;
    const test::TempFolder folder;
    const auto cell = folder.path() / "cells" / "a";
    {
      const auto lease = Lease::take(cell);
      REQUIRE(lease);
      CHECK(lease->is_ours());
      CHECK_FALSE(Lease::take(cell));
      CHECK(read_lease(cell)->process == getpid());
      CHECK(std::distance(std::filesystem::directory_iterator(cell), {}) == 1);  // nothing lies about
    }
    CHECK_FALSE(read_lease(cell));
    CHECK(Lease::take(cell));
  }
  links_work = true;
}

TEST_CASE("of many that reach for one lease, one gets it", "[jobs]") {
  for (const bool with_links : {true, false}) {
    links_work = with_links;
    const test::TempFolder folder;
    std::atomic<int> got = 0;
    std::vector<std::unique_ptr<Lease>> leases(8);
    {
      std::vector<std::jthread> threads;
      for (auto& lease : leases)
        threads.emplace_back([&] {
          lease = Lease::take(folder.path() / "a");
          got += lease ? 1 : 0;
        });
    }
    CHECK(got == 1);
  }
  links_work = true;
}

TEST_CASE("the lease of a process that was killed is stale at once, and of several one takes it over", "[jobs]") {
  const test::TempFolder folder;
  const auto child = holder_of(folder.path());
  LeaseWatch watch;
  const auto held = watch.look(folder.path());
  CHECK(held.state == LeaseWatch::State::held);
  CHECK(holder_text(held.note).find("process " + std::to_string(child) + " of ") == 0);
  kill(child, SIGKILL);
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);  // dead, and still in the table of processes
  const auto zombie = watch.look(folder.path());
  CHECK(zombie.state == LeaseWatch::State::stale);
  waitpid(child, nullptr, 0);
  const auto gone = watch.look(folder.path());
  CHECK(gone.state == LeaseWatch::State::stale);
  CHECK(take_away(folder.path(), gone.note));
  CHECK_FALSE(take_away(folder.path(), gone.note));
  CHECK(watch.look(folder.path()).state == LeaseWatch::State::none);
}

TEST_CASE("a lease that somebody else has taken since it was judged stays his", "[jobs]") {
  const test::TempFolder folder;
  const auto first = Lease::take(folder.path());
  const auto judged = *read_lease(folder.path());
  first->beat();
  CHECK_FALSE(take_away(folder.path(), judged));
  CHECK(first->is_ours());
  CHECK(take_away(folder.path(), *read_lease(folder.path())));
  CHECK_FALSE(first->is_ours());
  const auto second = Lease::take(folder.path());
  REQUIRE(second);
  first->beat();  // into a file that has no name any more
  CHECK(second->is_ours());
}

TEST_CASE("a process number that is used again is another process", "[jobs]") {
  const test::TempFolder folder;
  const auto lease = Lease::take(folder.path());
  LeaseWatch watch;
  CHECK(watch.look(folder.path()).state == LeaseWatch::State::held);
  change(folder.path(), "started", "1");
  CHECK(watch.look(folder.path()).state == LeaseWatch::State::stale);
}

TEST_CASE("another machine's lease is stale when it has not beaten for the observer's own minute", "[jobs]") {
  const test::TempFolder folder;
  const auto lease = Lease::take(folder.path());
  change(folder.path(), "host", "elsewhere boot pid");
  change(folder.path(), "process", 4000000);  // not here, which says nothing
  double now = 1000;
  LeaseWatch watch([&] { return now; });
  CHECK(watch.look(folder.path()).state == LeaseWatch::State::held);
  // No clock but the observer's: the file's time may lie in the future, or in the past.
  const auto file_time = std::filesystem::file_time_type::clock::now();
  for (const auto hours : {1000, -1000}) {
    std::filesystem::last_write_time(folder.path() / kLeaseFile, file_time + std::chrono::hours(hours));
    CHECK(watch.look(folder.path()).state == LeaseWatch::State::held);
  }
  now += kPatienceSeconds - 1;
  CHECK(watch.look(folder.path()).state == LeaseWatch::State::held);
  change(folder.path(), "beats", "00000000000000000002");
  CHECK(watch.look(folder.path()).state == LeaseWatch::State::held);
  now += kPatienceSeconds - 1;
  CHECK(watch.look(folder.path()).state == LeaseWatch::State::held);
  now += 2;
  CHECK(watch.look(folder.path()).state == LeaseWatch::State::stale);
}

TEST_CASE("a copied folder's leases, which nobody beats, are stale after the same time", "[jobs]") {
  const test::TempFolder folder, copy;
  const auto lease = Lease::take(folder.path());
  std::filesystem::copy(folder.path() / kLeaseFile, copy.path() / kLeaseFile);
  double now = 0;
  LeaseWatch watch([&] { return now; });
  CHECK(watch.look(copy.path()).state == LeaseWatch::State::held);
  now += kPatienceSeconds;
  lease->beat();
  CHECK(watch.look(copy.path()).state == LeaseWatch::State::stale);
}

TEST_CASE("a file that is no lease is held until it has not changed for a minute", "[jobs]") {
  for (const char* text :
       {"", "{", "[1, 2]", "{\"host\": 3}", "{\"process\": -1}",
        R"({"host": "a", "process": 1e300, "started": "1", "token": "b", "beats": "00000000000000000001"})"}) {
    const test::TempFolder folder;
    write_file_atomically(folder.path() / kLeaseFile, text);
    double now = 0;
    LeaseWatch watch([&] { return now; });
    CHECK_FALSE(Lease::take(folder.path()));
    CHECK(watch.look(folder.path()).state == LeaseWatch::State::held);
    now += kPatienceSeconds;
    const auto look = watch.look(folder.path());
    CHECK(look.state == LeaseWatch::State::stale);
    CHECK(holder_text(look.note) == "an unknown process");
    CHECK(take_away(folder.path(), look.note));
    CHECK(Lease::take(folder.path()));
  }
}

TEST_CASE("beats from another thread are seen, and never in pieces", "[jobs]") {
  const test::TempFolder folder;
  const auto lease = Lease::take(folder.path());
  std::jthread heart([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) lease->beat();
  });
  const auto first = read_lease(folder.path())->beats;
  uint64_t last = first;
  for (int i = 0; i < 2000; ++i) {
    const auto note = read_lease(folder.path());
    REQUIRE(note);
    CHECK_FALSE(note->token.empty());
    CHECK(note->beats >= last);
    last = note->beats;
    CHECK(lease->is_ours());
  }
  CHECK(last > first);
}

TEST_CASE("a folder that cannot hold a lease is named", "[jobs]") {
  const test::TempFolder folder;
  std::ofstream(folder.path() / "file") << "x";
  CHECK_THROWS_AS(Lease::take(folder.path() / "file" / "cell"), UserError);
}
