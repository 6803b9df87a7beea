// Problems for the convolution kernels, random or given, and their comparison with the int64 reference: guard pages
// around the map, codes that mean nothing where nothing is meant, tasks in parts and backwards.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <random>
#include <sstream>

#include "kernels/lowbit_conv/lowbit_conv.h"
#include "kernels/lowbit_conv/reference.h"
#include "tests/support/catch.h"

namespace auxbench::lowbit_conv {

using requantize::CodeMap;

using Generator = std::mt19937_64;

inline int64_t between(Generator& generator, int64_t least, int64_t most) {
  return std::uniform_int_distribution<int64_t>(least, most)(generator);
}

enum class Fill { random, extreme };

inline std::vector<int8_t> some_weights(const Problem& p, Generator& generator, Fill fill) {
  const int64_t lowest = -(int64_t{1} << (p.weight_bits - 1)), highest = p.weight_bits == 1 ? 0 : -lowest - 1;
  std::vector<int8_t> codes(static_cast<size_t>(p.out * p.taps()));
  for (auto& code : codes)
    code = static_cast<int8_t>(fill == Fill::random ? between(generator, lowest, highest)
                                                    : (p.odd_weights ? highest : lowest));
  return codes;
}

inline std::vector<uint8_t> some_codes(const Problem& p, Generator& generator, Fill fill) {
  const int64_t highest = (int64_t{1} << p.activation_bits) - 1;
  std::vector<uint8_t> codes(static_cast<size_t>(p.n * p.h * p.w * p.c));
  for (auto& code : codes) code = static_cast<uint8_t>(fill == Fill::random ? between(generator, 0, highest) : highest);
  return codes;
}

// Memory that ends at a page nobody may touch.
class Guarded {
 public:
  explicit Guarded(size_t bytes) : page_(static_cast<size_t>(sysconf(_SC_PAGESIZE))) {
    length_ = (bytes + page_ - 1) / page_ * page_ + page_;
    base_ = static_cast<uint8_t*>(mmap(nullptr, length_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    REQUIRE(static_cast<void*>(base_) != MAP_FAILED);
    REQUIRE(mprotect(base_ + length_ - page_, page_, PROT_NONE) == 0);
    data_ = base_ + length_ - page_ - bytes;
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  ~Guarded() { munmap(base_, length_); }
  [[nodiscard]] uint8_t* data() const { return data_; }

 private:
  size_t page_, length_ = 0;
  uint8_t *base_ = nullptr, *data_ = nullptr;
};

// Executes the plan: the sink gets its sums in any order of tasks.
inline void execute(const Plan& plan, const std::vector<int8_t>& weights, const std::vector<uint8_t>& codes,
                    Generator& generator, Sink sink, const requantize::Epilogue& epilogue) {
  const auto& p = plan.problem();
  const int64_t border = p.pad + between(generator, 0, 1), pixel = (p.c + 3) / 4 * 4 + 4 * between(generator, 0, 2);
  CodeMap<uint8_t> map = {.h = p.h, .w = p.w, .border = border, .pixel = pixel};
  const auto bytes = static_cast<size_t>(p.n * map.image() + requantize::kSlack);
  const Guarded memory(bytes);
  map.data = memory.data();
  // Codes that mean nothing where nothing is meant: they must not count.
  for (size_t i = 0; i < bytes; ++i) map.data[i] = static_cast<uint8_t>(between(generator, 0, 255));
  for (int64_t n = 0; n < p.n; ++n)
    for (int64_t y = -border; y < p.h + border; ++y)
      for (int64_t x = -border; x < p.w + border; ++x) {
        const bool inside = y >= 0 && y < p.h && x >= 0 && x < p.w;
        for (int64_t c = 0; c < p.c; ++c)
          map.at(n, y, x)[c] =
              inside ? codes[static_cast<size_t>(((n * p.h + y) * p.w + x) * p.c + c)] : p.border_code();
      }
  const auto blob = plan.pack(weights);
  Buffer packed(blob.size()), shared(plan.shared_bytes()), own(plan.own_bytes());
  std::memcpy(packed.data(), blob.data(), blob.size());
  REQUIRE(plan.check({packed.data(), packed.size()}).empty());
  std::memset(shared.data(), 0xc3, plan.shared_bytes());
  std::memset(own.data(), 0xc3, plan.own_bytes());
  const Arguments arguments = {.in = {.data = map.data, .h = p.h, .w = p.w, .border = border, .pixel = pixel},
                               .packed = packed.data(),
                               .shared = shared.data(),
                               .own = own.data(),
                               .sink = sink,
                               .epilogue = &epilogue};
  for (int phase = 0; phase < plan.phases(); ++phase) {
    // In two parts and backwards: tasks do not lean on each other.
    const int64_t tasks = plan.tasks(phase), half = tasks / 2;
    plan.execute(phase, half, tasks, arguments);
    plan.execute(phase, 0, half, arguments);
  }
}

inline constexpr int32_t kUntouched = 0x5a5a5a5a;

inline std::vector<int64_t> computed(const Plan& plan, const std::vector<int8_t>& weights,
                                     const std::vector<uint8_t>& codes, Generator& generator) {
  const auto& p = plan.problem();
  const int64_t stride = requantize::padded_channels(p.out);
  std::vector<int32_t> acc(static_cast<size_t>(p.n * p.out_h() * p.out_w() * stride), kUntouched);
  requantize::Epilogue epilogue = {.channels = p.out};
  epilogue.out = requantize::sums_map(acc.data(), p.out_h(), p.out_w(), stride);
  execute(plan, weights, codes, generator, requantize::keep_sums, epilogue);
  std::vector<int64_t> result;
  for (size_t i = 0; i < acc.size(); ++i)
    if (static_cast<int64_t>(i) % stride < p.out) result.push_back(acc[i]);
  return result;
}

inline std::string text_of(const Problem& p) {
  std::ostringstream text;
  text << "n " << p.n << " h " << p.h << " w " << p.w << " c " << p.c << " out " << p.out << " r " << p.r << " s "
       << p.s << " stride " << p.stride << " pad " << p.pad << " w" << p.weight_bits << (p.odd_weights ? " odd" : "")
       << " a" << p.activation_bits << " step " << p.activation_step << " shift " << p.activation_shift << " threads "
       << p.threads;
  return text.str();
}

// What this processor's kernels under each cap compute, against the reference.
inline void compare(const Problem& p, uint64_t seed, Fill fill,
                    std::initializer_list<const char*> caps = {"generic", "avx2", "avx512", "amx"}) {
  Generator generator(seed);
  const auto weights = some_weights(p, generator, fill);
  const auto codes = some_codes(p, generator, fill);
  const auto expected = reference(p, weights, codes);
  for (const char* cap : caps) {
    const auto isa = detect_isa(cap);
    for (const auto& kernel : kernels_for(p, isa)) {
      const auto plan = make_plan(p, isa, kernel);
      INFO(cap << " " << kernel << ": " << text_of(p) << " seed " << seed);
      const auto found = computed(plan, weights, codes, generator);
      const auto differs = std::mismatch(expected.begin(), expected.end(), found.begin(), found.end());
      INFO("first difference at " << differs.first - expected.begin());
      REQUIRE(found == expected);
    }
  }
}

inline Problem some_problem(Generator& generator) {
  static constexpr int kWeightBits[] = {1, 2, 3, 4, 8};
  Problem p;
  p.n = between(generator, 1, 2);
  p.h = between(generator, 1, 13);
  p.w = between(generator, 1, 13);
  p.c = between(generator, 0, 3) == 0 ? between(generator, 1, 4) * 64 : between(generator, 1, 90);
  p.out = between(generator, 1, 2) * between(generator, 1, 70);
  static constexpr int64_t kSides[] = {1, 3, 3, 3, 5, 7};
  p.r = kSides[between(generator, 0, 5)];
  p.s = between(generator, 0, 4) == 0 ? kSides[between(generator, 0, 5)] : p.r;
  p.stride = between(generator, 1, 2) == 1 ? 1 : between(generator, 1, 3);
  p.pad = between(generator, 0, 3) == 0 ? between(generator, 0, 2) : p.r / 2;
  p.weight_bits = kWeightBits[between(generator, 0, 4)];
  p.odd_weights = between(generator, 0, 1) == 1 || p.weight_bits == 1;
  p.activation_bits = static_cast<int>(between(generator, 1, 8));
  switch (between(generator, 0, 3)) {
    case 0:
      p.activation_shift = -static_cast<int>(between(generator, 0, (1 << p.activation_bits) - 1));
      break;
    case 1:
      p.activation_step = 2;
      p.activation_shift = -((1 << p.activation_bits) - 1);
      break;
    default:
      break;
  }
  p.threads = static_cast<int>(between(generator, 1, 5));
  return p;
}

}  // namespace auxbench::lowbit_conv
