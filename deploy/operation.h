// What an operation of an integer network is: the contract of deploy/operations/. Torch-free.
//
// A new one is a pair of files there and a line in operations.inc. It says what it reads and makes (Traits), what size
// comes out, how it is made ready for a batch and run, which numbers of an IntegerStep are its own, and its ONNX nodes.
// value_sizes(), the executor, files and ONNX ask through this and know no operation by name.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "deploy/integer_network.h"
#include "kernels/isa/isa.h"
#include "kernels/lowbit_conv/lowbit_conv.h"
#include "kernels/requantize/requantize.h"

namespace auxbench {

class OnnxWriter;
class PackedWeights;

// A step among values whose sizes are known as far as they have been made.
struct StepInputs {
  const IntegerNetwork& network;
  const IntegerStep& step;
  std::span<const ValueSize> sizes;  // of all values; h = 0: not made yet
  ValueSize image;                   // that the network is given

  [[nodiscard]] const IntegerValue& value(size_t i = 0) const { return network.values[step.inputs[i]]; }
  [[nodiscard]] ValueSize size(size_t i = 0) const { return sizes[step.inputs[i]]; }
};

struct MapShape {
  ValueSize size;
  int64_t channels = 0;
};

// The memory of a value: one of the two.
struct Place {
  requantize::FloatMap<float> floats;
  requantize::CodeMap<uint8_t> codes;
};

// What a step is made ready from. What it refers to outlives the prepared step.
struct StepMemory {
  const StepInputs& inputs;
  std::span<const Place> places;  // of all values
  std::byte* scratch = nullptr;   // scratch_bytes(), 64-byte aligned; the step's own while it runs
  int64_t batch = 1;
  int threads = 1;
  const Isa& isa;
  PackedWeights& packed;  // shared by all image sizes

  [[nodiscard]] const IntegerStep& step() const { return inputs.step; }
  [[nodiscard]] const IntegerStep& weights() const { return inputs.network.weights_of(inputs.step); }  // who holds them
  [[nodiscard]] const Place& in(size_t i = 0) const { return places[step().inputs[i]]; }
  [[nodiscard]] requantize::FloatMap<float> out_floats() const { return places[step().out_floats].floats; }
  [[nodiscard]] requantize::CodeMap<uint8_t> out_codes() const { return places[step().out_codes].codes; }
};

// What a run lends: the batch, [batch][channels][h][w], and workspaces as large as any step asked for.
struct RunContext {
  std::span<const float> images;
  int threads = 1;
  std::byte* shared = nullptr;
  std::span<const lowbit_conv::Buffer> own;  // one for each thread
};

class PreparedStep {
 public:
  virtual ~PreparedStep() = default;
  virtual void run(const RunContext& context) const = 0;  // neither allocates nor locks
  [[nodiscard]] virtual size_t shared_bytes() const { return 0; }
  [[nodiscard]] virtual size_t own_bytes() const { return 0; }
  [[nodiscard]] virtual std::string plan() const { return ""; }  // its kernel and why, where there was a choice
};

// Groups of an IntegerStep's arrays, of which an operation reads some.
enum ArrayGroup : unsigned {
  kCodeWeights = 1,   // weights, scale, offset_scale
  kFloatWeights = 2,  // float_weights
  kEpilogue = 4,      // alpha, beta, the encoder's table
  kFactors = 8        // factors
};

struct Traits {
  enum class Reads { floats, codes, either };           // either: all inputs as the first
  enum class Makes { floats, codes, both, as_inputs };  // both: floats, codes or the two; as_inputs: that alone

  size_t least_inputs = 1, most_inputs = 1;
  Reads reads = Reads::floats;
  Makes makes = Makes::floats;
  unsigned arrays = 0;         // of ArrayGroup
  bool last_for_size = false;  // of the last input, of any type and channels, the size alone is read
};

class Operation {
 public:
  explicit Operation(const Traits& traits) : traits_(traits) {}
  virtual ~Operation() = default;
  [[nodiscard]] const Traits& traits() const { return traits_; }

  // What comes out. Its inputs are there, of the right type, one size and as many channels. Throws UserError where the
  // step does not fit them.
  [[nodiscard]] virtual MapShape shape(const StepInputs& inputs) const = 0;
  // Multiply-accumulates of an image.
  [[nodiscard]] virtual int64_t macs(const StepInputs& inputs) const;
  // Pixels of border that the maps of its inputs must have.
  [[nodiscard]] virtual int64_t border(const IntegerStep& step) const;
  [[nodiscard]] virtual size_t scratch_bytes(const StepInputs& inputs, int64_t batch) const;
  [[nodiscard]] virtual std::unique_ptr<PreparedStep> prepare(const StepMemory& memory) const = 0;
  // Adds its nodes and names what it makes.
  virtual void write_onnx(const IntegerStep& step, OnnxWriter& writer) const = 0;

 private:
  Traits traits_;
};

const Operation& operation_of(IntegerStep::Kind kind);

// Throws UserError (data_missing) naming the step.
[[noreturn]] void refuse_step(const IntegerStep& step, const std::string& what);

// The numbers of a map as it is stored. Throws UserError beyond kMostNumbers.
int64_t check_map(const IntegerStep& step, ValueSize size, int64_t channels);

}  // namespace auxbench
