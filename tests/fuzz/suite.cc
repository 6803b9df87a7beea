// Suites through the loader, in each tier. `extends` stays inside a folder that holds the input and the shared tiers:
// other files of the machine are not the fuzzer's to read.
#include "runner/plan/suite.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/files/file.h"
#include "tests/fuzz/target.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;

namespace {

// For speed: what a suite may list, and how much of that is looked at.
constexpr size_t kMostCells = 1000, kTiers = 4, kCells = 64;

class Folder {
 public:
  Folder() {
    make_folder(folder_.path() / "shared");
    const std::filesystem::path tiers = "shared/tiers.json";
    std::filesystem::copy_file(AUXBENCH_SOURCE_ROOT / ("suites" / tiers), folder_.path() / tiers);
  }
  [[nodiscard]] std::filesystem::path write(std::string_view text) const {
    auto path = folder_.path() / "suite.json";
    std::ofstream(path, std::ios::binary).write(text.data(), static_cast<std::streamsize>(text.size()));
    return path;
  }

 private:
  test::TempFolder folder_;
};

bool stays_inside(const std::filesystem::path& path) {
  return path.is_relative() && std::find(path.begin(), path.end(), "..") == path.end();
}

// Whether the loader would open no file but those of the folder. It reads less than the library does, never more.
bool extends_inside(std::string_view text) {
  const auto suite = nlohmann::json::parse(text, nullptr, false);
  if (!suite.is_object() || !suite.contains("extends")) return true;
  const auto& extends = suite.at("extends");
  const auto inside = [](const nlohmann::json& path) {
    return !path.is_string() || stays_inside(path.get<std::string>());
  };
  return extends.is_array() ? std::all_of(extends.begin(), extends.end(), inside) : inside(extends);
}

void check_cells(const SuiteSpec& suite) {
  for (size_t i = 0; i < std::min(suite.cells.size(), kCells); ++i) {
    const auto& cell = suite.cells[i].spec;
    AUXBENCH_CHECK(cell_from_json(cell_to_json(cell)) == cell, "the cell that was written: " + cell_slug(cell));
    AUXBENCH_CHECK(!cell_id(cell, {}).empty(), "an id");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Folder kFolder;
  const auto text = fuzz::text_of(data, size);
  if (!extends_inside(text)) return -1;  // not for the corpus
  const auto path = kFolder.write(text);
  std::optional<Suite> suite;
  fuzz::may_refuse(ExitCode::invalid_suite, [&] { suite.emplace(path); });
  if (!suite) return 0;
  const auto tiers = suite->tiers();
  for (size_t i = 0; i < std::min(tiers.size(), kTiers); ++i)
    fuzz::may_refuse(ExitCode::invalid_suite,
                     [&] { check_cells(suite->resolve({.tier = tiers[i], .most_cells = kMostCells})); });
  return 0;
}
