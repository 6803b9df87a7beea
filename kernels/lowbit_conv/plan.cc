#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>

#include "base/check.h"
#include "base/error.h"
#include "kernels/lowbit_conv/kernel.h"

namespace auxbench::lowbit_conv {
namespace {

constexpr char kMagic[8] = {'A', 'U', 'X', 'C', 'O', 'N', 'V', '1'};
constexpr size_t kAlign = 64;

size_t aligned(size_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

uint64_t fnv1a(std::span<const std::byte> bytes) {
  uint64_t hash = 0xcbf29ce484222325U;
  for (const auto byte : bytes) hash = (hash ^ static_cast<uint64_t>(byte)) * 0x100000001b3U;
  return hash;
}

int64_t coding_of(const Problem& p) {
  return p.weight_bits | (p.odd_weights ? 256 : 0) | (p.activation_bits << 12) | (p.activation_step << 20) |
         (int64_t{p.activation_shift} << 32);
}

void describe(const Problem& p, int64_t (&numbers)[9]) {
  const int64_t all[9] = {p.h, p.w, p.c, p.out, p.r, p.s, p.stride, p.pad, coding_of(p)};
  std::copy(std::begin(all), std::end(all), numbers);
}

// Where the parts of a blob lie.
BlobHeader layout_of(const Problem& problem, const Kernel& kernel) {
  BlobHeader header = {};
  const auto classes = border_classes(problem);
  std::copy(std::begin(kMagic), std::end(kMagic), header.magic);
  std::strncpy(header.kernel, kernel.name, sizeof header.kernel - 1);
  describe(problem, header.problem);
  header.classes = classes.count();
  header.column_classes = static_cast<int64_t>(classes.column_taps.size());
  header.row_class = aligned(sizeof header);
  header.column_class = aligned(header.row_class + classes.rows.size());
  header.corrections = aligned(header.column_class + classes.columns.size());
  header.body = aligned(header.corrections +
                        static_cast<size_t>(header.classes * round_up(problem.out, kBlock)) * sizeof(int32_t));
  header.bytes = aligned(header.body + kernel.body_bytes(problem));
  return header;
}

// The sum of the weights' values over the input channels, [out][r][s].
std::vector<int64_t> tap_sums(const Problem& p, std::span<const int8_t> codes) {
  std::vector<int64_t> sums(static_cast<size_t>(p.out * p.r * p.s));
  for (size_t i = 0; i < codes.size(); ++i)
    sums[i / static_cast<size_t>(p.c)] += p.odd_weights ? 2 * codes[i] + 1 : codes[i];
  return sums;
}

// acc - dot_factor dot - row_factor sum u = shift S_in - step border (S_all - S_in), S: sums of weights: what the shift
// adds inside the image, less what the border's code added outside.
void fill_corrections(const Problem& p, std::span<const int8_t> codes, int32_t* corrections) {
  const auto inside = border_sums(p, codes);
  const auto by_tap = tap_sums(p, codes);
  const int64_t outside = p.activation_step * p.border_code(), taps = p.r * p.s, padded = round_up(p.out, kBlock);
  for (int64_t o = 0; o < p.out; ++o) {
    int64_t all = 0;
    for (int64_t t = 0; t < taps; ++t) all += by_tap[static_cast<size_t>(o * taps + t)];
    for (int64_t k = 0; k < inside.classes; ++k) {
      const int64_t in = inside.sums[static_cast<size_t>(k * p.out + o)];
      corrections[k * padded + o] = static_cast<int32_t>(p.activation_shift * in - outside * (all - in));
    }
  }
}

void check_codes(const Problem& p, std::span<const int8_t> codes) {
  AUXBENCH_CHECK(std::ssize(codes) == p.out * p.taps(), "a code for each weight");
  const int lowest = -(1 << (p.weight_bits - 1));
  for (const int code : codes)
    if (code < lowest || code >= -lowest)
      if (!(p.weight_bits == 1 && !p.odd_weights && code == 0))
        throw UserError(ExitCode::usage, "weight code " + std::to_string(code) + " does not fit in " +
                                             std::to_string(p.weight_bits) + " bits");
}

void fill_tables(const Problem& p, std::span<const int8_t> codes, const BlobHeader& header, std::span<std::byte> blob) {
  const auto classes = border_classes(p);
  std::memcpy(blob.data() + header.row_class, classes.rows.data(), classes.rows.size());
  std::memcpy(blob.data() + header.column_class, classes.columns.data(), classes.columns.size());
  std::vector<int32_t> corrections(static_cast<size_t>(header.classes * round_up(p.out, kBlock)));
  fill_corrections(p, codes, corrections.data());
  std::memcpy(blob.data() + header.corrections, corrections.data(), corrections.size() * sizeof(int32_t));
}

// body: zeros.
void fill_weights(const Problem& p, const Kernel& kernel, std::span<const int8_t> codes, std::byte* body) {
  std::vector<int8_t> values;
  if (p.odd_weights && kernel.multiplied(p).values) {
    values.reserve(codes.size());
    for (const int code : codes) values.push_back(static_cast<int8_t>(2 * code + 1));
    codes = values;
  }
  kernel.pack(p, codes.data(), body);
}

void sign(BlobHeader header, std::span<std::byte> blob) {
  header.checksum = fnv1a(blob.subspan(sizeof header));
  std::memcpy(blob.data(), &header, sizeof header);
}

struct Classified {
  std::vector<uint8_t> of;                   // class of each output position
  std::vector<std::array<int64_t, 2>> taps;  // of each class
};

Classified classify(int64_t outputs, int64_t size, int64_t taps, int64_t stride, int64_t pad) {
  Classified found;
  for (int64_t i = 0; i < outputs; ++i) {
    const int64_t start = i * stride - pad;
    const std::array<int64_t, 2> inside = {std::clamp<int64_t>(-start, 0, taps),
                                           std::clamp<int64_t>(size - start, 0, taps)};
    const auto known = std::find(found.taps.begin(), found.taps.end(), inside);
    found.of.push_back(static_cast<uint8_t>(known - found.taps.begin()));
    if (known == found.taps.end()) found.taps.push_back(inside);
  }
  return found;
}

bool any_negative(const Problem& p) {
  return std::min({p.n, p.h, p.w, p.c, p.out, p.r, p.s, p.stride}) < 1 || p.pad < 0;
}

}  // namespace

double Problem::bound() const {
  const double code = std::ldexp(1.0, activation_bits) - 1;
  const double weight = std::ldexp(1.0, weight_bits - 1) * (odd_weights ? 2 : 1);
  // Sums of codes alone and with all corrections.
  const double value = activation_step * code + std::abs(activation_shift);
  return static_cast<double>(taps()) * weight * value;
}

uint8_t Problem::border_code() const {
  const bool has_zero = activation_shift <= 0 && -activation_shift % activation_step == 0 &&
                        -activation_shift / activation_step < (1 << activation_bits);
  return has_zero ? static_cast<uint8_t>(-activation_shift / activation_step) : uint8_t{0};
}

std::string why_not(const Problem& p) {
  constexpr int64_t kLargest = int64_t{1} << 24;
  if (any_negative(p)) return "sizes must be at least 1 and padding at least 0";
  if (std::max({p.n, p.h, p.w, p.c, p.out, p.r, p.s, p.stride, p.pad}) > kLargest) return "a size beyond 2^24";
  if (p.h + 2 * p.pad < p.r || p.w + 2 * p.pad < p.s) return "the kernel is larger than the padded image";
  if (p.r > 64 || p.s > 64 || p.pad >= std::max(p.r, p.s) + 1) return "kernels up to 64 x 64, padding no larger";
  const bool weights =
      p.weight_bits == 1 || p.weight_bits == 2 || p.weight_bits == 3 || p.weight_bits == 4 || p.weight_bits == 8;
  if (!weights) return "weights of " + std::to_string(p.weight_bits) + " bits, expected 1, 2, 3, 4 or 8";
  if (p.activation_bits < 1 || p.activation_bits > 8)
    return "activations of " + std::to_string(p.activation_bits) + " bits, expected 1 to 8";
  if (p.activation_step != 1 && p.activation_step != 2) return "an activation step other than 1 and 2";
  if (std::abs(p.activation_shift) > 255) return "an activation shift beyond 255";
  if (p.bound() >= std::ldexp(1.0, 31)) return "sums of these codes can exceed 32 bits";
  return "";
}

BorderClasses border_classes(const Problem& p) {
  auto rows = classify(p.out_h(), p.h, p.r, p.stride, p.pad);
  auto columns = classify(p.out_w(), p.w, p.s, p.stride, p.pad);
  return {.rows = std::move(rows.of),
          .columns = std::move(columns.of),
          .row_taps = std::move(rows.taps),
          .column_taps = std::move(columns.taps)};
}

BorderSums border_sums(const Problem& p, std::span<const int8_t> codes) {
  const auto classes = border_classes(p);
  BorderSums found = {.rows = classes.rows,
                      .columns = classes.columns,
                      .column_classes = std::ssize(classes.column_taps),
                      .classes = classes.count(),
                      .sums = std::vector<int64_t>(static_cast<size_t>(classes.count() * p.out))};
  const auto by_tap = tap_sums(p, codes);
  auto* sum = found.sums.data();
  for (const auto& rows : classes.row_taps)
    for (const auto& columns : classes.column_taps)
      for (int64_t o = 0; o < p.out; ++o, ++sum)
        for (int64_t r = rows[0]; r < rows[1]; ++r)
          for (int64_t s = columns[0]; s < columns[1]; ++s)
            *sum += by_tap[static_cast<size_t>((o * p.r + r) * p.s + s)];
  return found;
}

Packed open_blob(const std::byte* packed) {
  BlobHeader header;
  std::memcpy(&header, packed, sizeof header);
  return {.row_class = reinterpret_cast<const uint8_t*>(packed + header.row_class),
          .column_class = reinterpret_cast<const uint8_t*>(packed + header.column_class),
          .corrections = reinterpret_cast<const int32_t*>(packed + header.corrections),
          .body = packed + header.body,
          .column_classes = header.column_classes,
          .classes = header.classes};
}

size_t Plan::packed_bytes() const { return layout_of(problem_, *kernel_).bytes; }

std::vector<std::byte> Plan::pack(std::span<const int8_t> codes) const {
  check_codes(problem_, codes);
  const auto header = layout_of(problem_, *kernel_);
  std::vector<std::byte> blob(header.bytes);
  fill_tables(problem_, codes, header, blob);
  fill_weights(problem_, *kernel_, codes, blob.data() + header.body);
  sign(header, blob);
  return blob;
}

std::vector<std::byte> Plan::pack_tables(std::span<const int8_t> codes) const {
  check_codes(problem_, codes);
  const auto header = layout_of(problem_, *kernel_);
  std::vector<std::byte> blob(header.body);
  fill_tables(problem_, codes, header, blob);
  sign(header, blob);
  return blob;
}

Buffer Plan::pack_weights(std::span<const int8_t> codes) const {
  check_codes(problem_, codes);
  Buffer weights(kernel_->body_bytes(problem_));
  fill_weights(problem_, *kernel_, codes, weights.data());
  return weights;
}

std::string Plan::check(std::span<const std::byte> packed) const {
  const auto expected = layout_of(problem_, *kernel_);
  BlobHeader found;
  if (packed.size() < sizeof found) return "packed weights: cut inside the header";
  std::memcpy(&found, packed.data(), sizeof found);
  if (!std::equal(std::begin(kMagic), std::end(kMagic), found.magic)) return "not packed weights";
  if (std::memcmp(found.kernel, expected.kernel, sizeof found.kernel) != 0) {
    const std::string other(found.kernel, strnlen(found.kernel, sizeof found.kernel));
    return "packed for the kernel " + other + ", this plan's is " + kernel_->name;
  }
  if (!std::equal(std::begin(found.problem), std::end(found.problem), expected.problem))
    return "packed for another problem";
  if (packed.size() != expected.bytes) {
    return "packed weights: " + std::to_string(packed.size()) + " bytes, expected " + std::to_string(expected.bytes);
  }
  auto unsigned_header = found;
  unsigned_header.checksum = 0;
  if (std::memcmp(&unsigned_header, &expected, sizeof expected) != 0) return "packed weights: the header was altered";
  if (found.checksum != fnv1a(packed.subspan(sizeof found))) return "packed weights: the checksum is wrong";
  if (reinterpret_cast<uintptr_t>(packed.data()) % kAlign != 0) return "packed weights: not 64-byte aligned";
  return "";
}

size_t Plan::shared_bytes() const { return kernel_->shared_bytes(problem_); }
size_t Plan::own_bytes() const { return kernel_->own_bytes(problem_); }
int Plan::phases() const { return kernel_->phases(problem_); }
int64_t Plan::tasks(int phase) const { return kernel_->tasks(problem_, phase); }

void Plan::execute(int phase, int64_t first, int64_t last, const Arguments& arguments) const {
  auto packed = open_blob(arguments.packed);
  if (arguments.weights != nullptr) packed.body = arguments.weights;
  kernel_->run(problem_, phase, first, last, arguments, packed);
}

namespace {

std::vector<const Kernel*> candidates(const Problem& problem, const Isa& isa) {
  std::vector<const Kernel*> found;
  for (const auto* kernel : all_kernels())
    if (kernel->runs_on(isa) && kernel->supports(problem)) found.push_back(kernel);
  std::stable_sort(found.begin(), found.end(),
                   [&](const auto* a, const auto* b) { return a->cost(problem) < b->cost(problem); });
  return found;
}

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

}  // namespace

std::vector<std::string> kernel_names() {
  std::vector<std::string> names;
  for (const auto* kernel : all_kernels()) names.emplace_back(kernel->name);
  return names;
}

std::vector<std::string> kernels_for(const Problem& problem, const Isa& isa) {
  std::vector<std::string> names;
  if (!why_not(problem).empty()) return names;
  for (const auto* kernel : candidates(problem, isa)) names.emplace_back(kernel->name);
  return names;
}

Plan make_plan(const Problem& problem, const Isa& isa, const std::string& kernel) {
  if (const auto reason = why_not(problem); !reason.empty()) throw UserError(ExitCode::usage, "convolution: " + reason);
  const auto found = candidates(problem, isa);
  AUXBENCH_CHECK(!found.empty(), "a kernel for every problem");
  auto chosen = found.begin();
  if (!kernel.empty()) {
    chosen = std::find_if(found.begin(), found.end(), [&](const auto* each) { return each->name == kernel; });
    if (chosen == found.end()) {
      std::string all;
      for (const auto* each : found) all += (all.empty() ? "" : ", ") + std::string(each->name);
      throw UserError(ExitCode::usage, "no kernel " + kernel + " for this problem on this processor (" + isa.name() +
                                           "); there are: " + all);
    }
  }
  Plan plan;
  plan.problem_ = problem;
  plan.kernel_ = *chosen;
  plan.name_ = (*chosen)->name;
  plan.reason_ = std::string((*chosen)->idea) + "; estimated " + number_text((*chosen)->cost(problem) / 1000) + " us";
  if (!kernel.empty())
    plan.reason_ += ", asked for by name";
  else if (found.size() > 1)
    plan.reason_ += ", next " + std::string(found[1]->name) + " " + number_text(found[1]->cost(problem) / 1000) + " us";
  if (!isa.note.empty()) plan.reason_ += " (" + isa.note + ")";
  return plan;
}

Buffer::Buffer(size_t bytes) : size_(bytes) {
  data_.reset(static_cast<std::byte*>(::operator new (aligned(std::max<size_t>(bytes, 1)), std::align_val_t{kAlign})));
  std::memset(data_.get(), 0, aligned(std::max<size_t>(bytes, 1)));
}

void Buffer::Free::operator()(std::byte* memory) const { ::operator delete (memory, std::align_val_t{kAlign}); }

}  // namespace auxbench::lowbit_conv
