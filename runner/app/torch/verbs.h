// The verbs behind libauxbench_torch.so, one a file.
#pragma once

#include "base/error.h"
#include "runner/app/arguments.h"
#include "runner/app/torch_verbs.h"

namespace auxbench {

ExitCode work(const WorkerArguments& arguments);
ExitCode bench(const KernelBenchArguments& arguments);
ExitCode bench_training(const TrainingBenchArguments& arguments);
ExitCode probe_quantizer(const QuantizerProbeArguments& arguments);
ExitCode probe_model(const ModelProbeArguments& arguments);
ExitCode probe_detector(const DetectorProbeArguments& arguments);
ExitCode probe_step(const StepProbeArguments& arguments);
DeviceFacts describe_device(const std::string& name);
double training_rate(const std::string& device);

}  // namespace auxbench
