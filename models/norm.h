// Batch normalisation layers that can be swapped for a second set on the same weights. For .cc files of this room.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "models/network.h"

namespace auxbench {

// One place in the network where features are normalised; copies share the layer.
//
// In evaluation y = x alpha + beta, alpha = weight / sqrt(variance + eps), beta = bias - mean alpha: a product, then a
// sum, each rounded once, which is what an integer engine computes as well, whatever the processor.
class Norm {
 public:
  Norm() = default;
  Norm(std::shared_ptr<torch::nn::Module> own, size_t index) : own_(std::move(own)), index_(index) {}
  at::Tensor operator()(const at::Tensor& x, NormBank* bank) const;

  // alpha and beta of the network's own norm, [channels] each.
  [[nodiscard]] std::pair<at::Tensor, at::Tensor> constants() const;

 private:
  std::shared_ptr<torch::nn::Module> own_;
  size_t index_ = 0;
};

// All norm layers of a network in the order they were added.
class NormList {
 public:
  // Registers BatchNorm2d(channels) as `name` in `owner`: weight 1, bias 0, eps 1e-5, momentum 0.1.
  Norm add(torch::nn::Module& owner, const std::string& name, int64_t channels);
  [[nodiscard]] std::shared_ptr<NormBank> make_bank() const;

 private:
  std::vector<int64_t> channels_;
};

}  // namespace auxbench
