// The ONNX graph of a network in the making (deploy/onnx.h): tensors of values, and the nodes that operations have in
// common. For deploy/onnx.cc and deploy/operations/. Torch-free.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "deploy/integer_network.h"
#include "deploy/onnx_graph.h"
#include "deploy/qdq_rounding.h"

namespace auxbench {

// How codes lie in their tensor: element = step u + base.
struct CodeStorage {
  onnx::Type type = onnx::Type::uint8;
  int32_t step = 1, base = 0;

  [[nodiscard]] int32_t lowest() const { return type == onnx::Type::int8 ? -128 : 0; }
  [[nodiscard]] int32_t highest() const { return type == onnx::Type::int8 ? 127 : 255; }
  [[nodiscard]] bool holds(int32_t element) const { return element >= lowest() && element <= highest(); }
  bool operator==(const CodeStorage&) const = default;
};

onnx::Attributes onnx_window(int64_t kernel, int64_t stride, const onnx::Numbers& pads);

class OnnxWriter {
 public:
  static constexpr const char* kInput = "images";

  // Throws UserError where the network does not fit together. It must outlive this.
  explicit OnnxWriter(const IntegerNetwork& network);

  void append(const IntegerStep& step);  // by its operation

  // --- For operations.
  onnx::Graph& graph() { return graph_; }
  [[nodiscard]] const IntegerValue& value(size_t index) const { return network_.values[index]; }
  [[nodiscard]] ValueSize size(size_t index) const { return sizes_[index]; }
  [[nodiscard]] const std::string& name(size_t value) const { return names_[value]; }  // of its tensor
  void set_name(size_t value, const std::string& tensor) { names_[value] = tensor; }
  // A name for a tensor of the step that is appended.
  [[nodiscard]] std::string label(const std::string& what) const { return layer_ + "." + what; }
  [[nodiscard]] const IntegerStep& weights_of(const IntegerStep& step) const { return network_.weights_of(step); }
  // The tensor of the weights that `holder` holds: what `make` made of them for the first step that asked.
  template <typename Make>
  const std::string& once(const IntegerStep& holder, const Make& make) {
    auto& tensor = weights_[&holder];
    if (tensor.empty()) tensor = make();
    return tensor;
  }
  void note_convolution(const std::string& sums) { convolutions_[layer_] = sums; }  // "exact" | "float32"

  // `op` of a tensor and a number, or a number for each channel.
  template <typename T>
  std::string with(const std::string& op, const std::string& input, T number, const std::string& wanted) {
    return graph_.node(op, {input, graph_.scalar(wanted + ".by", number)}, wanted);
  }
  template <typename T>
  std::string with(const std::string& op, const std::string& input, const std::vector<T>& numbers,
                   const std::string& wanted) {
    return graph_.node(op, {input, graph_.per_channel(wanted + ".by", numbers)}, wanted);
  }
  std::string dequantize(const std::string& input, onnx::Type type, float scale, const std::string& wanted);
  std::string whole_numbers(size_t value);  // step u + shift as floats
  // The lines of requantize::Epilogue from the norm on; names what the step makes.
  void finish(const IntegerStep& step, std::string v);

  // --- For the model's metadata, by step.
  [[nodiscard]] const nlohmann::json& encoders() const { return encoders_; }
  [[nodiscard]] const nlohmann::json& convolutions() const { return convolutions_; }

 private:
  void choose_storage();
  std::string integer(const std::string& wanted, onnx::Type type, int32_t value);
  std::string quantize(const std::string& input, onnx::Type type, float scale, int32_t zero_point,
                       const std::string& wanted);
  std::string residual(size_t value);
  std::string clip(const std::string& v, float lo, float hi, const std::string& wanted);
  std::string encoded(const IntegerStep& step, const std::string& v);
  std::string rounded(std::string v, const Rounding& rounding, int32_t largest, const CodeStorage& stored);
  std::string affine(const FrozenEncoder& encoder, std::string v);
  std::string count(const std::vector<float>& thresholds, const std::string& v);

  const IntegerNetwork& network_;
  std::vector<ValueSize> sizes_;
  std::vector<std::string> names_, whole_;  // tensors of values, and of codes as floats
  std::vector<CodeStorage> storage_;
  std::map<const IntegerStep*, std::string> weights_;  // tensors of weights, by who holds them
  onnx::Graph graph_;
  std::string layer_;
  nlohmann::json encoders_ = nlohmann::json::object(), convolutions_ = nlohmann::json::object();
};

}  // namespace auxbench
