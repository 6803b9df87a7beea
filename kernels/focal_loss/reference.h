// The slow truth of focal_loss.h: element by element in long double, from p_t and a_t as the paper has them.
#pragma once

#include <cmath>
#include <vector>

#include "kernels/focal_loss/focal_loss.h"

namespace auxbench::focal_loss::reference {

struct Found {
  long double loss = 0;
  std::vector<long double> gradient;  // of the map's size
};

template <typename T>
Found loss_and_gradient(std::span<const T> logits, std::span<const std::int64_t> labels, const Map& map,
                        long double alpha, long double scale) {
  Found found;
  found.gradient.resize(map.size());
  for (std::size_t anchor = 0; anchor < map.anchors; ++anchor)
    for (std::size_t place = 0; place < map.places; ++place) {
      const auto label = labels[anchor * map.places + place];
      if (label < -1) continue;
      for (std::size_t k = 0; k < map.classes; ++k) {
        const auto i = map.index(anchor, k, place);
        const bool one = label == static_cast<std::int64_t>(k);
        const long double z = one ? -static_cast<long double>(logits[i]) : static_cast<long double>(logits[i]);
        const long double weight = one ? alpha : 1 - alpha;
        // 1 - p_t and -log(p_t) without cancellation.
        const long double missing = 1 / (1 + std::exp(-z));
        const long double cost = z > 0 ? z + std::log1p(std::exp(-z)) : std::log1p(std::exp(z));
        found.loss += weight * missing * missing * cost;
        const long double p_t = 1 / (1 + std::exp(z));
        const long double slope = missing * missing * (2 * p_t * cost + missing);
        found.gradient[i] = scale * weight * (one ? -slope : slope);
      }
    }
  return found;
}

}  // namespace auxbench::focal_loss::reference
