// auxbench bench-training: images a second of one training step, as JSON, for scripts that compare.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "runner/app/app.h"
#include "runner/app/number_check.h"
#include "runner/app/torch_verbs.h"
#include "runner/plan/language.h"

namespace auxbench {
namespace {

void add_detector_options(CLI::App& verb, TrainingBenchArguments& arguments) {
  const auto add = [&](const char* flag, const char* key, std::string& value) {
    verb.add_option(flag, value)
        ->check(CLI::IsMember(words_of("detector", key)))
        ->capture_default_str()
        ->group("a detector's");
  };
  add("--flavour", "flavour", arguments.flavour);
  add("--heads", "heads", arguments.heads);
  add("--norm", "norm", arguments.norm);
  add("--backbone-norm", "backbone_norm", arguments.backbone_norm);
}

}  // namespace

void add_bench_training(CLI::App& app, Outcome& outcome) {
  auto arguments = std::make_shared<TrainingBenchArguments>();
  auto* verb = app.add_subcommand("bench-training", "images a second of one training step on random images");
  verb->add_option("--model", arguments->model)->capture_default_str();
  verb->add_option("--variant", arguments->variant)
      ->check(CLI::IsMember({"fp", "fp-auxi", "w2a2", "w2a2-auxi"}))
      ->capture_default_str();
  verb->add_option("--quantizer", arguments->quantizer, "of the quantized variants; its network also of the others")
      ->capture_default_str();
  verb->add_option("--bits", arguments->bits, "of weights and activations, instead of the variant's 2")
      ->check(CLI::Range(1, 8))
      ->capture_default_str();
  verb->add_option("--stem", arguments->stem)->check(CLI::IsMember({"imagenet", "small"}))->capture_default_str();
  verb->add_option("--stem-stride", arguments->stem_stride)->check(between(1, 1024))->capture_default_str();
  verb->add_option("--width", arguments->width)->check(between(0.01, 1024))->capture_default_str();
  verb->add_option("--image", arguments->image, "pixels a side")->check(between(1, 1 << 16))->capture_default_str();
  verb->add_option("--channels", arguments->channels)->check(between(1, 1 << 16))->capture_default_str();
  verb->add_option("--classes", arguments->classes)->check(between(1, 1 << 20))->capture_default_str();
  verb->add_option("--batch", arguments->batch)->check(between(1, 1 << 20))->capture_default_str();
  verb->add_option("--steps", arguments->steps)->check(between(1, 1 << 20))->capture_default_str();
  verb->add_option("--threads", arguments->threads, "0: as many as there are")->check(between(0, 1024));
  verb->add_option("--device", arguments->device)->capture_default_str();
  add_detector_options(*verb, *arguments);
  verb->add_flag("--json", arguments->json, "machine-readable");
  verb->callback([arguments, &outcome] { outcome = torch_verbs().bench_training(*arguments); });
}

}  // namespace auxbench
