#include "datasets/scenes/generate.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/error.h"
#include "base/files/file.h"
#include "base/parallel.h"
#include "base/random.h"
#include "datasets/image/encode.h"
#include "datasets/scenes/scene.h"

namespace auxbench {
namespace {

using std::filesystem::path;

constexpr int kQuality = 90;
constexpr uint64_t kOneEmptyIn = 50;

[[noreturn]] void refuse(const std::string& message) { throw UserError(ExitCode::usage, message); }

// Neither split has fewer than `least`.
int64_t for_validation(const GenerateOptions& options, int64_t least) {
  if (options.validation == 0) return std::max(least, options.images / 10);
  if (options.validation < least || options.images - options.validation < least)
    refuse("validation: " + std::to_string(options.validation) + " of " + std::to_string(options.images) +
           " images, at least " + std::to_string(least) + " needed, and as many for training");
  return options.validation;
}

void check_options(const GenerateOptions& options, int64_t least_images) {
  if (options.images < least_images)
    refuse("images: " + std::to_string(options.images) + ", at least " + std::to_string(least_images) + " needed");
  if (options.threads < 1) refuse("threads: " + std::to_string(options.threads) + ", at least 1 needed");
}

void check_garments(const ImageSet& garments) {
  const std::set<int64_t> found(garments.labels.begin(), garments.labels.end());
  AUXBENCH_CHECK(garments.classes == std::ssize(kGarmentClasses) && found.size() == kGarmentClasses.size(),
                 "garments of all ten classes");
}

void claim_folder(const path& folder) {
  make_folder(folder);
  std::error_code error;
  const bool empty = std::filesystem::is_empty(folder, error);
  if (error) refuse(folder.string() + ": cannot be read: " + error.message());
  if (!empty) refuse(folder.string() + ": is not empty; name a new folder");
}

// Not atomic and not synced: a tree of pictures passes for whole by what is written after them.
void write_picture(const path& file, const Raster& picture) {
  const auto bytes = encode_jpeg(picture, kQuality);
  errno = 0;
  std::ofstream out(file, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) refuse(file.string() + ": cannot be written: " + std::strerror(errno));
}

std::string padded(int64_t number, size_t digits) {
  const auto text = std::to_string(number);
  return std::string(digits - std::min(digits, text.size()), '0') + text;
}

// What is kept of a picture for its annotations.
struct Entry {
  int64_t width = 0, height = 0;
  std::vector<SceneObject> objects;
};

std::string picture_name(int64_t id) { return padded(id, 12) + ".jpg"; }

Entry paint_entry(const path& file, const ImageSet& garments, SceneStyle style, RandomStream stream) {
  if (stream.below(kOneEmptyIn) == 0) {
    style.garments = {};
    style.crowd_chance = 0;
  }
  auto scene = paint_scene(garments, style, stream);
  write_picture(file, scene.picture);
  return {.width = scene.picture.width, .height = scene.picture.height, .objects = std::move(scene.objects)};
}

// Texts of JSON are put together by hand: there are hundreds of numbers for each object, and nothing needs escaping.
std::string member(std::string_view name, int64_t value) {
  return '"' + std::string(name) + "\": " + std::to_string(value);
}

std::string list(const std::vector<uint32_t>& numbers) {
  std::string text = "[";
  for (const uint32_t number : numbers) text += (text.size() > 1 ? ", " : "") + std::to_string(number);
  return text + ']';
}

std::string head_text(int64_t seed) {
  return R"("info": {"description": "Scenes painted from Fashion-MNIST by auxbench, seed )" + std::to_string(seed) +
         R"(", "url": "", "version": "1.0", "year": 2017, "contributor": "auxbench", "date_created": ""},)" + '\n' +
         R"("licenses": [{"url": "https://opensource.org/license/mit", "id": 1, "name": "MIT License"}],)" + '\n';
}

std::string image_text(int64_t id, const Entry& entry) {
  return R"({"license": 1, "file_name": ")" + picture_name(id) + "\", " + member("height", entry.height) + ", " +
         member("width", entry.width) + ", " + member("id", id) + '}';
}

// What a tree calls its objects.
struct Categories {
  explicit Categories(const SceneStyle& style) : kinds(style.kinds) {
    if (kinds)
      names.assign(kGarmentKinds.begin(), kGarmentKinds.end());
    else
      for (const auto& garment : kGarmentClasses) names.push_back(garment.name);
  }
  // Ids begin at 1.
  [[nodiscard]] int64_t id_of(int64_t label) const {
    return 1 + (kinds ? static_cast<int64_t>(kKindOfClass.at(static_cast<size_t>(label))) : label);
  }

  bool kinds;
  std::vector<std::string_view> names;
};

std::string annotation_text(int64_t id, int64_t image, const Entry& entry, const SceneObject& object,
                            const Categories& categories) {
  return R"({"segmentation": {"counts": )" + list(object.runs) + R"(, "size": [)" + std::to_string(entry.height) +
         ", " + std::to_string(entry.width) + "]}, " + member("area", object.area) + ", " +
         member("iscrowd", object.crowd ? 1 : 0) + ", " + member("image_id", image) + R"(, "bbox": [)" +
         std::to_string(object.x) + ", " + std::to_string(object.y) + ", " + std::to_string(object.width) + ", " +
         std::to_string(object.height) + "], " + member("category_id", categories.id_of(object.label)) + ", " +
         member("id", id) + '}';
}

std::string category_text(size_t index, std::string_view name) {
  return R"({"supercategory": "garment", )" + member("id", static_cast<int64_t>(index) + 1) + R"(, "name": ")" +
         std::string(name) + "\"}";
}

// Entries [first, last) of all; the entry at i is of image i + 1.
std::string instances_text(const std::vector<Entry>& entries, size_t first, size_t last, int64_t seed,
                           const Categories& categories) {
  const auto separate = [](std::string& text) { text += text.back() == '[' ? "\n" : ",\n"; };
  std::string text = "{" + head_text(seed) + "\"images\": [";
  for (size_t i = first; i < last; ++i) {
    separate(text);
    text += image_text(static_cast<int64_t>(i) + 1, entries[i]);
  }
  text += "],\n\"annotations\": [";
  int64_t id = 0;
  for (size_t i = first; i < last; ++i)
    for (const auto& object : entries[i].objects) {
      separate(text);
      text += annotation_text(++id, static_cast<int64_t>(i) + 1, entries[i], object, categories);
    }
  text += "],\n\"categories\": [";
  for (size_t i = 0; i < categories.names.size(); ++i) {
    separate(text);
    text += category_text(i, categories.names[i]);
  }
  return text + "]}\n";
}

void paint_photograph(const path& split, int64_t id, int64_t label, const ImageSet& garments, RandomStream stream) {
  SceneStyle style = kPhotographStyle;
  style.first_label = label;
  const auto scene = paint_scene(garments, style, stream);
  AUXBENCH_CHECK(!scene.objects.empty() && scene.objects.front().label == label, "a dominant garment");
  const std::string name(kGarmentClasses[static_cast<size_t>(label)].folder);
  write_picture(split / name / (name + '_' + padded(id, 8) + ".JPEG"), scene.picture);
}

void move_folder(const path& from, const path& to) {
  std::error_code error;
  std::filesystem::rename(from, to, error);
  if (error) refuse(to.string() + ": cannot be moved there: " + error.message());
}

}  // namespace

void generate_scenes(const std::filesystem::path& folder, const ImageSet& train, const ImageSet& test,
                     const GenerateOptions& options) {
  check_options(options, 2);
  const int64_t training = options.images - for_validation(options, 1);
  check_garments(train);
  check_garments(test);
  claim_folder(folder);
  for (const char* name : {"annotations", "train2017", "val2017"}) make_folder(folder / name);
  std::vector<Entry> entries(static_cast<size_t>(options.images));
  parallel_for(static_cast<size_t>(options.images), options.threads, [&](size_t picture) {
    const auto i = static_cast<int64_t>(picture);
    const RandomStream stream(stream_seed(options.seed, "scene", picture));
    const auto file = folder / (i < training ? "train2017" : "val2017") / picture_name(i + 1);
    entries[picture] = paint_entry(file, i < training ? train : test, *options.style, stream);
  });
  const auto border = static_cast<size_t>(training);
  const Categories categories(*options.style);
  write_file_atomically(folder / "annotations/instances_train2017.json",
                        instances_text(entries, 0, border, options.seed, categories));
  write_file_atomically(folder / "annotations/instances_val2017.json",
                        instances_text(entries, border, entries.size(), options.seed, categories));
}

void generate_photographs(const std::filesystem::path& folder, const ImageSet& train, const ImageSet& test,
                          const GenerateOptions& options) {
  constexpr auto kClasses = static_cast<int64_t>(kGarmentClasses.size());
  check_options(options, 2 * kClasses);
  const int64_t training = options.images - for_validation(options, kClasses);
  check_garments(train);
  check_garments(test);
  claim_folder(folder);
  const path unfinished = folder / "unfinished";
  for (const char* split : {"train", "val"})
    for (const auto& garment : kGarmentClasses) make_folder(unfinished / split / garment.folder);
  parallel_for(static_cast<size_t>(options.images), options.threads, [&](size_t picture) {
    const auto i = static_cast<int64_t>(picture);
    const RandomStream stream(stream_seed(options.seed, "photograph", picture));
    const bool trains = i < training;
    // Each split begins its own round, so that each is balanced.
    const int64_t label = (trains ? i : i - training) % kClasses;
    paint_photograph(unfinished / (trains ? "train" : "val"), i + 1, label, trains ? train : test, stream);
  });
  move_folder(unfinished / "val", folder / "val");
  move_folder(unfinished / "train", folder / "train");
  std::error_code stays;  // an empty folder beside a whole tree harms nobody
  std::filesystem::remove(unfinished, stays);
}

}  // namespace auxbench
