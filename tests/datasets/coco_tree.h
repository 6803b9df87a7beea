// A folder in COCO's layout for one test: pictures of noise, the same in both splits, and boxes.
#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/files/file.h"
#include "base/random.h"
#include "datasets/image/encode.h"
#include "datasets/sources/coco_folder.h"
#include "tests/support/temp_folder.h"

namespace auxbench::test {

struct TreePicture {
  int64_t width = 0, height = 0;
};

struct TreeBox {
  size_t picture = 0;
  int64_t category = 3;  // 3 or 7
  std::array<double, 4> box{};
  bool crowd = false;
};

class CocoTree {
 public:
  CocoTree(std::vector<TreePicture> pictures, const std::vector<TreeBox>& boxes) : pictures_(std::move(pictures)) {
    nlohmann::json images = nlohmann::json::array(), annotations = nlohmann::json::array();
    for (size_t i = 0; i < pictures_.size(); ++i)
      images.push_back(
          {{"id", id(i)}, {"file_name", name(i)}, {"width", pictures_[i].width}, {"height", pictures_[i].height}});
    for (size_t i = 0; i < boxes.size(); ++i)
      annotations.push_back({{"id", i + 1},
                             {"image_id", id(boxes[i].picture)},
                             {"category_id", boxes[i].category},
                             {"bbox", boxes[i].box},
                             {"area", boxes[i].box[2] * boxes[i].box[3]},
                             {"iscrowd", boxes[i].crowd ? 1 : 0}});
    const nlohmann::json text = {{"images", images},
                                 {"annotations", annotations},
                                 {"categories", {{{"id", 7}, {"name", "b"}}, {{"id", 3}, {"name", "a"}}}}};
    for (const auto split : {kCocoTrain, kCocoVal}) {
      make_folder(root_ / split);
      make_folder(coco_annotations(root_, split).parent_path());
      write_file_atomically(coco_annotations(root_, split), text.dump());
      for (size_t i = 0; i < pictures_.size(); ++i) write_file_atomically(file(i, split), encode_jpeg(noise(i), 90));
    }
  }

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  [[nodiscard]] std::filesystem::path file(size_t i, std::string_view split = kCocoTrain) const {
    return root_ / split / name(i);
  }
  static int64_t id(size_t i) { return 100 - static_cast<int64_t>(i); }  // falling: the file's order counts, not theirs

 private:
  static std::string name(size_t i) { return "picture" + std::to_string(i) + ".jpg"; }
  [[nodiscard]] Raster noise(size_t i) const {
    Raster raster(pictures_[i].width, pictures_[i].height);
    RandomStream stream(i);
    for (auto& byte : raster.rgb) byte = static_cast<uint8_t>(stream.below(256));
    return raster;
  }

  TempFolder folder_;
  std::filesystem::path root_ = folder_.path() / "coco";
  std::vector<TreePicture> pictures_;
};

}  // namespace auxbench::test
