#include "quantizers/exact_conv.h"

#include "base/torch_prelude.h"

namespace auxbench {
namespace {

constexpr int64_t kColumnBytes = int64_t{1} << 29;  // im2col columns at a time: a batch is cut to stay below

// The sums of products of some images, [N, out, H W], by one matrix product an image and group.
at::Tensor sums_of_columns(const at::Tensor& a, const at::Tensor& w, int64_t stride, int64_t padding, int64_t groups) {
  const auto images = a.size(0), outputs = w.size(0), taps = w.numel() / std::max<int64_t>(1, outputs);
  const auto columns = at::im2col(a, {w.size(2), w.size(3)}, {1, 1}, {padding, padding}, {stride, stride});
  const auto weights = w.reshape({1, groups, outputs / groups, taps}).expand({images, -1, -1, -1});
  const auto sums = at::matmul(weights, columns.view({images, groups, taps, columns.size(2)}));
  return sums.reshape({images, outputs, columns.size(2)});
}

at::Tensor by_columns(const at::Tensor& a, const at::Tensor& w, int64_t stride, int64_t padding, int64_t groups) {
  const auto out_of = [&](int64_t in, int64_t kernel) { return (in + 2 * padding - kernel) / stride + 1; };
  const auto height = out_of(a.size(2), w.size(2)), width = out_of(a.size(3), w.size(3));
  const auto bytes = a.size(1) * w.size(2) * w.size(3) * height * width * static_cast<int64_t>(a.element_size());
  const auto images = std::max<int64_t>(1, kColumnBytes / std::max<int64_t>(1, bytes));
  std::vector<at::Tensor> sums;
  for (const auto& part : a.split(images)) sums.push_back(sums_of_columns(part, w, stride, padding, groups));
  const auto all = sums.size() == 1 ? sums[0] : at::cat(sums);
  return all.view({a.size(0), w.size(0), height, width}).contiguous(a.suggest_memory_format());
}

}  // namespace

ExactConvolutions::ExactConvolutions() {
  auto& context = at::globalContext();
  tf32_cudnn_ = context.allowTF32CuDNN();
  tf32_cublas_ = context.allowTF32CuBLAS();
  benchmark_ = context.benchmarkCuDNN();
  deterministic_ = context.deterministicCuDNN();
  context.setAllowTF32CuDNN(false);
  context.setAllowTF32CuBLAS(false);
  context.setBenchmarkCuDNN(false);
  context.setDeterministicCuDNN(true);
}

ExactConvolutions::~ExactConvolutions() {
  auto& context = at::globalContext();
  context.setAllowTF32CuDNN(tf32_cudnn_);
  context.setAllowTF32CuBLAS(tf32_cublas_);
  context.setBenchmarkCuDNN(benchmark_);
  context.setDeterministicCuDNN(deterministic_);
}

at::Tensor conv_of_whole_numbers(const at::Tensor& a, const at::Tensor& w, int64_t stride, int64_t padding,
                                 int64_t groups) {
  if (!a.is_cuda()) return at::conv2d(a, w, {}, stride, padding, 1, groups);
  const ExactConvolutions exact;
  const at::NoGradGuard no_gradient;
  if (stride == 1 && w.size(2) * w.size(3) > 1) return by_columns(a, w, stride, padding, groups);
  return at::conv2d(a, w, {}, stride, padding, 1, groups);
}

}  // namespace auxbench
