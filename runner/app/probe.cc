// auxbench probe quantizer | model | detector | step: files in, files out (docs/probes.md).
#include <CLI/CLI.hpp>
#include <memory>
#include <stdexcept>

#include "quantizers/methods/setting_words.h"
#include "runner/app/app.h"
#include "runner/app/torch_verbs.h"
#include "runner/plan/language.h"

namespace auxbench {
namespace {

// A number, or a word that the method's setting knows.
double setting_of(const std::string& text, const WordSetting* words) {
  if (words != nullptr)
    if (const auto number = words->number_of(text)) return *number;
  return std::stod(text);
}

// role: weight | activation.
std::map<std::string, double> parse_settings(const std::string& method, const std::string& role,
                                             const std::vector<std::string>& words) {
  std::map<std::string, double> settings;
  for (const auto& word : words) {
    const auto equals = word.find('=');
    try {
      if (equals == std::string::npos) throw std::invalid_argument(word);
      const auto name = word.substr(0, equals);
      settings[name] = setting_of(word.substr(equals + 1), find_word_setting(method, role + "." + name));
    } catch (const std::exception&) {
      throw UserError(ExitCode::usage, "--set " + word + ": expected NAME=VALUE");
    }
  }
  return settings;
}

void add_quantizer_probe(CLI::App& probe, Outcome& outcome) {
  auto arguments = std::make_shared<QuantizerProbeArguments>();
  auto settings = std::make_shared<std::vector<std::string>>();
  auto* verb =
      probe.add_subcommand("quantizer", "values, codes, scale, offset and gradients of one quantizer, in float64");
  verb->add_option("name", arguments->name, "quantizer, e.g. dorefa")->required();
  verb->add_option("--bits", arguments->bits)->capture_default_str();
  verb->add_option("--role", arguments->role, "weight or activation")
      ->check(CLI::IsMember({"weight", "activation"}))
      ->capture_default_str();
  verb->add_option("--set", *settings, "NAME=VALUE, a setting or parameter of the method (repeatable)")
      ->allow_extra_args(false);
  verb->add_option("--input", arguments->files.input, "safetensors with `input`")->required();
  verb->add_option("--grad", arguments->files.gradient, "safetensors with `grad`, the upstream gradient");
  verb->add_option("--out", arguments->files.out, "safetensors to write")->required();
  verb->callback([arguments, settings, &outcome] {
    arguments->settings = parse_settings(arguments->name, arguments->role, *settings);
    outcome = torch_verbs().probe_quantizer(*arguments);
  });
}

void add_model_probe(CLI::App& probe, Outcome& outcome) {
  auto model = std::make_shared<ModelProbeArguments>();
  auto* files = &model->files;
  auto* verb = probe.add_subcommand("model", "logits of a network, and every tap");
  verb->add_option("name", model->model, "resnet18, resnet34, resnet50 or resnet101")->required();
  verb->add_option("--weights", files->weights, "torchvision's names, safetensors or .pth")->required();
  verb->add_option("--input", files->input, "safetensors with `input` [N, C, H, W]")->required();
  verb->add_option("--out", files->out, "safetensors to write")->required();
  verb->add_flag("--taps", model->taps, "also the stem and the feature map after each block");
  verb->add_option("--stem", model->stem)->check(CLI::IsMember({"imagenet", "small"}))->capture_default_str();
  verb->add_option("--stem-stride", model->stem_stride)->capture_default_str();
  verb->add_option("--width", model->width)->capture_default_str();
  verb->add_option("--activation", model->activation)->check(CLI::IsMember({"relu", "relu6"}))->capture_default_str();
  verb->add_option("--quantizer", model->quantizer)->capture_default_str();
  verb->add_option("--weight-bits", model->weight_bits)->capture_default_str();
  verb->add_option("--activation-bits", model->activation_bits)->capture_default_str();
  verb->add_option("--first-last", model->first_last)
      ->check(CLI::IsMember({"float", "8-bit", "same"}))
      ->capture_default_str();
  verb->add_option("--quantize-at", model->quantize_at)
      ->check(CLI::IsMember({"conv-input", "block-output"}))
      ->capture_default_str();
  verb->add_flag("--plain", model->plain, "without skip connections");
  verb->callback([model, &outcome] { outcome = torch_verbs().probe_model(*model); });
}

void add_detector_probe(CLI::App& probe, Outcome& outcome) {
  auto arguments = std::make_shared<DetectorProbeArguments>();
  auto* files = &arguments->files;
  auto* verb = probe.add_subcommand("detector", "raw outputs, boxes and losses of a detector");
  verb->add_option("name", arguments->model, "retinanet-resnet50, fcos-resnet18 ...")->required();
  verb->add_option("--weights", files->weights, "torchvision's names, safetensors or .pth")->required();
  verb->add_option("--input", files->input, "safetensors with `input` [N, C, H, W]; `sizes`, `boxes.I`, `classes.I`")
      ->required();
  verb->add_option("--out", files->out, "safetensors to write")->required();
  verb->add_option("--flavour", arguments->flavour)
      ->check(CLI::IsMember(words_of("detector", "flavour")))
      ->capture_default_str();
  verb->add_option("--heads", arguments->heads)
      ->check(CLI::IsMember(words_of("detector", "heads")))
      ->capture_default_str();
  verb->add_option("--norm", arguments->norm, "of pyramid and heads")
      ->check(CLI::IsMember(words_of("detector", "norm")))
      ->capture_default_str();
  verb->add_option("--tower", arguments->tower, "convolutions in each tower")->capture_default_str();
  verb->add_option("--width", arguments->width, "of the backbone")->capture_default_str();
  verb->callback([arguments, &outcome] { outcome = torch_verbs().probe_detector(*arguments); });
}

void add_step_probe(CLI::App& probe, Outcome& outcome) {
  auto arguments = std::make_shared<StepProbeArguments>();
  auto* verb = probe.add_subcommand("step", "losses, gradients and weights of the first steps of a cell");
  verb->add_option("suite", arguments->suite.suite, "suite file")->required();
  verb->add_option("cell", arguments->cell, "cell, as `auxbench plan` names it, with or without its digest")
      ->required();
  verb->add_option("--tier", arguments->suite.tier, "tier of the suite; default: as for run");
  verb->add_option("--weights", arguments->files.weights,
                   "safetensors with `model.` and `aux.` names, or a finished cell's weights.safetensors")
      ->required();
  verb->add_option("--aux-weights", arguments->files.aux_weights, "a finished cell's auxiliary.safetensors");
  verb->add_option("--input", arguments->files.input, "safetensors with `input`; of a detector its truth too")
      ->required();
  verb->add_option("--labels", arguments->files.labels, "safetensors with `labels`, of a classifier");
  verb->add_option("--out", arguments->files.out, "safetensors to write")->required();
  verb->add_option("--steps", arguments->steps)->check(CLI::PositiveNumber)->capture_default_str();
  verb->add_flag("--float64", arguments->float64, "in double precision");
  verb->callback([arguments, &outcome] { outcome = torch_verbs().probe_step(*arguments); });
}

}  // namespace

void add_probe(CLI::App& app, Outcome& outcome) {
  auto* probe = app.add_subcommand("probe", "numbers to hold against your own code");
  probe->require_subcommand(1);
  add_quantizer_probe(*probe, outcome);
  add_model_probe(*probe, outcome);
  add_detector_probe(*probe, outcome);
  add_step_probe(*probe, outcome);
  add_probe_transform(*probe, outcome);
  add_probe_conv(*probe, outcome);
}

}  // namespace auxbench
