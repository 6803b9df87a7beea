// auxbench bench: kernels of a suite against vendors' libraries, in one process, contestants in turn.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <memory>

#include "runner/app/app.h"
#include "runner/app/torch_verbs.h"

namespace auxbench {

void add_bench(CLI::App& app, Outcome& outcome) {
  auto arguments = std::make_shared<KernelBenchArguments>();
  auto& options = *arguments;
  if (const char* library = std::getenv("AUXBENCH_ONEDNN3"); library != nullptr) options.onednn3 = library;
  auto* verb = app.add_subcommand("bench", "low-bit kernels and whole networks against vendors' libraries");
  verb->add_option("suite", options.suite, "suite of kernels, e.g. suites/kernels.json")->required();
  verb->add_option("--only", options.only, "rows or tables whose name matches this glob (repeatable)")
      ->allow_extra_args(false);
  verb->add_option("--repetitions", options.repetitions, "of every contestant; default: the suite's")
      ->check(CLI::Range(1, 1000));
  verb->add_option("--threads", options.threads, "instead of the suite's")->check(CLI::Range(1, 1024));
  verb->add_option("--onednn3", options.onednn3,
                   "libdnnl.so.3, as scripts/onednn prints; also $AUXBENCH_ONEDNN3. Absent: not compared with")
      ->capture_default_str();
  verb->add_option("--json", options.json, "write the record here, too");
  verb->add_option("--out", options.out, "results folder; default: auxbench-results/SUITE");
  verb->add_flag("--quick", options.quick, "the suite's tables quick and quick-network, for an instant each")
      ->excludes("--only");
  verb->callback([arguments, &outcome] { outcome = torch_verbs().bench(*arguments); });
}

}  // namespace auxbench
