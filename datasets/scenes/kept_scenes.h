// Scenes that the program paints for itself, once, where nobody has any: generate.h's, of Fashion-MNIST as published,
// in the user's cache folder.
//
// What they are follows from the recipe alone, so that plans know their digest before they are painted. That of another
// folder of scenes is taken from its files, as of any other data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "datasets/places.h"
#include "datasets/scenes/scene.h"

namespace auxbench {

struct ScenesRecipe {
  const SceneStyle* style = nullptr;  // of kSceneStyles
  int64_t train = 0, val = 0;         // pictures; the seed is 0
};

// Painted in a few seconds of one core (25 MB), and in a minute (440 MB).
inline constexpr ScenesRecipe kFewScenes = {.style = &kPlainStyle, .train = 2000, .val = 500};
inline constexpr ScenesRecipe kManyScenes = {.style = &kDetectionStyle, .train = 18'000, .val = 2000};

std::filesystem::path kept_scenes_folder(const ScenesRecipe& recipe);  // whether it is there or not
std::string scenes_digest(const ScenesRecipe& recipe);                 // SHA-256 over the recipe in words

// They are there, or Fashion-MNIST is, to paint them.
bool can_keep_scenes(const ScenesRecipe& recipe, const DataRoot& root);

// Paints them unless they are there; `tell` is told of it before. Throws as load_fashion_mnist and generate_scenes.
void keep_scenes(const ScenesRecipe& recipe, const DataRoot& root, int threads,
                 const std::function<void(const std::string&)>& tell);

// Throws UserError(data_missing) where the folder is not as it was painted: `manifest` is what identifies it now
// (coco_folder.h).
void check_kept_scenes(const ScenesRecipe& recipe, const std::string& manifest);

// Lets `make` fill a folder beside this one and then gives it this one's name, in one step: the folder is whole or not
// there, whoever else does the same at the same time and whenever a process is killed. Does nothing where it is there.
// What killed processes left beside it goes after a day. Throws UserError(usage) for a folder that cannot be made, and
// what `make` throws.
void make_folder_once(const std::filesystem::path& folder,
                      const std::function<void(const std::filesystem::path& unfinished)>& make);

}  // namespace auxbench
