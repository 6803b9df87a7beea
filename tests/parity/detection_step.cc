// Two steps of training a detector with its auxiliary modules against plain PyTorch in float64: raw outputs, losses, every
// gradient, and the loss of the second step, by the normaliser that the first has moved.
#include <nlohmann/json.hpp>

#include "runner/inspect/torch/probes.h"
#include "tests/parity/parity_file.h"
#include "tests/support/catch.h"

using namespace auxbench;
using namespace auxbench::test;

namespace {

// The file's metadata describe its network (scripts/reference_detection.py).
CellSpec detector_of(const SafeTensors& file) {
  const auto& about = file.metadata;
  CellSpec cell;
  cell.task = "detection";
  cell.dataset = "scenes";
  cell.model = about.at("kind") + "-" + about.at("model");
  cell.width = std::stod(about.at("width"));
  cell.detector = {.heads = about.at("heads"),
                   .flavour = about.at("flavour"),
                   .norm = about.at("norm"),
                   .channels = std::stoi(about.at("channels")),
                   .tower = std::stoi(about.at("tower"))};
  cell.aid = {"auxi"};
  cell.auxi.where = about.at("where");
  cell.auxi.predict = about.at("predict");
  cell.auxi.pyramid = about.at("pyramid") == "true";
  const StageSpec stage = {.epochs = 1, .batch = 3, .optimizer = "adam", .lr = std::stod(about.at("lr"))};
  cell.pretrain = stage;
  if (about.at("quantizer") == "none") return cell;
  cell.quantizer = about.at("quantizer");
  cell.weight_bits = cell.activation_bits = std::stoi(about.at("bits"));
  cell.quantize_at = "conv-input";
  cell.finetune = stage;
  return cell;
}

// "classes.3", but not the truth's "classes.0".
bool is_result(const std::string& name) {
  for (const char* output : {"classes.", "boxes.", "centreness."})
    if (name.starts_with(output) && name.back() >= '3') return true;
  return name.starts_with("grad.") || name == "loss" || name.starts_with("aux_loss") || name == "totals";
}

}  // namespace

TEST_CASE("two steps of a detector with its modules equal PyTorch's in float64, every gradient", "[parity]") {
  const char* name = GENERATE("retinanet-detectron2", "retinanet-torchvision", "fcos-detectron2", "fcos-torchvision",
                              "retinanet-detectron2-w2a2");
  const auto file =
      read_safetensors(std::string(AUXBENCH_SOURCE_ROOT) + "/tests/parity/detection-" + name + ".safetensors");
  const auto found = probe_step(detector_of(file), tensors_with(file, {"model.", "aux."}), file,
                                std::stoi(file.metadata.at("steps")), true);
  int compared = 0;
  for (const auto& [tensor, wanted] : file.tensors) {
    if (!is_result(tensor)) continue;
    INFO(name << ": " << tensor);
    REQUIRE(found.tensors.contains(tensor));
    REQUIRE(found.tensors.at(tensor).shape == wanted.shape);
    CHECK(largest_difference(found.tensors.at(tensor), wanted) < 1e-9);
    ++compared;
  }
  CHECK(compared > 150);
  // Nothing learns here that does not learn there.
  for (const auto& [tensor, value] : found.tensors)
    if (tensor.starts_with("grad.")) {
      INFO(name << ": " << tensor);
      CHECK(file.tensors.contains(tensor));
    }
}
