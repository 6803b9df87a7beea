// Focal loss of one image's class logits and its gradient, in one pass. (Lin et al. 2017, arXiv 1708.02002, eq. 5, with
// the paper's gamma of 2.)
//
//   loss      sum over classes k and places p of each anchor a that is not ignored:  a_t s(z)^2 log(1 + exp(z))
//   gradient  scale a_t s(z)^2 (2 (1 - s(z)) log(1 + exp(z)) + s(z)), negative where the target is 1; 0 where ignored
//
// The target of (a, k, p) is 1 where labels[a, p] = k, else 0. z = -x and a_t = alpha where it is 1, z = x and
// a_t = 1 - alpha elsewhere; s is the sigmoid, so that s(z) = 1 - p_t and log(1 + exp(z)) = -log(p_t).
//
// Hardly any target is 1. So the labels are read first, the logits of the few other elements are replaced by minus infinity,
// which costs nothing and pulls at nothing, and one loop over the whole map takes every target for 0. float: each term
// within 2e-6 of the exact one, relatively; sums are in double. NaN or plus infinity anywhere, ignored or not, gives a loss
// that is not finite; so does minus infinity where the target is 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace auxbench::focal_loss {

inline constexpr double kGamma = 2;

// Where the numbers of one image lie: channel a classes + k of place p.
struct Map {
  std::size_t anchors = 0;
  std::size_t classes = 0;
  std::size_t places = 0;
  bool channels_last = false;  // [places, channels], else [channels, places]

  [[nodiscard]] std::size_t size() const { return anchors * classes * places; }
  [[nodiscard]] std::size_t index(std::size_t anchor, std::size_t label, std::size_t place) const {
    const std::size_t channel = anchor * classes + label;
    return channels_last ? place * anchors * classes + channel : channel * places + place;
  }
};

// labels [anchors, places]: a class, -1 for none of them, anything below for an anchor that is ignored.
// T = float | double. Sizes that disagree and classes beyond the map's are a LogicFault.
template <typename T>
double loss_and_gradient(std::span<const T> logits, std::span<const std::int64_t> labels, const Map& map, double alpha,
                         double scale, std::span<T> gradient);

}  // namespace auxbench::focal_loss
