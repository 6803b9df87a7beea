// A cell's lease, a file that other machines write. Whatever it holds: it is a lease for as long as it changes, stale
// after the observer's patience, and taken away once.
#include "runner/jobs/lease.h"

#include <fstream>

#include "tests/fuzz/target.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;

namespace {

void write(const std::filesystem::path& folder, std::string_view text) {
  std::ofstream(folder / kLeaseFile, std::ios::binary).write(text.data(), static_cast<std::streamsize>(text.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const test::TempFolder kFolder;
  const auto text = fuzz::text_of(data, size);
  const auto& folder = kFolder.path();
  write(folder, text);
  double now = 0;
  LeaseWatch watch([&now] { return now; });
  const auto found = watch.look(folder);
  AUXBENCH_CHECK(found.state != LeaseWatch::State::none, "a lease that is there");
  AUXBENCH_CHECK(found.note.text == text, "the file as it is");
  AUXBENCH_CHECK(!holder_text(found.note).empty(), "a holder");
  now = kPatienceSeconds;
  AUXBENCH_CHECK(watch.look(folder).state == LeaseWatch::State::stale, "a lease that did not change to be stale");
  AUXBENCH_CHECK(take_away(folder, found.note), "a lease as it was judged to be taken away");
  AUXBENCH_CHECK(watch.look(folder).state == LeaseWatch::State::none, "no lease");
  AUXBENCH_CHECK(!take_away(folder, found.note), "nothing left to take away");
  return 0;
}
