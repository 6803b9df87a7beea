// auxbench probe transform: the tensor that a network sees of one photograph.
#include <CLI/CLI.hpp>
#include <memory>

#include "base/files/file.h"
#include "base/files/safetensors.h"
#include "datasets/image/transforms.h"
#include "runner/app/app.h"

namespace auxbench {
namespace {

struct TransformArguments {
  std::string name;
  std::filesystem::path input, out;
  uint64_t seed = 0;
};

SafeTensors transformed(const TransformArguments& arguments) {
  const auto& transform = find_photo_transform(arguments.name);
  RandomStream stream(arguments.seed);
  const auto raster = see_photo(read_file(arguments.input), arguments.input.string(), transform.view, stream);
  std::vector<float> pixels(raster.rgb.size());
  write_normalised(raster, pixels);
  SafeTensors out;
  out.tensors["pixels"] = {
      .dtype = "F32",
      .shape = {3, raster.height, raster.width},
      .bytes = std::string(reinterpret_cast<const char*>(pixels.data()), pixels.size() * sizeof(float))};
  return out;
}

}  // namespace

void add_probe_transform(CLI::App& probes, Outcome& outcome) {
  auto arguments = std::make_shared<TransformArguments>();
  auto* verb = probes.add_subcommand("transform", "the tensor that a network sees of one photograph");
  std::string names;
  for (const auto& transform : photo_transforms()) names += (names.empty() ? "" : ", ") + std::string(transform.name);
  verb->add_option("name", arguments->name, names)->required();
  verb->add_option("--input", arguments->input, "JPEG or PNG")->required();
  verb->add_option("--out", arguments->out, "safetensors to write: `pixels` [3, H, W]")->required();
  verb->add_option("--seed", arguments->seed, "of random boxes and mirrors")->capture_default_str();
  verb->callback([arguments, &outcome] {
    write_safetensors(arguments->out, transformed(*arguments));
    outcome = ExitCode::ok;
  });
}

}  // namespace auxbench
