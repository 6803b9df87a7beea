#include "quantizers/moments.h"

#include "quantizers/fused.h"

namespace auxbench {
namespace {

using fake_quant::PieceMoments;

constexpr int64_t kNumbers = sizeof(PieceMoments) / sizeof(double);
constexpr int64_t kLargestAt = offsetof(PieceMoments, largest) / sizeof(double);

template <typename T>
void measure(const at::Tensor& x, std::span<PieceMoments> shares, at::Tensor& moments) {
  using fused_detail::elements, fused_detail::room_in;
  const auto numbers = elements<T>(x);
  if (x.is_cuda())
    return fake_quant::cuda::measure(numbers, fake_quant::kPiece, shares, room_in<T>(moments),
                                     fused_detail::stream_of(x));
  fused_detail::over_pieces(x, /*by_row=*/false,
                            [&](const fake_quant::Pieces& pieces) { fake_quant::measure(numbers, pieces, shares); });
  fake_quant::combine(shares.data(), numbers.size(), fake_quant::kPiece, room_in<T>(moments).data());
}

}  // namespace

Moments moments_of(const at::Tensor& input) {
  const at::NoGradGuard no_gradient;
  fused_detail::check_runs_on_kernels(input);
  const auto x = fused_detail::dense(input.detach(), /*by_row=*/false);
  const auto count = static_cast<int64_t>(fake_quant::Pieces::of(static_cast<size_t>(x.numel())).last);
  auto shares = at::empty({count, kNumbers}, x.options().dtype(at::kDouble));
  auto moments = at::empty({fake_quant::kMoments}, x.options());
  const std::span<PieceMoments> room(reinterpret_cast<PieceMoments*>(shares.data_ptr<double>()),
                                     static_cast<size_t>(count));
  if (x.scalar_type() == at::kDouble)
    measure<double>(x, room, moments);
  else
    measure<float>(x, room, moments);
  return {moments, shares.select(1, kLargestAt)};
}

}  // namespace auxbench
