// Matrix product on low-bit codes: exact int32 sums, kept as they are or handed to what follows (kernels/requantize).
//
//   C[i][j] = sum over k of  w[j][k] a[i][k]          i < m, j < n
//   w = c_w, or 2 c_w + 1 on an odd grid              c_w: two's complement of weight_bits bits (1 bit: 0, -1)
//   a = step u + shift                                u: unsigned code of activation_bits bits, step 1 or 2
// What a linear layer computes: rows of A are samples, rows of W output features.
//
// A row is a pixel of k channels and the product a 1 x 1 convolution: kernels, their choice, blobs and refusals are
// kernels/lowbit_conv's, and so is the use, plan, pack, execute. A plan is immutable and may be used from many threads.
// What the caller owns: A, C, the blob, the workspaces.
//
//   auto plan = make_plan({.m = m, .k = k, .n = n, .weight_bits = 2, .activation_bits = 4}, this_isa());
//   auto blob = plan.pack(codes);                                     // [n][k]
//   for (phase = 0; phase < plan.phases(); ++phase)                   // all tasks of a phase before the next
//     plan.execute(phase, 0, plan.tasks(phase), arguments);           // or parts of the range on several threads
//
// reference.h is the slow truth, in int64.
#pragma once

#include "kernels/lowbit_conv/lowbit_conv.h"

namespace auxbench::lowbit_gemm {

struct Problem {
  int64_t m = 0, k = 0, n = 0;
  int weight_bits = 8;
  bool odd_weights = false;
  int activation_bits = 8;
  int activation_step = 1;
  int activation_shift = 0;
  int threads = 1;  // as lowbit_conv::Problem::threads

  [[nodiscard]] int64_t macs() const { return m * k * n; }
  // The same sums, over an image of m pixels. Fast is an m divisible by a number from 16 to 64, or any up to 1024;
  // others take up to three times as long where sums are short (plan.cc). Who may choose pads A and C to a multiple of
  // 32 rows.
  [[nodiscard]] lowbit_conv::Problem convolution() const;

  bool operator==(const Problem&) const = default;
};

// Empty where the problem can be computed; else what is wrong: sizes, bits other than 1, 2, 3, 4, 8 for weights and
// 1 .. 8 for activations, sums beyond int32.
std::string why_not(const Problem& problem);

// Unsigned codes: byte i stride + k. `stride` is a multiple of 4 and at least the columns, `data` 4-byte aligned; after
// the last row's stride kSlack bytes more may be read. Columns between the last and `stride` hold anything.
struct Matrix {
  const uint8_t* data = nullptr;
  int64_t stride = 0;
};
using requantize::kSlack;

// int32, number i stride + j. `stride` is at least the columns; what stands between is left alone.
struct Sums {
  int32_t* data = nullptr;
  int64_t stride = 0;
};

using lowbit_conv::Sink;
using requantize::Epilogue;

struct Arguments {
  Matrix a;
  const std::byte* packed = nullptr;  // what pack() gave, 64-byte aligned
  std::byte* shared = nullptr;        // shared_bytes(), 64-byte aligned; one for all tasks of an execution
  std::byte* own = nullptr;           // own_bytes(), 64-byte aligned; one for each thread

  // Where C goes: as it is, or, where `sums` is null, through a sink. An epilogue's channels are C's columns: j has the
  // thresholds, scale, alpha .. of channel j, and class_terms of one class. Its maps hold a row of C as a pixel: number
  // i pixel + j is that of C[i][j]. Only their data and pixel count; execute() sets what else at() needs, for sinks of
  // one's own too. Codes written with a slack are the A of the next product.
  Sums sums;
  Sink sink = nullptr;
  const Epilogue* epilogue = nullptr;
};

class Plan {
 public:
  [[nodiscard]] const Problem& problem() const { return problem_; }
  [[nodiscard]] const std::string& kernel() const { return plan_.kernel(); }  // one of lowbit_conv::kernel_names()
  [[nodiscard]] const std::string& reason() const { return plan_.reason(); }

  [[nodiscard]] size_t packed_bytes() const { return plan_.packed_bytes(); }
  // codes [n][k], two's complement. Throws UserError for a code that weight_bits do not hold. A blob is for one m.
  [[nodiscard]] std::vector<std::byte> pack(std::span<const int8_t> codes) const { return plan_.pack(codes); }
  // Empty where the blob is what this plan's pack() makes; else what is wrong with it, as lowbit_conv::Plan::check().
  [[nodiscard]] std::string check(std::span<const std::byte> packed) const { return plan_.check(packed); }

  [[nodiscard]] size_t shared_bytes() const { return plan_.shared_bytes(); }
  [[nodiscard]] size_t own_bytes() const { return plan_.own_bytes(); }
  [[nodiscard]] int phases() const { return plan_.phases(); }
  [[nodiscard]] int64_t tasks(int phase) const { return plan_.tasks(phase); }
  // Tasks first .. last of a phase; each writes outputs of its own.
  void execute(int phase, int64_t first, int64_t last, const Arguments& arguments) const;

 private:
  friend Plan make_plan(const Problem&, const Isa&, const std::string&);
  Problem problem_;
  lowbit_conv::Plan plan_;
};

// kernel: "" for the one with the smallest estimate among those that can; a name asks for that one. Throws UserError:
// why_not(), no such kernel, or one that this processor or problem is not for.
Plan make_plan(const Problem& problem, const Isa& isa, const std::string& kernel = "");

// Names of the kernels that can compute the problem here, best estimate first.
std::vector<std::string> kernels_for(const Problem& problem, const Isa& isa);

}  // namespace auxbench::lowbit_gemm
