#include "runner/app/torch/verbs.h"

#include <stdexcept>

#include "runner/app/torch_border.h"
#include "runner/training/error_text.h"

namespace auxbench {
namespace {

// A fault of LibTorch's leaves as one line; memory that is not there is the user's to mend.
template <typename Body>
auto in_one_line(const Body& body) {
  try {
    return body();
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    if (is_out_of_memory(error)) throw UserError(ExitCode::usage, error_text(error));
    throw std::runtime_error(error_text(error));
  }
}

class Verbs final : public TorchVerbs {
 public:
  ExitCode work(const WorkerArguments& arguments) override {
    return in_one_line([&] { return auxbench::work(arguments); });
  }
  ExitCode bench(const KernelBenchArguments& arguments) override {
    return in_one_line([&] { return auxbench::bench(arguments); });
  }
  ExitCode bench_training(const TrainingBenchArguments& arguments) override {
    return in_one_line([&] { return auxbench::bench_training(arguments); });
  }
  ExitCode probe_quantizer(const QuantizerProbeArguments& arguments) override {
    return in_one_line([&] { return auxbench::probe_quantizer(arguments); });
  }
  ExitCode probe_model(const ModelProbeArguments& arguments) override {
    return in_one_line([&] { return auxbench::probe_model(arguments); });
  }
  ExitCode probe_detector(const DetectorProbeArguments& arguments) override {
    return in_one_line([&] { return auxbench::probe_detector(arguments); });
  }
  ExitCode probe_step(const StepProbeArguments& arguments) override {
    return in_one_line([&] { return auxbench::probe_step(arguments); });
  }
  DeviceFacts device(const std::string& name) override {
    return in_one_line([&] { return describe_device(name); });
  }
  double training_rate(const std::string& device) override {
    return in_one_line([&] { return auxbench::training_rate(device); });
  }
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
