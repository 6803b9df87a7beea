// ImageFolder trees: their index, its cache, and what comes out of the photographs.
#include "datasets/sources/photo_folder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>

#include "base/check.h"
#include "base/error.h"
#include "base/files/file.h"
#include "datasets/checks/verify.h"
#include "datasets/dataset.h"
#include "datasets/image/transforms.h"
#include "datasets/sources/imagenet.h"
#include "datasets/sources/loader.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"
#include "tests/support/variable.h"

using namespace auxbench;
using Path = std::filesystem::path;

namespace {

std::string photograph(const std::string& name = "colour.jpg") {
  return read_file(std::string(AUXBENCH_SOURCE_ROOT) + "/tests/datasets/photographs/" + name);
}

void put(const Path& file, const std::string& bytes) {
  make_folder(file.parent_path());
  write_file_atomically(file, bytes);
}

// An index is only kept of folders that have been quiet for a while.
void make_old(const Path& folder) {
  const timespec long_ago[2] = {{.tv_sec = 1'000'000'000, .tv_nsec = 0}, {.tv_sec = 1'000'000'000, .tv_nsec = 0}};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_directory()) utimensat(AT_FDCWD, entry.path().c_str(), long_ago, 0);
  utimensat(AT_FDCWD, folder.c_str(), long_ago, 0);
}

// Two classes, three and two training photographs, one validation photograph each; the cache lies beside them.
struct Tree {
  test::TempFolder folder;
  test::Variable cache{"XDG_CACHE_HOME", (folder.path() / "cache").string()};
  Path root = folder.path() / "imagenet";

  Tree() {
    for (const char* name : {"n02/c.png", "n01/b.JPEG", "n01/a.jpg", "n01/z.Png", "n02/d.jpeg"})
      put(root / "train" / name, photograph(Path(name).extension() == ".png" ? "colour.png" : "colour.jpg"));
    put(root / "train" / "n01" / "notes.txt", "no photograph");
    put(root / "val" / "n01" / "v.jpg", photograph());
    put(root / "val" / "n02" / "w.jpg", photograph("progressive.jpg"));
    make_old(root);
  }
};

std::vector<std::string> names(const PhotoIndex& index) {
  std::vector<std::string> all;
  for (size_t i = 0; i < static_cast<size_t>(index.count()); ++i) all.push_back(index.relative(i));
  return all;
}

}  // namespace

TEST_CASE("an index has classes and photographs in order, by their endings", "[datasets]") {
  const Tree tree;
  const auto index = scan_photo_folder(tree.root / "train", 3);
  REQUIRE(index.classes.size() == 2);
  CHECK(index.classes[1].name == "n02");
  CHECK(names(index) == std::vector<std::string>{"n01/a.jpg", "n01/b.JPEG", "n01/z.Png", "n02/c.png", "n02/d.jpeg"});
  CHECK(index.others == 1);
  CHECK(index.photo(2).label == 0);
  CHECK(index.photo(3).label == 1);
  CHECK(index.photo(3).bytes == photograph("colour.png").size());
  CHECK_THROWS_AS(index.photo(5), LogicFault);
  CHECK(index.digest == scan_photo_folder(tree.root / "train", 1).digest);
}

TEST_CASE("an index is kept, and made anew when files came, went or changed their name", "[datasets]") {
  const Tree tree;
  const auto train = tree.root / "train";
  const auto first = read_photo_index(train, 1), second = read_photo_index(train, 1);
  CHECK_FALSE(first.from_cache);
  REQUIRE(second.from_cache);
  CHECK(names(second) == names(first));
  CHECK(second.digest == first.digest);
  CHECK(second.others == first.others);
  put(train / "n02" / "e.jpg", photograph());
  const auto third = read_photo_index(train, 1);
  CHECK_FALSE(third.from_cache);
  CHECK(third.count() == 6);
  CHECK(third.digest != first.digest);
  CHECK_FALSE(read_photo_index(train, 1).from_cache);  // it changed a moment ago
  std::filesystem::remove(train / "n02" / "e.jpg");
  make_old(tree.root);
  CHECK(read_photo_index(train, 1).digest == first.digest);
}

TEST_CASE("a damaged cache is no cache", "[datasets]") {
  const Tree tree;
  const auto train = tree.root / "train";
  const auto digest = read_photo_index(train, 1).digest;
  const auto file = photo_index_file(std::filesystem::canonical(train));
  const auto whole = read_file(file);
  for (size_t cut = 0; cut < whole.size(); cut += 7) {
    write_file_atomically(file, whole.substr(0, cut));
    const auto index = read_photo_index(train, 1);
    CHECK_FALSE(index.from_cache);
    CHECK(index.digest == digest);
  }
  auto altered = whole;
  altered[altered.find("a.jpg")] = 'b';
  write_file_atomically(file, altered);
  CHECK_FALSE(read_photo_index(train, 1).from_cache);
}

TEST_CASE("what is not an ImageFolder is refused by name", "[datasets]") {
  const Tree tree;
  const auto train = tree.root / "train";
  const auto complaint = [&] {
    try {
      index_imagenet(tree.root, 1);
    } catch (const UserError& error) {
      CHECK(error.code() == ExitCode::data_missing);
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  make_folder(train / "n03");
  CHECK(complaint() == (std::filesystem::canonical(train) / "n03: a class folder without photographs").string());
  put(train / "n03" / "a.jpg", photograph());
  CHECK_THAT(complaint(), contains_text("val: no class folder n03, which "));
  std::filesystem::remove_all(train / "n03");
  put(tree.root / "val" / "stray.jpg", photograph());
  CHECK_THAT(complaint(), contains_text("1 photographs lie in the folder itself"));
  std::filesystem::remove_all(tree.root / "val");
  make_folder(tree.root / "val");
  CHECK_THAT(complaint(), contains_text("no class folders in it"));
  std::filesystem::remove_all(tree.root / "val");
  CHECK_THAT(complaint(), contains_text("cannot be read"));
}

TEST_CASE("photographs in folders of a class folder are its photographs, in torchvision's order", "[datasets]") {
  const Tree tree;
  const auto train = tree.root / "train";
  for (const char* name :
       {"n01/images/x.JPEG", "n01/images/deep/er/y.png", "n01/images-b/u.jpg", "n01/images.jpg/v.jpg"})
    put(train / name, photograph());
  put(train / "n01" / "images" / "boxes.txt", "no photograph");
  std::filesystem::create_directory_symlink(train / "n02", train / "n01" / "linked");
  make_old(tree.root);
  // What ImageFolder lists: sorted(os.walk(class folder)), then names.
  const std::vector<std::string> wanted = {"n01/a.jpg",
                                           "n01/b.JPEG",
                                           "n01/z.Png",
                                           "n01/images/x.JPEG",
                                           "n01/images-b/u.jpg",
                                           "n01/images.jpg/v.jpg",
                                           "n01/images/deep/er/y.png",
                                           "n01/linked/c.png",
                                           "n01/linked/d.jpeg",
                                           "n02/c.png",
                                           "n02/d.jpeg"};
  const auto index = read_photo_index(train, 2);
  CHECK(names(index) == wanted);
  CHECK(index.others == 2);
  CHECK(index.photo(8).label == 0);
  const auto kept = read_photo_index(train, 2);
  CHECK(kept.from_cache);
  CHECK(names(kept) == wanted);
  CHECK(kept.digest == index.digest);
  const auto data = load_dataset("imagenet", {.root = tree.root});
  BatchLoader loader(data.train, {.batch = 11, .shuffle = false});
  CHECK(loader.take(0, 0).labels[8] == 0);

  put(train / "n01" / "images" / "deep" / "er" / "z.png", photograph("colour.png"));  // no class folder changed
  CHECK(read_photo_index(train, 2).count() == 12);
}

TEST_CASE("a manifest notices photographs that came into a folder of a class folder", "[datasets]") {
  const Tree tree;
  put(tree.root / "train" / "n01" / "images" / "x.JPEG", photograph());
  make_old(tree.root);
  const auto manifest = [&] { return dataset_manifest("imagenet", {.root = tree.root}); };
  CHECK(manifest().train == 6);
  const auto file = manifest_file("imagenet", tree.root);
  REQUIRE(std::filesystem::exists(file));
  put(tree.root / "train" / "n01" / "images" / "y.JPEG", photograph());
  CHECK(manifest().train == 7);
}

TEST_CASE("what is no photograph decides nothing: links to nothing, names with a dot, other things", "[datasets]") {
  const Tree tree;
  const auto train = tree.root / "train";
  const auto digest = scan_photo_folder(train, 1).digest;
  std::filesystem::create_symlink("nobody@nowhere.1", train / "n01" / ".#notes.txt");
  std::filesystem::create_symlink("nowhere", train / "n01" / ".#a.jpg");
  std::filesystem::create_symlink("itself", train / "n01" / "itself");
  std::filesystem::create_symlink("nowhere", train / "README");
  put(train / "n02" / "._c.png", "a Mac's notes");
  put(train / "n02" / "line\nbreak", "");
  REQUIRE(mkfifo((train / "n02" / "pipe.jpg").c_str(), 0600) == 0);
  const auto index = scan_photo_folder(train, 1);
  CHECK(index.digest == digest);
  CHECK(index.others == 8);  // and notes.txt
}

TEST_CASE("a photograph that leads nowhere, and a folder within itself, are refused by name", "[datasets]") {
  const Tree tree;
  const auto n01 = tree.root / "train" / "n01";
  std::filesystem::create_symlink("nowhere", n01 / "lost.jpg");
  CHECK_THROWS_WITH(scan_photo_folder(tree.root / "train", 1), contains_text("n01/lost.jpg: cannot be looked at"));
  std::filesystem::remove(n01 / "lost.jpg");
  std::filesystem::create_directory_symlink(".", n01 / "self");
  CHECK_THROWS_WITH(scan_photo_folder(tree.root / "train", 1),
                    contains_text("n01/self: a link to a folder that it lies in"));
}

TEST_CASE("a strip is named by who verifies and by who evaluates", "[datasets]") {
  const Tree tree;
  put(tree.root / "val" / "n01" / "v.jpg", photograph("thin.png"));
  make_old(tree.root);
  const auto files = picture_files(index_imagenet(tree.root, 1));
  const auto faults = verify_pictures(tree.root, files, 2).faults;
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].name == "val/n01/v.jpg");
  CHECK(faults[0].what == "a strip of 4000 x 3 pixels: longer than 1000 times its width");
  const auto data = load_dataset("imagenet", {.root = tree.root});
  BatchLoader loader(data.test, {.batch = 1, .shuffle = false});
  CHECK_THROWS_WITH(loader.take(0, 0), contains_text("val/n01/v.jpg: a strip of 4000 x 3 pixels"));
}

TEST_CASE("a part of ImageNet is refused where all of it is asked for, with what is missing", "[datasets]") {
  const Tree tree;
  CHECK(load_dataset("imagenet", {.root = tree.folder.path()}).train->count() == 5);
  CHECK_THROWS_WITH(
      load_dataset("imagenet", {.root = tree.root, .complete = true}),
      contains_text("not all of ImageNet: train: 2 of 1,000 classes, 998 missing; train: 5 of 1,281,167 "
                    "photographs, 1,281,162 missing; val: 2 of 1,000 classes, 998 missing; val: 2 of 50,000 "
                    "photographs, 49,998 missing"));
}

TEST_CASE("a manifest says what loading would, and is kept until files come or go", "[datasets]") {
  const Tree tree;
  const auto manifest = [&] { return dataset_manifest("imagenet", {.root = tree.root}); };
  const auto data = load_dataset("imagenet", {.root = tree.root});
  const auto first = manifest();
  CHECK(first == DatasetManifest{.digest = data.manifest, .train = 5, .test = 2, .missing = data.missing});
  const auto file = manifest_file("imagenet", tree.root);
  auto text = read_file(file);
  text.replace(text.find(first.digest), 4, "kept");
  write_file_atomically(file, text);
  CHECK(manifest().digest == "kept" + first.digest.substr(4));  // the photographs were not looked at
  put(tree.root / "train" / "n02" / "e.jpg", photograph());
  CHECK(manifest().train == 6);
  CHECK(manifest().digest == load_dataset("imagenet", {.root = tree.root}).manifest);
}

TEST_CASE("a damaged manifest in the cache is none, and one that cannot be kept is said all the same", "[datasets]") {
  const Tree tree;
  const auto manifest = [&] { return dataset_manifest("imagenet", {.root = tree.root}); };
  const auto first = manifest();
  const auto file = manifest_file("imagenet", tree.root);
  for (const char* text : {"", "{", "[]", "{\"format\": \"another\"}", "null"}) {
    write_file_atomically(file, text);
    CHECK(manifest() == first);
  }
  auto wrong = read_file(file);
  wrong.replace(wrong.find("\"train\": 5"), 10, "\"train\": []");
  write_file_atomically(file, wrong);
  CHECK(manifest() == first);
  const test::Variable nowhere("XDG_CACHE_HOME", "/proc/nowhere");
  CHECK(manifest() == first);
}

TEST_CASE("a manifest of a part of ImageNet is refused where all of it is asked for", "[datasets]") {
  const Tree tree;
  for (int i = 0; i < 2; ++i)  // read, and kept
    CHECK_THROWS_WITH(dataset_manifest("imagenet", {.root = tree.root, .complete = true}),
                      contains_text("not all of ImageNet: train: 2 of 1,000 classes, 998 missing"));
  CHECK_THROWS_WITH(dataset_manifest("scenes", {.root = tree.root}),
                    contains_text("this program has no loader for it"));
}

TEST_CASE("a photograph comes out as its transform, whatever the workers", "[datasets]") {
  const Tree tree;
  const auto data = load_dataset("imagenet", {.root = tree.root});
  RandomStream unused(0);
  const auto expected = see_photo(photograph(), "a", find_photo_transform("imagenet-eval").view, unused);
  std::vector<float> pixels(expected.rgb.size());
  write_normalised(expected, pixels);
  BatchLoader test(data.test, {.batch = 2, .shuffle = false, .workers = 2, .epochs = 1});
  const auto batch = test.take(0, 0);
  CHECK(batch.labels[1] == 1);
  CHECK(std::equal(pixels.begin(), pixels.end(), batch.images.begin()));

  const LoaderOptions options = {.batch = 3, .seed = 4, .augment = {"random-resized-crop", "flip"}};
  auto crew_options = options;
  crew_options.workers = 3;
  BatchLoader alone(data.train, options), crew(data.train, crew_options);
  for (int64_t epoch = 0; epoch < 2; ++epoch)
    for (int64_t i = 0; i < 2; ++i) {
      const auto a = alone.take(epoch, i), b = crew.take(epoch, i);
      CHECK(std::equal(a.images.begin(), a.images.end(), b.images.begin(), b.images.end()));
    }
  CHECK_THROWS_AS(BatchLoader(data.train, {.augment = {"pad-crop"}}), UserError);
}

TEST_CASE("a photograph that was rewritten since, or is none, is refused by name", "[datasets]") {
  const Tree tree;
  const auto data = load_dataset("imagenet", {.root = tree.root});
  put(tree.root / "val" / "n01" / "v.jpg", photograph("cmyk.jpg"));
  BatchLoader loader(data.test, {.batch = 1, .shuffle = false, .workers = 1, .epochs = 1});
  CHECK_THROWS_WITH(loader.take(0, 0), contains_text("v.jpg: has ") && contains_text("when the folder was indexed"));
  CHECK(loader.take(0, 1).labels[0] == 1);
}

TEST_CASE("places: command line, own variable, configuration file, common folder", "[datasets]") {
  const test::TempFolder folder;
  const test::Variable config("XDG_CONFIG_HOME", folder.path().string()), data("AUXBENCH_DATA", "/all"),
      own("AUXBENCH_IMAGENET", "/own"), home("XDG_DATA_HOME", "/xdg");
  put(config_file(), R"({"imagenet": "/configured", "data": "/shared"})");
  CHECK(dataset_places("imagenet", "/given") ==
        std::vector<Path>{"/given/imagenet", "/given", "/own", "/configured", "/all/imagenet", "/all",
                          "/shared/imagenet", "/shared", "/xdg/auxbench/imagenet", "/xdg/auxbench",
                          "/usr/share/datasets/imagenet", "/usr/share/datasets"});
  for (const auto& [text, wanted] :
       {std::pair(R"({"image-net": "/x"})", "1:15: /image-net: unknown, only data, fashion"),
        std::pair("{\n\"coco\": 3}", "2:9: /coco: a folder was expected"),
        std::pair(R"({"coco": "here"})", "1:10: /coco: a path from / on was expected"),
        std::pair("[]", "1:1: /: an object of folders was expected"), std::pair("{", "1:2: expected a key in quotes"),
        std::pair("{\"coco\": \"/a\",\n \"coco\": \"/b\"}", "2:2: /coco: key appears twice")}) {
    put(config_file(), text);
    CHECK_THROWS_WITH(dataset_places("imagenet", std::nullopt), contains_text(config_file().string() + ":" + wanted));
  }
  put(config_file(), "\xef\xbb\xbf{\"imagenet\": \"/marked\"}");
  CHECK(dataset_places("imagenet", std::nullopt).at(1) == "/marked");
}
