// Whole networks, one image at a time: ours as integers, LibTorch's at full precision, and the vendors' convolutions.
//
// Vendors' libraries have layers, no networks: "vendor-int8" and "vendor-fp32" are sums over the convolutions, each
// timed alone and hot by the library that is fastest at it. Pooling, residual sums and whatever lies between layers
// cost them nothing.
//
// Of a detector a network's time is that of its raw outputs. What finds boxes in them (metrics/detection/postprocess.h)
// runs in the same race: rows' "boxes" (box_work.h).
#pragma once

#include "runner/bench/layer_race.h"

namespace auxbench {

bench::RaceRecord run_network_race(const KernelRace& spec, const bench::Surroundings& surroundings,
                                   bench::Races& races);

}  // namespace auxbench
