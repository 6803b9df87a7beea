#include "datasets/box_samples.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/files/file.h"
#include "base/files/json_depth.h"
#include "base/files/safetensors.h"
#include "datasets/image/decode.h"
#include "datasets/image/encode_png.h"
#include "datasets/image/resize.h"
#include "metrics/coco_eval.h"

namespace auxbench {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are copied as they lie in memory");

constexpr size_t kNumbers = 6;  // of a box
constexpr size_t kMostBoxes = 10'000, kMostCategories = 10'000;
constexpr const char* kCategories = "categories";

Raster shrunk(Raster picture) {
  const int64_t longest = std::max(picture.width, picture.height);
  if (longest <= kSampleSide) return picture;
  const auto side = [&](int64_t length) { return std::max<int64_t>(1, length * kSampleSide / longest); };
  return resize(picture, side(picture.width), side(picture.height));
}

// From the file's pixels to the picture's.
struct Scale {
  float x = 1, y = 1;

  [[nodiscard]] SampleBox operator()(SampleBox box) const {
    box.x0 *= x;
    box.x1 *= x;
    box.y0 *= y;
    box.y1 *= y;
    return box;
  }
};

std::vector<SampleBox> true_boxes(const ImageSource& images, int64_t image, const Scale& scale) {
  std::unordered_map<int64_t, size_t> labels;
  for (int64_t label = 0; label < images.classes(); ++label)
    labels.emplace(images.category(label), static_cast<size_t>(label));
  std::vector<SampleBox> boxes;
  for (const auto& each : images.truth()->annotations) {
    const auto label = labels.find(each.category);
    if (each.image != image || each.crowd || label == labels.end()) continue;
    const auto& box = each.box;
    boxes.push_back(scale({.label = label->second,
                           .score = 1,
                           .x0 = static_cast<float>(box.x),
                           .y0 = static_cast<float>(box.y),
                           .x1 = static_cast<float>(box.x + box.w),
                           .y1 = static_cast<float>(box.y + box.h)}));
  }
  return boxes;
}

std::vector<SampleBox> found_boxes(std::span<const float> rows, const Scale& scale) {
  std::vector<SampleBox> boxes;
  for (size_t i = 0; i + kNumbers <= rows.size(); i += kNumbers)
    if (rows[i + 1] >= 0)
      boxes.push_back(scale({.label = static_cast<size_t>(rows[i]),
                             .score = rows[i + 1],
                             .x0 = rows[i + 2],
                             .y0 = rows[i + 3],
                             .x1 = rows[i + 4],
                             .y1 = rows[i + 5]}));
  return boxes;
}

std::vector<std::string> categories_of(const ImageSource& images) {
  std::map<int64_t, std::string> names;
  for (const auto& category : images.truth()->categories) names[category.id] = category.name;
  std::vector<std::string> by_label;
  for (int64_t label = 0; label < images.classes(); ++label) by_label.push_back(names[images.category(label)]);
  return by_label;
}

SafeTensor tensor_of(const std::vector<SampleBox>& boxes) {
  std::vector<float> numbers;
  for (const auto& box : boxes)
    for (const float number : {static_cast<float>(box.label), box.score, box.x0, box.y0, box.x1, box.y1})
      numbers.push_back(number);
  SafeTensor tensor = {.dtype = "F32", .shape = {std::ssize(boxes), kNumbers}};
  tensor.bytes.assign(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float));
  return tensor;
}

// Trusts nothing that the file says.
class Reader {
 public:
  Reader(const SafeTensors& file, const std::string& place) : file_(file), place_(place) {}

  [[nodiscard]] BoxSamples read() {
    BoxSamples samples;
    categories_ = read_categories();
    samples.categories = categories_;
    std::set<int64_t> seen;
    for (const auto id : read_ids()) {
      if (!seen.insert(id).second) refuse("ids: the same twice");
      const auto number = std::to_string(samples.images.size());
      BoxSample image;
      image.id = id;
      image.picture = decode_image(tensor("picture." + number, "U8", 1).bytes, place_ + ": picture." + number,
                                   kSampleSide * kSampleSide);
      image.truth = read_boxes("truth." + number);
      image.found = read_boxes("found." + number);
      samples.images.push_back(std::move(image));
    }
    return samples;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const { refuse_data(place_, what); }

  [[nodiscard]] const SafeTensor& tensor(const std::string& name, const char* dtype, size_t dimensions) const {
    const auto found = file_.tensors.find(name);
    if (found == file_.tensors.end()) refuse("no samples of boxes: has no " + name);
    if (found->second.dtype != dtype || found->second.shape.size() != dimensions)
      refuse(name + ": is no " + dtype + " of " + std::to_string(dimensions) + " dimensions");
    return found->second;
  }

  [[nodiscard]] std::vector<int64_t> read_ids() const {
    auto ids = elements_of<int64_t>(tensor("ids", "I64", 1));
    if (ids.empty() || std::ssize(ids) > kMostSamples)
      refuse("ids: expected 1 to " + std::to_string(kMostSamples) + " images");
    return ids;
  }

  [[nodiscard]] std::vector<std::string> read_categories() const {
    const auto text = file_.metadata.find(kCategories);
    if (text == file_.metadata.end()) refuse("no samples of boxes: has no categories");
    if (nested_deeper_than(text->second, 1)) refuse("categories: no array of names");
    const auto json = nlohmann::json::parse(text->second, nullptr, /*allow_exceptions=*/false);
    if (!json.is_array() || json.empty() || json.size() > kMostCategories) refuse("categories: no array of names");
    std::vector<std::string> names;
    for (const auto& name : json) {
      if (!name.is_string()) refuse("categories: no array of names");
      names.push_back(name.get<std::string>());
    }
    return names;
  }

  [[nodiscard]] std::vector<SampleBox> read_boxes(const std::string& name) const {
    const auto& rows = tensor(name, "F32", 2);
    const auto numbers = elements_of<float>(rows);
    if (rows.shape[1] != kNumbers || numbers.size() > kMostBoxes * kNumbers) refuse(name + ": no rows of boxes");
    std::vector<SampleBox> boxes;
    for (size_t i = 0; i < numbers.size(); i += kNumbers) {
      const auto row = std::span(numbers).subspan(i, kNumbers);
      const bool numbers_all = std::all_of(row.begin(), row.end(), [](float number) { return std::isfinite(number); });
      if (!numbers_all || row[0] < 0 || row[0] >= static_cast<float>(categories_.size()) || row[1] < 0 || row[1] > 1)
        refuse(name + ": row " + std::to_string(i / kNumbers) + " is no box");
      const auto box = found_boxes(row, {});
      boxes.insert(boxes.end(), box.begin(), box.end());
    }
    return boxes;
  }

  const SafeTensors& file_;
  const std::string& place_;
  std::vector<std::string> categories_;
};

}  // namespace

std::vector<size_t> sample_places(int64_t images) {
  const int64_t count = std::min(kMostSamples, images);
  std::vector<size_t> places;
  for (int64_t i = 0; i < count; ++i) places.push_back(static_cast<size_t>(i * images / count));
  return places;
}

BoxSamples take_box_samples(const ImageSource& images, std::span<const float> found, size_t rows) {
  AUXBENCH_CHECK(images.boxed() && images.truth() != nullptr && images.count() > 0, "images with boxes");
  AUXBENCH_CHECK(found.size() == static_cast<size_t>(images.count()) * rows * kNumbers, "rows of each image");
  BoxSamples samples = {.categories = categories_of(images), .images = {}};
  for (const auto place : sample_places(images.count())) {
    const auto& about = images.truth()->images.at(place);
    BoxSample sample;
    sample.id = about.id;
    sample.picture = shrunk(images.picture(place));
    RandomStream no_chance(0);
    const auto seen = images.look(place, {}, no_chance);
    const Scale scale = {.x = static_cast<float>(sample.picture.width) / static_cast<float>(seen.full_width),
                         .y = static_cast<float>(sample.picture.height) / static_cast<float>(seen.full_height)};
    sample.truth = true_boxes(images, about.id, scale);
    sample.found = found_boxes(found.subspan(place * rows * kNumbers, rows * kNumbers), scale);
    samples.images.push_back(std::move(sample));
  }
  return samples;
}

std::string dump_box_samples(const BoxSamples& samples) {
  SafeTensors file;
  std::vector<int64_t> ids;
  for (size_t i = 0; i < samples.images.size(); ++i) {
    const auto& image = samples.images[i];
    const auto number = std::to_string(i);
    auto png = encode_png(image.picture);
    const auto size = std::ssize(png);
    file.tensors["picture." + number] = {.dtype = "U8", .shape = {size}, .bytes = std::move(png)};
    file.tensors["truth." + number] = tensor_of(image.truth);
    file.tensors["found." + number] = tensor_of(image.found);
    ids.push_back(image.id);
  }
  auto& all = file.tensors["ids"] = {.dtype = "I64", .shape = {std::ssize(ids)}};
  all.bytes.assign(reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(int64_t));
  file.metadata[kCategories] =
      nlohmann::json(samples.categories).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return dump_safetensors(file);
}

BoxSamples parse_box_samples(std::string_view bytes, const std::string& place) {
  const auto file = parse_safetensors(bytes, place);
  return Reader(file, place).read();
}

BoxSamples read_box_samples(const std::filesystem::path& path) {
  std::error_code unknown;
  if (const auto size = std::filesystem::file_size(path, unknown); !unknown && size > kMostSampleBytes)
    refuse_data(path.string(), "too large for samples of boxes: " + std::to_string(size) + " bytes");
  return parse_box_samples(read_file(path), path.string());
}

}  // namespace auxbench
