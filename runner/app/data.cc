// auxbench data find | verify | generate: where the datasets are, whether they are whole, and pictures of our own.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/parallel.h"
#include "base/sha256.h"
#include "datasets/fashion_mnist.h"
#include "datasets/generate.h"
#include "datasets/missing.h"
#include "datasets/verify.h"
#include "runner/app/app.h"

namespace auxbench {
namespace {

using Path = std::filesystem::path;

const std::vector<std::string> kDatasets = {"fashion-mnist", "imagenet", "coco", "scenes"};
const std::vector<std::string> kGenerated = {"scenes", "photographs"};
constexpr size_t kFaultsShown = 20;

struct DataArguments {
  std::string name;
  Path root, out, manifest;
  int threads = available_threads();
  bool json = false, complete = false;
  GenerateOptions generate;
  [[nodiscard]] DataRoot data_root() const { return root.empty() ? DataRoot() : DataRoot(root); }
};

// What there is of one dataset.
struct Found {
  Path folder;
  std::string content;  // "60,000 + 10,000 images"
  std::string missing;  // of what was published or of what its own annotations name
  std::string manifest;
  std::vector<PictureFile> pictures;
};

std::string two_splits(int64_t train, int64_t test) {
  return with_commas(train) + " + " + with_commas(test) + " images";
}

Found look_at_garments(const DataArguments& arguments) {
  const auto folder = find_fashion_mnist(arguments.data_root());
  const auto files = load_fashion_mnist(arguments.data_root());
  return {.folder = folder.value_or(""),
          .content = two_splits(files.train.count, files.test.count),
          .missing = {},
          .manifest = files.manifest,
          .pictures = {}};
}

Found look_at_photographs(const DataArguments& arguments, bool pictures) {
  Found found = {.folder = need_imagenet(arguments.data_root())};
  const auto index = index_imagenet(found.folder, arguments.threads);
  found.content = two_splits(std::ssize(index.train.photos), std::ssize(index.val.photos)) + ", " +
                  with_commas(std::ssize(index.train.classes)) + " classes";
  if (const auto others = index.train.others + index.val.others; others > 0)
    found.content += ", " + with_commas(others) + " other files passed over";
  found.missing = index.missing();
  found.manifest = index.manifest;
  if (pictures) found.pictures = picture_files(index);
  return found;
}

Found look_at_coco(const DataArguments& arguments, bool pictures) {
  Found found = {.folder = need_coco(arguments.name, arguments.data_root())};
  const auto coco = read_coco_folder(found.folder);
  found.content = two_splits(std::ssize(coco.train.truth.images), std::ssize(coco.val.truth.images)) + ", " +
                  with_commas(std::ssize(coco.train.truth.annotations) + std::ssize(coco.val.truth.annotations)) +
                  " annotations, " + std::to_string(coco.train.truth.categories.size()) + " categories";
  if (const auto beyond = coco.train.beyond + coco.val.beyond; beyond > 0)
    found.content += ", " + with_commas(beyond) + " boxes reach beyond their image";
  found.missing = coco.missing(arguments.name == "coco");
  found.manifest = coco.manifest;
  if (pictures) found.pictures = picture_files(coco);
  return found;
}

// Throws UserError(data_missing) when it is not there or not readable.
Found look_at(const DataArguments& arguments, bool pictures) {
  if (arguments.name == "fashion-mnist") return look_at_garments(arguments);
  if (arguments.name == "imagenet") return look_at_photographs(arguments, pictures);
  return look_at_coco(arguments, pictures);
}

nlohmann::ordered_json to_json(const std::string& name, const Found& found) {
  return {{"dataset", name},
          {"folder", found.folder.string()},
          {"content", found.content},
          {"missing", found.missing},
          {"manifest", found.manifest}};
}

void print_found(const std::string& name, const Found& found) {
  std::printf("%-14s %s: %s\n", name.c_str(), found.folder.c_str(), found.content.c_str());
  if (!found.missing.empty()) std::printf("%-14s tier full refuses it: %s\n", "", found.missing.c_str());
}

// One that was asked for by name must be there; of all, those that are not are told about.
ExitCode find(DataArguments arguments) {
  const bool all = arguments.name.empty();
  auto list = nlohmann::ordered_json::array();
  for (const auto& name : all ? kDatasets : std::vector{arguments.name}) {
    arguments.name = name;
    try {
      const auto found = look_at(arguments, false);
      if (arguments.json)
        list.push_back(to_json(name, found));
      else
        print_found(name, found);
    } catch (const UserError& error) {
      if (!all || error.code() != ExitCode::data_missing) throw;
      if (arguments.json)
        list.push_back({{"dataset", name}, {"folder", nullptr}, {"why", error.what()}});
      else
        std::printf("%-14s %s\n", name.c_str(), error.what());
    }
  }
  if (arguments.json) std::printf("%s\n", list.dump(2).c_str());
  return ExitCode::ok;
}

void print_faults(const std::vector<FileFault>& faults) {
  for (size_t i = 0; i < std::min(faults.size(), kFaultsShown); ++i)
    std::printf("  %s: %s\n", faults[i].name.c_str(), faults[i].what.c_str());
  if (faults.size() > kFaultsShown) std::printf("  and %zu more (--json has them all)\n", faults.size() - kFaultsShown);
}

nlohmann::ordered_json to_json(const std::vector<FileFault>& faults) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& fault : faults) list.push_back({{"file", fault.name}, {"what", fault.what}});
  return list;
}

ExitCode verify(const DataArguments& arguments) {
  const auto found = look_at(arguments, true);
  const bool tells = isatty(STDERR_FILENO) != 0;
  const auto tell = [&](size_t done) {
    if (tells) std::fprintf(stderr, "\r%zu of %zu files", done, found.pictures.size());
  };
  const auto result = verify_pictures(found.folder, found.pictures, arguments.threads, tell);
  if (tells && !found.pictures.empty()) std::fprintf(stderr, "\r\x1b[K");
  std::vector<FileFault> changes;
  if (!arguments.manifest.empty())
    changes = compare_manifests(read_file(arguments.manifest), result.manifest, arguments.manifest.string());
  if (!arguments.out.empty()) write_file_atomically(arguments.out, result.manifest);
  const auto content = result.files == 0 ? found.manifest : sha256_hex(result.manifest);
  if (arguments.json) {
    auto out = to_json(arguments.name, found);
    out["files"] = result.files;
    out["bytes"] = result.bytes;
    out["content_sha256"] = content;
    out["faults"] = to_json(result.faults);
    out["changes"] = to_json(changes);
    std::printf("%s\n", out.dump(2).c_str());
  } else {
    print_found(arguments.name, found);
    if (result.files > 0)
      std::printf("%s files, %s bytes: %zu cannot be used\n", with_commas(result.files).c_str(),
                  with_commas(static_cast<int64_t>(result.bytes)).c_str(), result.faults.size());
    print_faults(result.faults);
    if (!arguments.manifest.empty())
      std::printf("%zu differences from %s\n", changes.size(), arguments.manifest.c_str());
    print_faults(changes);
    std::printf("SHA-256 of the content %s\n", content.c_str());
  }
  const bool good = result.faults.empty() && changes.empty() && (!arguments.complete || found.missing.empty());
  return good ? ExitCode::ok : ExitCode::data_missing;
}

ExitCode generate(DataArguments arguments) {
  arguments.generate.threads = arguments.threads;
  const auto folder = arguments.out.empty() ? data_folder() / arguments.name : arguments.out;
  const auto garments = load_fashion_mnist(arguments.data_root());
  const auto make = arguments.name == "scenes" ? generate_scenes : generate_photographs;
  make(folder, garments.train, garments.test, arguments.generate);
  std::printf("%s %s in %s\n", with_commas(arguments.generate.images).c_str(), arguments.name.c_str(), folder.c_str());
  return ExitCode::ok;
}

void add_common_options(CLI::App& verb, DataArguments& arguments) {
  verb.add_option("--data-root", arguments.root, "folder of datasets, looked at first");
  verb.add_option("--threads", arguments.threads, "that read files; default: all")->check(CLI::Range(1, 1024));
}

}  // namespace

void add_data(CLI::App& app, Outcome& outcome) {
  auto* data = app.add_subcommand("data", "where the datasets are, whether they are whole, pictures of our own");
  data->require_subcommand(1);

  auto sought = std::make_shared<DataArguments>();
  auto* finding = data->add_subcommand("find", "where the datasets are and what there is of them");
  finding->add_option("dataset", sought->name, "only this one; it must be there")->check(CLI::IsMember(kDatasets));
  add_common_options(*finding, *sought);
  finding->add_flag("--json", sought->json, "machine-readable");
  finding->callback([sought, &outcome] { outcome = find(*sought); });

  auto verified = std::make_shared<DataArguments>();
  auto* verifying = data->add_subcommand("verify", "read every file of a dataset: digests, and what cannot be decoded");
  verifying->add_option("dataset", verified->name)->required()->check(CLI::IsMember(kDatasets));
  add_common_options(*verifying, *verified);
  verifying->add_option("--out", verified->out, "manifest to write: a line for each file, as of sha256sum");
  verifying->add_option("--manifest", verified->manifest, "an earlier manifest: what is not as it was is a fault");
  verifying->add_flag("--complete", verified->complete, "less than the published dataset is a fault");
  verifying->add_flag("--json", verified->json, "machine-readable");
  verifying->callback([verified, &outcome] { outcome = verify(*verified); });

  auto made = std::make_shared<DataArguments>();
  auto* making = data->add_subcommand("generate", "a COCO tree or an ImageFolder tree painted from Fashion-MNIST");
  making->add_option("what", made->name, "scenes: COCO's layout; photographs: ImageNet's, 500 x 375")
      ->required()
      ->check(CLI::IsMember(kGenerated));
  making->add_option("--images", made->generate.images, "a tenth of them for validation")->capture_default_str();
  making->add_option("--seed", made->generate.seed, "the same seed, the same bytes")->capture_default_str();
  making->add_option("--out", made->out, "a new folder; default: where the dataset is looked for");
  add_common_options(*making, *made);
  making->callback([made, &outcome] { outcome = generate(*made); });
}

}  // namespace auxbench
