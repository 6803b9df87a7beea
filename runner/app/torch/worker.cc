#include "runner/sweep/worker.h"
#include "base/interrupt.h"
#include "runner/app/torch/verbs.h"
#include "runner/training/device.h"
#include "runner/training/provenance.h"

namespace auxbench {

ExitCode work(const WorkerArguments& arguments) {
  watch_signals();
  const auto device = open_device(arguments.device);
  use_threads(1);
  RunContext context = {.device = device,
                        .complete_data = arguments.complete_data,
                        .workers = arguments.workers,
                        .processors = arguments.processors,
                        .checkpoint_minutes = arguments.checkpoint_minutes,
                        .provenance = collect_provenance(),
                        .rerun = arguments.command};
  if (!arguments.data_root.empty()) context.data_root = arguments.data_root;
  context.provenance.device = device.str();
  context.provenance.gpu = gpu_name(device);
  context.provenance.flags = device_flags(device);
  return work_on_cells(std::move(context), RecordFolder(arguments.out));
}

}  // namespace auxbench
