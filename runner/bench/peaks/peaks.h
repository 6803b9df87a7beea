// What this processor can do at best: loops of one mix of instructions, in registers only, and the reading of memory.
// What a kernel reaches is held against them, measured in the same process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "kernels/isa/isa.h"

namespace auxbench::peaks {

struct Loop {
  const char* name;  // of what it bounds: "fp32-fma", "int8-dot", "binary-popcount" ...
  const char* mix;   // the instructions: "vpdpbusd zmm"
  bool (*runs_on)(const Isa&);
  int64_t macs;                // products, summed up, in one turn
  void (*run)(int64_t turns);  // at least 1
};

// All there are for this family of processors; among those of one name the best first.
//   fp32-fma         a product of floats each lane
//   int8-dot         u8 times s8 into int32, by AVX-512 VNNI
//   int8-tile        the same, by AMX
//   int16-pairs      u8 times s8 into int16, for few bits: a multiplication and an addition
//   binary-popcount  products of bits: AND, population count, addition
//   byte-lookup      tables of 64 bytes; as many products as six weights of one bit make
std::span<const Loop> loops();

// The first of that name that runs here, or nullptr.
const Loop* find_loop(const std::string& name, const Isa& isa);

// Reads every byte once, as fast as one thread does; the size is rounded down to a multiple of 512. The result means
// nothing: it keeps a compiler from leaving it out.
uint64_t read_all(std::span<const std::byte> bytes, const Isa& isa);

// Cycles a second while this runs, from a chain of multiplications, three cycles each; 0 where that is not known.
double clock_hz();

}  // namespace auxbench::peaks
