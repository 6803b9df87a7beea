#include "datasets/scenes/kept_scenes.h"

#include <unistd.h>

#include <chrono>
#include <system_error>

#include "base/error.h"
#include "base/files/file.h"
#include "base/files/sha256.h"
#include "base/format.h"
#include "datasets/dataset.h"
#include "datasets/scenes/generate.h"
#include "datasets/sources/coco_folder.h"
#include "datasets/sources/fashion_mnist.h"

namespace auxbench {
namespace {

using Path = std::filesystem::path;

constexpr const char* kManifestFile = "manifest.txt";
constexpr const char* kUnfinished = ".unfinished-";

bool is_there(const Path& folder) {
  std::error_code ignored;
  return std::filesystem::is_directory(folder, ignored);
}

bool is_old(const Path& folder) {
  std::error_code error;
  const auto changed = std::filesystem::last_write_time(folder, error);
  return !error && std::filesystem::file_time_type::clock::now() - changed > std::chrono::hours(24);
}

void remove_left_behind(const Path& folder) {
  const auto begin = folder.filename().string() + kUnfinished;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder.parent_path(), error)) {
    std::error_code stays;  // disk space that is lost hinders nobody
    if (entry.path().filename().string().starts_with(begin) && is_old(entry.path()))
      std::filesystem::remove_all(entry.path(), stays);
  }
}

std::string in_words(const ScenesRecipe& recipe) {
  return "auxbench scenes " + std::to_string(kScenesVersion) + ": " + std::to_string(recipe.train) + " + " +
         std::to_string(recipe.val) + " pictures, style " + std::string(recipe.style->name) +
         ", seed 0, of Fashion-MNIST as published";
}

}  // namespace

Path kept_scenes_folder(const ScenesRecipe& recipe) {
  return cache_folder() / "scenes" /
         (std::string(recipe.style->name) + "-v" + std::to_string(kScenesVersion) + "-" + std::to_string(recipe.train) +
          "-" + std::to_string(recipe.val));
}

std::string scenes_digest(const ScenesRecipe& recipe) { return sha256_hex(in_words(recipe)); }

bool can_keep_scenes(const ScenesRecipe& recipe, const DataRoot& root) {
  return is_there(kept_scenes_folder(recipe)) || find_dataset("fashion-mnist", root).has_value();
}

void keep_scenes(const ScenesRecipe& recipe, const DataRoot& root, int threads,
                 const std::function<void(const std::string&)>& tell) {
  const auto folder = kept_scenes_folder(recipe);
  make_folder_once(folder, [&](const Path& unfinished) {
    const auto garments = load_fashion_mnist(root);
    const auto images = recipe.train + recipe.val;
    if (tell) tell("painting " + with_commas(images) + " scenes in " + folder.string() + ", once");
    generate_scenes(unfinished, garments.train, garments.test,
                    {.images = images, .validation = recipe.val, .seed = 0, .threads = threads, .style = recipe.style});
    write_file_atomically(unfinished / kManifestFile, read_coco_folder(unfinished).manifest + "\n");
  });
}

void check_kept_scenes(const ScenesRecipe& recipe, const std::string& manifest) {
  const auto folder = kept_scenes_folder(recipe);
  if (read_file(folder / kManifestFile) != manifest + "\n")
    refuse_data(folder.string(), "is not as it was painted; remove the folder, and it is painted again");
}

void make_folder_once(const Path& folder, const std::function<void(const Path& unfinished)>& make) {
  if (is_there(folder)) return;
  make_folder(folder.parent_path());
  const ShortLock lock(folder.parent_path());
  if (is_there(folder)) return;  // another process was first
  remove_left_behind(folder);
  Path unfinished = folder;
  unfinished += kUnfinished + std::to_string(getpid());
  std::error_code error;
  std::filesystem::remove_all(unfinished, error);  // of a killed process that had this one's number
  try {
    make(unfinished);
    std::filesystem::rename(unfinished, folder, error);
    if (error && !is_there(folder))
      throw UserError(ExitCode::usage, folder.string() + ": cannot be moved there: " + error.message());
    if (!error) return;
  } catch (...) {
    std::filesystem::remove_all(unfinished, error);
    throw;
  }
  std::filesystem::remove_all(unfinished, error);  // without locks another process may be first after all
}

}  // namespace auxbench
