// auxbench worker: a process of a run, which starts it (runner/app/run.cc). No verb for users, and not shown to them.
#include <CLI/CLI.hpp>
#include <memory>

#include "runner/app/app.h"
#include "runner/app/torch_verbs.h"
#include "runner/jobs/messages.h"

namespace auxbench {

void add_worker(CLI::App& app, Outcome& outcome) {
  auto arguments = std::make_shared<WorkerArguments>();
  auto* verb = app.add_subcommand(kWorkerVerb, "a process of a run, which starts it")->group("");
  verb->add_option("--out", arguments->out)->required();
  verb->add_option("--device", arguments->device);
  verb->add_option("--data-root", arguments->data_root);
  verb->add_flag("--complete-data", arguments->complete_data);
  verb->add_option("--loader-threads", arguments->workers);
  verb->add_option("--processors", arguments->processors);
  verb->add_option("--checkpoint-minutes", arguments->checkpoint_minutes);
  verb->add_option("--command", arguments->command);
  verb->callback([arguments, &outcome] { outcome = torch_verbs().work(*arguments); });
}

}  // namespace auxbench
