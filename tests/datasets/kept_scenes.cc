// Scenes that the program paints for itself: once, whole, and known before they are painted.
#include "datasets/scenes/kept_scenes.h"

#include <atomic>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/files/file.h"
#include "datasets/checks/inventory.h"
#include "datasets/dataset.h"
#include "datasets/sources/coco_folder.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"
#include "tests/support/variable.h"

using namespace auxbench;
using Path = std::filesystem::path;

namespace {

constexpr ScenesRecipe kTiny = {.style = &kPlainStyle, .train = 6, .val = 3};

size_t entries_of(const Path& folder) {
  return static_cast<size_t>(
      std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

}  // namespace

TEST_CASE("a folder is made once, whoever asks at the same time, and is whole from the first moment", "[datasets]") {
  const test::TempFolder place;
  const auto folder = place.path() / "deep" / "folder";
  std::atomic<int> made = 0, seen = 0;
  const auto make = [&](const Path& unfinished) {
    ++made;
    make_folder(unfinished);
    write_file_atomically(unfinished / "first", "1");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    CHECK_FALSE(std::filesystem::exists(folder));
    write_file_atomically(unfinished / "second", "2");
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        make_folder_once(folder, make);
        seen += std::filesystem::exists(folder / "second") ? 1 : 0;
      });
  }
  CHECK(made == 1);
  CHECK(seen == 4);
  CHECK(entries_of(folder.parent_path()) == 1);
}

TEST_CASE("a folder that could not be made leaves nothing, and what the killed left goes after a day", "[datasets]") {
  const test::TempFolder place;
  const auto folder = place.path() / "folder";
  const auto fails = [](const Path& unfinished) {
    make_folder(unfinished);
    write_file_atomically(unfinished / "first", "1");
    throw UserError(ExitCode::usage, "the disk is full");
  };
  CHECK_THROWS_WITH(make_folder_once(folder, fails), "the disk is full");
  CHECK(entries_of(place.path()) == 0);

  const auto old = place.path() / "folder.unfinished-1", young = place.path() / "folder.unfinished-2",
             other = place.path() / "another.unfinished-1";
  for (const auto& left : {old, young, other}) make_folder(left / "train2017");
  const auto long_ago = std::filesystem::file_time_type::clock::now() - std::chrono::hours(25);
  for (const auto& left : {old, other}) std::filesystem::last_write_time(left, long_ago);
  make_folder_once(folder, [](const Path& unfinished) { make_folder(unfinished); });
  CHECK_FALSE(std::filesystem::exists(old));
  CHECK(std::filesystem::exists(young));
  CHECK(std::filesystem::exists(other));
  CHECK(std::filesystem::is_directory(folder));
  CHECK_THROWS_AS(make_folder_once("/proc/nowhere/folder", fails), UserError);
}

TEST_CASE("scenes are painted into the cache where they are asked for, and what was changed is refused", "[datasets]") {
  if (!find_dataset("fashion-mnist", {})) {
    WARN("dataset-fashion-mnist is not installed: nothing was checked");
    return;
  }
  const test::TempFolder cache;
  const test::Variable own("XDG_CACHE_HOME", cache.path().string());
  std::vector<std::string> told;
  const auto tell = [&told](const std::string& what) { told.push_back(what); };
  const auto folder = kept_scenes_folder(kTiny);
  CHECK(can_keep_scenes(kTiny, {}));
  for (int i = 0; i < 2; ++i) keep_scenes(kTiny, {}, 2, tell);
  CHECK(told == std::vector{"painting 9 scenes in " + folder.string() + ", once"});
  const auto coco = read_coco_folder(folder);
  CHECK((coco.train.truth.images.size() == 6 && coco.val.truth.images.size() == 3));
  check_kept_scenes(kTiny, coco.manifest);
  CHECK_THROWS_WITH(check_kept_scenes(kTiny, "another"), contains_text(folder.string() + ": is not as it was painted"));
}

TEST_CASE("what scenes will be is known before they are painted", "[datasets]") {
  const test::TempFolder cache;
  const test::Variable own("XDG_CACHE_HOME", cache.path().string()), data("XDG_DATA_HOME", cache.path().string());
  if (!find_dataset("fashion-mnist", {}) || find_dataset("scenes", {})) {
    WARN("dataset-fashion-mnist is not installed, or scenes are: nothing was checked");
    return;
  }
  const DatasetManifest few = {.digest = scenes_digest(kFewScenes), .train = 2000, .test = 500, .missing = {}};
  CHECK(dataset_available("scenes"));
  CHECK(dataset_manifest("scenes") == few);
  CHECK(dataset_manifest("scenes-20k").digest == scenes_digest(kManyScenes));
  CHECK(scenes_digest(kManyScenes) != few.digest);
  auto full = kFewScenes;
  full.style = &kDetectionStyle;
  CHECK(scenes_digest(full) != few.digest);
  CHECK_FALSE(std::filesystem::exists(kept_scenes_folder(kFewScenes)));
  CHECK_THROWS_WITH(take_inventory("scenes", {}, 1), contains_text("painted when a suite first asks for them"));
}
