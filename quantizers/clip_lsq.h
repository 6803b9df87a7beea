// The Monash group's learned clip, called "LSQ" in their code (Chen et al., AQD, arXiv 2007.06919, eqs. 2-3). Not LSQ.
//
//   n = 2^k - 1, c = |parameter|
//   activations  q = round(n clip(x/c, 0, 1)) c/n
//   weights      u = (w - mean)/deviation, both detached, the deviation with N - 1
//                q = (2 round(n (clip(u/c, -1, 1) + 1)/2)/n - 1) c        mid-rise: no level at zero
//   dx = g inside;  dc = g (q/c - x/c) inside, g times the bound outside
//
// Parameter: clip, per tensor, from 1. Codes 0..n and -n, -n + 2 .. n, scale c/n.
// Settings: stable (0): so many first batches set clip to 0.8 times the running mean of max|x|; normalise (1): of
// weights.
#pragma once

#include "quantizers/quantizer.h"

namespace auxbench {

std::unique_ptr<Quantizer> make_clip_lsq(Role role, int bits, const QuantizerSettings& settings);

}  // namespace auxbench
