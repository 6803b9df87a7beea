// Integer networks with random weights: what a whole network costs at a bit-width, before anyone has trained it.
#pragma once

#include <string>

#include "deploy/integer_network.h"

namespace auxbench {

// resnet18, resnet34, resnet50 or resnet101 on images [3, image, image] with 1000 classes, every layer on codes: the
// stem reads 8-bit pixels and the classifier 8-bit features, both with 8-bit weights; all others have weight_bits and
// activation_bits. Activations are quantized where they are made, the shortcut adds codes. Weights and norms are drawn
// from `seed`; codes spread over all levels. Throws UserError for another name or width.
IntegerNetwork synthetic_resnet(const std::string& model, int weight_bits, int activation_bits, int64_t image,
                                int64_t seed = 0);

// RetinaNet over such a ResNet, as a quantized one is frozen: laterals and the pyramid's outputs P3 .. P7, P6 from C5
// and P7 from relu(P6); upsampled maps and their sums in floats; on each level two towers, each with codes of its own.
// The last layers have 8-bit weights and 8-bit input and give the outputs "classes.3" [anchors x classes channels],
// "boxes.3" [4 anchors] and so on to level 7, in this order. Height and width: of the padded image, at least 64.
struct SyntheticDetector {
  std::string backbone = "resnet18";
  int weight_bits = 4, activation_bits = 4;
  int64_t height = 800, width = 1344;  // of an image 800 x 1333
  int64_t classes = 80, anchors = 9, channels = 256, tower = 4;
  bool shared_heads = true;  // false: each level has towers of its own; the last layers are always shared
  int64_t seed = 0;
};
IntegerNetwork synthetic_retinanet(const SyntheticDetector& options);

}  // namespace auxbench
