// A task of classification as the room aux sees one: a loss of outputs and a head. For .cc files.
#pragma once

#include "aux/training_method.h"
#include "base/torch_prelude.h"
#include "quantizers/quantized_layers.h"

namespace auxbench::test {

class MeanAndLinear final : public Head {
 public:
  MeanAndLinear(int64_t channels, int64_t classes) : fc_(channels, classes, PrecisionPlan{}) {}
  NetworkOutput forward(const at::Tensor& map) override { return {.logits = fc_.forward(map.mean({2, 3}))}; }
  [[nodiscard]] std::string name() const override { return "fc"; }
  [[nodiscard]] std::shared_ptr<torch::nn::Module> module() const override { return fc_.module(); }

 private:
  QuantLinear fc_;
};

inline HeadMaker linear_head(int64_t classes) {
  return [classes](int64_t channels) { return std::make_unique<MeanAndLinear>(channels, classes); };
}

inline TaskLoss cross_entropy_with(const at::Tensor& labels) {
  return [labels](const NetworkOutput& output) -> NamedLosses {
    return {{.name = "cross_entropy", .value = at::cross_entropy_loss(output.logits, labels)}};
  };
}

}  // namespace auxbench::test
