// Two steps of training against plain PyTorch in float64: logits, losses, every gradient, every weight after.
#include <nlohmann/json.hpp>

#include "runner/inspect/torch/probes.h"
#include "tests/parity/parity_file.h"
#include "tests/support/catch.h"

using namespace auxbench;
using namespace auxbench::test;

namespace {

// The file's metadata describe its network (tests/parity/README.md).
CellSpec cell_of(const SafeTensors& file) {
  const auto& about = file.metadata;
  CellSpec cell;
  cell.dataset = "fashion-mnist";
  cell.model = about.at("model");
  cell.stem = about.at("stem");
  cell.stem_stride = std::stoi(about.at("stem_stride"));
  cell.width = std::stod(about.at("width"));
  cell.aid = {about.contains("aid") ? about.at("aid") : "auxi"};
  const StageSpec stage = {.epochs = 1, .batch = 8, .optimizer = "adam", .lr = std::stod(about.at("lr"))};
  cell.pretrain = stage;
  if (about.at("quantizer") == "none") return cell;
  cell.quantizer = about.at("quantizer");
  cell.activation = cell.quantizer.find("relu6") != std::string::npos ? "relu6" : "relu";
  cell.weight_bits = cell.activation_bits = std::stoi(about.at("bits"));
  cell.quantize_at = about.at("quantize_at");
  cell.finetune = stage;
  return cell;
}

}  // namespace

TEST_CASE("two training steps equal PyTorch's in float64, every gradient and weight", "[parity]") {
  const char* name = GENERATE("resnet18-fp", "resnet50-fp", "resnet18-dorefa-w2a2", "resnet50-dorefa-w2a2",
                              "resnet18-dorefa-relu6-official-w2a2", "resnet50-dorefa-relu6-official-w2a2");
  const auto file = read_safetensors(std::string(AUXBENCH_SOURCE_ROOT) + "/tests/parity/" + name + ".safetensors");
  const auto found = probe_step(cell_of(file), tensors_with(file, {"model.", "aux."}), file,
                                std::stoi(file.metadata.at("steps")), true);
  int compared = 0;
  for (const auto& [tensor, wanted] : file.tensors) {
    const bool result = tensor.starts_with("grad.") || tensor.starts_with("after.") || tensor == "loss" ||
                        tensor == "aux_loss" || tensor == "logits" || tensor == "aux_logits";
    if (!result) continue;
    INFO(name << ": " << tensor);
    REQUIRE(found.tensors.contains(tensor));
    REQUIRE(found.tensors.at(tensor).shape == wanted.shape);
    // Adam's first steps divide a gradient by its own size: rounding in the last digit of a tiny gradient is what is
    // left.
    CHECK(largest_difference(found.tensors.at(tensor), wanted) < 1e-9);
    ++compared;
  }
  CHECK(compared > 200);
}

TEST_CASE("each rival's losses and gradients equal PyTorch's in float64", "[parity]") {
  const char* aid = GENERATE("additional-loss", "kd", "kd-journal", "fixed-teacher", "hint", "apprentice-a",
                             "apprentice-b", "apprentice-c");
  const auto file = read_safetensors(std::string(AUXBENCH_SOURCE_ROOT) + "/tests/parity/aid-" + aid + ".safetensors");
  const auto found = probe_step(cell_of(file), tensors_with(file, {"model.", "aid."}), file,
                                std::stoi(file.metadata.at("steps")), true);
  int compared = 0;
  for (const auto& [tensor, wanted] : file.tensors) {
    if (!tensor.starts_with("grad.") && tensor != "totals" && tensor != "logits") continue;
    INFO(aid << ": " << tensor);
    REQUIRE(found.tensors.contains(tensor));
    CHECK(largest_difference(found.tensors.at(tensor), wanted) < 1e-9);
    ++compared;
  }
  CHECK(compared > 60);
  // Nothing learns here that does not learn there.
  for (const auto& [tensor, value] : found.tensors)
    if (tensor.starts_with("grad.")) CHECK(file.tensors.contains(tensor));
}
