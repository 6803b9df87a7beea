// The path of the full-precision auxiliary module H of "Training Quantized Neural Networks with a Full-precision
// Auxiliary Module" (Zhuang, Liu, Tan, Shen, Reid; CVPR 2020), wired as its authors' released code does:
//
//   g_0 = BN(conv1x1(stem))                           stem: after norm and pool, before the activation; no ReLU here
//   g'  = BN(conv1x1_stride(g_{p-1})) where a tap's shape differs from g's, else g_{p-1}               (boundaries)
//   g_p = ReLU(g' + BN(conv_k(O_p)))  for each tap O_p of the network F, in order       (adaptors; k = 1 or 3)
//
// All convolutions are full precision and without bias. What stands on g_P belongs to the task (auxiliary_method.h).
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "models/network.h"

namespace auxbench {

// The maps that a path joins.
struct AuxiliaryShapes {
  int64_t stem_channels = 0;
  std::vector<TapShape> taps;
};

struct AuxiliaryOptions {
  int kernel = 1;    // of the adaptors
  bool relu = true;  // in the aggregation
};

class AuxiliaryPath {
 public:
  // Draws its weights from torch's default generator. Throws UserError when there are no taps.
  AuxiliaryPath(const AuxiliaryShapes& shapes, const AuxiliaryOptions& options);
  ~AuxiliaryPath();

  // g_P [N, channels(), H, W] from maps of the shapes it was made for.
  at::Tensor forward(const at::Tensor& stem, const std::vector<at::Tensor>& taps);
  // g_1 .. g_P: one behind each tap, of its shape.
  std::vector<at::Tensor> maps(const at::Tensor& stem, const std::vector<at::Tensor>& taps);

  [[nodiscard]] int64_t channels() const;

  // Holds "stem", "adaptors.N", "boundaries.N"; whoever puts a head on the path registers it here.
  [[nodiscard]] std::shared_ptr<torch::nn::Module> module() const;

 private:
  struct Layers;
  std::shared_ptr<Layers> layers_;
};

}  // namespace auxbench
