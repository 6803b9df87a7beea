#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/check.h"
#include "kernels/requantize/paths.h"

namespace auxbench::requantize {
namespace {

// The class of all pixels, or -1 where there are several or where the map that would say how many is not there.
int64_t only_class(const Epilogue& e) {
  if (e.class_terms == nullptr) return 0;
  const auto all_equal = [](const uint8_t* classes, int64_t count) {
    return classes == nullptr ||
           (count > 0 && std::all_of(classes, classes + count, [classes](uint8_t each) { return each == classes[0]; }));
  };
  if (!all_equal(e.row_class, e.codes.h) || !all_equal(e.column_class, e.codes.w)) return -1;
  const int64_t row = e.row_class == nullptr ? 0 : e.row_class[0];
  return row * e.column_classes + (e.column_class == nullptr ? 0 : e.column_class[0]);
}

// Codes of one channel as a function of x = acc ^ flip, with flip such that they never fall. All lines of the chain
// are monotone, rounding too.
struct Channel {
  const Epilogue& chain;
  int64_t channel, border_class;
  int32_t flip;
  int64_t lowest, highest;  // x of the accumulators asked for

  [[nodiscard]] int32_t code(int64_t x) const {
    return code_of(chain, static_cast<int32_t>(x) ^ flip, channel, border_class);
  }

  // The smallest x from `from` on whose code is at least `wanted`; highest + 1 where none is.
  [[nodiscard]] int64_t threshold(int32_t wanted, int64_t from) const {
    int64_t reached = highest + 1;
    while (from < reached) {
      const int64_t middle = from + (reached - from) / 2;
      if (code(middle) >= wanted)
        reached = middle;
      else
        from = middle + 1;
    }
    return reached;
  }
};

// A line that is infinite can give NaN, which has no code: infinite factors at zero, wherever that is; anything else
// at the ends, where the largest magnitudes are.
bool has_nan(const Epilogue& chain, int32_t bound, int64_t channel, int64_t border_class) {
  for (const float* factors : {chain.scale, chain.alpha})
    if (factors != nullptr && !std::isfinite(factors[channel])) return true;
  return std::isnan(value_of(chain, bound, channel, border_class)) ||
         std::isnan(value_of(chain, -bound, channel, border_class));
}

}  // namespace

bool find_thresholds(const Epilogue& epilogue, int32_t bound, Thresholds& found) {
  AUXBENCH_CHECK(bound >= 0, "a bound of accumulators that is not negative");
  Epilogue chain = epilogue;
  chain.thresholds = nullptr;
  const int64_t border_class = only_class(chain);
  if (chain.residual.data != nullptr || chain.residual_codes.data != nullptr || chain.partial.data != nullptr ||
      chain.out.data != nullptr || chain.encoder.kind == Encoder::Kind::none || border_class < 0)
    return false;
  const int64_t padded = padded_channels(chain.channels);
  Thresholds made;
  made.count = chain.encoder.steps;
  made.values.resize(static_cast<size_t>(padded * made.count));
  made.flip.resize(static_cast<size_t>(padded));
  for (int64_t c = 0; c < chain.channels; ++c) {
    if (has_nan(chain, bound, c, border_class)) return false;
    // A constant channel counts as falling: one more than its highest x is an int32 even if every acc is asked for.
    const bool falls = code_of(chain, -bound, c, border_class) >= code_of(chain, bound, c, border_class);
    const int64_t shift = falls ? 1 : 0;  // acc ^ -1 = -acc - 1
    const Channel channel = {chain, c, border_class, falls ? -1 : 0, -int64_t{bound} - shift, int64_t{bound} - shift};
    int64_t threshold = channel.lowest;
    for (int32_t j = 1; j <= made.count; ++j) {
      threshold = channel.threshold(j, threshold);
      // A rising channel that does not get as far as code j, where every int32 is asked for.
      if (threshold > std::numeric_limits<int32_t>::max()) return false;
      made.values[static_cast<size_t>((j - 1) * padded + c)] = static_cast<int32_t>(threshold);
    }
    made.flip[static_cast<size_t>(c)] = channel.flip;
  }
  found = std::move(made);
  return true;
}

}  // namespace auxbench::requantize
