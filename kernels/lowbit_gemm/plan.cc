#include <algorithm>

#include "base/check.h"
#include "base/error.h"
#include "kernels/lowbit_gemm/lowbit_gemm.h"

namespace auxbench::lowbit_gemm {
namespace {

// Of the image's rows. Kernels divide work by rows, and hand sums over in pieces of them: a long row makes few tasks
// and large workspaces, rows of one pixel make the sink the larger part of the time.
int64_t columns_of(int64_t m) {
  constexpr int64_t kMost = 64, kFew = 16, kOneRow = 1024;
  int64_t columns = kMost;
  while (columns >= kFew && m % columns != 0) --columns;
  if (columns < kFew && m <= kOneRow) return m;
  while (m % columns != 0) --columns;
  return columns;
}

// Rows one behind the other are an image of any form.
template <typename Map>
void fold(const lowbit_conv::Problem& image, Map& map) {
  map.h = image.h;
  map.w = image.w;
}

Epilogue folded(const lowbit_conv::Problem& image, Epilogue epilogue) {
  fold(image, epilogue.partial);
  fold(image, epilogue.residual);
  fold(image, epilogue.residual_codes);
  fold(image, epilogue.out);
  fold(image, epilogue.codes);
  epilogue.residual_codes.border = epilogue.codes.border = 0;
  return epilogue;
}

}  // namespace

lowbit_conv::Problem Problem::convolution() const {
  const int64_t columns = columns_of(m);
  return {.h = m / columns,
          .w = columns,
          .c = k,
          .out = n,
          .r = 1,
          .s = 1,
          .weight_bits = weight_bits,
          .odd_weights = odd_weights,
          .activation_bits = activation_bits,
          .activation_step = activation_step,
          .activation_shift = activation_shift,
          .threads = threads};
}

std::string why_not(const Problem& p) {
  constexpr int64_t kLargest = int64_t{1} << 24;
  if (std::min({p.m, p.k, p.n}) < 1) return "m, k and n must be at least 1";
  if (std::max({p.m, p.k, p.n}) > kLargest) return "m, k or n beyond 2^24";
  return lowbit_conv::why_not(p.convolution());
}

std::vector<std::string> kernels_for(const Problem& problem, const Isa& isa) {
  if (!why_not(problem).empty()) return {};
  return lowbit_conv::kernels_for(problem.convolution(), isa);
}

Plan make_plan(const Problem& problem, const Isa& isa, const std::string& kernel) {
  if (const auto reason = why_not(problem); !reason.empty())
    throw UserError(ExitCode::usage, "matrix product: " + reason);
  Plan plan;
  plan.problem_ = problem;
  plan.plan_ = lowbit_conv::make_plan(problem.convolution(), isa, kernel);
  return plan;
}

void Plan::execute(int phase, int64_t first, int64_t last, const Arguments& arguments) const {
  const auto& image = plan_.problem();
  const auto& [data, stride] = arguments.a;
  const auto& sums = arguments.sums;
  const bool keeps = sums.data != nullptr;
  AUXBENCH_CHECK(stride >= problem_.k && stride % 4 == 0, "a stride of A that is a multiple of 4 and at least k");
  AUXBENCH_CHECK(!keeps || sums.stride >= problem_.n, "a stride of the sums of at least n");
  AUXBENCH_CHECK(keeps || (arguments.sink != nullptr && arguments.epilogue != nullptr), "sums, or a sink");
  Epilogue epilogue = {.channels = problem_.n};
  if (keeps)
    epilogue.out = requantize::sums_map(sums.data, image.h, image.w, sums.stride);
  else
    epilogue = folded(image, *arguments.epilogue);
  plan_.execute(phase, first, last,
                {.in = {.data = data, .h = image.h, .w = image.w, .border = 0, .pixel = stride},
                 .packed = arguments.packed,
                 .shared = arguments.shared,
                 .own = arguments.own,
                 .sink = keeps ? requantize::keep_sums : arguments.sink,
                 .epilogue = &epilogue});
}

}  // namespace auxbench::lowbit_gemm
