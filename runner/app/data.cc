// auxbench data find | verify | generate: where the datasets are, whether they are whole, and pictures of our own.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/files/file.h"
#include "base/files/sha256.h"
#include "base/format.h"
#include "base/output.h"
#include "base/parallel.h"
#include "datasets/checks/inventory.h"
#include "datasets/checks/verify.h"
#include "datasets/dataset.h"
#include "datasets/scenes/generate.h"
#include "datasets/sources/fashion_mnist.h"
#include "runner/app/app.h"
#include "runner/app/number_check.h"

namespace auxbench {
namespace {

using Path = std::filesystem::path;

const std::vector<std::string> kGenerated = {"scenes", "photographs"};
constexpr size_t kFaultsShown = 20;

struct DataArguments {
  std::string name;
  Path root, out, manifest;
  int threads = available_threads();
  bool json = false, complete = false;
  GenerateOptions generate;
  std::string style;
  [[nodiscard]] DataRoot data_root() const { return root.empty() ? DataRoot() : DataRoot(root); }
};

nlohmann::ordered_json to_json(const std::string& name, const Inventory& found) {
  return {{"dataset", name},
          {"folder", found.folder.string()},
          {"content", found.content},
          {"missing", found.missing},
          {"manifest", found.manifest}};
}

void print_found(const std::string& name, const Inventory& found) {
  print_line("%-14s %s: %s", name.c_str(), found.folder.c_str(), found.content.c_str());
  if (!found.missing.empty()) print_line("%-14s tier full refuses it: %s", "", found.missing.c_str());
}

// One that was asked for by name must be there; of all, those that are not are told about.
ExitCode find(const DataArguments& arguments) {
  const bool all = arguments.name.empty();
  auto list = nlohmann::ordered_json::array();
  for (const auto& name : all ? dataset_names() : std::vector{arguments.name}) {
    try {
      const auto found = take_inventory(name, arguments.data_root(), arguments.threads);
      if (arguments.json)
        list.push_back(to_json(name, found));
      else
        print_found(name, found);
    } catch (const UserError& error) {
      if (!all || error.code() != ExitCode::data_missing) throw;
      if (arguments.json)
        list.push_back({{"dataset", name}, {"folder", nullptr}, {"why", error.what()}});
      else
        print_line("%-14s %s", name.c_str(), error.what());
    }
  }
  if (arguments.json) print_json(list);
  return ExitCode::ok;
}

void print_faults(const std::vector<FileFault>& faults) {
  for (size_t i = 0; i < std::min(faults.size(), kFaultsShown); ++i)
    print_line("  %s: %s", faults[i].name.c_str(), faults[i].what.c_str());
  if (faults.size() > kFaultsShown) print_line("  and %zu more (--json has them all)", faults.size() - kFaultsShown);
}

nlohmann::ordered_json to_json(const std::vector<FileFault>& faults) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& fault : faults) list.push_back({{"file", fault.name}, {"what", fault.what}});
  return list;
}

ExitCode verify(const DataArguments& arguments) {
  const auto found = take_inventory(arguments.name, arguments.data_root(), arguments.threads, true);
  const bool tells = is_screen(STDERR_FILENO);
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
    print_json(out);
  } else {
    print_found(arguments.name, found);
    if (result.files > 0)
      print_line("%s files, %s bytes: %zu cannot be used", with_commas(result.files).c_str(),
                 with_commas(static_cast<int64_t>(result.bytes)).c_str(), result.faults.size());
    print_faults(result.faults);
    if (!arguments.manifest.empty()) print_line("%zu differences from %s", changes.size(), arguments.manifest.c_str());
    print_faults(changes);
    print_line("SHA-256 of the content %s", content.c_str());
  }
  const bool good = result.faults.empty() && changes.empty() && (!arguments.complete || found.missing.empty());
  return good ? ExitCode::ok : ExitCode::data_missing;
}

std::vector<std::string> style_names() {
  std::vector<std::string> names;
  for (const auto* style : kSceneStyles) names.emplace_back(style->name);
  return names;
}

void choose_style(DataArguments& arguments) {
  if (arguments.name != "scenes") throw UserError(ExitCode::usage, "--style is for scenes, not for " + arguments.name);
  for (const auto* style : kSceneStyles)
    if (style->name == arguments.style) arguments.generate.style = style;
}

ExitCode generate(DataArguments arguments) {
  arguments.generate.threads = arguments.threads;
  if (!arguments.style.empty()) choose_style(arguments);
  const auto folder = arguments.out.empty() ? data_folder() / arguments.name : arguments.out;
  const auto garments = load_fashion_mnist(arguments.data_root());
  const auto make = arguments.name == "scenes" ? generate_scenes : generate_photographs;
  make(folder, garments.train, garments.test, arguments.generate);
  print_line("%s %s in %s", with_commas(arguments.generate.images).c_str(), arguments.name.c_str(), folder.c_str());
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
  finding->add_option("dataset", sought->name, "only this one; it must be there")
      ->check(CLI::IsMember(dataset_names()));
  add_common_options(*finding, *sought);
  finding->add_flag("--json", sought->json, "machine-readable");
  finding->callback([sought, &outcome] { outcome = find(*sought); });

  auto verified = std::make_shared<DataArguments>();
  auto* verifying = data->add_subcommand("verify", "read every file of a dataset: digests, and what cannot be decoded");
  verifying->add_option("dataset", verified->name)->required()->check(CLI::IsMember(dataset_names()));
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
  making->add_option("--images", made->generate.images, "for training and validation")
      ->check(between(2, 10'000'000))
      ->capture_default_str();
  making->add_option("--validation", made->generate.validation, "of them for validation; default: a tenth")
      ->check(between(1, 10'000'000));
  making
      ->add_option(
          "--style", made->style,
          "of scenes: full, 160 to 320 pixels, up to 8 garments of ten classes, crowds; plain, 160 pixels, up to 5 of "
          "five kinds; default: full")
      ->check(CLI::IsMember(style_names()));
  making->add_option("--seed", made->generate.seed, "the same seed, the same bytes")->capture_default_str();
  making->add_option("--out", made->out,
                     "a new folder; default: WHAT in ~/.local/share/auxbench, where scenes are looked for");
  add_common_options(*making, *made);
  making->callback([made, &outcome] { outcome = generate(*made); });
}

}  // namespace auxbench
