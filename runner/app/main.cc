// auxbench: one declarative suite in, evidence out.
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <new>
#include <sstream>

#include "base/memory.h"
#include "base/output.h"
#include "runner/app/app.h"
#include "runner/build_info.h"

namespace {

constexpr const char* kSpinCount = "1000";
constexpr const char* kFooter =
    "Exit codes: 0 ok, 1 gate failed, 2 usage, 3 invalid suite, 4 data or weights missing, 5 some cells failed,\n"
    "6 inconclusive, 7 nothing ran, 8 what was printed is lost (disk full, pipe closed), 70 a fault of this program,\n"
    "130/143 interrupted and resumable.";

int complain(const std::string& message, auxbench::ExitCode code) {
  auxbench::warn_line("auxbench: %s", message.c_str());
  return static_cast<int>(code);
}

// What was printed may be the whole result: that it is lost must not pass for success.
int with_output(int code) {
  const auto fault = auxbench::output_fault();
  if (!fault) return code;
  const int lost =
      complain("standard output: not all of it could be written: " + *fault, auxbench::ExitCode::output_lost);
  return code == 0 ? lost : code;
}

// What --help and --version print: it may name what the environment says.
int print_help(const CLI::App& app, const CLI::Success& asked) {
  std::ostringstream text, none;
  const int code = app.exit(asked, text, none);
  auxbench::print_lines(text.str());
  return code;
}

// LibTorch's messages go on with a list of its functions.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// Threads of OpenMP that wait for each other spin before they sleep, by default so long that a team beside any other
// program stands still. Its runtime reads this once, before main: the program starts itself anew with it. Short enough
// to cost nothing beside other work, long enough for a team that has the machine to itself.
void keep_threads_from_spinning(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  setenv("GOMP_SPINCOUNT", kSpinCount, 1);
  execv("/proc/self/exe", argv);  // where it cannot be, it goes on as it is
}

void add_verbs(CLI::App& app, auxbench::Outcome& outcome) {
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
}

int run_program(int argc, char** argv) {
  CLI::App app("Trustworthy evidence about low-bit neural networks.", "auxbench");
  app.set_version_flag("--version", std::string("auxbench ") + auxbench::kVersion);
  app.require_subcommand(1);
  app.footer(kFooter);
  auto outcome = auxbench::ExitCode::ok;
  add_verbs(app, outcome);
  try {
    app.parse(argc, argv);
    return static_cast<int>(outcome);
  } catch (const CLI::Success& success) {
    return print_help(app, success);
  } catch (const CLI::ParseError& error) {
    return complain(std::string(error.what()) + " (auxbench --help)", auxbench::ExitCode::usage);
  } catch (const auxbench::UserError& error) {
    return complain(error.what(), error.code());
  } catch (const std::filesystem::filesystem_error& error) {
    return complain(error.path1().string() + ": " + error.code().message(), auxbench::ExitCode::usage);
  } catch (const std::bad_alloc&) {
    return complain("not enough memory for what was asked", auxbench::ExitCode::usage);
  } catch (const std::exception& error) {
    return complain("a fault of this program: " + first_line(error.what()), auxbench::ExitCode::own_fault);
  }
}

}  // namespace

int main(int argc, char** argv) {
  auxbench::keep_standard_streams();
  keep_threads_from_spinning(argv);
  auxbench::keep_freed_memory();
  return with_output(run_program(argc, argv));
}
