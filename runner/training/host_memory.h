// Memory of CPU tensors that is kept for the next tensor of its size: a training step asks for the same few hundred
// sizes again and again, and the system's allocator takes longer over a map of some kB than a kernel does.
#pragma once

namespace auxbench {

// From now on tensors on the CPU take their memory so, in all threads; calls after the first do nothing. Each thread
// keeps what it freed, at most kLargestKept bytes a tensor and kKeptByThread in all. No number depends on it.
// Under AddressSanitizer it does nothing, so that faults stay visible.
void reuse_host_memory();

}  // namespace auxbench
