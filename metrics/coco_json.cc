#include "metrics/coco_json.h"

#include <simdjson.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <new>
#include <optional>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "base/files/file.h"
#include "metrics/odd_json.h"

namespace auxbench {
namespace {

namespace dom = simdjson::dom;

constexpr size_t kDeepest = 64;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// A parsed file.
class Document {
 public:
  Document(simdjson::padded_string text, const std::string& place) : text_(std::move(text)) {
    auto error = parse(place);
    if (error != simdjson::SUCCESS) {
      text_ = simdjson::padded_string(mend_json(std::string(content()), place));
      error = parse(place);
    }
    if (error != simdjson::SUCCESS) refuse_data(place, simdjson::error_message(error));
  }
  [[nodiscard]] dom::element root() const { return root_; }

 private:
  [[nodiscard]] std::string_view content() const {
    const std::string_view whole(text_.data(), text_.size());
    return whole.substr(whole.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
  }

  simdjson::error_code parse(const std::string& place) {
    const auto own = content();
    if (own.size() > simdjson::SIMDJSON_MAXSIZE_BYTES)
      refuse_data(place, std::to_string(own.size()) + " bytes, at most " +
                             std::to_string(simdjson::SIMDJSON_MAXSIZE_BYTES) + " are read");
    // simdjson counts the document as one level.
    auto error = parser_.allocate(own.size(), kDeepest + 1);
    if (error == simdjson::SUCCESS)
      error = parser_.parse(own.data(), own.size(), /*realloc_if_needed=*/false).get(root_);
    if (error == simdjson::DEPTH_ERROR) refuse_data(place, "nested more than " + std::to_string(kDeepest) + " deep");
    if (error == simdjson::MEMALLOC) throw std::bad_alloc();
    return error;
  }

  simdjson::padded_string text_;  // with room behind it, so that it is parsed where it lies
  dom::parser parser_;
  dom::element root_;
};

// At once into the memory it is parsed in; whatever is no ordinary file as read_file reads it.
simdjson::padded_string read_padded(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::is_regular_file(path, error) ? std::filesystem::file_size(path, error) : 0;
  if (error || size == 0) return simdjson::padded_string(read_file(path));
  simdjson::padded_string text(size);
  if (text.data() == nullptr) throw std::bad_alloc();
  std::ifstream file(path, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(size));
  if (!file || file.peek() != std::ifstream::traits_type::eof()) return simdjson::padded_string(read_file(path));
  return text;
}

// Where a row stands.
struct Place {
  const std::string& file;
  const char* section;  // "" for an outermost list
  size_t index;

  [[noreturn]] void refuse(std::string_view field, const std::string& what) const {
    std::string place = file + ": ";
    if (*section != '\0') place.append("/").append(section);
    place.append("/").append(std::to_string(index));
    if (!field.empty()) place.append("/").append(field);
    refuse_data(place, what);
  }
};

std::optional<double> number_of(dom::element value) {
  double found = 0;
  return value.get(found) == simdjson::SUCCESS ? std::optional(found) : std::nullopt;
}

// Also of a number that is written as 3.0.
std::optional<int64_t> whole_of(dom::element value) {
  constexpr double kEnd = 0x1p63;
  int64_t found = 0;
  if (value.get(found) == simdjson::SUCCESS) return found;
  const auto real = number_of(value);
  if (!real || !(*real >= -kEnd && *real < kEnd)) return std::nullopt;
  found = static_cast<int64_t>(*real);
  return static_cast<double>(found) == *real ? std::optional(found) : std::nullopt;
}

// The fields of an object that are asked for; of two with one name the later.
template <size_t kCount>
class Row {
 public:
  using Names = std::array<std::string_view, kCount>;

  Row(const Place& place, const Names& names, dom::element value) : place_(place), names_(names) {
    dom::object object;
    if (value.get(object) != simdjson::SUCCESS) place.refuse("", "an object was expected");
    for (const auto field : object)
      for (size_t i = 0; i < kCount; ++i)
        if (field.key == names[i]) {
          values_[i] = field.value;
          known_[i] = true;
        }
  }

  [[nodiscard]] std::optional<dom::element> find(size_t field) const {
    return known_[field] ? std::optional(values_[field]) : std::nullopt;
  }
  [[nodiscard]] int64_t whole(size_t field) const {
    const auto found = whole_of(need(field));
    if (!found) refuse_kind(field);
    return *found;
  }
  [[nodiscard]] double number(size_t field) const {
    const auto found = number_of(need(field));
    if (!found) refuse_kind(field);
    return *found;
  }
  [[nodiscard]] bool flag(size_t field) const {
    if (!known_[field]) return false;
    bool found = false;
    return values_[field].get(found) == simdjson::SUCCESS ? found : whole(field) != 0;
  }
  [[nodiscard]] CocoBox box(size_t field) const {
    dom::array list;
    if (need(field).get(list) != simdjson::SUCCESS) refuse_kind(field);
    std::array<double, 4> values{};
    size_t count = 0;
    for (const auto value : list) {
      const auto found = number_of(value);
      if (!found) refuse_kind(field);
      if (count < values.size()) values[count] = *found;
      ++count;
    }
    if (count != values.size()) refuse(field, "four numbers were expected: x, y, width, height");
    if (values[2] < 0 || values[3] < 0) refuse(field, "a width or height below zero");
    return {values[0], values[1], values[2], values[3]};
  }
  [[noreturn]] void refuse(size_t field, const std::string& what) const { place_.refuse(names_[field], what); }

 private:
  [[nodiscard]] dom::element need(size_t field) const {
    if (!known_[field]) refuse(field, "is missing");
    return values_[field];
  }
  [[noreturn]] void refuse_kind(size_t field) const { refuse(field, "a value of another kind was expected"); }

  const Place& place_;
  const Names& names_;
  std::array<dom::element, kCount> values_;
  std::array<bool, kCount> known_{};
};

template <typename Take>
void for_each_row(dom::array list, const std::string& file, const char* section, const Take& take) {
  Place place = {.file = file, .section = section, .index = 0};
  for (const auto value : list) {
    take(place, value);
    ++place.index;
  }
}

// The list of that name, of two the later.
dom::array list_of(const Document& document, std::string_view name, const std::string& file) {
  dom::element found;
  bool known = false;
  if (dom::object object; document.root().get(object) == simdjson::SUCCESS)
    for (const auto field : object)
      if (field.key == name) {
        found = field.value;
        known = true;
      }
  dom::array list;
  if (!known || found.get(list) != simdjson::SUCCESS)
    refuse_data(file, "no list \"" + std::string(name) + "\": not COCO's instances");
  return list;
}

// Evaluation needs no more of an image than its id; what reads its file checks the rest (datasets/sources/coco_folder.h).
CocoImage image_of(const Place& place, dom::element value) {
  enum : size_t { id, file_name, width, height };
  static constexpr std::array<std::string_view, 4> kNames = {"id", "file_name", "width", "height"};
  const Row row(place, kNames, value);
  const auto side = [&](size_t field) {
    const auto found = row.find(field);
    return found ? whole_of(*found).value_or(0) : 0;
  };
  std::string_view file;
  if (const auto found = row.find(file_name); found && found->get(file) != simdjson::SUCCESS) file = {};
  return {.id = row.whole(id), .file = std::string(file), .width = side(width), .height = side(height)};
}

CocoCategory category_of(const Place& place, dom::element value) {
  enum : size_t { id, name };
  static constexpr std::array<std::string_view, 2> kNames = {"id", "name"};
  const Row row(place, kNames, value);
  const auto number = row.whole(id);
  std::string_view text;
  const auto found = row.find(name);
  const bool named = found && found->get(text) == simdjson::SUCCESS;
  return {.id = number, .name = named ? std::string(text) : std::to_string(number)};
}

CocoAnnotation annotation_of(const Place& place, dom::element value) {
  enum : size_t { id, image, category, box, area, crowd };
  static constexpr std::array<std::string_view, 6> kNames = {"id",   "image_id", "category_id",
                                                             "bbox", "area",     "iscrowd"};
  const Row row(place, kNames, value);
  const CocoAnnotation found = {.id = row.whole(id),
                                .image = row.whole(image),
                                .category = row.whole(category),
                                .box = row.box(box),
                                .area = row.number(area),
                                .crowd = row.flag(crowd)};
  if (found.area < 0) row.refuse(area, "is below zero");
  return found;
}

CocoDetection detection_of(const Place& place, dom::element value) {
  enum : size_t { image, category, box, score };
  static constexpr std::array<std::string_view, 4> kNames = {"image_id", "category_id", "bbox", "score"};
  const Row row(place, kNames, value);
  return {.image = row.whole(image), .category = row.whole(category), .box = row.box(box), .score = row.number(score)};
}

using Ids = std::unordered_set<int64_t>;

// The rows of a section, each with an id of its own.
template <typename Item, typename Make>
Ids take_section(const Document& document, const std::string& file, const char* section, const Make& make,
                 std::vector<Item>& items) {
  Ids seen;
  for_each_row(list_of(document, section, file), file, section, [&](const Place& place, dom::element value) {
    items.push_back(make(place, value));
    const auto id = items.back().id;
    if (!seen.insert(id).second) place.refuse("id", std::to_string(id) + " comes twice");
  });
  return seen;
}

CocoTruth truth_of(const Document& document, const std::string& place) {
  CocoTruth truth;
  const auto images = take_section(document, place, "images", image_of, truth.images);
  const auto categories = take_section(document, place, "categories", category_of, truth.categories);
  take_section(document, place, "annotations", annotation_of, truth.annotations);
  for (size_t i = 0; i < truth.annotations.size(); ++i) {
    const auto& annotation = truth.annotations[i];
    const Place own = {.file = place, .section = "annotations", .index = i};
    if (!images.contains(annotation.image)) own.refuse("image_id", "no image " + std::to_string(annotation.image));
    if (!categories.contains(annotation.category))
      own.refuse("category_id", "no category " + std::to_string(annotation.category));
  }
  return truth;
}

std::vector<CocoDetection> detections_of(const Document& document, const std::string& place, const CocoTruth& truth) {
  Ids images;
  for (const auto& image : truth.images) images.insert(image.id);
  dom::array list;
  if (document.root().get(list) != simdjson::SUCCESS) refuse_data(place, "a list of detections was expected");
  std::vector<CocoDetection> detections;
  detections.reserve(list.size());
  for_each_row(list, place, "", [&](const Place& own, dom::element value) {
    const auto found = detection_of(own, value);
    // Detections of one image mostly stand together.
    const bool known = !detections.empty() && detections.back().image == found.image;
    if (!known && !images.contains(found.image))
      own.refuse("image_id", "the ground truth has no image " + std::to_string(found.image));
    detections.push_back(found);
  });
  return detections;
}

}  // namespace

CocoTruth parse_coco_truth(std::string_view text, const std::string& place) {
  return truth_of(Document(simdjson::padded_string(text), place), place);
}

std::vector<CocoDetection> parse_coco_detections(std::string_view text, const std::string& place,
                                                 const CocoTruth& truth) {
  return detections_of(Document(simdjson::padded_string(text), place), place, truth);
}

CocoTruth read_coco_truth(const std::filesystem::path& path) {
  return truth_of(Document(read_padded(path), path.string()), path.string());
}

std::vector<CocoDetection> read_coco_detections(const std::filesystem::path& path, const CocoTruth& truth) {
  return detections_of(Document(read_padded(path), path.string()), path.string(), truth);
}

std::string coco_detections_json(const std::vector<CocoDetection>& detections) {
  std::string text = "[";
  char line[256];
  for (const auto& d : detections) {
    std::snprintf(line, sizeof line,
                  "%s\n{\"image_id\":%lld,\"category_id\":%lld,\"bbox\":[%.17g,%.17g,%.17g,%.17g],\"score\":%.17g}",
                  text.size() == 1 ? "" : ",", static_cast<long long>(d.image), static_cast<long long>(d.category),
                  d.box.x, d.box.y, d.box.w, d.box.h, d.score);
    text += line;
  }
  return text + "\n]\n";
}

}  // namespace auxbench
