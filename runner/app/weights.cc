// auxbench weights: what a file of weights holds, and the same as safetensors.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/files/file.h"
#include "base/files/sha256.h"
#include "base/files/torch_file.h"
#include "base/output.h"
#include "runner/app/app.h"

namespace auxbench {
namespace {

struct WeightsArguments {
  std::filesystem::path file, out;
  bool json = false;
};

ExitCode show(const WeightsArguments& arguments) {
  const auto bytes = read_file(arguments.file);  // once: of a pipe nothing is left for a second time
  const auto contents = parse_weights(bytes, arguments.file.string());
  const auto digest = sha256_hex(bytes);
  if (!arguments.out.empty()) write_safetensors(arguments.out, contents);
  nlohmann::ordered_json listed = nlohmann::json::array();
  for (const auto& [name, tensor] : contents.tensors) {
    if (arguments.json)
      listed.push_back({{"name", name}, {"dtype", tensor.dtype}, {"shape", tensor.shape}});
    else
      print_line("%-4s %-20s %s", tensor.dtype.c_str(), nlohmann::json(tensor.shape).dump().c_str(), name.c_str());
  }
  if (arguments.json)
    print_json(nlohmann::ordered_json({{"sha256", digest}, {"tensors", listed}}));
  else
    print_line("%zu tensors; SHA-256 of the file %s", contents.tensors.size(), digest.c_str());
  return ExitCode::ok;
}

}  // namespace

void add_weights(CLI::App& app, Outcome& outcome) {
  auto arguments = std::make_shared<WeightsArguments>();
  auto* verb = app.add_subcommand("weights", "list a file of weights (.pth, .safetensors), turn it into safetensors");
  verb->add_option("file", arguments->file, "of torch.save, either format, or safetensors; nothing in it is executed")
      ->required();
  verb->add_option("--out", arguments->out, "safetensors to write");
  verb->add_flag("--json", arguments->json, "machine-readable");
  verb->callback([arguments, &outcome] { outcome = show(*arguments); });
}

}  // namespace auxbench
