#include "runner/bench/opponents/onednn.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "base/check.h"
#include "runner/bench/opponents/opponent.h"

namespace auxbench::opponents {
namespace {

using namespace onednn;

struct Free {
  void operator()(std::byte* bytes) const { std::free(bytes); }
};
using Buffer = std::unique_ptr<std::byte[], Free>;

Buffer allocate(size_t bytes) {
  constexpr size_t kPage = 4096;
  auto* made = static_cast<std::byte*>(std::aligned_alloc(kPage, (bytes + kPage - 1) / kPage * kPage + kPage));
  if (made == nullptr) throw std::bad_alloc();
  return Buffer(made);
}

// The team of the calling thread, for as long as this lives.
class Team {
 public:
  Team(const Functions& f, int threads) : f_(f), before_(f.omp_get_max_threads()) { f.omp_set_num_threads(threads); }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  ~Team() { f_.omp_set_num_threads(before_); }

 private:
  const Functions& f_;
  int before_;
};

// Thread i of the team, the calling one excepted, onto processors[i].
void bind(const Functions& f, int threads, const std::vector<int>& processors) {
  if (threads == 1 || processors.empty()) return;
  struct Task {
    const Functions& f;
    const std::vector<int>& processors;
    std::atomic<int> bound = 0;
  } task{.f = f, .processors = processors};
  const auto body = [](void* data) {
    auto& [functions, places, bound] = *static_cast<Task*>(data);
    const auto thread = static_cast<size_t>(functions.omp_get_thread_num());
    if (thread == 0) return;
    cpu_set_t place;
    CPU_ZERO(&place);
    CPU_SET(static_cast<size_t>(places[thread]), &place);
    if (sched_setaffinity(0, sizeof(place), &place) == 0) ++bound;
  };
  f.parallel(body, &task, static_cast<unsigned>(threads), 0);
  if (task.bound != threads - 1)
    throw Unavailable("OpenMP's threads cannot be bound to the processors that were named");
}

Dims nhwc_strides(const Dims& nchw) {
  const int64_t c = nchw[1], h = nchw[2], w = nchw[3];
  return {h * w * c, 1, w * c, c};
}

class OneDnn final : public Opponent {
 public:
  OneDnn(const Library& library, const Layer& layer, Arithmetic arithmetic, const Conditions& conditions)
      : library_(library), threads_(conditions.threads), int8_(arithmetic == Arithmetic::int8) {
    const Team team(library.f, threads_);
    bind(library.f, threads_, conditions.processors);
    Engine* engine = nullptr;
    expect(library.f.engine_create(&engine, kCpu, 0), "to find the processor");
    engine_.reset(engine);
    Stream* stream = nullptr;
    expect(library.f.stream_create(&stream, engine, kInOrder), "to make a stream");
    stream_.reset(stream);
    choose(layer, arithmetic);
    fill(layer, conditions.cold_bytes);
  }

  void run() override {
    const Team team(library_.f, threads_);
    arguments_.front().memory = weights_[next_].get();
    next_ = next_ + 1 == weights_.size() ? 0 : next_ + 1;
    const Status status = library_.f.primitive_execute(convolution_.get(), stream_.get(),
                                                       static_cast<int>(arguments_.size()), arguments_.data());
    AUXBENCH_CHECK(status == 0 && library_.f.stream_wait(stream_.get()) == 0, "a convolution that runs");
  }

  [[nodiscard]] std::string library() const override { return library_.name; }

  [[nodiscard]] std::string implementation() const override {
    const char* text = nullptr;
    const Status status =
        library_.f.primitive_desc_query(chosen_.get(), static_cast<int>(Query::implementation), 0, &text);
    return status == 0 && text != nullptr ? text : "unknown";
  }

  std::vector<float> output() override {
    const Team team(library_.f, threads_);
    const Dims strides = nhwc_strides(y_dims_);
    const auto plain = library_.describe(Type::f32, 4, y_dims_, &strides);
    std::vector<float> y(static_cast<size_t>(y_dims_[0] * y_dims_[1] * y_dims_[2] * y_dims_[3]));
    reorder(layout(Query::destination), y_.get(), plain.get(), memory_on(plain.get(), y.data()).get());
    return y;
  }

 private:
  void expect(Status status, const char* what) const { expect_success(library_, status, what); }

  [[nodiscard]] const Descriptor* layout(Query which) const {
    return library_.f.primitive_desc_query_md(chosen_.get(), static_cast<int>(which), 0);
  }

  [[nodiscard]] Owned<Memory> memory_on(const Descriptor* descriptor, void* bytes) const {
    Memory* made = nullptr;
    expect(library_.f.memory_create(&made, descriptor, engine_.get(), bytes), "to make a memory object");
    return {made, library_.f.memory_destroy};
  }

  // Memory that lives as long as this opponent.
  Owned<Memory> own_memory(const Descriptor* descriptor) {
    buffers_.push_back(allocate(library_.f.memory_desc_get_size(descriptor)));
    return memory_on(descriptor, buffers_.back().get());
  }

  Owned<Memory> own_memory(const std::vector<float>& values) {
    const Dims dims = {static_cast<int64_t>(values.size())}, strides = {1};
    auto memory = own_memory(library_.describe(Type::f32, 1, dims, &strides).get());
    std::memcpy(buffers_.back().get(), values.data(), values.size() * sizeof(float));
    return memory;
  }

  void reorder(const Descriptor* from, Memory* source, const Descriptor* to, Memory* destination) const {
    const auto& f = library_.f;
    PrimitiveDesc* chosen = nullptr;
    expect(f.reorder_primitive_desc_create(&chosen, from, engine_.get(), to, engine_.get(), nullptr),
           "to choose a reorder");
    const Owned<PrimitiveDesc> owned_chosen(chosen, f.primitive_desc_destroy);
    Primitive* made = nullptr;
    expect(f.primitive_create(&made, chosen), "to make a reorder");
    const Owned<Primitive> owned(made, f.primitive_destroy);
    const Argument arguments[] = {{kSource, source}, {kDestination, destination}};
    expect(f.primitive_execute(made, stream_.get(), 2, arguments), "to reorder");
    expect(f.stream_wait(stream_.get()), "to wait");
  }

  // Values that lie plainly into `destination`, whatever its layout.
  template <typename T>
  void bring(std::vector<T>& values, Type type, const Dims& dims, const Dims& strides, const Descriptor* to,
             Memory* destination) const {
    const auto plain = library_.describe(type, 4, dims, &strides);
    reorder(plain.get(), memory_on(plain.get(), values.data()).get(), to, destination);
  }

  void choose(const Layer& layer, Arithmetic arithmetic) {
    const auto& l = layer.shape;
    x_dims_ = {l.n, l.c, l.h, l.w};
    w_dims_ = {l.out, l.c, l.r, l.s};
    y_dims_ = {l.n, l.out, l.out_h(), l.out_w()};
    const Type number = arithmetic == Arithmetic::bf16 ? Type::bf16 : Type::f32;
    const Dims x_strides = nhwc_strides(x_dims_), y_strides = nhwc_strides(y_dims_), b_dims = {l.out}, b_strides = {1};
    const Type x_type = int8_ ? Type::u8 : number, w_type = int8_ ? Type::s8 : number;
    Operation operation;
    operation.source = library_.describe(x_type, 4, x_dims_, int8_ ? &x_strides : nullptr);
    operation.weights = library_.describe(w_type, 4, w_dims_, nullptr);
    operation.bias = library_.describe(Type::f32, 1, b_dims, &b_strides);
    operation.destination = library_.describe(x_type, 4, y_dims_, int8_ ? &y_strides : nullptr);
    operation.stride = l.stride;
    operation.pad = l.pad;
    // Never Winograd's on codes, which rounds them and for which 2.6.3 cannot pack weights.
    operation.algorithm = int8_ ? kDirect : kAnyAlgorithm;
    if (int8_) operation.scales = layer.scale;
    chosen_ = library_.convolution(engine_.get(), operation);
    Primitive* made = nullptr;
    expect(library_.f.primitive_create(&made, chosen_.get()), "to make a convolution");
    convolution_.reset(made);
  }

  void fill(const Layer& layer, int64_t cold_bytes) {
    auto bias = layer.bias;
    if (int8_ && !library_.scales_are_weights())
      for (size_t o = 0; o < bias.size(); ++o) bias[o] /= layer.scale[o];
    fill_weights(layer, cold_bytes);
    x_ = own_memory(layout(Query::source));
    const Dims strides = nhwc_strides(x_dims_);
    if (int8_) {
      auto codes = layer.x;
      bring(codes, Type::u8, x_dims_, strides, layout(Query::source), x_.get());
    } else {
      std::vector<float> numbers(layer.x.begin(), layer.x.end());
      bring(numbers, Type::f32, x_dims_, strides, layout(Query::source), x_.get());
    }
    bias_ = own_memory(bias);
    y_ = own_memory(layout(Query::destination));
    arguments_ = {{kWeights, nullptr}, {kSource, x_.get()}, {kBias, bias_.get()}, {kDestination, y_.get()}};
    if (int8_ && library_.scales_are_weights()) {
      scales_ = own_memory(layer.scale);
      arguments_.push_back({kScales | kWeights, scales_.get()});
    }
  }

  void fill_weights(const Layer& layer, int64_t cold_bytes) {
    constexpr size_t kLine = 64;
    const Descriptor* packed = layout(Query::weights);
    const size_t bytes = library_.f.memory_desc_get_size(packed), step = (bytes + kLine - 1) / kLine * kLine;
    const size_t copies = std::max<size_t>(1, (static_cast<size_t>(cold_bytes) + step - 1) / step);
    buffers_.push_back(allocate(copies * step));
    auto* first = buffers_.back().get();
    weights_.push_back(memory_on(packed, first));
    if (int8_) {
      auto codes = in_oihw<int8_t>(layer, [](size_t /*o*/, int8_t code) { return code; });
      bring(codes, Type::s8, w_dims_, oihw_strides(), packed, weights_.front().get());
    } else {
      auto numbers =
          in_oihw<float>(layer, [&](size_t o, int8_t code) { return layer.scale[o] * static_cast<float>(code); });
      bring(numbers, Type::f32, w_dims_, oihw_strides(), packed, weights_.front().get());
    }
    for (size_t copy = 1; copy < copies; ++copy) {
      std::memcpy(first + copy * step, first, bytes);
      weights_.push_back(memory_on(packed, first + copy * step));
    }
  }

  // From [out][r][s][c]: the layout that every version reorders from.
  template <typename T, typename Value>
  static std::vector<T> in_oihw(const Layer& layer, const Value& value) {
    const auto& l = layer.shape;
    std::vector<T> out;
    out.reserve(layer.w.size());
    for (int64_t o = 0; o < l.out; ++o)
      for (int64_t c = 0; c < l.c; ++c)
        for (int64_t tap = 0; tap < l.r * l.s; ++tap)
          out.push_back(value(static_cast<size_t>(o), layer.w[static_cast<size_t>((o * l.r * l.s + tap) * l.c + c)]));
    return out;
  }

  [[nodiscard]] Dims oihw_strides() const {
    return {w_dims_[1] * w_dims_[2] * w_dims_[3], w_dims_[2] * w_dims_[3], w_dims_[3], 1};
  }

  const Library& library_;
  const int threads_;
  const bool int8_;
  Dims x_dims_{}, w_dims_{}, y_dims_{};  // NCHW, OIHW
  std::vector<Buffer> buffers_;
  Owned<Engine> engine_{nullptr, library_.f.engine_destroy};
  Owned<Stream> stream_{nullptr, library_.f.stream_destroy};
  Owned<PrimitiveDesc> chosen_{nullptr, library_.f.primitive_desc_destroy};
  Owned<Primitive> convolution_{nullptr, library_.f.primitive_destroy};
  std::vector<Owned<Memory>> weights_;  // copies
  size_t next_ = 0;
  Owned<Memory> x_{nullptr, library_.f.memory_destroy}, bias_{nullptr, library_.f.memory_destroy},
      scales_{nullptr, library_.f.memory_destroy}, y_{nullptr, library_.f.memory_destroy};
  std::vector<Argument> arguments_;  // the weights first
};

void check(const Layer& layer, const Conditions& conditions) {
  const auto& l = layer.shape;
  const auto holds = [](const auto& values, int64_t count) { return values.size() == static_cast<size_t>(count); };
  AUXBENCH_CHECK(l.n > 0 && l.h > 0 && l.w > 0 && l.c > 0 && l.out > 0 && l.r > 0 && l.s > 0, "sizes above zero");
  AUXBENCH_CHECK(l.stride > 0 && l.pad >= 0 && l.h + 2 * l.pad >= l.r && l.w + 2 * l.pad >= l.s,
                 "a kernel that fits into the image");
  AUXBENCH_CHECK(holds(layer.x, l.n * l.h * l.w * l.c) && holds(layer.w, l.out * l.r * l.s * l.c) &&
                     holds(layer.scale, l.out) && holds(layer.bias, l.out),
                 "data of the shape's size");
  AUXBENCH_CHECK(conditions.threads > 0 && conditions.cold_bytes >= 0, "a thread, and no negative memory");
  AUXBENCH_CHECK(conditions.processors.empty() || holds(conditions.processors, conditions.threads),
                 "a processor for each thread, or none");
  for (const int processor : conditions.processors)
    AUXBENCH_CHECK(processor >= 0 && processor < CPU_SETSIZE, "a processor's number");
}

}  // namespace

Made make_onednn(const std::string& library, const Layer& layer, Arithmetic arithmetic, const Conditions& conditions) {
  check(layer, conditions);
  try {
    return {.opponent = std::make_unique<OneDnn>(open_library(library), layer, arithmetic, conditions), .reason = ""};
  } catch (const Unavailable& unavailable) {
    return {.opponent = nullptr, .reason = unavailable.what()};
  }
}

}  // namespace auxbench::opponents
