// The full-precision auxiliary module H of "Training Quantized Neural Networks with a Full-precision Auxiliary Module"
// (Zhuang, Liu, Tan, Shen, Reid; CVPR 2020), wired as its authors' released code does.
//
//   g   = BN(conv1x1(stem))                         stem: after norm and pool, before the activation; no ReLU here
//   g'  = BN(conv1x1_stride(g)) where a tap's shape differs from g's, else g           (boundaries)
//   g   = ReLU(g' + BN(conv_k(O_p)))  for each tap O_p of the network F, in order      (adaptors; k = 1 or 3)
//   logits = fc(mean over H, W of g)
//
// All convolutions are full precision and without bias. H is used while training only: nothing that evaluates, exports
// or runs a network links this room.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "models/network.h"

namespace auxbench {

struct AuxiliaryOptions {
  int kernel = 1;  // of the adaptors
  TapPlan taps;
  bool relu = true;             // in the aggregation
  bool separate_norms = false;  // F o H runs F's weights with norm layers of its own: a second pass through F
  int64_t classes = 1000;
};

class AuxiliaryModule {
 public:
  // Draws its weights from torch's default generator.
  AuxiliaryModule(const Network& network, const AuxiliaryOptions& options);
  ~AuxiliaryModule();

  // [N, classes] from an output that carries this module's taps.
  at::Tensor forward(const NetworkOutput& output);

  [[nodiscard]] const TapPlan& taps() const;
  [[nodiscard]] NormBank* norms() const;  // null when norms are shared
  torch::nn::Module& module();

 private:
  struct Layers;
  std::shared_ptr<Layers> layers_;
};

}  // namespace auxbench
