// For .cc files of this folder: the part of oneDNN's C interface that a convolution takes, declared by hand. No header
// of oneDNN is needed, and versions 2 and 3, whose symbols have the same names and other meanings, stand side by side.
//
// Most functions are called alike in both (Functions); what differs is behind Library: onednn2.cc, onednn3.cc. Numbers
// are those of the headers of 2.6.3 and 3.2, alike unless said otherwise.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>

namespace auxbench::opponents::onednn {

// The library's objects, known by address only.
struct Engine;
struct Stream;
struct Attributes;
struct PostOps;
struct Descriptor;     // of a tensor: dimensions, type, layout
struct PrimitiveDesc;  // of an operation: a chosen implementation
struct Primitive;
struct Memory;

using Status = int;  // 0: success, 3: unimplemented
using Dims = std::array<int64_t, 12>;

enum class Type : int { bf16 = 2, f32 = 3, s8 = 5, u8 = 6 };
enum class Query : int { implementation = 8, source = 129, weights = 131, destination = 133 };

inline constexpr int kSource = 1, kDestination = 17, kWeights = 33, kBias = 41,
                     kScales = 4096;  // arguments; of 3: kScales
inline constexpr int kCpu = 1, kInOrder = 1, kInference = 96, kDirect = 1, kAnyAlgorithm = 3, kAnyLayout = 1,
                     kOpenMp = 2, kStrict = 0;

struct Version {
  int major, minor, patch;
  const char* hash;
  unsigned cpu_runtime, gpu_runtime;
};

struct Argument {
  int which;
  Memory* memory;
};

struct Functions {
  const Version* (*version)();
  Status (*engine_create)(Engine**, int kind, size_t index);
  Status (*engine_destroy)(Engine*);
  Status (*stream_create)(Stream**, Engine*, unsigned flags);
  Status (*stream_wait)(Stream*);
  Status (*stream_destroy)(Stream*);
  size_t (*memory_desc_get_size)(const Descriptor*);
  Status (*memory_create)(Memory**, const Descriptor*, Engine*, void* bytes);
  Status (*memory_destroy)(Memory*);
  Status (*primitive_attr_create)(Attributes**);
  Status (*primitive_attr_destroy)(Attributes*);
  Status (*primitive_attr_set_fpmath_mode)(Attributes*, int mode);
  Status (*primitive_attr_set_post_ops)(Attributes*, const PostOps*);
  Status (*post_ops_create)(PostOps**);
  Status (*post_ops_destroy)(PostOps*);
  Status (*reorder_primitive_desc_create)(PrimitiveDesc**, const Descriptor* from, Engine*, const Descriptor* to,
                                          Engine*, const Attributes*);
  Status (*primitive_desc_query)(const PrimitiveDesc*, int what, int index, void* result);
  const Descriptor* (*primitive_desc_query_md)(const PrimitiveDesc*, int what, int index);  // belongs to the first
  Status (*primitive_desc_destroy)(PrimitiveDesc*);
  Status (*primitive_create)(Primitive**, const PrimitiveDesc*);
  Status (*primitive_execute)(const Primitive*, Stream*, int count, const Argument*);
  Status (*primitive_destroy)(Primitive*);
  // OpenMP's, of the runtime this library is linked with.
  int (*omp_get_max_threads)();
  void (*omp_set_num_threads)(int);
  int (*omp_get_thread_num)();
  void (*parallel)(void (*body)(void*), void* data, unsigned threads,
                   unsigned flags);  // what `omp parallel` compiles to
};

// Why there is no opponent.
class Unavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Where dlopen's library keeps NAME, or Unavailable.
void* find(void* handle, const std::string& name);

template <typename Function>
void find(void* handle, const std::string& name, Function*& function) {
  function = reinterpret_cast<Function*>(find(handle, name));
}

template <typename Object>
using Owned = std::unique_ptr<Object, Status (*)(Object*)>;

struct Operation {  // a convolution with ReLU behind it
  std::shared_ptr<const Descriptor> source, weights, bias, destination;
  int64_t stride = 1, pad = 0;
  int algorithm = kDirect;
  std::span<const float> scales;  // one each output channel, or none
};

class Library {
 public:
  explicit Library(const Functions& functions);
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  virtual ~Library() = default;

  // Without strides: in the layout that the operation likes best.
  [[nodiscard]] virtual std::shared_ptr<const Descriptor> describe(Type type, size_t rank, const Dims& dims,
                                                                   const Dims* strides) const = 0;
  // What a convolution multiplies by: 2, its output, bias included, by constants; 3, the weights, by an argument.
  [[nodiscard]] virtual bool scales_are_weights() const = 0;
  [[nodiscard]] Owned<PrimitiveDesc> convolution(Engine* engine, const Operation& operation) const;

  const Functions f;
  const std::string name;

 protected:
  virtual Status append_relu(PostOps* post_ops) const = 0;
  virtual Status set_scales(Attributes* attributes, std::span<const float> scales) const = 0;
  virtual Status create(PrimitiveDesc** made, Engine* engine, const Operation& operation, const Dims& strides,
                        const Dims& pads, const Attributes* attributes) const = 0;
};

// Unavailable says what was tried and what came of it.
void expect_success(const Library& library, Status status, const char* what);

std::unique_ptr<Library> make_library2(void* handle, const Functions& functions);
std::unique_ptr<Library> make_library3(void* handle, const Functions& functions);

// Opened once for the life of the process; throws Unavailable.
const Library& open_library(const std::string& path);

}  // namespace auxbench::opponents::onednn
