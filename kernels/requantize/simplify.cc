#include "kernels/requantize/requantize.h"

namespace auxbench::requantize {
namespace {

constexpr int32_t kLevels = 15;    // beyond, thresholds are many and hardly ever on a ramp of floats
constexpr int32_t kFewLevels = 7;  // compared faster than any chain walks
constexpr int32_t kShort = 32766;  // sums whose thresholds fit in 16 bits

void count(Epilogue& epilogue, const Thresholds& thresholds) {
  epilogue.thresholds = thresholds.values.data();
  epilogue.flip = thresholds.flip.data();
  epilogue.count = thresholds.count;
}

}  // namespace

void simplify(Epilogue& chain, int32_t bound, Simpler& numbers) {
  const auto& encoder = chain.encoder;
  if (encoder.steps > kLevels || !find_thresholds(chain, bound, numbers.thresholds)) return;
  if (encoder.steps > 1 && find_ramp(numbers.thresholds, chain.channels, bound, numbers.ramp)) {
    chain.slope = numbers.ramp.slope.data();
    chain.offset = numbers.ramp.offset.data();
    chain.ramped = numbers.ramp.ramped.data();
    chain.count = numbers.thresholds.count;
    return;
  }
  // Beyond few levels a chain is faster where its encoder is arithmetic, and where sums do not fit in 16 bits.
  const bool table = encoder.kind == Encoder::Kind::thresholds;
  if (encoder.steps <= kFewLevels || (table && bound <= kShort)) count(chain, numbers.thresholds);
}

}  // namespace auxbench::requantize
