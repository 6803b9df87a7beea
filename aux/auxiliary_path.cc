#include "aux/auxiliary_path.h"

#include "aux/adaptor.h"
#include "base/check.h"
#include "base/error.h"
#include "base/torch_prelude.h"

namespace auxbench {
struct AuxiliaryPath::Layers final : torch::nn::Module {
  Layers(const AuxiliaryShapes& shapes, const AuxiliaryOptions& chosen) : options(chosen) {
    TapShape g = {.channels = shapes.stem_channels, .stride = 1};
    stem = register_module("stem", std::make_shared<Adaptor>(ConvOptions{.in = g.channels, .out = g.channels}));
    auto adaptor_list = register_module("adaptors", std::make_shared<torch::nn::Module>());
    auto boundary_list = register_module("boundaries", std::make_shared<torch::nn::Module>());
    for (const auto& tap : shapes.taps) {
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
    channels = g.channels;
  }

  AuxiliaryOptions options;
  int64_t channels = 0;
  std::shared_ptr<Adaptor> stem;
  std::vector<std::shared_ptr<Adaptor>> adaptors, boundaries;
};

AuxiliaryPath::AuxiliaryPath(const AuxiliaryShapes& shapes, const AuxiliaryOptions& options) {
  if (shapes.taps.empty())
    throw UserError(ExitCode::invalid_suite, "auxi: the auxiliary module reads taps, and this network hands out none");
  layers_ = std::make_shared<Layers>(shapes, options);
}

AuxiliaryPath::~AuxiliaryPath() = default;

std::vector<at::Tensor> AuxiliaryPath::maps(const at::Tensor& stem, const std::vector<at::Tensor>& taps) {
  AUXBENCH_CHECK(taps.size() == layers_->adaptors.size() && stem.defined(), "the taps this path was made for");
  std::vector<at::Tensor> all;
  auto g = layers_->stem->forward(stem);
  for (size_t p = 0; p < taps.size(); ++p) {
    if (layers_->boundaries[p]) g = layers_->boundaries[p]->forward(g);
    g = layers_->adaptors[p]->forward(taps[p], {.added = g, .relu = layers_->options.relu});
    all.push_back(g);
  }
  return all;
}

at::Tensor AuxiliaryPath::forward(const at::Tensor& stem, const std::vector<at::Tensor>& taps) {
  return maps(stem, taps).back();
}

int64_t AuxiliaryPath::channels() const { return layers_->channels; }
std::shared_ptr<torch::nn::Module> AuxiliaryPath::module() const { return layers_; }

}  // namespace auxbench
