// Convolution on low-bit codes: exact int32 sums, handed tile by tile to what follows (kernels/requantize).
//
//   acc[n, y, x, o] = sum over r, s, c of  w[o, r, s, c] a[n, y stride + r - pad, x stride + s - pad, c]
//   w = c_w, or 2 c_w + 1 on an odd grid          c_w: two's complement of weight_bits bits (1 bit: 0, -1)
//   a = step u + shift                            u: unsigned code of activation_bits bits, step 1 or 2
// A tap outside the image counts as a = 0, whatever codes can say.
//
// plan, pack, execute: make_plan() chooses a kernel for a problem on this processor and says why; pack() brings weights
// into its layout once, a relocatable blob; execute() neither allocates nor locks. A plan is immutable and may be
// used from many threads. What the caller owns: the input map with its border, the blob, the workspaces.
//
//   auto plan = make_plan(problem, this_isa());
//   auto blob = plan.pack(codes);                                     // [out][r][s][c]
//   for (phase = 0; phase < plan.phases(); ++phase)                   // all tasks of a phase before the next
//     plan.execute(phase, 0, plan.tasks(phase), arguments);           // or parts of the range on several threads
//
// reference.h is the plain reference, in int64.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/isa/isa.h"
#include "kernels/requantize/requantize.h"

namespace auxbench::lowbit_conv {

struct Problem {
  int64_t n = 1, h = 0, w = 0, c = 0;
  int64_t out = 0, r = 1, s = 1, stride = 1, pad = 0;
  int weight_bits = 8;
  bool odd_weights = false;
  int activation_bits = 8;
  int activation_step = 1;
  int activation_shift = 0;
  int threads = 1;  // that will share the tasks of a phase: kernels cut for so many; results and blobs do not differ

  [[nodiscard]] int64_t out_h() const { return (h + 2 * pad - r) / stride + 1; }
  [[nodiscard]] int64_t out_w() const { return (w + 2 * pad - s) / stride + 1; }
  [[nodiscard]] int64_t taps() const { return r * s * c; }
  [[nodiscard]] int64_t macs() const { return n * out_h() * out_w() * out * taps(); }
  // No |acc|, and no sum of codes on the way to it, is larger.
  [[nodiscard]] double bound() const;
  // What the input's border must hold: the code of value 0 where there is one, else 0.
  [[nodiscard]] uint8_t border_code() const;

  bool operator==(const Problem&) const = default;
};

// Empty where the problem can be computed; else what is wrong: sizes, bits other than 1, 2, 3, 4, 8 for weights and
// 1 .. 8 for activations, sums beyond int32.
std::string why_not(const Problem& problem);

using Sink = requantize::Apply;

struct Arguments {
  requantize::CodeMap<const uint8_t> in;  // border >= pad, filled with border_code(); h, w, as the problem
  const std::byte* packed = nullptr;      // what pack() or pack_tables() gave, 64-byte aligned
  const std::byte* weights = nullptr;     // what pack_weights() gave, where `packed` is tables alone; else null
  std::byte* shared = nullptr;            // shared_bytes(), 64-byte aligned; one for all tasks of an execution
  std::byte* own = nullptr;               // own_bytes(), 64-byte aligned; one for each thread
  // What gets the sums. Where it is requantize's apply() a kernel may make the codes itself, without tiles in between.
  Sink sink = nullptr;
  const requantize::Epilogue* epilogue = nullptr;
};

struct Kernel;

// Memory of kernels' tensors: 64-byte aligned, filled with zeros.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t bytes);
  [[nodiscard]] std::byte* data() const { return data_.get(); }
  [[nodiscard]] size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(std::byte* memory) const;
  };
  std::unique_ptr<std::byte, Free> data_;
  size_t size_ = 0;
};

class Plan {
 public:
  [[nodiscard]] const Problem& problem() const { return problem_; }
  [[nodiscard]] const std::string& kernel() const { return name_; }  // e.g. "vnni-direct"
  [[nodiscard]] const std::string& reason() const { return reason_; }

  [[nodiscard]] size_t packed_bytes() const;
  // codes [out][r][s][c], two's complement. Throws UserError for a code that weight_bits do not hold.
  [[nodiscard]] std::vector<std::byte> pack(std::span<const int8_t> codes) const;
  // The blob in two: what depends on the size of the image, and what is shared by all plans of one kernel whose problems
  // differ in n, h, w and threads alone.
  [[nodiscard]] std::vector<std::byte> pack_tables(std::span<const int8_t> codes) const;
  [[nodiscard]] Buffer pack_weights(std::span<const int8_t> codes) const;
  // Empty where the blob is what this plan's pack() makes; else what is wrong with it: cut, altered, another kernel's,
  // another problem's, misaligned.
  [[nodiscard]] std::string check(std::span<const std::byte> packed) const;

  [[nodiscard]] size_t shared_bytes() const;
  [[nodiscard]] size_t own_bytes() const;
  [[nodiscard]] int phases() const;
  [[nodiscard]] int64_t tasks(int phase) const;
  // Tasks first .. last of a phase; each writes outputs of its own.
  void execute(int phase, int64_t first, int64_t last, const Arguments& arguments) const;

 private:
  friend Plan make_plan(const Problem&, const Isa&, const std::string&);
  Problem problem_;
  const Kernel* kernel_ = nullptr;
  std::string name_, reason_;
};

// kernel: "" for the one with the smallest estimate among those that can; a name asks for that one. Throws UserError:
// why_not(), no such kernel, or one that this processor or problem is not for.
Plan make_plan(const Problem& problem, const Isa& isa, const std::string& kernel = "");

// The default distance of two pixels of `channels` codes, in bytes: kernels are fastest with it.
inline int64_t usual_pixel(int64_t channels) {
  const int64_t step = channels >= 16 ? 16 : 4;
  return (channels + step - 1) / step * step;
}

// Every kernel by name, also those that this processor cannot run.
std::vector<std::string> kernel_names();

// Names of the kernels that can compute the problem here, best estimate first.
std::vector<std::string> kernels_for(const Problem& problem, const Isa& isa);

// For each border class and output channel the sum of the weights whose taps are inside the image: what an offset of
// the input adds. class(y, x) = rows[y] * column_classes + columns[x]; sums[class * out + o].
struct BorderSums {
  std::vector<uint8_t> rows, columns;
  int64_t column_classes = 1, classes = 1;
  std::vector<int64_t> sums;
};
BorderSums border_sums(const Problem& problem, std::span<const int8_t> codes);

}  // namespace auxbench::lowbit_conv
