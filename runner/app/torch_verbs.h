// The border between the program and libauxbench_torch.so: the verbs that compute with LibTorch. Loading LibTorch takes
// most of a second, so the program does it only for a verb of these.
//
// Plain structs go in, an exit code or plain facts come out; UserError may be thrown across. Each half has base/ and the
// other torch-free rooms linked in for itself, with their own static state: a verb runs whole on one side.
#pragma once

#include <string>

#include "base/error.h"
#include "runner/app/arguments.h"

namespace auxbench {

struct DeviceFacts {
  std::string name;  // "cpu", "cuda:0"
  std::string text;  // "cpu, 2 threads, AMD EPYC ...; LibTorch 2.15.0"
};

class TorchVerbs {
 public:
  virtual ~TorchVerbs() = default;

  virtual ExitCode work(const WorkerArguments& arguments) = 0;
  virtual ExitCode bench(const KernelBenchArguments& arguments) = 0;
  virtual ExitCode bench_training(const TrainingBenchArguments& arguments) = 0;
  virtual ExitCode probe_quantizer(const QuantizerProbeArguments& arguments) = 0;
  virtual ExitCode probe_model(const ModelProbeArguments& arguments) = 0;
  virtual ExitCode probe_detector(const DetectorProbeArguments& arguments) = 0;
  virtual ExitCode probe_step(const StepProbeArguments& arguments) = 0;

  // "cpu" | "cuda" | "cuda:N". Throws UserError(usage) when it is not there.
  virtual DeviceFacts device(const std::string& name) = 0;
  // Photographs a second that ResNet-18 is trained with there, at full precision.
  virtual double training_rate(const std::string& device) = 0;
};

// libauxbench_torch.so, loaded when it is first asked for and never unloaded. Looked for beside the program, then where
// `meson install` puts it. Throws UserError(usage) when it is not there, cannot be loaded, or belongs to another build of
// the program.
TorchVerbs& torch_verbs();

// Whether the library is there, without loading it: throws as torch_verbs() does when it is not.
void find_torch_library();

// What the library exports: by these names, since the two halves know each other by names alone.
inline constexpr const char* kTorchLibrary = "libauxbench_torch.so";
inline constexpr const char* kTorchBorderSymbol =
    "auxbench_torch_border";  // const char* (): torch_border.h's kTorchBorder
inline constexpr const char* kTorchVerbsSymbol = "auxbench_torch_verbs";  // TorchVerbs* (), the library's own

}  // namespace auxbench
