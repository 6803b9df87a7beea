#include "kernels/focal_loss/focal_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "base/check.h"
#include "kernels/fake_quant/lanes.h"
#include "kernels/fake_quant/tanh.h"

namespace auxbench::focal_loss {
namespace {

using fake_quant::kLanes;

// exp(-size). Beyond 40 the product s^2 log(1 + exp(z)) is no float any more, or log(1 + exp(z)) is z.
inline float exp_of_minus(float size) {
  return 1.0F / fake_quant::exp_of_moderate(fake_quant::clamp(size, 0.0F, 40.0F));
}
inline double exp_of_minus(double size) { return std::exp(-size); }

// log(1 + e) for 0 <= e <= 1: 2 artanh(u) with u = e / (2 + e), at most 1/3. What the series leaves out is 2e-9 of it.
inline float log_of_one_plus(float e) {
  const float u = e / (2.0F + e), v = u * u;
  float p = 1.0F / 15;
  p = std::fma(p, v, 1.0F / 13);
  p = std::fma(p, v, 1.0F / 11);
  p = std::fma(p, v, 1.0F / 9);
  p = std::fma(p, v, 1.0F / 7);
  p = std::fma(p, v, 1.0F / 5);
  p = std::fma(p, v, 1.0F / 3);
  p = std::fma(p, v, 1.0F);
  return 2.0F * u * p;
}
inline double log_of_one_plus(double e) { return std::log1p(e); }

// Without a_t.
template <typename T>
struct Term {
  T loss, slope;
};

template <typename T>
[[gnu::always_inline]] inline Term<T> term(T z) {
  const T e = exp_of_minus(fake_quant::magnitude(z));
  const T larger = T(1) / (T(1) + e), smaller = e * larger;
  const T s = z < T(0) ? smaller : larger, rest = z < T(0) ? larger : smaller;
  const T log = (z > T(0) ? z : T(0)) + log_of_one_plus(e);
  const T square = s * s;
  return {.loss = square * log, .slope = square * (T(2) * rest * log + s)};
}

// x becomes factor times the slope as though every target were 0; the sum of losses is without a_t. Templates cannot be
// multiversioned, functions can.
#define AUXBENCH_BACKGROUND(T)                                             \
  AUXBENCH_MULTIVERSION double background(T* x, std::size_t n, T factor) { \
    double lane[kLanes] = {};                                              \
    fake_quant::in_lanes(n, [&](std::size_t i, std::size_t l) {            \
      const auto found = term(x[i]);                                       \
      x[i] = factor * found.slope;                                         \
      lane[l] += static_cast<double>(found.loss);                          \
    });                                                                    \
    double sum = 0;                                                        \
    for (const double own : lane) sum += own;                              \
    return sum;                                                            \
  }
AUXBENCH_BACKGROUND(float)
AUXBENCH_BACKGROUND(double)
#undef AUXBENCH_BACKGROUND

}  // namespace

template <typename T>
double loss_and_gradient(std::span<const T> logits, std::span<const std::int64_t> labels, const Map& map, double alpha,
                         double scale, std::span<T> gradient) {
  AUXBENCH_CHECK(
      logits.size() == map.size() && gradient.size() == map.size() && labels.size() == map.anchors * map.places,
      "logits, labels and room of the map's size");
  std::ranges::copy(logits, gradient.begin());
  constexpr T kNothing = -std::numeric_limits<T>::infinity();
  const auto factor = static_cast<T>(scale * alpha);
  double of_ones = 0;
  std::vector<std::pair<std::size_t, T>> slopes_of_ones;
  for (std::size_t anchor = 0, at = 0; anchor < map.anchors; ++anchor)
    for (std::size_t place = 0; place < map.places; ++place, ++at) {
      const auto label = labels[at];
      if (label >= 0) {
        AUXBENCH_CHECK(static_cast<std::size_t>(label) < map.classes, "a class of the map's");
        const auto i = map.index(anchor, static_cast<std::size_t>(label), place);
        const auto found = term(-logits[i]);
        of_ones += static_cast<double>(found.loss);
        slopes_of_ones.emplace_back(i, -factor * found.slope);
        gradient[i] = kNothing;
      } else if (label < -1) {
        for (std::size_t k = 0; k < map.classes; ++k) {
          const auto i = map.index(anchor, k, place);
          of_ones += 0 * static_cast<double>(logits[i]);  // not finite where the logit is not
          gradient[i] = kNothing;
        }
      }
    }
  const double of_zeros = background(gradient.data(), map.size(), static_cast<T>(scale * (1 - alpha)));
  for (const auto& [i, slope] : slopes_of_ones) gradient[i] = slope;
  return (1 - alpha) * of_zeros + alpha * of_ones;
}

template double loss_and_gradient(std::span<const float>, std::span<const std::int64_t>, const Map&, double, double,
                                  std::span<float>);
template double loss_and_gradient(std::span<const double>, std::span<const std::int64_t>, const Map&, double, double,
                                  std::span<double>);

}  // namespace auxbench::focal_loss
