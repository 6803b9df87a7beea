// A network that returns its output and its taps: the contract between models/ and whatever trains with them.
//
// Nothing here knows the auxiliary module; it reads taps like any other reader of feature maps.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/graph.h"
#include "quantizers/precision.h"

namespace torch::nn {
class Module;
}

namespace auxbench {

class NormLayer;

// Which feature maps to hand out. `block`: one per residual block. `layer`: one per convolution of the main path.
// `after_add`: after the shortcut is added; otherwise the residual branch alone. Both are float, before the activation.
struct TapPlan {
  bool per_layer = false;
  bool after_add = true;
};

struct TapShape {
  int64_t channels = 0;
  int64_t stride = 1;  // against the stem's output
};

// What a detector says of one level of its pyramid. A: anchors a place (RetinaNet 9, FCOS 1), K: classes.
struct LevelOutput {
  int64_t level = 0;     // 3 is P3: one place every 2^level pixels
  at::Tensor classes{};  // [N, A K, H, W] logits; channel a K + k
  at::Tensor boxes{};    // [N, 4 A, H, W]; channel 4 a + i: RetinaNet dx dy dw dh, FCOS l t r b (before its activation)
  at::Tensor centreness{};  // [N, 1, H, W] logits; FCOS alone, else undefined
};

// The maps along one level's two towers, for whoever trains beside them; filled when taps are asked for.
struct HeadTaps {
  int64_t level = 0;
  at::Tensor input{};  // [N, C, H, W]: the pyramid's level
  std::vector<at::Tensor> classes{},
      boxes{};  // behind each convolution of the tower and its norm, before the activation
};

struct NetworkOutput {
  at::Tensor logits;                  // [N, classes], of a classifier
  std::vector<LevelOutput> levels{};  // of a detector, finest first
  // Of a detector these three are its backbone's.
  at::Tensor stem;                 // [N, channels, H, W]: after the stem's norm and pool, before its activation
  std::vector<at::Tensor> taps;    // in the order of TapShapes; empty unless asked for
  std::vector<at::Tensor> blocks;  // one per block, after the shortcut is added; whenever there are taps
  std::vector<HeadTaps> heads{};   // of a detector, with taps; finest first
};

// What is known of a detector's shape.
struct DetectorFacts {
  std::vector<int64_t> levels{};  // of its pyramid, finest first
  int64_t anchors = 1, classes = 0;
  int64_t channels = 256;  // of pyramid and heads
  int64_t tower = 4;       // convolutions of a tower
  bool centreness = false, shared_heads = true;
  std::vector<int64_t> stage_channels{};  // of the backbone's C2 .. C5
};

// A second set of norms for the same weights (the auxiliary module's variant "separate").
class NormBank {
 public:
  virtual ~NormBank() = default;
  virtual std::shared_ptr<torch::nn::Module> module() = 0;
  // In place of the network's norm `index`, counted in the order they were made (models/norm.h).
  virtual NormLayer& layer(size_t index) = 0;
};

// Called with what a quantizer of activations is given, before it encodes it.
using QuantizerWatcher = std::function<void(Quantizer& quantizer, const at::Tensor& x)>;

class Network {
 public:
  virtual ~Network() = default;

  // images [N, channels, H, W]; N, H and W may differ from call to call. taps: null for none; norms: null for the
  // network's own.
  virtual NetworkOutput forward(const at::Tensor& images, const TapPlan* taps = nullptr, NormBank* norms = nullptr) = 0;

  // Names and shapes of parameters and buffers are torchvision's.
  virtual torch::nn::Module& module() = 0;

  // Null: not a detector.
  [[nodiscard]] virtual const DetectorFacts* detector() const { return nullptr; }

  // Of a detector these are its backbone's.
  [[nodiscard]] virtual std::vector<TapShape> tap_shapes(const TapPlan& taps) const = 0;
  [[nodiscard]] virtual int64_t stem_channels() const = 0;
  [[nodiscard]] virtual int64_t blocks() const = 0;

  // The layers whose weights or inputs are quantized, in the order they compute; each once.
  virtual std::vector<QuantizedWeight*> quantized_layers() = 0;

  // What forward() computes in evaluation, without taps.
  [[nodiscard]] virtual Graph graph() = 0;

  // Which blocks compute at full precision for the time being, one flag a block; empty: none.
  virtual void bypass(const std::vector<bool>& blocks) = 0;

  // Called at every activation that forward() quantizes from now on, where it is quantized; an empty function ends it.
  virtual void watch_quantizers(QuantizerWatcher watcher) = 0;

  // Norm layers like the network's own, freshly initialised.
  [[nodiscard]] virtual std::shared_ptr<NormBank> make_norms() const = 0;
};

// ResNet-18/34/50/101 (He et al. 2016) with torchvision's names, shapes and initialisation, at any precision.
//
//   stem   imagenet: 7x7/2 conv, BN, act, 3x3/2 max-pool | small: 3x3 conv, BN, act
//   block  basic: 3x3, 3x3 | bottleneck: 1x1, 3x3 (carries the stride), 1x1 to four times the channels
//   plain  the same without shortcuts (and so without their 1x1 convolutions)
//
// Where activations are quantized:
//   conv-input    each convolution quantizes its own input; the residual stream stays a float (ReLU) map
//   block-output  each activation is quantized where it is made, stem and block outputs included (the released code of
//                 the replicated paper)
// The last block ends in a plain ReLU in every variant: its output feeds the classifier.
// Taps lie before a block's activation, so that they are float in both.
struct NetworkOptions {
  std::string model = "resnet18";  // resnet18 | resnet34 | resnet50 | resnet101 (models/list/)
  int64_t in_channels = 3;
  int64_t classes = 1000;
  bool skip = true;               // false: plain network without shortcuts
  std::string stem = "imagenet";  // imagenet | small
  int64_t stem_stride = 1;        // of the small stem
  double width = 1.0;
  std::string block = "post-act";          // post-act | pre-act | bireal | group (models/block.h)
  bool zero_init = false;                  // the last norm of each block starts at scale 0; not pre-act
  int64_t bases = 5;                       // branches of a group network
  std::string activation = "relu";         // relu | relu6 | hardtanh | tanh, where activations are not quantized
  std::string quantize_at = "conv-input";  // conv-input | block-output
  bool frozen_norms = false;               // norms that do not learn (NormKind::frozen): of a detector's backbone
  PrecisionPlan precision;
};

// Whether there is a classifier of this name.
bool network_exists(const std::string& model);

// A classifier (of detectors: models/detector.h). Weights are drawn from torch's default generator: seed it first.
std::unique_ptr<Network> make_network(const NetworkOptions& options);

}  // namespace auxbench
