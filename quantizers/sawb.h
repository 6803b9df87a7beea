// SAWB, statistics-aware weight binning (Choi et al., SysML 2019, eq. 5), with PACT's activations.
//
//   alpha = c1 sqrt(E w^2) + c2 E|w| per tensor, max|w| where that is negative;  n = 2^k - 1
//   q = (2 round(n (clip(w/alpha, -1, 1)/2 + 1/2))/n - 1) alpha: mid-rise, no level at zero
// alpha is recomputed in training, kept for evaluation (state "alpha"), and carries no gradient. c1, c2 are those of
// the authors' published code for 2, 3, 4, 5 and 8 bits; at 6 and 7 bits, which they do not give, alpha = max|w|.
// Settings: masked (0): gradient only where |w| <= alpha; the default is the identity. Codes -n, -n + 2 .. n,
// scale alpha/n. Activations: pact.h.
#pragma once

#include "quantizers/quantizer.h"

namespace auxbench {

std::unique_ptr<Quantizer> make_sawb(Role role, int bits, const QuantizerSettings& settings);

}  // namespace auxbench
