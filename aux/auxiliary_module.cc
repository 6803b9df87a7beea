#include "aux/auxiliary_module.h"

#include <vector>

#include "base/check.h"
#include "base/torch_prelude.h"
#include "quantizers/quantized_layers.h"

namespace auxbench {
namespace {

// conv + BN at full precision.
class Adaptor final : public torch::nn::Module {
 public:
  explicit Adaptor(const ConvOptions& options)
      : conv_(options, PrecisionPlan{}, LayerPosition::inner, false),
        norm_(register_module("norm", std::make_shared<torch::nn::BatchNorm2dImpl>(options.out))) {
    register_module("conv", conv_.module());
  }
  at::Tensor forward(const at::Tensor& x) { return norm_->forward(conv_.forward(x)); }

 private:
  QuantConv conv_;
  std::shared_ptr<torch::nn::BatchNorm2dImpl> norm_;
};

}  // namespace

struct AuxiliaryModule::Layers final : torch::nn::Module {
  Layers(const Network& network, const AuxiliaryOptions& chosen) : options(chosen) {
    TapShape g = {.channels = network.stem_channels(), .stride = 1};
    stem = register_module("stem", std::make_shared<Adaptor>(ConvOptions{.in = g.channels, .out = g.channels}));
    auto adaptor_list = register_module("adaptors", std::make_shared<torch::nn::Module>());
    auto boundary_list = register_module("boundaries", std::make_shared<torch::nn::Module>());
    for (const auto& tap : network.tap_shapes(options.taps)) {
      const auto index = std::to_string(adaptors.size());
      adaptors.push_back(adaptor_list->register_module(
          index,
          std::make_shared<Adaptor>(ConvOptions{
              .in = tap.channels, .out = tap.channels, .kernel = options.kernel, .padding = options.kernel / 2})));
      boundaries.push_back(nullptr);
      if (tap.channels != g.channels || tap.stride != g.stride)
        boundaries.back() = boundary_list->register_module(
            index, std::make_shared<Adaptor>(
                       ConvOptions{.in = g.channels, .out = tap.channels, .stride = tap.stride / g.stride}));
      g = tap;
    }
    fc = std::make_unique<QuantLinear>(g.channels, options.classes, PrecisionPlan{});
    register_module("fc", fc->module());
    if (options.separate_norms) {
      norms = network.make_norms();
      register_module("norms", norms->module());
    }
  }

  AuxiliaryOptions options;
  std::shared_ptr<Adaptor> stem;
  std::vector<std::shared_ptr<Adaptor>> adaptors, boundaries;
  std::unique_ptr<QuantLinear> fc;
  std::shared_ptr<NormBank> norms;
};

AuxiliaryModule::AuxiliaryModule(const Network& network, const AuxiliaryOptions& options)
    : layers_(std::make_shared<Layers>(network, options)) {}

AuxiliaryModule::~AuxiliaryModule() = default;

at::Tensor AuxiliaryModule::forward(const NetworkOutput& output) {
  AUXBENCH_CHECK(output.taps.size() == layers_->adaptors.size() && output.stem.defined(),
                 "an output with this module's taps");
  auto g = layers_->stem->forward(output.stem);
  for (size_t p = 0; p < output.taps.size(); ++p) {
    if (layers_->boundaries[p]) g = layers_->boundaries[p]->forward(g);
    g = g + layers_->adaptors[p]->forward(output.taps[p]);
    if (layers_->options.relu) g = g.relu_();
  }
  return layers_->fc->forward(g.mean({2, 3}));
}

const TapPlan& AuxiliaryModule::taps() const { return layers_->options.taps; }
NormBank* AuxiliaryModule::norms() const { return layers_->norms.get(); }
torch::nn::Module& AuxiliaryModule::module() { return *layers_; }

}  // namespace auxbench
