// auxbench bench-loading: photographs a second from files to normalised batches, as JSON, for scripts that compare.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/output.h"
#include "base/stopwatch.h"
#include "datasets/sources/loader.h"
#include "datasets/sources/photo_folder.h"
#include "runner/app/app.h"
#include "runner/app/number_check.h"

namespace auxbench {
namespace {

struct BenchArguments {
  std::filesystem::path folder;
  std::string kind = "train";
  LoaderOptions options = {.batch = 64, .workers = 1};
  int epochs = 2;
};

// What the first epoch reads from the disk the others find in memory: a number for each.
ExitCode bench(BenchArguments arguments) {
  const bool trains = arguments.kind == "train";
  arguments.options.shuffle = trains;
  arguments.options.epochs = arguments.epochs;
  if (trains) arguments.options.augment = {"random-resized-crop", "flip"};
  const auto images = photo_folder(read_photo_index(arguments.folder, arguments.options.workers));
  BatchLoader loader(images, arguments.options);
  auto rates = nlohmann::json::array();
  for (int64_t epoch = 0; epoch < arguments.epochs; ++epoch) {
    const Stopwatch watch;
    for (int64_t batch = 0; batch < loader.batches(); ++batch) loader.take(epoch, batch);
    rates.push_back(static_cast<double>(images->count()) / watch.seconds());
  }
  const nlohmann::json result = {{"images", images->count()},
                                 {"kind", arguments.kind},
                                 {"workers", arguments.options.workers},
                                 {"batch", arguments.options.batch},
                                 {"images_per_second", rates}};
  print_line("%s", result.dump().c_str());
  return ExitCode::ok;
}

}  // namespace

void add_bench_loading(CLI::App& app, Outcome& outcome) {
  auto arguments = std::make_shared<BenchArguments>();
  auto* verb = app.add_subcommand("bench-loading", "photographs a second from files to normalised batches, as JSON");
  verb->add_option("folder", arguments->folder, "of class folders, as ImageNet's train")->required();
  verb->add_option("--kind", arguments->kind, "train: random-resized-crop and flip, shuffled; eval: imagenet-eval")
      ->check(CLI::IsMember({"train", "eval"}))
      ->capture_default_str();
  verb->add_option("--batch", arguments->options.batch)->check(between(1, 1 << 20))->capture_default_str();
  verb->add_option("--loader-threads,--workers", arguments->options.workers, "threads")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  verb->add_option("--epochs", arguments->epochs)->check(between(1, 1 << 20))->capture_default_str();
  verb->callback([arguments, &outcome] { outcome = bench(*arguments); });
}

}  // namespace auxbench
