// What differs between instruction sets: whether one of the boxes kept so far suppresses the next. For .cc files of this
// folder and its tests. Vector units call no inline function of the standard library, which a linker could take from
// them for the whole program.
#pragma once

#include "kernels/box_nms/box_nms.h"

namespace auxbench::box_nms {

inline constexpr size_t kLanes = 16;  // boxes of a block

// Kept boxes side by side; a place without a box holds one that no box overlaps (nms.cc).
struct alignas(64) Block {
  float x0[kLanes], y0[kLanes], x1[kLanes], y1[kLanes], area[kLanes];
};

struct Candidate {
  float x0, y0, x1, y1, area;
};

struct Kernel {
  const char* name;
  bool (*runs_on)(const Isa&);
  // Whether IoU > threshold for one of the boxes of `count` blocks.
  bool (*suppressed)(const Block* blocks, size_t count, const Candidate& box, float threshold);
};

// table.cc: every kernel, the best first.
std::span<const Kernel* const> all_kernels();

std::vector<uint32_t> nms_with(const Kernel& kernel, const Boxes& boxes, float threshold, size_t most);

// What all of them ask of their arguments (box_nms.cc).
void check_arguments(const Boxes& boxes, float threshold);
// Whether the box takes part at all.
bool takes_part(const Boxes& boxes, size_t index);

}  // namespace auxbench::box_nms
