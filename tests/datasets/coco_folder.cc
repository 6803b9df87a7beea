// COCO folders: read, refused, verified.
#include "datasets/sources/coco_folder.h"

#include "base/error.h"
#include "base/files/file.h"
#include "base/files/sha256.h"
#include "datasets/checks/verify.h"
#include "datasets/dataset.h"
#include "datasets/image/decode.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;
using Catch::Matchers::StartsWith;
using Path = std::filesystem::path;

namespace {

std::string photograph(const std::string& name) {
  return read_file(std::string(AUXBENCH_SOURCE_ROOT) + "/tests/datasets/photographs/" + name);
}

void put(const Path& file, const std::string& bytes) {
  make_folder(file.parent_path());
  write_file_atomically(file, bytes);
}

std::string instances(const std::string& images, const std::string& categories = R"({"id": 7}, {"id": 3})") {
  return R"({"images": [)" + images + R"(], "annotations": [{"id": 1, "image_id": 5, "category_id": 7, "bbox": )" +
         R"([1, 2, 3, 4], "area": 5, "iscrowd": 0}], "categories": [)" + categories + "]}";
}

const std::string kImage = R"({"id": 5, "file_name": "a.jpg", "width": 41, "height": 31})";

// One image in either split; its size is the photograph's.
struct Tree {
  test::TempFolder folder;
  Path root = folder.path() / "coco", train = root / "annotations/instances_train2017.json",
       val = root / "annotations/instances_val2017.json";
  std::string image = kImage;

  Tree() {
    const auto raster = decode_image(photograph("colour.jpg"), "colour.jpg");
    image = R"({"id": 5, "file_name": "a.jpg", "width": )" + std::to_string(raster.width) + R"(, "height": )" +
            std::to_string(raster.height) + "}";
    for (const auto& file : {train, val}) put(file, instances(image));
    for (const char* split : {"train2017", "val2017"}) put(root / split / "a.jpg", photograph("colour.jpg"));
  }
  [[nodiscard]] std::string complaint(const std::string& val_text) const {
    put(val, val_text);
    try {
      read_coco_folder(root);
    } catch (const UserError& error) {
      CHECK(error.code() == ExitCode::data_missing);
      const std::string message = error.what();
      CHECK(message.starts_with(val.string()));
      return message.substr(val.string().size());
    }
    return "nothing was thrown";
  }
};

}  // namespace

TEST_CASE("a COCO folder is read with its files; classes go by ascending id", "[datasets]") {
  const Tree tree;
  const auto coco = read_coco_folder(tree.root);
  REQUIRE(coco.val.truth.images.size() == 1);
  CHECK(coco.val.class_of == std::map<int64_t, int64_t>{{3, 0}, {7, 1}});
  CHECK(coco.val.bytes[0] == photograph("colour.jpg").size());
  CHECK(coco.val.beyond == 0);
  CHECK(std::filesystem::exists(coco.val.file(0)));
  CHECK(coco.missing(false).empty());
  CHECK_THAT(coco.missing(true), contains_text("train2017: 1 of 118,287 images in the annotations, 118,286 missing"));
  CHECK(find_dataset("coco", tree.folder.path()) == tree.root);
  CHECK(find_dataset("scenes", tree.root) == tree.root);
}

TEST_CASE("files that are missing are counted, and change what the data are", "[datasets]") {
  const Tree tree;
  const auto before = read_coco_folder(tree.root).manifest;
  std::filesystem::remove(tree.root / "val2017/a.jpg");
  const auto coco = read_coco_folder(tree.root);
  CHECK(coco.missing(false) == "val2017: 0 of 1 files of images, 1 missing");
  CHECK(coco.manifest != before);
}

TEST_CASE("boxes beyond their image are counted, not refused", "[datasets]") {
  const Tree tree;
  auto text = instances(tree.image);
  text.replace(text.find("[1, 2, 3, 4]"), 12, "[1, 2, 3, 4e4]");
  put(tree.val, text);
  CHECK(read_coco_folder(tree.root).val.beyond == 1);
}

TEST_CASE("annotations that contradict themselves or lead elsewhere are refused with their place", "[datasets]") {
  const Tree tree;
  const auto named = [](const std::string& name) {
    return instances(R"({"id": 5, "file_name": ")" + name + R"(", "width": 4, "height": 3})");
  };
  CHECK(tree.complaint(named("../../etc/passwd")) ==
        ": /images/0/file_name: ../../etc/passwd leads out of the images' folder");
  CHECK(tree.complaint(named("/etc/passwd")) == ": /images/0/file_name: /etc/passwd leads out of the images' folder");
  CHECK(tree.complaint(instances(R"({"id": 5, "width": 4, "height": 3})")) == ": /images/0/file_name: is missing");
  CHECK(tree.complaint(instances(R"({"id": 5, "file_name": "a.jpg"})")) == ": /images/0/width: and height are needed");
  CHECK(tree.complaint(instances(R"({"id": 5, "file_name": "a.jpg", "width": -4, "height": 3})")) ==
        ": /images/0/width: is below one pixel");
  CHECK(tree.complaint(instances(R"({"id": 5, "file_name": "a.jpg", "width": "4", "height": 3})")) ==
        ": /images/0/width: and height are needed");
  CHECK(tree.complaint(instances(R"({"id": 5, "file_name": 7, "width": 4, "height": 3})")) ==
        ": /images/0/file_name: is missing");
  CHECK(tree.complaint(instances(tree.image + R"(, {"id": 6, "file_name": "a.jpg", "width": 4, "height": 3})")) ==
        ": /images/1/file_name: a.jpg comes twice");
  CHECK(tree.complaint(instances(tree.image, R"({"id": 7}, {"id": 4})")) ==
        ": /categories: are not those of the training images");
  CHECK_THAT(tree.complaint(instances(tree.image).substr(0, 60)), StartsWith(":1:6"));
}

TEST_CASE("verifying reads every file: digests, sizes, what cannot be decoded", "[datasets]") {
  const Tree tree;
  const auto digest = sha256_hex(photograph("colour.jpg"));
  const auto whole = verify_pictures(tree.root, picture_files(read_coco_folder(tree.root)), 2);
  CHECK(whole.files == 2);
  CHECK(whole.faults.empty());
  CHECK(whole.bytes == 2 * photograph("colour.jpg").size());
  CHECK(whole.manifest == digest + "  train2017/a.jpg\n" + digest + "  val2017/a.jpg\n");

  put(tree.root / "train2017/a.jpg", photograph("colour.jpg").substr(0, photograph("colour.jpg").size() / 2));
  put(tree.val, instances(kImage));
  const auto damaged = verify_pictures(tree.root, picture_files(read_coco_folder(tree.root)), 1);
  REQUIRE(damaged.faults.size() == 2);
  CHECK(damaged.faults[0].name == "train2017/a.jpg");
  CHECK_THAT(damaged.faults[1].what, contains_text("the annotations say 41 x 31"));
  std::filesystem::remove(tree.root / "val2017/a.jpg");
  const auto gone = verify_pictures(tree.root, picture_files(read_coco_folder(tree.root)), 1);
  CHECK_THAT(gone.faults.at(1).what, contains_text("cannot be read"));

  const auto changes = compare_manifests(whole.manifest, gone.manifest, "before");
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].what == "changed");
  CHECK(changes[1].what == "gone");
  CHECK(compare_manifests(gone.manifest, whole.manifest, "before").at(1).what == "new");
  CHECK_THROWS_WITH(compare_manifests(whole.manifest + "x\n", whole.manifest, "before"),
                    "before:3: not a line of sha256sum");
}
