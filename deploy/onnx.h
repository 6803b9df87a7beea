// An integer network as an ONNX model in the QCDQ manner: QuantizeLinear, Clip, DequantizeLinear around float
// operators, weights as integer initialisers behind a DequantizeLinear. For whoever wants to run a network elsewhere,
// look at it, or hold our engine against another. Torch-free.
//
//   input    "images"  float [N, channels, height, width], N free; the network's own height and width
//   output   "logits"  float [N, classes]; other outputs by their names, float [N, channels, height, width]: of a
//                      detector the raw outputs of its levels, whose boxes are found outside of the model
//   opset 17, IR 8, producer "auxbench"; tensors of a step are named after it: "layer1.0.conv1.codes" ...
//
// Codes are int8 or uint8 tensors that hold step u + shift where one of the types holds all of these, else u. Weights
// hold their values: 2 c + 1 on an odd grid; int8, or int32 where they are beyond (8 bits on an odd grid).
//
// Convolutions multiply whole numbers: DequantizeLinear has scale 1 on both sides, and the scale, which is the product
// of two, follows the sum. Float32 holds such sums exactly up to 2^24, so the order of summation does not matter,
// padding is a true zero, and a sum that meets a threshold still does. With scales inside, rounding would decide there:
// three in four of a binary layer's zero sums would be none, half of those on the wrong side of a sign. What an offset
// of the input adds is a convolution of ones with the summed weights, added afterwards. Residuals of codes do have
// their scale in their DequantizeLinear. Weights that steps share are one tensor.
//
// Nearest upsampling is a Resize (nearest, asymmetric, floor) to the sizes that the network has at its own height and
// width. It is the engine's where one size is twice the other or that less one, as between levels of a pyramid.
//
// From floats to codes by one of three forms, the first that gives the same code for every float, which is tried at
// every threshold and its lower neighbour:
//   QuantizeLinear   (Sub,) QuantizeLinear, Clip
//   affine           Sub, Div, Clip, Mul, Round as the encoder says, then QuantizeLinear by 1
//   thresholds       how many thresholds are reached: GreaterOrEqual, Cast, Add; then QuantizeLinear by 1
// The model's metadata say which: "auxbench.encoders", JSON, {step: form}.
//
// Exact, i.e. bit for bit what deploy/executor.h says where a runtime rounds each operator once as written, but for
//   - float convolutions: float32 sums here, float64 in the engine;
//   - sums of codes beyond 2^24, which 8 by 8 bits with many inputs could have and rarely do;
//   - the mean: sums in float64 in both, but in any order.
// "auxbench.convolutions", JSON, {step: "exact" | "float32"}, says of each convolution whether its weights rule out the
// first two. A difference of an ulp there can move a code that is at a threshold by one. Runtimes that merge a scale
// into weights, or multiply and add without rounding between, give up exactness too.
#pragma once

#include <string>

#include "deploy/integer_network.h"

namespace auxbench {

// The bytes of a ModelProto; the same network gives the same bytes. Throws UserError where the network does not fit
// together (value_sizes) or is larger than the 2 GiB that a message may have.
std::string to_onnx(const IntegerNetwork& network);

}  // namespace auxbench
