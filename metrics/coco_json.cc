#include "metrics/coco_json.h"

#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>

#include "base/error.h"

namespace auxbench {
namespace {

constexpr size_t kDeepest = 64;

// What a row (an object of a list) may tell us; absent fields are not set.
struct Row {
  std::optional<int64_t> id, image_id, category_id, iscrowd, width, height;
  std::optional<double> area, score;
  std::optional<std::string> name, file_name;
  std::vector<double> bbox;
  std::string mistyped;  // the first field whose value was of the wrong kind
};

// Walks through the file and hands out the rows of the lists that are asked for: those under a key of the outermost
// object, or an outermost list (section "").
class RowReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  using Take = std::function<void(const RowReader& reader, const std::string& section, size_t index, Row& row)>;
  RowReader(std::string file, std::unordered_set<std::string> sections, Take take)
      : file_(std::move(file)), sections_(std::move(sections)), take_(std::move(take)) {}

  bool null() override {
    return scalar([](Row& row, const std::string& key) { mistype(row, key); });
  }
  bool boolean(bool value) override {
    return scalar([=](Row& row, const std::string& key) {
      if (key == "iscrowd")
        row.iscrowd = value ? 1 : 0;
      else
        mistype(row, key);
    });
  }
  bool number_integer(number_integer_t value) override { return whole(value); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<number_unsigned_t>(INT64_MAX)) return real(static_cast<double>(value));
    return whole(static_cast<int64_t>(value));
  }
  bool number_float(number_float_t value, const string_t&) override { return real(value); }
  bool string(string_t& value) override {
    return scalar([&](Row& row, const std::string& key) {
      if (key == "name")
        row.name = value;
      else if (key == "file_name")
        row.file_name = value;
      else
        mistype(row, key);
    });
  }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return open(true); }
  bool start_array(std::size_t) override { return open(false); }
  bool key(string_t& value) override {
    if (depth_ == 1 && object_outside_) section_ = value;
    if (depth_ == row_depth()) field_ = value;
    return true;
  }
  bool end_object() override {
    if (depth_ == row_depth() && in_row_) {
      take_(*this, section_, index_++, row_);
      in_row_ = false;
    }
    --depth_;
    return true;
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    const std::string what = error.what();
    const auto begin = what.find("] ");
    refuse_data(file_ + ":byte " + std::to_string(position),
                begin == std::string::npos ? what : what.substr(begin + 2));
  }

  [[noreturn]] void refuse_row(const std::string& section, size_t index, const std::string& field,
                               const std::string& what) const {
    refuse_data(file_ + ": " + (section.empty() ? "" : "/" + section) + "/" + std::to_string(index) +
                    (field.empty() ? "" : "/" + field),
                what);
  }
  [[nodiscard]] bool has_list(const std::string& section) const { return lists_.contains(section); }

 private:
  static void mistype(Row& row, const std::string& key) {
    static const std::unordered_set<std::string> kNeeded = {
        "id", "image_id", "category_id", "iscrowd", "area", "score", "name", "bbox", "file_name", "width", "height"};
    if (row.mistyped.empty() && kNeeded.contains(key)) row.mistyped = key;
  }

  [[nodiscard]] size_t row_depth() const { return object_outside_ ? 3 : 2; }

  template <typename Set>
  bool scalar(const Set& set) {
    if (in_list_ && depth_ + 1 == row_depth()) refuse_row(section_, index_, "", "an object was expected");
    if (in_row_ && depth_ == row_depth()) set(row_, field_);
    if (in_row_ && depth_ == row_depth() + 1 && field_ == "bbox") mistype(row_, field_);
    return true;
  }
  bool whole(int64_t value) {
    if (!in_row_ || depth_ != row_depth()) return real(static_cast<double>(value));
    if (field_ == "id")
      row_.id = value;
    else if (field_ == "image_id")
      row_.image_id = value;
    else if (field_ == "category_id")
      row_.category_id = value;
    else if (field_ == "iscrowd")
      row_.iscrowd = value;
    else if (field_ == "width")
      row_.width = value;
    else if (field_ == "height")
      row_.height = value;
    else
      return real(static_cast<double>(value));
    return true;
  }
  bool real(double value) {
    if (in_list_ && depth_ + 1 == row_depth()) refuse_row(section_, index_, "", "an object was expected");
    if (in_row_ && depth_ == row_depth() + 1 && field_ == "bbox" && list_in_row_ && row_.bbox.size() <= 4)
      row_.bbox.push_back(value);
    if (!in_row_ || depth_ != row_depth()) return true;
    if (field_ == "area")
      row_.area = value;
    else if (field_ == "score")
      row_.score = value;
    else
      mistype(row_, field_);
    return true;
  }
  bool open(bool object) {
    if (++depth_ > kDeepest) refuse_data(file_, "nested more than " + std::to_string(kDeepest) + " deep");
    if (depth_ == 1) object_outside_ = object;
    if (depth_ + 1 == row_depth()) {
      in_list_ = !object && sections_.contains(section_);
      index_ = 0;
      if (in_list_ && !lists_.insert(section_).second) refuse_data(file_ + ": /" + section_, "comes twice");
    }
    if (depth_ == row_depth() && in_list_) {
      if (!object) refuse_row(section_, index_, "", "an object was expected");
      in_row_ = true;
      row_ = Row();
    }
    if (in_row_ && depth_ == row_depth() + 1) {
      list_in_row_ = !object;
      if (object || field_ != "bbox") mistype(row_, field_);
    }
    return true;
  }

  std::string file_;
  std::unordered_set<std::string> sections_;
  Take take_;
  size_t depth_ = 0, index_ = 0;
  bool object_outside_ = false, in_list_ = false, in_row_ = false, list_in_row_ = false;
  std::string section_, field_;
  Row row_;
  std::unordered_set<std::string> lists_;
};

RowReader read_rows(std::istream& file, const std::string& place, std::unordered_set<std::string> sections,
                    RowReader::Take take) {
  RowReader reader(place, std::move(sections), std::move(take));
  nlohmann::json::sax_parse(file, &reader);
  if (file.bad()) refuse_data(place, "cannot be read to its end");
  return reader;
}

std::ifstream open_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse_data(path.string(), "cannot be read");
  return file;
}

// A row with its place, for checking one field after the other.
class Fields {
 public:
  Fields(const RowReader& reader, const std::string& section, size_t index, const Row& row)
      : reader_(reader), section_(section), index_(index), row_(row) {
    if (!row.mistyped.empty()) refuse(row.mistyped, "a value of another kind was expected");
  }

  template <typename T>
  T need(const std::optional<T>& value, const char* field) const {
    if (!value) refuse(field, "is missing");
    return *value;
  }
  [[nodiscard]] CocoBox box() const {
    if (row_.bbox.size() != 4) refuse("bbox", "four numbers were expected: x, y, width, height");
    for (const double value : row_.bbox)
      if (!std::isfinite(value)) refuse("bbox", "a number that is not finite");
    if (row_.bbox[2] < 0 || row_.bbox[3] < 0) refuse("bbox", "a width or height below zero");
    return {row_.bbox[0], row_.bbox[1], row_.bbox[2], row_.bbox[3]};
  }
  [[nodiscard]] double finite(const std::optional<double>& value, const char* field) const {
    const double found = need(value, field);
    if (!std::isfinite(found)) refuse(field, "is not finite");
    return found;
  }
  [[noreturn]] void refuse(const std::string& field, const std::string& what) const {
    reader_.refuse_row(section_, index_, field, what);
  }

 private:
  const RowReader& reader_;
  const std::string& section_;
  size_t index_;
  const Row& row_;
};

// Evaluation needs no more of an image than its id; what reads its file checks the rest.
CocoImage image_of(const Fields& fields, int64_t id, const Row& row) {
  const auto side = [&](const std::optional<int64_t>& value, const char* field) {
    if (value.value_or(1) < 1) fields.refuse(field, "is below one pixel");
    return value.value_or(0);
  };
  return {.id = id,
          .file = row.file_name.value_or(""),
          .width = side(row.width, "width"),
          .height = side(row.height, "height")};
}

}  // namespace

CocoTruth parse_coco_truth(std::istream& file, const std::string& place) {
  CocoTruth truth;
  std::unordered_set<int64_t> images, categories, annotations;
  const auto take = [&](const RowReader& own, const std::string& section, size_t index, Row& row) {
    const Fields fields(own, section, index, row);
    const auto id = fields.need(row.id, "id");
    auto& seen = section == "images" ? images : (section == "categories" ? categories : annotations);
    if (!seen.insert(id).second) fields.refuse("id", std::to_string(id) + " comes twice");
    if (section == "images") truth.images.push_back(image_of(fields, id, row));
    if (section == "categories") truth.categories.push_back({id, row.name.value_or(std::to_string(id))});
    if (section != "annotations") return;
    const double area = fields.finite(row.area, "area");
    if (area < 0) fields.refuse("area", "is below zero");
    truth.annotations.push_back({.id = id,
                                 .image = fields.need(row.image_id, "image_id"),
                                 .category = fields.need(row.category_id, "category_id"),
                                 .box = fields.box(),
                                 .area = area,
                                 .crowd = row.iscrowd.value_or(0) != 0});
  };
  const auto reader = read_rows(file, place, {"images", "annotations", "categories"}, take);
  for (const char* section : {"images", "annotations", "categories"})
    if (!reader.has_list(section)) refuse_data(place, std::string("no list \"") + section + "\": not COCO's instances");
  // The lists may come in any order: only now is it known what there is.
  for (size_t i = 0; i < truth.annotations.size(); ++i) {
    const auto& annotation = truth.annotations[i];
    if (!images.contains(annotation.image))
      reader.refuse_row("annotations", i, "image_id", "no image " + std::to_string(annotation.image));
    if (!categories.contains(annotation.category))
      reader.refuse_row("annotations", i, "category_id", "no category " + std::to_string(annotation.category));
  }
  return truth;
}

std::vector<CocoDetection> parse_coco_detections(std::istream& file, const std::string& place, const CocoTruth& truth) {
  std::unordered_set<int64_t> images;
  for (const auto& image : truth.images) images.insert(image.id);
  std::vector<CocoDetection> detections;
  const auto take = [&](const RowReader& own, const std::string& section, size_t index, Row& row) {
    const Fields fields(own, section, index, row);
    const auto image = fields.need(row.image_id, "image_id");
    if (!images.contains(image)) fields.refuse("image_id", "the ground truth has no image " + std::to_string(image));
    detections.push_back({.image = image,
                          .category = fields.need(row.category_id, "category_id"),
                          .box = fields.box(),
                          .score = fields.finite(row.score, "score")});
  };
  const auto reader = read_rows(file, place, {""}, take);
  if (!reader.has_list("")) refuse_data(place, "a list of detections was expected");
  return detections;
}

CocoTruth read_coco_truth(const std::filesystem::path& path) {
  auto file = open_file(path);
  return parse_coco_truth(file, path.string());
}

std::vector<CocoDetection> read_coco_detections(const std::filesystem::path& path, const CocoTruth& truth) {
  auto file = open_file(path);
  return parse_coco_detections(file, path.string(), truth);
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
