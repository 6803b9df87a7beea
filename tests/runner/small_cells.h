// Small cells on a data set made here, trained through the program's own trainer. For .cc files.
#pragma once

#include "base/random.h"
#include "base/torch_prelude.h"
#include "datasets/sources/memory_images.h"
#include "quantizers/methods/methods.h"
#include "runner/training/trainer.h"

namespace auxbench::test {

inline ImageSet made_up_images(int64_t count) {
  ImageSet images = {.count = count, .channels = 1, .height = 12, .width = 12, .classes = 4};
  RandomStream random(stream_seed(1, "test images", static_cast<uint64_t>(count)));
  for (int64_t i = 0; i < count; ++i) {
    images.labels.push_back(i % 4);
    // The class is where the bright quarter is.
    for (int64_t y = 0; y < 12; ++y)
      for (int64_t x = 0; x < 12; ++x)
        images.pixels.push_back(static_cast<uint8_t>(random.below(60) + ((y / 6) * 2 + x / 6 == i % 4 ? 180U : 0U)));
  }
  return images;
}

inline const Dataset& made_up_data() {
  static const Dataset data = {.name = "made-up",
                               .train = memory_images(made_up_images(96), 0.3F, 0.3F),
                               .test = memory_images(made_up_images(40), 0.3F, 0.3F),
                               .manifest = "m"};
  return data;
}

inline TensorBatch first_batch() {
  TensorLoader loader(made_up_data().train, {.batch = 32, .epochs = 1}, {});
  return loader.take(0, 0);
}

inline CellSpec small_cell(bool auxi) {
  CellSpec cell;
  cell.dataset = "made-up";
  cell.model = "resnet18";
  cell.stem = "small";
  cell.width = 0.0625;
  cell.pretrain = StageSpec{.epochs = 3, .batch = 32, .optimizer = "sgd", .lr = 0.02, .augment = {"pad-crop", "flip"}};
  if (auxi) cell.aid = {"auxi"};
  return cell;
}

inline CellSpec quantized(CellSpec cell) {
  cell.quantizer = "dorefa";
  cell.weight_bits = cell.activation_bits = 2;
  cell.quantize_at = "conv-input";
  cell.finetune = StageSpec{.epochs = 3, .batch = 32, .optimizer = "adam", .lr = 2e-3, .augment = {"flip"}};
  return cell;
}

// A quantized cell as `method` wants it, two epochs, at two bits where it has them.
inline CellSpec with_method(CellSpec cell, const QuantizerMethod& method) {
  cell.quantizer = method.name;
  cell.weight_bits = cell.activation_bits = method.weight_bits.has(2) && method.activation_bits.has(2) ? 2 : 1;
  cell.quantize_at = method.quantize_at;
  cell.block = method.block;
  cell.bases = 2;
  cell.activation = method.activation;
  cell.finetune->epochs = 2;
  return cell;
}

inline std::unique_ptr<Experiment> experiment_of(const CellSpec& cell) {
  return std::make_unique<Experiment>(cell, DataShape{.channels = 1, .classes = 4}, ComputeOptions{});
}

struct Trained {
  std::unique_ptr<Experiment> experiment;
  TrainOutcome outcome;
};

inline Trained train_cell(const CellSpec& cell, const CheckpointPolicy& checkpoints) {
  Progress quiet;
  Trained result = {.experiment = experiment_of(cell), .outcome = {}};
  result.outcome = train(*result.experiment, made_up_data(), checkpoints, "cell", quiet);
  return result;
}

inline bool same_weights(const Experiment& a, const Experiment& b) {
  const auto other = b.tensors();
  for (const auto& [name, tensor] : a.tensors())
    if (!tensor.equal(other.at(name))) return false;
  return true;
}

inline bool same_outcomes(const TrainOutcome& a, const TrainOutcome& b) {
  for (const auto& [name, tensor] : a.final->outcomes)
    if (!tensor.equal(b.final->outcomes.at(name))) return false;
  return !a.final->outcomes.empty();
}

}  // namespace auxbench::test
