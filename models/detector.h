// RetinaNet (Lin et al. 2017) and FCOS (Tian et al. 2019): a ResNet backbone, a feature pyramid P3 to P7 (models/pyramid.h)
// and two towers at each of its levels (models/detection_heads.h).
//
//                      anchors   centre-ness   P6 reads
//   retinanet, detectron2  9          -           C5
//   retinanet, torchvision 9          -           P5
//   fcos (both)            1          yes         P5
//
// Names and shapes of parameters and buffers are those of torchvision's retinanet_resnet50_fpn (norm none) and
// fcos_resnet50_fpn (norm group): backbone.body.*, backbone.fpn.*, head.*. What torchvision does not have:
//   norms in place of biases   backbone.fpn.inner_blocks.I.1, .layer_blocks.I.1, .extra_blocks.p6_norm, .p7_norm,
//                              head.*_head.conv.I.1 (FCOS: 3 I + 1); one a level: a "0" to "4" behind it
//   unshared heads             head.*_head.conv.pL. before what stands behind conv. otherwise
// Weights start as both flavours': the pyramid's by fan-in, the heads' normal of deviation 0.01, class logits at a
// probability of 0.01, biases at 0.
#pragma once

#include <memory>
#include <string>

#include "models/network.h"

namespace auxbench {

// norm, of pyramid and towers:
//   none       biases; layers whose quantizer does not keep the weights' scale scale them
//   batch      batch norms: one for all levels that share a convolution. Each level trains by its own statistics and is
//              evaluated by the mean of all, which costs half of AP (docs/detection.md)
//   per-level  the same, one for each level
//   frozen     one for each level that does not learn, for a start from a detector that has trained them
//   group      group norms in the towers, biases in the pyramid; integers have none
struct DetectorOptions {
  NetworkOptions backbone;             // `model` may be the detector's name; the precision plan is the whole detector's
  std::string kind = "retinanet";      // retinanet | fcos
  std::string flavour = "detectron2";  // detectron2 | torchvision
  int64_t classes = 80;
  int64_t channels = 256, tower = 4;    // of pyramid and heads, whatever the backbone's width
  std::string heads = "shared";         // shared | unshared
  std::string quantize = "all";         // all | backbone: pyramid and heads stay at full precision
  std::string norm = "per-level";       // none | batch | per-level | frozen | group
  std::string backbone_norm = "batch";  // batch | frozen
  // With batch, per-level or frozen norms the pyramid's maps end in a ReLU (models/pyramid.h says why).
  bool pyramid_relu = true;
};

// Weights are drawn from torch's default generator: seed it first. Throws UserError for a backbone that a detector cannot
// have: another stem than imagenet, another block than post-act, activations quantized at the output.
std::unique_ptr<Network> make_detector(const DetectorOptions& options);

}  // namespace auxbench
