// box_nms.h on a CUDA device: the same boxes in the same order, bit for bit.
//
// Spans are in the memory of the stream's device and owned by the caller. Work is queued on the stream and not waited
// for; the calling thread's current device is the same afterwards as before. Throws std::runtime_error when the device
// refuses a launch. Where nvcc was not there at build time cuda_absent.cc stands in: compiled() is false, nms() is a
// fault of the caller.
//
// Every box finds its place in the order by counting those before it, then every pair is compared, 64 to a word, and one
// block walks through the order: n^2 comparisons at once, n steps. Meant for the few thousand boxes of an image.
#pragma once

#include "kernels/box_nms/box_nms.h"
#include "kernels/cuda/stream.h"

namespace auxbench::box_nms::cuda {

bool compiled();

using auxbench::cuda::Stream;

// Bytes of `workspace` for so many boxes; 8-byte aligned.
size_t workspace_bytes(size_t boxes);

// kept: the indices, best first; boxes beyond its length are not looked for. count[0]: how many there are. Sizes that
// disagree are a LogicFault.
void nms(const Boxes& boxes, float threshold, std::span<std::byte> workspace, std::span<uint32_t> kept,
         std::span<uint32_t> count, Stream stream);

}  // namespace auxbench::box_nms::cuda
