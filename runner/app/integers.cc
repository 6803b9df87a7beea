// auxbench infer, export: a frozen network as a file of its own.
#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/files/file.h"
#include "base/format.h"
#include "base/output.h"
#include "base/parallel.h"
#include "base/stopwatch.h"
#include "deploy/integer_file.h"
#include "deploy/onnx.h"
#include "metrics/coco_eval.h"
#include "metrics/coco_json.h"
#include "metrics/topk.h"
#include "runner/app/app.h"
#include "runner/app/number_check.h"
#include "runner/inspect/integer_boxes.h"
#include "runner/inspect/integer_run.h"

namespace auxbench {
namespace {

struct InferArguments {
  std::filesystem::path file, boxes;
  std::string dataset, data_root;
  int64_t images = 0, batch = 0, image_size = 0;
  int threads = 0;
  bool plans = false;
  // Of a detector; unless asked for, what its rules say.
  std::optional<float> score, nms;
  std::optional<size_t> most;
};

Dataset data_for(const IntegerNetwork& network, const InferArguments& arguments) {
  const auto name = !arguments.dataset.empty() ? arguments.dataset : is_detector(network) ? "scenes" : "fashion-mnist";
  DatasetRequest request = {.threads = available_threads()};
  if (!arguments.data_root.empty()) request.root = arguments.data_root;
  request.image_size = arguments.image_size > 0 ? arguments.image_size : network.detector.image_size;
  request.tell = [](const std::string& what) { warn_line("%s", what.c_str()); };
  auto data = load_dataset(name, request);
  data.test = part_of(std::move(data.test), arguments.images);
  return data;
}

void print_plans(const IntegerRun& run) {
  for (const auto& line : run.plans) print_line("%s", line.c_str());
}

void classify(const IntegerNetwork& network, const Dataset& data, const InferArguments& arguments, int threads) {
  TopK ranks;
  const auto run = run_integers(
      network, data, {.threads = threads, .batch = arguments.batch},
      [&](const IntegerBatch& found) { add_topk(found.logits(), found.taken.labels, network.classes, ranks); });
  if (arguments.plans) print_plans(run);
  print_line("%s: %zu images, top-1 %s %%, top-5 %s %%, %.1f images/s on %d threads, %lld bytes",
             arguments.file.c_str(), ranks.predictions.size(), number_text(percent(ranks.top1), 2).c_str(),
             number_text(percent(ranks.top5), 2).c_str(), static_cast<double>(ranks.predictions.size()) / run.seconds,
             threads, static_cast<long long>(network.bytes()));
}

DetectorRules rules_for(const IntegerNetwork& network, const InferArguments& arguments) {
  auto rules = rules_of(network);
  rules.decode.score = arguments.score.value_or(rules.decode.score);
  rules.decode.nms = arguments.nms.value_or(rules.decode.nms);
  rules.decode.most = arguments.most.value_or(rules.decode.most);
  return rules;
}

void detect(const IntegerNetwork& network, const Dataset& data, const InferArguments& arguments, int threads) {
  const auto rules = rules_for(network, arguments);
  std::vector<CocoDetection> detections;
  int64_t images = 0;
  double box_seconds = 0;
  const auto run =
      run_integers(network, data, {.threads = threads, .batch = arguments.batch}, [&](const IntegerBatch& batch) {
        const Stopwatch watch;
        const auto found = find_boxes(network, rules, batch);
        box_seconds += watch.seconds();
        for (size_t i = 0; i < found.size(); ++i) {
          const auto own = coco_detections(*data.test, batch.taken.boxed[i], found[i]);
          detections.insert(detections.end(), own.begin(), own.end());
        }
        images += batch.images;
      });
  if (!arguments.boxes.empty()) write_file_atomically(arguments.boxes, coco_detections_json(detections));
  if (arguments.plans) print_plans(run);
  const auto result = evaluate_coco(*data.test->truth(), detections, threads);
  const auto text = [&](CocoNumber number) {
    return result.of(number) < 0 ? std::string("-") : number_text(100 * result.of(number), 2);
  };
  print_line(
      "%s: %lld images, AP %s %%, AP50 %s %%, AP75 %s %%, %zu boxes, %.1f images/s on %d threads, boxes %.1f ms an "
      "image, %lld bytes",
      arguments.file.c_str(), static_cast<long long>(images), text(CocoNumber::ap).c_str(),
      text(CocoNumber::ap50).c_str(), text(CocoNumber::ap75).c_str(), detections.size(),
      static_cast<double>(images) / run.seconds, threads, 1000 * box_seconds / static_cast<double>(images),
      static_cast<long long>(network.bytes()));
}

ExitCode infer(const InferArguments& arguments) {
  const auto network = read_integer_network(arguments.file);
  const bool asks_for_boxes =
      !arguments.boxes.empty() || arguments.score || arguments.nms || arguments.most || arguments.image_size > 0;
  if (asks_for_boxes && !is_detector(network))
    throw UserError(ExitCode::usage, arguments.file.string() + " is no detector: it finds no boxes");
  const auto data = data_for(network, arguments);
  const int threads = arguments.threads > 0 ? arguments.threads : available_threads();
  is_detector(network) ? detect(network, data, arguments, threads) : classify(network, data, arguments, threads);
  return ExitCode::ok;
}

void add_infer(CLI::App& app, Outcome& outcome) {
  auto arguments = std::make_shared<InferArguments>();
  auto* verb = app.add_subcommand("infer", "run a frozen network (a cell's integer.safetensors) over a test set");
  verb->add_option("file", arguments->file, "integer.safetensors")->required();
  verb->add_option("--dataset", arguments->dataset, "unless asked for: fashion-mnist, or scenes for a detector");
  verb->add_option("--data-root", arguments->data_root, "where datasets are");
  verb->add_option("--images", arguments->images, "only so many; 0: all")
      ->check(between(0, 1e9))
      ->capture_default_str();
  verb->add_option("--batch", arguments->batch, "images at once; 0: one with boxes, many of one size")
      ->check(between(0, 64))
      ->capture_default_str();
  verb->add_option("--threads", arguments->threads, "0: as many as there are")->check(CLI::Range(0, 1024));
  verb->add_flag("--plans", arguments->plans, "also which kernel each layer got, and why");
  const auto* group = "a detector's";
  verb->add_option("--boxes", arguments->boxes, "file to write its boxes to, as a COCO results file")->group(group);
  verb->add_option("--score", arguments->score, "least score of a box; unless asked for, its rules'")
      ->check(between(0, 1))
      ->group(group);
  verb->add_option("--nms", arguments->nms, "overlap at which the lesser of two boxes is dropped; likewise")
      ->check(between(0, 1))
      ->group(group);
  verb->add_option("--most", arguments->most, "boxes of an image; likewise")->check(between(1, 1e6))->group(group);
  verb->add_option("--image-size", arguments->image_size, "pixels of the shorter side; 0: as it was trained")
      ->check(between(0, kLargestImageSize))
      ->capture_default_str()
      ->group(group);
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
