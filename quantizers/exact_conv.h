// A convolution of whole numbers, exact on every device as long as its sums fit into the numbers' type.
//
// The CPU adds products, in some order: exact. On a GPU cuDNN chooses, and may round: with TF32 it keeps 11 bits of an
// operand; Winograd over tiles of 4 x 4 and FFT multiply by fractions. Both are for kernels of more than one tap at
// stride 1. So there the products are summed as one matrix product an image over im2col columns (cuBLAS, TF32 off);
// everything else goes to cuDNN with TF32 off, without benchmarking, by a deterministic algorithm.
#pragma once

#include <ATen/core/Tensor.h>

namespace auxbench {

// While it lives LibTorch multiplies float32 on GPUs without TF32 and chooses convolutions without measuring them, among
// deterministic algorithms. LibTorch has these switches once a process, not once a thread.
class ExactConvolutions {
 public:
  ExactConvolutions();
  ~ExactConvolutions();
  ExactConvolutions(const ExactConvolutions&) = delete;
  ExactConvolutions& operator=(const ExactConvolutions&) = delete;

 private:
  bool tf32_cudnn_, tf32_cublas_, benchmark_, deterministic_;
};

// a: [N, C, H, W]; w: [out, C / groups, k, k]; both of whole numbers, in one floating type. No gradient. The result has
// the memory format of a.
at::Tensor conv_of_whole_numbers(const at::Tensor& a, const at::Tensor& w, int64_t stride, int64_t padding,
                                 int64_t groups);

}  // namespace auxbench
