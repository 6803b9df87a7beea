// Fake quantization as one pass over memory each way: encode() rounds onto a grid and returns the integers behind the
// levels, differentiate() returns the straight-through gradient and the shares of learned parameters.
//
// Torch-free: spans in, spans out, T = float | double. formula.h says what a formula is; each method's has a header of
// its own here. A new formula is such a header and a word in the list below: CPU, CUDA (cuda.h), tests and benchmarks
// follow. reference.h is the same, one element at a time.
// Arrays are worked on in pieces: pieces.h.
#pragma once

#include <span>

#include "kernels/fake_quant/clip.h"
#include "kernels/fake_quant/dorefa_weight.h"
#include "kernels/fake_quant/ewgs.h"
#include "kernels/fake_quant/interval.h"
#include "kernels/fake_quant/levels.h"
#include "kernels/fake_quant/lookup.h"
#include "kernels/fake_quant/mid_rise.h"
#include "kernels/fake_quant/pieces.h"
#include "kernels/fake_quant/range.h"
#include "kernels/fake_quant/sign.h"
#include "kernels/fake_quant/step.h"
#include "kernels/fake_quant/thresholds.h"

namespace auxbench::fake_quant {

#define AUXBENCH_FORMULAS(each)                                                                                        \
  each(Clip) each(DorefaWeight) each(Ewgs) each(FixedLevels1) each(FixedLevels2) each(FixedLevels3) each(FixedLevels4) \
      each(FixedLevels5) each(Interval) each(IntervalPower) each(LearnedLevels1) each(LearnedLevels2)                  \
          each(LearnedLevels3) each(LearnedLevels4) each(Lookup1) each(Lookup2) each(Lookup3) each(Lookup4)            \
              each(MidRise) each(Range) each(Sign) each(SignPolynomial) each(Step) each(Thresholds1) each(Thresholds2) \
                  each(Thresholds3) each(Thresholds4)

// codes[i] for the elements of the chosen pieces; x and codes hold the whole array and do not overlap. `statistics`
// holds Formula::kStatistics numbers for each piece of the array, or is empty when they are not wanted.
// One core: the caller hands different pieces to different threads. No allocation, no lock.
template <typename Formula, typename T>
void encode(const Formula& formula, std::span<const T> x, const Pieces& pieces, std::span<T> codes,
            std::span<T> statistics = {});

// dx[i], and Formula::kSums numbers for each piece of the array. gradient: with respect to the levels' values.
template <typename Formula, typename T>
void differentiate(const Formula& formula, std::span<const T> x, std::span<const T> gradient, const Pieces& pieces,
                   std::span<T> dx, std::span<T> sums);

}  // namespace auxbench::fake_quant
