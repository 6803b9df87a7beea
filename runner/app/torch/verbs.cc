#include "runner/app/torch/verbs.h"

#include "runner/app/torch_border.h"

namespace auxbench {
namespace {

class Verbs final : public TorchVerbs {
 public:
  ExitCode work(const WorkerArguments& arguments) override { return auxbench::work(arguments); }
  ExitCode bench(const KernelBenchArguments& arguments) override { return auxbench::bench(arguments); }
  ExitCode bench_training(const TrainingBenchArguments& arguments) override {
    return auxbench::bench_training(arguments);
  }
  ExitCode probe_quantizer(const QuantizerProbeArguments& arguments) override {
    return auxbench::probe_quantizer(arguments);
  }
  ExitCode probe_model(const ModelProbeArguments& arguments) override { return auxbench::probe_model(arguments); }
  ExitCode probe_step(const StepProbeArguments& arguments) override { return auxbench::probe_step(arguments); }
  DeviceFacts device(const std::string& name) override { return describe_device(name); }
  double training_rate(const std::string& device) override { return auxbench::training_rate(device); }
};

}  // namespace
}  // namespace auxbench

extern "C" {

const char* auxbench_torch_border() { return auxbench::kTorchBorder; }

auxbench::TorchVerbs* auxbench_torch_verbs() {
  static auxbench::Verbs verbs;
  return &verbs;
}
}
