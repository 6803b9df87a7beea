// auxbench probe quantizer | model | step | transform: files in, files out (docs/probes.md).
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/files/torch_file.h"
#include "datasets/image/decode.h"
#include "datasets/image/transforms.h"
#include "runner/app/app.h"
#include "runner/inspect/probes.h"

namespace auxbench {
namespace {

struct ProbeFiles {
  std::filesystem::path weights, aux_weights, input, labels, gradient, out;
};

struct QuantizerArguments {
  std::string name, role = "weight";
  int bits = 2;
  std::vector<std::string> settings;
  ProbeFiles files;
};

struct StepArguments {
  SuiteArguments suite;
  std::string cell;
  int steps = 1;
  bool float64 = false;
  ProbeFiles files;
};

// A file with one tensor may call it what it likes.
SafeTensor sole_tensor(const std::filesystem::path& path, const std::string& name) {
  auto file = read_safetensors(path);
  if (const auto found = file.tensors.find(name); found != file.tensors.end()) return found->second;
  if (file.tensors.size() != 1)
    throw UserError(ExitCode::data_missing,
                    path.string() + ": no tensor named " + name + ", and more than one to choose from");
  return file.tensors.begin()->second;
}

SafeTensors inputs_of(const ProbeFiles& files) {
  SafeTensors in;
  in.tensors["input"] = sole_tensor(files.input, "input");
  if (!files.gradient.empty()) in.tensors["grad"] = sole_tensor(files.gradient, "grad");
  if (!files.labels.empty()) in.tensors["labels"] = sole_tensor(files.labels, "labels");
  return in;
}

void add_with_prefix(const SafeTensors& file, const std::string& prefix, SafeTensors& all) {
  for (const auto& [name, tensor] : file.tensors) all.tensors[prefix + name] = tensor;
}

// Names that carry no prefix, as in a finished cell's two files, get theirs.
SafeTensors weights_of(const ProbeFiles& files) {
  const auto weights = read_safetensors(files.weights);
  const bool prefixed = weights.tensors.contains("model.fc.weight");
  SafeTensors all;
  add_with_prefix(weights, prefixed ? "" : "model.", all);
  if (!files.aux_weights.empty()) add_with_prefix(read_safetensors(files.aux_weights), "aux.", all);
  return all;
}

QuantizerSettings parse_settings(const std::vector<std::string>& words) {
  QuantizerSettings settings;
  for (const auto& word : words) {
    const auto equals = word.find('=');
    try {
      if (equals == std::string::npos) throw std::invalid_argument(word);
      settings[word.substr(0, equals)] = std::stod(word.substr(equals + 1));
    } catch (const std::exception&) {
      throw UserError(ExitCode::usage, "--set " + word + ": expected NAME=NUMBER");
    }
  }
  return settings;
}

// By its name, with its digest where two have the same.
CellSpec find_cell(const Plan& plan, const std::string& name) {
  const PlannedCell* found = nullptr;
  for (const auto& cell : plan.cells) {
    if (cell.id != name && cell.slug != name) continue;
    if (found != nullptr)
      throw UserError(ExitCode::usage, name + ": more than one cell: " + found->id + " and " + cell.id);
    found = &cell;
  }
  if (found != nullptr) return found->spec;
  throw UserError(ExitCode::usage, name + ": no such cell in tier " + plan.tier + " (auxbench plan lists them)");
}

void add_quantizer_probe(CLI::App& probe, Outcome& outcome) {
  auto arguments = std::make_shared<QuantizerArguments>();
  auto* verb =
      probe.add_subcommand("quantizer", "values, codes, scale, offset and gradients of one quantizer, in float64");
  verb->add_option("name", arguments->name, "quantizer, e.g. dorefa")->required();
  verb->add_option("--bits", arguments->bits)->capture_default_str();
  verb->add_option("--role", arguments->role, "weight or activation")
      ->check(CLI::IsMember({"weight", "activation"}))
      ->capture_default_str();
  verb->add_option("--set", arguments->settings, "NAME=NUMBER, a setting or parameter of the method (repeatable)")
      ->allow_extra_args(false);
  verb->add_option("--input", arguments->files.input, "safetensors with `input`")->required();
  verb->add_option("--grad", arguments->files.gradient, "safetensors with `grad`, the upstream gradient");
  verb->add_option("--out", arguments->files.out, "safetensors to write")->required();
  verb->callback([arguments, &outcome] {
    const auto role = arguments->role == "weight" ? Role::weight : Role::activation;
    write_safetensors(arguments->files.out,
                      probe_quantizer(arguments->name, role, arguments->bits, parse_settings(arguments->settings),
                                      inputs_of(arguments->files)));
    outcome = ExitCode::ok;
  });
}

struct TransformArguments {
  std::string name;
  std::filesystem::path input, out;
  uint64_t seed = 0;
};

SafeTensors transformed(const TransformArguments& arguments) {
  const auto& transform = find_photo_transform(arguments.name);
  RandomStream stream(arguments.seed);
  const auto raster = transform.apply(read_image(arguments.input), stream);
  std::vector<float> pixels(raster.rgb.size());
  write_normalised(raster, pixels);
  SafeTensors out;
  out.tensors["pixels"] = {
      .dtype = "F32",
      .shape = {3, raster.height, raster.width},
      .bytes = std::string(reinterpret_cast<const char*>(pixels.data()), pixels.size() * sizeof(float))};
  return out;
}

void add_transform_probe(CLI::App& probe, Outcome& outcome) {
  auto arguments = std::make_shared<TransformArguments>();
  auto* verb = probe.add_subcommand("transform", "the tensor that a network sees of one photograph");
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

void add_model_probe(CLI::App& probe, Outcome& outcome) {
  auto probed = std::make_shared<ModelProbe>();
  auto* model = &probed->network;
  auto files = std::make_shared<ProbeFiles>();
  auto no_skip = std::make_shared<bool>(false);
  auto* verb = probe.add_subcommand("model", "logits of a network, and every tap");
  verb->add_option("name", model->model, "resnet18, resnet34, resnet50 or resnet101")->required();
  verb->add_option("--weights", files->weights, "torchvision's names, safetensors or .pth")->required();
  verb->add_option("--input", files->input, "safetensors with `input` [N, C, H, W]")->required();
  verb->add_option("--out", files->out, "safetensors to write")->required();
  verb->add_flag("--taps", probed->taps, "also the stem and the feature map after each block");
  verb->add_option("--stem", model->stem)->check(CLI::IsMember({"imagenet", "small"}))->capture_default_str();
  verb->add_option("--stem-stride", model->stem_stride)->capture_default_str();
  verb->add_option("--width", model->width)->capture_default_str();
  verb->add_option("--activation", model->activation)->check(CLI::IsMember({"relu", "relu6"}))->capture_default_str();
  verb->add_option("--quantizer", model->precision.quantizer)->capture_default_str();
  verb->add_option("--weight-bits", model->precision.weight_bits)->capture_default_str();
  verb->add_option("--activation-bits", model->precision.activation_bits)->capture_default_str();
  verb->add_option("--first-last", model->precision.first_last)
      ->check(CLI::IsMember({"float", "8-bit", "same"}))
      ->capture_default_str();
  verb->add_option("--quantize-at", model->quantize_at)
      ->check(CLI::IsMember({"conv-input", "block-output"}))
      ->capture_default_str();
  verb->add_flag("--plain", *no_skip, "without skip connections");
  verb->callback([probed, files, no_skip, &outcome] {
    probed->network.skip = !*no_skip;
    write_safetensors(files->out, probe_model(*probed, read_weights(files->weights), inputs_of(*files)));
    outcome = ExitCode::ok;
  });
}

void add_step_probe(CLI::App& probe, Outcome& outcome) {
  auto arguments = std::make_shared<StepArguments>();
  auto* verb = probe.add_subcommand("step", "losses, gradients and weights of the first steps of a cell");
  verb->add_option("suite", arguments->suite.suite, "suite file")->required();
  verb->add_option("cell", arguments->cell, "cell, as `auxbench plan` names it, with or without its digest")
      ->required();
  verb->add_option("--tier", arguments->suite.tier, "tier of the suite; default: as for run");
  verb->add_option("--weights", arguments->files.weights,
                   "safetensors with `model.` and `aux.` names, or a finished cell's weights.safetensors")
      ->required();
  verb->add_option("--aux-weights", arguments->files.aux_weights, "a finished cell's auxiliary.safetensors");
  verb->add_option("--input", arguments->files.input, "safetensors with `input`")->required();
  verb->add_option("--labels", arguments->files.labels, "safetensors with `labels`")->required();
  verb->add_option("--out", arguments->files.out, "safetensors to write")->required();
  verb->add_option("--steps", arguments->steps)->check(CLI::PositiveNumber)->capture_default_str();
  verb->add_flag("--float64", arguments->float64, "in double precision");
  verb->callback([arguments, &outcome] {
    const auto opened = open_suite(arguments->suite, "probe step");
    write_safetensors(arguments->files.out,
                      probe_step(find_cell(opened.plan, arguments->cell), weights_of(arguments->files),
                                 inputs_of(arguments->files), arguments->steps, arguments->float64));
    outcome = ExitCode::ok;
  });
}

}  // namespace

void add_probe(CLI::App& app, Outcome& outcome) {
  auto* probe = app.add_subcommand("probe", "numbers to hold against your own code");
  probe->require_subcommand(1);
  add_quantizer_probe(*probe, outcome);
  add_model_probe(*probe, outcome);
  add_step_probe(*probe, outcome);
  add_transform_probe(*probe, outcome);
  add_probe_conv(*probe, outcome);
}

}  // namespace auxbench
