// A trained network as integers: codes, scales, thresholds and the steps that use them. What deploy/freeze.h makes,
// deploy/executor.h runs and deploy/integer_file.h keeps. Torch-free.
//
// Steps run in order. Each reads values that earlier steps made and makes up to two: a float map and a map of codes
// (kernels/requantize/requantize.h says how the one becomes the other). A convolution on codes is exact; everything in
// floats is done operation by operation as the frozen network's evaluation does it, so that both say the same.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace auxbench {

// What codes stand for: value = scale (step u + shift) + offset, u = 0 .. largest.
struct CodeMeaning {
  int32_t largest = 0;
  int32_t step = 1, shift = 0;
  float scale = 1, offset = 0;

  [[nodiscard]] int bits() const;  // that hold u
  bool operator==(const CodeMeaning&) const = default;
};

struct IntegerValue {
  enum class Type { floats, codes };
  Type type = Type::floats;
  int64_t channels = 0;
  CodeMeaning codes{};  // where they are codes
};

// From floats to codes (requantize::Encoder), owning its table.
struct FrozenEncoder {
  std::string kind = "none";  // none | thresholds | affine
  std::vector<float> table{};
  float subtract = 0, divide = 1, lo = 0, hi = 1, multiply = 1;
  int32_t add = 0;
};

constexpr size_t kNoValue = std::numeric_limits<size_t>::max();

// One step: its operation (deploy/operations/) and that operation's numbers. The others' are empty.
struct IntegerStep {
  enum class Kind {
#define AUXBENCH_OPERATION(name) name,
#include "deploy/operations/operations.inc"
#undef AUXBENCH_OPERATION
  };

  Kind kind = Kind::image;
  std::string name;              // the layer's
  std::vector<size_t> inputs{};  // values

  // convolutions: [out][r][s][c]
  int64_t out = 0, r = 1, s = 1, stride = 1, pad = 0;
  int weight_bits = 8;
  bool odd_weights = false;
  std::vector<int8_t> weights{};
  std::vector<float> float_weights{};
  // An earlier step whose weights this one multiplies by, at another place of the network; its own are empty. The two
  // agree in all numbers above and in what their inputs' codes are. kNoValue: no such step.
  size_t shares = kNoValue;

  // what follows, as requantize::Epilogue; empty: not asked for
  std::vector<float> scale{};
  bool in_double = false;
  size_t partial = kNoValue;
  std::vector<float>
      offset_scale{};  // class_terms[k][c] = float(sum of the weights inside for border class k) offset_scale[c]
  bool relu_first = false;
  std::vector<float> alpha{}, beta{};
  size_t residual = kNoValue;
  bool clamp = false;
  float lo = 0, hi = std::numeric_limits<float>::infinity();
  FrozenEncoder encoder{};
  uint32_t digit_mask = 0;
  std::vector<float> factors{};

  // what it makes; kNoValue: not wanted
  size_t out_floats = kNoValue, out_codes = kNoValue;
};

// A float value that whoever runs the network gets, by name.
struct IntegerOutput {
  std::string name;
  size_t value = kNoValue;

  bool operator==(const IntegerOutput&) const = default;
};

// A classifier's output: of one pixel, with a number for each class.
inline constexpr const char* kLogits = "logits";

// What stands behind a detector's raw outputs "classes.L", "boxes.L" and, of FCOS, "centreness.L", one each for level L:
// the names of the rules that make boxes of them (metrics/detection/rules.h), and the image size that it was trained at.
// This room reads none of it. No kind: no detector.
struct IntegerDetector {
  std::string kind{}, flavour{};  // retinanet | fcos, detectron2 | torchvision
  int64_t image_size = 0;         // pixels of the shorter side, before padding; 0: the data set's own

  bool operator==(const IntegerDetector&) const = default;
};

struct IntegerNetwork {
  // Of an image; `height` and `width` are the size it was trained on, it may be run at others. `classes`: channels of
  // the output "logits"; 0 where there is none.
  int64_t channels = 0, height = 0, width = 0, classes = 0;
  IntegerDetector detector;
  std::vector<IntegerValue> values;
  std::vector<IntegerStep> steps;
  std::vector<IntegerOutput> outputs;

  // The step that holds the weights which `step` multiplies by: itself, or the one it shares them with.
  [[nodiscard]] const IntegerStep& weights_of(const IntegerStep& step) const {
    return step.shares == kNoValue ? step : steps[step.shares];
  }

  [[nodiscard]] int64_t macs() const;          // of one image: all convolutions
  [[nodiscard]] int64_t integer_macs() const;  // of convolutions on codes
  // Weights at their bits, those that steps share once; scales, thresholds, float layers: what has to be stored.
  [[nodiscard]] int64_t bytes() const;
};

// What a network may be made of: steps, and values; inputs of a step, and outputs; numbers in the map of a value, with
// its channels and border as they are stored, and in all maps of an image.
inline constexpr size_t kMostSteps = 10000, kMostInputs = 256;
inline constexpr int64_t kMostNumbers = int64_t{1} << 28, kMostNumbersTogether = int64_t{1} << 32;

// Whether two steps are the same convolution of inputs of the same kind, so that one may share the other's weights: they
// agree in all numbers but arrays and names. The sizes of their maps may differ.
bool same_convolution(const IntegerNetwork& network, const IntegerStep& a, const IntegerStep& b);

// Height and width of every value for images of a size; without one, of the network's own. Throws UserError
// (data_missing) where a step does not fit its inputs, a value is made twice, an encoder can give codes beyond its
// value's, a step carries numbers of another operation, and beyond the limits: called on every network that comes from
// a file, so that an Executor can run it.
struct ValueSize {
  int64_t h = 0, w = 0;

  bool operator==(const ValueSize&) const = default;
};
std::vector<ValueSize> value_sizes(const IntegerNetwork& network);
std::vector<ValueSize> value_sizes(const IntegerNetwork& network, ValueSize image);

const char* step_kind_name(IntegerStep::Kind kind);  // as files have it: "float-convolution"

}  // namespace auxbench
