// PACT (Choi et al. 2018, arXiv 1805.06085, eqs. 1-3): activations with a learned clip, DoReFa's weights.
//
//   activations  q = round(n clip(x/alpha, 0, 1)) alpha/n, n = 2^k - 1;  dx = g where 0 <= x <= alpha
//                d alpha = sum g [x >= alpha]: the rounding residual is ignored
//   weights      dorefa.h
//
// Parameter: alpha, per tensor, from 8 (as the ports start; the paper's own figure is not at hand). Weight decay
// reaches it, 1e-4 where weights have none: without the pull nothing ever lowers a clip that no activation reaches.
// Settings: residual (0): adds g (q - x)/alpha inside, "PACT-CG". Codes 0..n, scale alpha/n.
#pragma once

#include "quantizers/quantizer.h"

namespace auxbench {

std::unique_ptr<Quantizer> make_pact(Role role, int bits, const QuantizerSettings& settings);

// PACT's activations, which SAWB shares.
std::unique_ptr<Quantizer> make_pact_activation(int bits, const QuantizerSettings& settings);

}  // namespace auxbench
