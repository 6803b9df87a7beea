// Binary values: code = +1 where x >= 0, -1 elsewhere, with the estimators of its derivative that the methods use.
//
//   Sign            dx = g (inside where |x| <= limit, outside elsewhere): the identity (limit infinite), the clipped
//                   straight-through estimator, and XNOR-Net's, whose `inside` differs by output channel
//   SignPolynomial  dx = g max(0, 2 - 2|x|), Bi-Real Net's: 0 at -1 and 1, 2 at 0
#pragma once

#include <limits>

#include "kernels/fake_quant/formula.h"

namespace auxbench::fake_quant {

template <typename T>
AUXBENCH_DEVICE T sign_code(T x) {
  return x >= T(0) ? T(1) : (x < T(0) ? T(-1) : x);
}

struct SignConfig {
  double limit = std::numeric_limits<double>::infinity();
  bool open = false;  // |x| = limit is outside
  double inside = 1, outside = 0;
};

template <typename T>
struct Sign : NoSums {
  using Config = SignConfig;

  struct Element {
    T limit, inside, outside;

    AUXBENCH_DEVICE T code(T x) const { return sign_code(x); }
    AUXBENCH_DEVICE T gradient(T x, T g, T*) const { return g * (magnitude(x) <= limit ? inside : outside); }
  };

  Element element;
  Parameter<T> inside;  // instead of the constant, where given

  explicit Sign(const Config& config, Parameter<T> by_piece = {})
      : element{static_cast<T>(config.limit), static_cast<T>(config.inside), static_cast<T>(config.outside)},
        inside(by_piece) {
    if (config.open) element.limit = std::nextafter(element.limit, T(0));
  }

  AUXBENCH_DEVICE Element at(std::size_t piece) const {
    return {element.limit, inside.at(piece, element.inside), element.outside};
  }
};

template <typename T>
struct SignPolynomial : NoSums {
  using Config = NoConfig;

  struct Element {
    AUXBENCH_DEVICE T code(T x) const { return sign_code(x); }
    AUXBENCH_DEVICE T gradient(T x, T g, T*) const {
      const T slope = T(2) - T(2) * magnitude(x);
      return slope > T(0) ? g * slope : T(0);
    }
  };

  explicit SignPolynomial(const Config&) {}
  AUXBENCH_DEVICE Element at(std::size_t) const { return {}; }
};

}  // namespace auxbench::fake_quant
