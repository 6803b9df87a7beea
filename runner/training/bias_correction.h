// Bias correction of a network quantized after training (Nagel et al. 2019, arXiv 1906.04721, section 4.2, by
// measurement as in its appendix; Banner et al. 2019, arXiv 1810.05723, section 3 for weights alone):
//
//   beta_c <- beta_c - (E[y^_c] - E[y_c])
//
// y_c is channel c of a layer's output behind its norm, or behind its bias, in the full-precision network, y^_c the same
// in the quantized one, E the mean over images and pixels; beta is the norm's bias, or the layer's. Layers are corrected
// in the order they compute, each with those before it corrected.
//
// That is every convolution that a norm of its own follows, and the classifier, whatever its precision: the error of its
// input is an error of its output. Where a convolution feeds a sum (the last of a pre-activation block) there is no
// bias to correct. A layer that computes several maps, as a detector's shared heads do, is corrected once, over all of
// them; not where each map has a norm of its own, since its outputs are not told apart. Batch norms that were re-estimated (norm_statistics.h) have brought nearly all means back already:
// the classifier's is left.
#pragma once

#include <string>
#include <vector>

#include "models/network.h"

namespace auxbench {

class BiasCorrection {
 public:
  // The network must be in evaluation mode and compute at full precision now: the means it has are those wanted.
  // It and the batches must outlive this.
  BiasCorrection(Network& network, const std::vector<at::Tensor>& batches);

  [[nodiscard]] size_t layers() const { return layers_.size(); }
  // Layer i, in the order they compute, as the network is quantized now.
  void correct(size_t i);

 private:
  struct Layer {
    QuantizedWeight* weight;
    size_t node;          // of the graph: the norm or the bias behind it
    at::Tensor bias;      // [channels], the network's own
    at::Tensor wanted{};  // [channels] float64: E[y]
  };

  [[nodiscard]] std::vector<at::Tensor> means_of(const std::vector<size_t>& layers) const;

  Network& network_;
  const std::vector<at::Tensor>& batches_;
  std::vector<Layer> layers_;
};

}  // namespace auxbench
