#include "quantizers/packed_codes.h"

#include <limits>

namespace auxbench {
namespace {

template <typename T>
bool holds(int64_t first, int64_t last) {
  return first >= std::numeric_limits<T>::min() && last <= std::numeric_limits<T>::max();
}

}  // namespace

PackedCodes::PackedCodes(const at::Tensor& codes, const CodeRange& range) : type_(codes.scalar_type()), range_(range) {
  const at::NoGradGuard no_gradient;
  const int64_t places = (range.last - range.first) / range.step;
  if (range.last < range.first)
    numbers_ = codes;
  else if (holds<int8_t>(range.first, range.last))
    numbers_ = codes.to(at::kChar);
  else if (holds<uint8_t>(range.first, range.last))
    numbers_ = codes.to(at::kByte);
  else if (places_ = holds<uint8_t>(0, places); places_)
    numbers_ = codes.sub(range.first).div_(range.step).to(at::kByte);
  else
    numbers_ = holds<int16_t>(range.first, range.last) ? codes.to(at::kShort) : codes;
}

at::Tensor PackedCodes::unpack() const {
  const at::NoGradGuard no_gradient;
  auto codes = numbers_.to(type_);
  return places_ ? codes.mul_(range_.step).add_(range_.first) : codes;
}

}  // namespace auxbench
