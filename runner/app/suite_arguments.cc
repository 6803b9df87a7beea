#include <CLI/CLI.hpp>

#include "runner/app/app.h"

namespace auxbench {

void add_suite_options(CLI::App& verb, SuiteArguments& arguments, const std::string& what) {
  verb.add_option("suite", arguments.suite, what)->required();
  verb.add_option("--tier", arguments.tier,
                  "smoke, embedded, replica, full, or what the suite has besides (long); default: the suite's own "
                  "(default_tier), else full where its data are found, else embedded");
  verb.add_option("--only", arguments.only, "cells whose name or group matches this glob (repeatable)")
      ->allow_extra_args(false);
  verb.add_option("--skip", arguments.skip, "leave out cells whose name or group matches this glob (repeatable)")
      ->allow_extra_args(false);
  verb.add_option("--set", arguments.set, "KEY=VALUE for every cell, e.g. finetune.epochs=8 (repeatable)")
      ->allow_extra_args(false);
  verb.add_option("--seeds", arguments.seeds, "seeds 0..N-1 instead of the suite's");
  verb.add_option("--device", arguments.device, "cpu, cuda or cuda:N")->capture_default_str();
  verb.add_option("--threads", arguments.threads, "CPU threads of each cell, as --set threads=N: part of what it is")
      ->check(CLI::Range(1, 1024));
  verb.add_option("--loader-threads,--workers", arguments.workers,
                  "threads of each cell that load images; no number depends on it")
      ->check(CLI::Range(0, 1024));
  verb.add_option("--data-root", arguments.data_root, "folder of datasets; also $AUXBENCH_DATA");
  verb.add_option("--out", arguments.out, "results folder; default: auxbench-results/SUITE-TIER");
}

}  // namespace auxbench
