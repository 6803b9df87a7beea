// auxbench coco-eval: COCO's twelve numbers of a file of detections.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/output.h"
#include "metrics/coco_json.h"
#include "runner/app/app.h"

namespace auxbench {
namespace {

struct CocoArguments {
  std::filesystem::path truth, detections;
  int threads = 1;
  bool json = false;
};

struct Line {
  const char* name;
  bool precision;
  const char *iou, *area;
  int detections;
};

// Names as in Detectron2 and mmdetection; the rest is pycocotools' own line.
constexpr std::array<Line, kCocoNumbers> kLines = {{{"AP", true, "0.50:0.95", "all", 100},
                                                    {"AP50", true, "0.50", "all", 100},
                                                    {"AP75", true, "0.75", "all", 100},
                                                    {"APs", true, "0.50:0.95", "small", 100},
                                                    {"APm", true, "0.50:0.95", "medium", 100},
                                                    {"APl", true, "0.50:0.95", "large", 100},
                                                    {"AR1", false, "0.50:0.95", "all", 1},
                                                    {"AR10", false, "0.50:0.95", "all", 10},
                                                    {"AR100", false, "0.50:0.95", "all", 100},
                                                    {"ARs", false, "0.50:0.95", "small", 100},
                                                    {"ARm", false, "0.50:0.95", "medium", 100},
                                                    {"ARl", false, "0.50:0.95", "large", 100}}};

// JSON has no number for "there was nothing to find".
nlohmann::json number_or_null(double value) { return value < 0 ? nlohmann::json() : nlohmann::json(value); }

void print_numbers(const CocoResult& result) {
  nlohmann::ordered_json out;
  for (size_t i = 0; i < kCocoNumbers; ++i) out[kLines[i].name] = number_or_null(result.numbers[i]);
  out["categories"] = nlohmann::json::array();
  for (const auto& own : result.categories)
    out["categories"].push_back({{"id", own.category.id}, {"name", own.category.name}, {"AP", number_or_null(own.ap)}});
  out["detections_of_unknown_categories"] = result.unknown_categories;
  print_json(out);
}

void print_table(const CocoResult& result) {
  for (size_t i = 0; i < kCocoNumbers; ++i) {
    const auto& line = kLines[i];
    print_line(" %-18s (%s) @[ IoU=%-9s | area=%6s | maxDets=%3d ] = %0.3f",
               line.precision ? "Average Precision" : "Average Recall", line.precision ? "AP" : "AR", line.iou,
               line.area, line.detections, result.numbers[i]);
  }
}

ExitCode evaluate(const CocoArguments& arguments) {
  const auto truth = read_coco_truth(arguments.truth);
  const auto detections = read_coco_detections(arguments.detections, truth);
  const auto result = evaluate_coco(truth, detections, arguments.threads);
  if (result.unknown_categories > 0)
    warn_line("warning: %zu detections left out: the ground truth does not have their categories",
              result.unknown_categories);
  arguments.json ? print_numbers(result) : print_table(result);
  return ExitCode::ok;
}

}  // namespace

void add_coco_eval(CLI::App& app, Outcome& outcome) {
  auto arguments = std::make_shared<CocoArguments>();
  auto* verb = app.add_subcommand("coco-eval", "COCO's twelve numbers of a file of detected boxes");
  verb->add_option("truth", arguments->truth, "COCO instances, as instances_val2017.json")->required();
  verb->add_option("detections", arguments->detections, "COCO results: a list of image_id, category_id, bbox, score")
      ->required();
  verb->add_option("--threads", arguments->threads, "the numbers do not depend on it")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  verb->add_flag("--json", arguments->json, "machine-readable, with the AP of each category");
  verb->callback([arguments, &outcome] { outcome = evaluate(*arguments); });
}

}  // namespace auxbench
