// Records of a results folder: the input as its records.jsonl, and as a cell's record.json. What was read is written and
// read back as the same; what cannot be read is refused, or left out and named.
#include <fstream>
#include <nlohmann/json.hpp>

#include "results/store.h"
#include "tests/fuzz/target.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;

namespace {

class Folder {
 public:
  explicit Folder(const std::string& file) : file_(folder_.path() / file) {
    std::filesystem::create_directories(file_.parent_path());
  }
  void read(std::string_view text) const {
    std::ofstream(file_, std::ios::binary).write(text.data(), static_cast<std::streamsize>(text.size()));
    fuzz::may_refuse(ExitCode::usage, [&] {
      const auto stored = read_records(folder_.path());
      for (const auto& [id, record] : stored.by_id) {
        AUXBENCH_CHECK(record.id == id, "a record by its id");
        const auto written = record_to_json(record);
        AUXBENCH_CHECK(record_to_json(record_from_json(written, "again")) == written, "the record that was written");
        AUXBENCH_CHECK(comparable_part(record).size() < written.size(), "what is compared");
      }
      AUXBENCH_CHECK(stored.foreign.size() <= stored.warnings.size(), "a warning for each that was left out");
    });
  }

 private:
  test::TempFolder folder_;
  std::filesystem::path file_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Folder kLines("records.jsonl"), kCell("cells/a/record.json");
  kLines.read(fuzz::text_of(data, size));
  kCell.read(fuzz::text_of(data, size));
  return 0;
}
