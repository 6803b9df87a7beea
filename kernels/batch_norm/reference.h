// The slow truth of batch_norm.h: one element after the other, in double.
#pragma once

#include <vector>

#include "kernels/batch_norm/batch_norm.h"

namespace auxbench::batch_norm::reference {

struct Statistics {
  std::vector<double> mean, variance;
};

// visit(element, channel) for all elements.
template <typename Visit>
void each(const Map& map, const Visit& visit) {
  for (std::size_t i = 0; i < map.size(); ++i) visit(i, i / map.inner % map.channels);
}

template <typename T>
Statistics statistics(std::span<const T> x, const Map& map) {
  const auto n = static_cast<double>(map.outer * map.inner);
  Statistics found = {std::vector<double>(map.channels), std::vector<double>(map.channels)};
  each(map, [&](std::size_t i, std::size_t c) { found.mean[c] += static_cast<double>(x[i]) / n; });
  each(map, [&](std::size_t i, std::size_t c) {
    const double away = static_cast<double>(x[i]) - found.mean[c];
    found.variance[c] += away * away / n;
  });
  return found;
}

// In T, as the fast path: the same bits.
template <typename T>
void transform(std::span<const T> x, std::span<const T> alpha, std::span<const T> beta, std::span<const T> added,
               bool relu, const Map& map, std::span<T> y) {
  each(map, [&](std::size_t i, std::size_t c) {
    const T product = x[i] * alpha[c];
    T value = product + beta[c];
    if (!added.empty()) value = value + added[i];
    y[i] = relu && value < T(0) ? T(0) : value;
  });
}

// dx, and sums [2][channels] of g and g (x - mean), from the definition.
template <typename T>
std::vector<double> gradient_sums(const Gradients<T>& given, const Map& map) {
  std::vector<double> sums(2 * map.channels);
  each(map, [&](std::size_t i, std::size_t c) {
    const double g = given.y.empty() || !(given.y[i] <= T(0)) ? static_cast<double>(given.dy[i]) : 0;
    sums[c] += g;
    sums[map.channels + c] += g * (static_cast<double>(given.x[i]) - static_cast<double>(given.mean[c]));
  });
  return sums;
}

// In T, as the fast path: the same bits.
template <typename T>
void differentiate(const Gradients<T>& given, std::span<const T> a, std::span<const T> k, std::span<const T> q,
                   const Map& map, std::span<T> dx, std::span<T> dadded) {
  each(map, [&](std::size_t i, std::size_t c) {
    const T g = given.y.empty() || !(given.y[i] <= T(0)) ? given.dy[i] : T(0);
    const T away = (given.x[i] - given.mean[c]) * q[c];
    dx[i] = (g - k[c] - away) * a[c];
    if (!dadded.empty()) dadded[i] = g;
  });
}

}  // namespace auxbench::batch_norm::reference
