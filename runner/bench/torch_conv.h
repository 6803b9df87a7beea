// LibTorch as an opponent of our convolutions (runner/bench/opponents/opponent.h).
//
//   fp32   channels last, weights packed beforehand and ReLU fused where its oneDNN has that operator; else as a
//   network
//          of torch.nn runs it: conv2d, then ReLU in place
//   int8   what its quantized layers call: quantized::conv2d_relu on packed weights, u8 in and out, channels last
//
// Threads are at::set_num_threads', of the team that computes; binding them is the caller's business.
#pragma once

#include "runner/bench/opponents/opponent.h"

namespace auxbench {

opponents::Made make_torch_conv(const opponents::Layer& layer, opponents::Arithmetic arithmetic,
                                const opponents::Conditions& conditions);

}  // namespace auxbench
