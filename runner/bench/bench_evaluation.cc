// A detector over a test set as evaluation does it, image by image, for whoever watches the process's memory:
// scripts/bench-detection.
//
//   bench-evaluation float FOLDER IMAGES all|none   a narrow float RetinaNet; FOLDER: of a data set "scenes". Prints JSON:
//                                                   images, boxes found, seconds
//   bench-evaluation freeze FILE                    writes a 4-bit one for `auxbench infer`
//
// Weights are random. "all" starts class logits at 0, so that every image has as many boxes as are ever kept; "none" leaves
// them as training starts them, at a probability of .01, so that no image has one.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/stopwatch.h"
#include "base/torch_prelude.h"
#include "datasets/dataset.h"
#include "deploy/integer_file.h"
#include "deploy/synthetic.h"
#include "runner/tasks/task.h"
#include "runner/tasks/tensor_loader.h"
#include "runner/training/evaluator.h"

namespace {

using namespace auxbench;

constexpr int kImageSize = 160;
constexpr int64_t kSceneClasses = 10;

CellSpec narrow_detector() {
  CellSpec cell;
  cell.task = "detection";
  cell.dataset = "scenes";
  cell.model = "retinanet-resnet18";
  cell.width = 0.25;
  cell.image_size = kImageSize;
  cell.detector.channels = 32;
  cell.detector.tower = 2;
  return cell;
}

void show_everything(Network& network) {
  const at::NoGradGuard no_gradient;
  for (auto& item : network.module().named_parameters())
    if (item.key() == "head.classification_head.cls_logits.bias") item.value().zero_();
}

int64_t boxes_in(const Evaluation& evaluation) {
  return evaluation.outcomes.at("detections").select(2, 0).ge(0).sum().item<int64_t>();
}

void evaluate_float(const std::string& folder, int64_t images, bool all) {
  at::manual_seed(1);
  at::set_num_threads(1);
  const auto data = load_dataset("scenes", {.root = DataRoot(folder), .image_size = kImageSize});
  const auto cell = narrow_detector();
  const auto& task = *find_task(cell.task);
  const auto network = task.network(cell, shape_of(data), Precision::full);
  if (all) show_everything(*network);
  network->module().eval();
  const Stopwatch watch;
  const auto evaluation = evaluate(task, cell, *network, part_of(data.test, images), {.workers = 1});
  const nlohmann::json found = {{"images", evaluation.outcomes.at("detections").size(0)},
                                {"boxes", boxes_in(evaluation)},
                                {"seconds", watch.seconds()}};
  std::printf("%s\n", found.dump().c_str());
}

void freeze(const std::string& file) {
  auto network =
      synthetic_retinanet({.height = kImageSize, .width = 256, .classes = kSceneClasses, .channels = 64, .tower = 1});
  network.detector = {.kind = "retinanet", .flavour = "detectron2", .image_size = kImageSize};
  write_integer_network(file, network);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() == 4 && words[0] == "float" && (words[3] == "all" || words[3] == "none"))
      evaluate_float(words[1], std::atoll(words[2].c_str()), words[3] == "all");
    else if (words.size() == 2 && words[0] == "freeze")
      freeze(words[1]);
    else
      throw UserError(ExitCode::usage, "bench-evaluation float FOLDER IMAGES all|none | bench-evaluation freeze FILE");
    return static_cast<int>(ExitCode::ok);
  } catch (const UserError& error) {
    std::fprintf(stderr, "bench-evaluation: %s\n", error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench-evaluation: %s\n", error.what());
    return static_cast<int>(ExitCode::own_fault);
  }
}
