// auxbench: one declarative suite in, evidence out.
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "base/check.h"
#include "base/memory.h"
#include "runner/app/app.h"
#include "runner/build_info.h"

namespace {

constexpr const char* kSpinCount = "1000";
constexpr const char* kFooter =
    "Exit codes: 0 ok, 1 gate failed, 2 usage, 3 invalid suite, 4 data or weights missing, 5 some cells failed,\n"
    "6 inconclusive, 7 nothing ran, 130/143 interrupted and resumable.";

// What a file says may stand in a message: a terminal must not obey it.
std::string printable(const std::string& message) {
  std::string text;
  for (const char c : message) {
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    const bool obeyed = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    text += obeyed ? std::string(escaped) : std::string(1, c);
  }
  return text;
}

int complain(const std::string& message, auxbench::ExitCode code) {
  std::fprintf(stderr, "auxbench: %s\n", printable(message).c_str());
  return static_cast<int>(code);
}

// Threads of OpenMP that wait for each other spin before they sleep, by default so long that a team beside any other
// program stands still. Its runtime reads this once, before main: the program starts itself anew with it. Short enough
// to cost nothing beside other work, long enough for a team that has the machine to itself.
void keep_threads_from_spinning(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  setenv("GOMP_SPINCOUNT", kSpinCount, 1);
  execv("/proc/self/exe", argv);  // where it cannot be, it goes on as it is
}

}  // namespace

int main(int argc, char** argv) {
  keep_threads_from_spinning(argv);
  auxbench::keep_freed_memory();
  CLI::App app("Trustworthy evidence about low-bit neural networks.", "auxbench");
  app.set_version_flag("--version", std::string("auxbench ") + auxbench::kVersion);
  app.require_subcommand(1);
  app.footer(kFooter);
  auto outcome = auxbench::ExitCode::ok;
  auxbench::add_run(app, outcome);
  auxbench::add_worker(app, outcome);
  auxbench::add_plan(app, outcome);
  auxbench::add_reading(app, outcome);
  auxbench::add_probe(app, outcome);
  auxbench::add_bench(app, outcome);
  auxbench::add_bench_training(app, outcome);
  auxbench::add_bench_loading(app, outcome);
  auxbench::add_coco_eval(app, outcome);
  auxbench::add_weights(app, outcome);
  auxbench::add_integers(app, outcome);
  auxbench::add_data(app, outcome);
  auxbench::add_doctor(app, outcome);
  try {
    app.parse(argc, argv);
    return static_cast<int>(outcome);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return complain(std::string(error.what()) + " (auxbench --help)", auxbench::ExitCode::usage);
  } catch (const auxbench::UserError& error) {
    return complain(error.what(), error.code());
  } catch (const std::exception& error) {
    complain(std::string("a fault of this program: ") + error.what(), auxbench::ExitCode::ok);
    return 70;
  }
}
