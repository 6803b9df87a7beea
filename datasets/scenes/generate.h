// Trees of generated pictures (scene.h), laid out as COCO and as ImageNet are, from Fashion-MNIST's garments.
//
// Validation pictures show garments of the test images alone, training pictures those of the training images alone.
// Picture i draws all its chance from a stream of its own, so that the bytes of a tree depend on the numbers of images
// and on `seed`, never on `threads`.
//
// The folder must not exist, or be empty. Pictures are written without waiting for the disk; what makes a tree pass
// for whole comes last: COCO's annotations, atomically, and ImageNet's train/ and val/, moved out of `unfinished/`,
// where they are written. A generation that is killed or fails leaves a folder that is neither whole nor empty; it is
// to be removed.
//
// Throw UserError(usage): the folder is not empty or cannot be written (the file and the reason), too few images, no
// thread. Throw LogicFault for garments that are not grey, or of which one of the ten classes is missing.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "datasets/scenes/scene.h"
#include "datasets/sources/image_set.h"

namespace auxbench {

struct GarmentClass {
  std::string_view name;    // as Fashion-MNIST calls it
  std::string_view folder;  // in a tree like ImageNet's
};

// By label. The order of the folders' names is another one, and that is what numbers an ImageFolder's classes.
inline constexpr std::array<GarmentClass, 10> kGarmentClasses = {{{"T-shirt/top", "t-shirt-top"},
                                                                  {"Trouser", "trouser"},
                                                                  {"Pullover", "pullover"},
                                                                  {"Dress", "dress"},
                                                                  {"Coat", "coat"},
                                                                  {"Sandal", "sandal"},
                                                                  {"Shirt", "shirt"},
                                                                  {"Sneaker", "sneaker"},
                                                                  {"Bag", "bag"},
                                                                  {"Ankle boot", "ankle-boot"}}};

// The kinds of garments that look alike, and the one of each class.
inline constexpr std::array<std::string_view, 5> kGarmentKinds = {"top", "trouser", "dress", "shoe", "bag"};
inline constexpr std::array<size_t, 10> kKindOfClass = {0, 1, 0, 2, 0, 3, 0, 3, 4, 3};

// Raised where the same options give other bytes.
inline constexpr int kScenesVersion = 1;

struct GenerateOptions {
  int64_t images = 2000;   // of both splits
  int64_t validation = 0;  // of these; 0: a tenth
  int64_t seed = 0;
  int threads = 1;
  const SceneStyle* style = &kDetectionStyle;  // of scenes
};

// train2017/000000000001.jpg .. and val2017/.., numbered through both; annotations/instances_train2017.json and
// instances_val2017.json as COCO writes them, every segmentation as uncompressed run lengths, category_id = 1 + the label
// or, by style, the kind, and the seed told in "info". One picture in fifty shows no garment. At least 2 images, of which
// 1 is for validation and 1 for training.
void generate_scenes(const std::filesystem::path& folder, const ImageSet& train, const ImageSet& test,
                     const GenerateOptions& options);

// train/CLASS/CLASS_00000001.JPEG .. and val/.., numbered through both; the class is that of the dominant garment and
// goes round the ten. In kPhotographStyle. At least 20 images, of which 10 are for validation.
void generate_photographs(const std::filesystem::path& folder, const ImageSet& train, const ImageSet& test,
                          const GenerateOptions& options);

}  // namespace auxbench
