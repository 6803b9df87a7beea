// auxbench probe conv: one low-bit convolution kernel on given codes.
#include <CLI/CLI.hpp>
#include <memory>
#include <sstream>

#include "runner/app/app.h"
#include "runner/inspect/conv_probe.h"

namespace auxbench {
namespace {

struct ConvArguments {
  std::string shape, bits = "2,2";
  bool odd = false;
  ConvProbe probe;
  std::filesystem::path input, out;
};

std::vector<int64_t> numbers_of(const std::string& option, const std::string& text, size_t count) {
  std::vector<int64_t> numbers;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    size_t used = 0;
    try {
      numbers.push_back(std::stoll(word, &used));
    } catch (const std::exception&) {
      used = 0;
    }
    if (used == 0 || used != word.size()) throw UserError(ExitCode::usage, option + ": '" + word + "' is no number");
  }
  if (numbers.size() != count)
    throw UserError(ExitCode::usage, option + ": expected " + std::to_string(count) + " numbers with commas between");
  return numbers;
}

ExitCode probe(ConvArguments arguments) {
  auto& p = arguments.probe.problem;
  const auto shape = numbers_of("--shape", arguments.shape, 9);
  p.n = shape[0];
  p.h = shape[1];
  p.w = shape[2];
  p.c = shape[3];
  p.out = shape[4];
  p.r = shape[5];
  p.s = shape[6];
  p.stride = shape[7];
  p.pad = shape[8];
  const auto bits = numbers_of("--bits", arguments.bits, 2);
  for (const auto width : bits)
    if (width < 1 || width > 8) throw UserError(ExitCode::usage, "--bits: widths are 1 to 8");
  p.weight_bits = static_cast<int>(bits[0]);
  p.activation_bits = static_cast<int>(bits[1]);
  p.odd_weights = arguments.odd;
  try {
    write_safetensors(arguments.out, probe_conv(arguments.probe, read_safetensors(arguments.input)));
  } catch (const UserError& error) {
    if (error.code() != ExitCode::data_missing) throw;
    throw UserError(error.code(), arguments.input.string() + ": " + error.what());
  }
  return ExitCode::ok;
}

}  // namespace

void add_probe_conv(CLI::App& probes, Outcome& outcome) {
  auto arguments = std::make_shared<ConvArguments>();
  auto* verb = probes.add_subcommand("conv", "int32 accumulators and codes of one low-bit convolution kernel");
  verb->add_option("--shape", arguments->shape, "n,h,w,c,out,r,s,stride,pad")->required();
  verb->add_option("--bits", arguments->bits, "of weights and activations")->capture_default_str();
  verb->add_flag("--odd", arguments->odd, "weights are 2 code + 1 (DoReFa's grid), not the code");
  verb->add_option("--step", arguments->probe.problem.activation_step, "activation = step u + shift")
      ->capture_default_str();
  verb->add_option("--shift", arguments->probe.problem.activation_shift, "")->capture_default_str();
  verb->add_option("--isa", arguments->probe.isa, std::string("at most this instruction set: ") + kIsaCaps);
  verb->add_option("--kernel", arguments->probe.kernel, "by name, not the plan's choice");
  verb->add_option("--threads", arguments->probe.threads, "")->check(CLI::Range(1, 1024))->capture_default_str();
  verb->add_option("--input", arguments->input,
                   "safetensors: codes U8 [n,h,w,c], weights I8 [out,r,s,c], thresholds "
                   "I32 [levels - 1,out] (optional)")
      ->required();
  verb->add_option("--out", arguments->out, "safetensors to write: accumulators I32, requantized U8")->required();
  verb->callback([arguments, &outcome] { outcome = probe(*arguments); });
}

}  // namespace auxbench
