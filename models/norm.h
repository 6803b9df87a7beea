// Normalisation layers: batch norm, batch norm that no longer learns, batch norm with statistics per level, group norm.
// For .cc files of this room.
//
// In evaluation all but group norm compute, for each channel,
//   y = x alpha + beta,   alpha = weight / sqrt(variance + eps),   beta = bias - mean alpha,   eps = 1e-5
// a product, then a sum, each rounded once, which is what an integer engine computes as well, whatever the processor.
// Group norm (Wu and He 2018) takes mean and variance of each image over a group of channels and all pixels, eps 1e-5, in
// evaluation as in training, and then weight and bias by channel.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/batch_norm.h"
#include "models/network.h"

namespace auxbench {

enum class NormKind {
  batch,      // torch's BatchNorm2d: weight 1, bias 0, momentum 0.1 at first
  frozen,     // statistics, weight and bias are constants: buffers, names and start of torchvision's FrozenBatchNorm2d
  per_level,  // a BatchNorm2d of its own for each level, in submodules "0", "1", ...: weights are shared, norms are not
  frozen_per_level,  // the same of frozen norms
  group              // torch's GroupNorm of kNormGroups groups
};

inline constexpr int64_t kNormGroups = 32;

constexpr bool is_frozen(NormKind kind) { return kind == NormKind::frozen || kind == NormKind::frozen_per_level; }

// What stands behind a layer that one level has to itself.
constexpr NormKind of_one_level(NormKind kind) {
  if (kind == NormKind::per_level) return NormKind::batch;
  return kind == NormKind::frozen_per_level ? NormKind::frozen : kind;
}

struct NormOptions {
  NormKind kind = NormKind::batch;
  size_t levels = 1;  // of a norm per level
};

// Scale 1, or scale 0: whatever goes in, nothing comes out until training moves the scale.
enum class NormStart { identity, zero };

// [channels] each; undefined for a group norm, which has none.
struct NormConstants {
  at::Tensor alpha, beta;
};

class NormLayer {
 public:
  virtual ~NormLayer() = default;
  // x [N, channels, H, W]. `level` is read where there is more than one.
  virtual at::Tensor normalise(const at::Tensor& x, size_t level, const AfterNorm& after) = 0;
  at::Tensor normalise(const at::Tensor& x, size_t level) { return normalise(x, level, {}); }
  [[nodiscard]] virtual NormConstants constants(size_t level) const = 0;
  virtual std::shared_ptr<torch::nn::Module> module() = 0;
};

// A frozen norm starts as its file has it: it takes no other start than the identity. Throws UserError for a group norm of
// channels that do not fall into kNormGroups groups.
std::shared_ptr<NormLayer> make_norm(const NormOptions& options, int64_t channels,
                                     NormStart start = NormStart::identity);

// One place in the network where features are normalised, at one level. Copies share the layer.
class Norm {
 public:
  Norm() = default;
  Norm(std::shared_ptr<NormLayer> own, size_t index) : own_(std::move(own)), index_(index) {}

  // The same place at another level.
  [[nodiscard]] Norm at(size_t level) const;

  // bank: null for the network's own norms.
  at::Tensor operator()(const at::Tensor& x, NormBank* bank, const AfterNorm& after = {}) const;
  // Of the network's own norm.
  [[nodiscard]] NormConstants constants() const { return own_->constants(level_); }

 private:
  std::shared_ptr<NormLayer> own_;
  size_t index_ = 0, level_ = 0;
};

// All norms of a network in the order they were added.
class NormList {
 public:
  struct Made {
    NormOptions options;
    int64_t channels;
    NormStart start;
  };

  NormList() = default;
  // options: of the norms that say nothing else.
  explicit NormList(const NormOptions& options) : options_(options) {}

  // Makes a norm and registers it as `name` in `owner`.
  Norm add(torch::nn::Module& owner, const std::string& name, int64_t channels, NormStart start = NormStart::identity);
  Norm add(torch::nn::Module& owner, const std::string& name, int64_t channels, const NormOptions& options,
           NormStart start = NormStart::identity);
  // Norms like these, freshly initialised.
  [[nodiscard]] std::shared_ptr<NormBank> make_bank() const;

 private:
  NormOptions options_;
  std::vector<Made> made_;
};

}  // namespace auxbench
