// Binary networks: XNOR-Net, Bi-Real Net, Group-Net. One bit, sign(0) = +1, codes -1 and 1.
//
//   XNOR-Net (Rastegari et al. 2016, arXiv 1603.05279, eqs. 6-11)
//     weights      before each training pass the stored weights lose their mean over input channels at each position
//                  of the filter and are clamped to [-1, 1]
//                  q = alpha sign(w), alpha = E|w| per output channel
//                  dw = g (alpha [|w| < 1] + 1/N) (1 - 1/C_in), N elements of a filter (published code)
//     activations  sign, dx = g where |x| < 1. The released code has no input scale K; neither has this
//   Bi-Real Net (Liu et al. 2018, arXiv 1808.00278, eqs. 5-8)
//     weights      q = E|w| sign(w) per output channel, the mean detached; dw = g where |w| <= 1
//     activations  sign, dx = g max(0, 2 - 2|x|)
//   Group-Net (Zhuang et al. 2019, arXiv 1811.10413)
//     weights      sign, identity, no scale: the norm behind it has one;  activations as Bi-Real Net's
// These methods want a block with a shortcut around every convolution (models/shortcut_block.h).
#pragma once

#include "quantizers/quantizer.h"

namespace auxbench {

std::unique_ptr<Quantizer> make_bireal(Role role, int bits, const QuantizerSettings& settings);
std::unique_ptr<Quantizer> make_group_net(Role role, int bits, const QuantizerSettings& settings);
std::unique_ptr<Quantizer> make_xnor(Role role, int bits, const QuantizerSettings& settings);

}  // namespace auxbench
