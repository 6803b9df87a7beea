#include "runner/training/host_memory.h"

#include <array>
#include <bit>
#include <cstdlib>
#include <vector>

#include "base/torch_prelude.h"

namespace auxbench {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kSmallest = 64;
constexpr size_t kLargestKept = size_t{1} << 23;
constexpr size_t kKeptByThread = size_t{1} << 26;
constexpr size_t kSteps = 8;  // sizes between a power of two and the next: at most an eighth is wasted

// Which list a block is kept in, and how many bytes it has.
struct SizeClass {
  size_t index = 0, bytes = 0;
};

SizeClass class_of(size_t bytes) {
  if (bytes <= kSmallest) return {0, kSmallest};
  const auto power = static_cast<size_t>(std::bit_width(bytes - 1)) - 1;  // 2^power < bytes <= 2^(power + 1)
  const size_t base = size_t{1} << power, step = base / kSteps;
  const size_t steps = (bytes - base + step - 1) / step;
  return {(power - 6) * kSteps + steps, base + steps * step};
}

constexpr size_t kClasses = (23 - 6) * kSteps + 1;

// Blocks that nobody uses. Gone, and `alive` false, when its thread ends.
class FreeLists {
 public:
  FreeLists() { alive = true; }
  ~FreeLists() {
    alive = false;
    for (auto& list : lists_)
      for (void* block : list) std::free(block);
  }
  FreeLists(const FreeLists&) = delete;
  FreeLists& operator=(const FreeLists&) = delete;

  void* take(const SizeClass& wanted) {
    auto& list = lists_[wanted.index];
    if (list.empty()) return nullptr;
    void* block = list.back();
    list.pop_back();
    kept_ -= wanted.bytes;
    return block;
  }

  bool keep(void* block, const SizeClass& size) {
    if (kept_ + size.bytes > kKeptByThread) return false;
    lists_[size.index].push_back(block);
    kept_ += size.bytes;
    return true;
  }

  static thread_local bool alive;

 private:
  std::array<std::vector<void*>, kClasses> lists_;
  size_t kept_ = 0;
};

thread_local bool FreeLists::alive = false;

// Constructed with the first tensor of a thread; null when the thread is ending.
FreeLists* free_lists() {
  thread_local bool begun = false;
  if (begun && !FreeLists::alive) return nullptr;
  begun = true;
  thread_local FreeLists lists;
  return &lists;
}

// Before each block: how many bytes were asked for.
struct alignas(kAlignment) Header {
  size_t bytes = 0;
};

void release(void* data) {
  if (data == nullptr) return;
  auto* header = static_cast<Header*>(data) - 1;
  const auto size = class_of(header->bytes);
  if (header->bytes <= kLargestKept)
    if (auto* lists = free_lists(); lists != nullptr && lists->keep(header, size)) return;
  std::free(header);
}

class ReusingAllocator final : public c10::Allocator {
 public:
  at::DataPtr allocate(size_t bytes) override {
    const c10::Device cpu(c10::kCPU);
    if (bytes == 0) return {nullptr, nullptr, &release, cpu};
    const auto size = class_of(bytes);
    void* block = nullptr;
    if (bytes <= kLargestKept)
      if (auto* lists = free_lists(); lists != nullptr) block = lists->take(size);
    if (block == nullptr && posix_memalign(&block, kAlignment, sizeof(Header) + size.bytes) != 0)
      throw std::bad_alloc();
    auto* header = new (block) Header{bytes};
    return {header + 1, header + 1, &release, cpu};
  }

  [[nodiscard]] c10::DeleterFnPtr raw_deleter() const override { return &release; }

  void copy_data(void* target, const void* source, size_t bytes) const override {
    default_copy_data(target, source, bytes);
  }
};

}  // namespace

void reuse_host_memory() {
#if !defined(__SANITIZE_ADDRESS__)
  static const bool kOnce = [] {
    static ReusingAllocator allocator;
    c10::SetAllocator(c10::kCPU, &allocator, /*priority=*/1);
    return true;
  }();
  static_cast<void>(kOnce);
#endif
}

}  // namespace auxbench
