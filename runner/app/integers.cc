// auxbench infer, export: a frozen network as a file of its own.
#include <CLI/CLI.hpp>
#include <memory>

#include "base/files/file.h"
#include "base/format.h"
#include "base/output.h"
#include "base/parallel.h"
#include "deploy/integer_file.h"
#include "deploy/onnx.h"
#include "metrics/topk.h"
#include "runner/app/app.h"
#include "runner/app/number_check.h"
#include "runner/inspect/integer_run.h"

namespace auxbench {
namespace {

struct InferArguments {
  std::filesystem::path file;
  std::string dataset = "fashion-mnist", data_root;
  int64_t images = 0;
  int threads = 0;
  bool plans = false;
};

ExitCode infer(const InferArguments& arguments) {
  const auto network = read_integer_network(arguments.file);
  std::optional<std::filesystem::path> root;
  if (!arguments.data_root.empty()) root = arguments.data_root;
  auto data = load_dataset(arguments.dataset, {.root = root, .threads = available_threads()});
  data.test = part_of(std::move(data.test), arguments.images);
  const int threads = arguments.threads > 0 ? arguments.threads : available_threads();
  TopK ranks;
  const auto run = run_integers(network, data, threads,
                                [&](auto logits, auto labels) { add_topk(logits, labels, network.classes, ranks); });
  if (arguments.plans)
    for (const auto& line : run.plans) print_line("%s", line.c_str());
  print_line("%s: %zu images, top-1 %s %%, top-5 %s %%, %.1f images/s on %d threads, %lld bytes",
             arguments.file.c_str(), ranks.predictions.size(), number_text(percent(ranks.top1), 2).c_str(),
             number_text(percent(ranks.top5), 2).c_str(), static_cast<double>(ranks.predictions.size()) / run.seconds,
             threads, static_cast<long long>(network.bytes()));
  return ExitCode::ok;
}

void add_infer(CLI::App& app, Outcome& outcome) {
  auto arguments = std::make_shared<InferArguments>();
  auto* verb = app.add_subcommand("infer", "run a frozen network (a cell's integer.safetensors) over a test set");
  verb->add_option("file", arguments->file, "integer.safetensors")->required();
  verb->add_option("--dataset", arguments->dataset, "")->capture_default_str();
  verb->add_option("--data-root", arguments->data_root, "where datasets are");
  verb->add_option("--images", arguments->images, "only so many; 0: all")
      ->check(between(0, 1e9))
      ->capture_default_str();
  verb->add_option("--threads", arguments->threads, "0: as many as there are")->check(CLI::Range(0, 1024));
  verb->add_flag("--plans", arguments->plans, "also which kernel each layer got, and why");
  verb->callback([arguments, &outcome] { outcome = infer(*arguments); });
}

void add_export(CLI::App& app, Outcome& outcome) {
  auto file = std::make_shared<std::filesystem::path>(), onnx = std::make_shared<std::filesystem::path>();
  auto* verb = app.add_subcommand("export", "a frozen network (a cell's integer.safetensors) as ONNX, in QCDQ form");
  verb->add_option("file", *file, "integer.safetensors")->required();
  verb->add_option("--onnx", *onnx, "ONNX file to write")->required();
  verb->callback([file, onnx, &outcome] {
    write_file_atomically(*onnx, to_onnx(read_integer_network(*file)));
    outcome = ExitCode::ok;
  });
}

}  // namespace

void add_integers(CLI::App& app, Outcome& outcome) {
  add_infer(app, outcome);
  add_export(app, outcome);
}

}  // namespace auxbench
