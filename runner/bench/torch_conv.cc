#include "runner/bench/torch_conv.h"

#include <torch/version.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/torch_prelude.h"

namespace auxbench {
namespace {

using opponents::Arithmetic;
using opponents::Conditions;
using opponents::Layer;
using opponents::Made;

// Each packed copy of quantized weights brings an operator of its own, made when it first runs.
constexpr int64_t kMostCopies = 256;

// LibTorch warns that quantized tensors are deprecated; a reader of tables does not need that.
class Silence {
  struct Quiet final : c10::WarningHandler {
    void process(const c10::Warning& /*warning*/) override {}
  };
  Quiet quiet_;
  c10::WarningUtils::WarningHandlerGuard guard_{&quiet_};
};

at::Tensor from_nhwc(const std::vector<uint8_t>& codes, int64_t n, int64_t h, int64_t w, int64_t c) {
  auto made = at::empty({n, h, w, c}, at::kByte);
  std::memcpy(made.data_ptr(), codes.data(), codes.size());
  return made.permute({0, 3, 1, 2});  // channels last already
}

at::Tensor weight_codes(const Layer& layer) {
  const auto& s = layer.shape;
  auto made = at::empty({s.out, s.r, s.s, s.c}, at::kChar);
  std::memcpy(made.data_ptr(), layer.w.data(), layer.w.size());
  return made.permute({0, 3, 1, 2});
}

at::Tensor floats(const std::vector<float>& numbers) {
  auto made = at::empty({std::ssize(numbers)}, at::kFloat);
  std::memcpy(made.data_ptr(), numbers.data(), numbers.size() * sizeof(float));
  return made;
}

int64_t copies_of(int64_t bytes, const Conditions& conditions) {
  return std::max<int64_t>(1, (conditions.cold_bytes + bytes - 1) / bytes);
}

class TorchConv : public opponents::Opponent {
 public:
  TorchConv(const Layer& layer, const Conditions& conditions)
      : threads_(conditions.threads),
        stride_{layer.shape.stride, layer.shape.stride},
        pad_{layer.shape.pad, layer.shape.pad} {}

  void run() final {
    const c10::InferenceMode no_gradients;
    if (at::get_num_threads() != threads_) at::set_num_threads(threads_);
    y_ = compute(next_);
    next_ = next_ + 1 == copies_ ? 0 : next_ + 1;
  }

  [[nodiscard]] std::string library() const final { return std::string("LibTorch ") + TORCH_VERSION; }
  [[nodiscard]] std::string implementation() const final { return implementation_; }

  std::vector<float> output() final {
    const c10::InferenceMode no_gradients;
    const auto plain = decoded(y_).permute({0, 2, 3, 1}).contiguous();
    const auto* first = plain.const_data_ptr<float>();
    return {first, first + plain.numel()};
  }

 protected:
  virtual at::Tensor compute(size_t copy) = 0;
  [[nodiscard]] virtual at::Tensor decoded(const at::Tensor& y) const { return y; }

  int threads_;
  size_t copies_ = 1;
  std::vector<int64_t> stride_, pad_;
  std::string implementation_;

 private:
  size_t next_ = 0;
  at::Tensor y_;
};

class FloatConv final : public TorchConv {
 public:
  FloatConv(const Layer& layer, const Conditions& conditions) : TorchConv(layer, conditions) {
    const c10::InferenceMode no_gradients;
    const auto& s = layer.shape;
    x_ = from_nhwc(layer.x, s.n, s.h, s.w, s.c).to(at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
    bias_ = floats(layer.bias);
    const auto weight = (weight_codes(layer).to(at::kFloat) * floats(layer.scale).view({-1, 1, 1, 1}))
                            .contiguous(at::MemoryFormat::ChannelsLast);
    copies_ = static_cast<size_t>(copies_of(weight.numel() * 4, conditions));
    for (size_t i = 0; i < copies_; ++i) weights_.push_back(weight.clone());
    if (fuse()) return;
    implementation_ = "conv2d + relu_, channels last";
  }

 protected:
  at::Tensor compute(size_t copy) override {
    if (fused_) return call_fused(weights_[copy]);
    return at::conv2d(x_, weights_[copy], bias_, stride_, pad_).relu_();
  }

 private:
  at::Tensor call_fused(const at::Tensor& weight) {
    return fused_->call(x_, weight, bias_, pad_, stride_, dilation_, 1, "relu", no_scalars_, std::nullopt);
  }

  // The operators that LibTorch's own compiler uses; where one is missing or refuses, plain ones do.
  bool fuse() {
    auto& dispatcher = c10::Dispatcher::singleton();
    const auto pack = dispatcher.findSchema({"mkldnn::_reorder_convolution_weight", ""});
    const auto conv = dispatcher.findSchema({"mkldnn::_convolution_pointwise", ""});
    if (!conv) return false;
    const auto plain = weights_;
    try {
      fused_ = conv->typed<Fused>();
      if (pack) pack_weights(*pack);
      call_fused(weights_.front());
      implementation_ =
          std::string("mkldnn::_convolution_pointwise with relu, channels last") + (packed_ ? ", packed weights" : "");
      return true;
    } catch (const c10::Error&) {
      weights_ = plain;
      fused_.reset();
      return false;
    }
  }

  // Its arguments differ between versions: given by name.
  void pack_weights(const c10::OperatorHandle& pack) {
    for (auto& weight : weights_) {
      torch::jit::Stack stack;
      for (const auto& argument : pack.schema().arguments()) {
        const auto& name = argument.name();
        if (name == "self")
          stack.emplace_back(weight);
        else if (name == "padding")
          stack.emplace_back(pad_);
        else if (name == "stride")
          stack.emplace_back(stride_);
        else if (name == "dilation")
          stack.emplace_back(dilation_);
        else if (name == "groups")
          stack.emplace_back(int64_t{1});
        else if (name == "input_size")
          stack.emplace_back(x_.sizes().vec());
        else
          stack.push_back(argument.default_value().value_or(c10::IValue()));
      }
      pack.callBoxed(stack);
      weight = stack.front().toTensor();
    }
    packed_ = true;
  }

  using Fused = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, at::IntArrayRef,
                           at::IntArrayRef, at::IntArrayRef, int64_t, std::string_view,
                           torch::List<std::optional<at::Scalar>>, std::optional<std::string_view>);
  at::Tensor x_, bias_;
  std::vector<at::Tensor> weights_;
  std::vector<int64_t> dilation_ = {1, 1};
  std::optional<c10::TypedOperatorHandle<Fused>> fused_;
  torch::List<std::optional<at::Scalar>> no_scalars_;
  bool packed_ = false;
};

class QuantizedConv final : public TorchConv {
 public:
  QuantizedConv(const Layer& layer, const Conditions& conditions) : TorchConv(layer, conditions) {
    const c10::InferenceMode no_gradients;
    const auto& s = layer.shape;
    choose_engine();
    auto& dispatcher = c10::Dispatcher::singleton();
    const auto prepack = dispatcher.findSchemaOrThrow("quantized::conv2d_prepack", "");
    conv_ = dispatcher.findSchemaOrThrow("quantized::conv2d_relu", "new");
    x_ = at::_make_per_tensor_quantized_tensor(from_nhwc(layer.x, s.n, s.h, s.w, s.c), 1.0, 0)
             .contiguous(at::MemoryFormat::ChannelsLast);
    const auto weight =
        at::_make_per_channel_quantized_tensor(weight_codes(layer).contiguous(at::MemoryFormat::ChannelsLast),
                                               floats(layer.scale).to(at::kDouble), at::zeros({s.out}, at::kLong), 0);
    copies_ = static_cast<size_t>(copies_of(std::ssize(layer.w), conditions));
    TORCH_CHECK(static_cast<int64_t>(copies_) <= kMostCopies, "so small a layer takes ", copies_,
                " copies of its weights");
    for (size_t i = 0; i < copies_; ++i) {
      torch::jit::Stack stack = {weight, floats(layer.bias), stride_, pad_, std::vector<int64_t>{1, 1}, int64_t{1}};
      prepack.callBoxed(stack);
      weights_.push_back(stack.front());
    }
    implementation_ = std::string("quantized::conv2d_relu, engine ") + c10::toString(at::globalContext().qEngine());
  }

 protected:
  at::Tensor compute(size_t copy) override {
    torch::jit::Stack stack = {x_, weights_[copy], 1.0, int64_t{0}};
    conv_->callBoxed(stack);
    return stack.front().toTensor();
  }
  [[nodiscard]] at::Tensor decoded(const at::Tensor& y) const override { return y.dequantize(); }

 private:
  static void choose_engine() {
    const auto& engines = at::globalContext().supportedQEngines();
    for (const auto engine : {at::QEngine::X86, at::QEngine::ONEDNN})
      if (std::find(engines.begin(), engines.end(), engine) != engines.end())
        return at::globalContext().setQEngine(engine);
  }

  at::Tensor x_;
  std::vector<c10::IValue> weights_;
  std::optional<c10::OperatorHandle> conv_;
};

}  // namespace

Made make_torch_conv(const Layer& layer, Arithmetic arithmetic, const Conditions& conditions) {
  const Silence silence;
  try {
    Made made;
    if (arithmetic == Arithmetic::bf16) return {nullptr, "LibTorch in bf16 is its oneDNN: not run"};
    if (arithmetic == Arithmetic::fp32)
      made.opponent = std::make_unique<FloatConv>(layer, conditions);
    else
      made.opponent = std::make_unique<QuantizedConv>(layer, conditions);
    made.opponent->run();
    return made;
  } catch (const c10::Error& error) {
    return {nullptr, std::string("LibTorch: ") + error.what_without_backtrace()};
  }
}

}  // namespace auxbench
