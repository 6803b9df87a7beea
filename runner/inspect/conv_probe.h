// One convolution kernel on given codes, tensors in and tensors out: numbers to hold against anyone's own.
#pragma once

#include <string>

#include "base/files/safetensors.h"
#include "kernels/lowbit_conv/lowbit_conv.h"

namespace auxbench {

struct ConvProbe {
  lowbit_conv::Problem problem;
  std::string isa;     // cap, as AUXBENCH_ISA; "": the processor's best
  std::string kernel;  // "": the plan's choice
  int threads = 1;
};

// in:  "codes"      U8 [n][h][w][c], unsigned
//      "weights"    I8 [out][r][s][c], codes in two's complement
//      "thresholds" I32 [levels - 1][out], optional: code = how many of them acc reaches
// out: "accumulators" I32 [n][out_h][out_w][out]; "requantized" U8 of the same shape where there are thresholds; the
//      kernel's name and the reason for it in the metadata.
// Throws UserError for tensors of other shapes or types, codes beyond their bits, problems no kernel is for.
SafeTensors probe_conv(const ConvProbe& probe, const SafeTensors& in);

}  // namespace auxbench
