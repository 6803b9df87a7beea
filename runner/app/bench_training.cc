// auxbench bench-training: images a second of one training step, as JSON, for scripts that compare.
#include <CLI/CLI.hpp>
#include <memory>

#include "runner/app/app.h"
#include "runner/app/torch_verbs.h"

namespace auxbench {

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
  verb->add_option("--stem-stride", arguments->stem_stride)->capture_default_str();
  verb->add_option("--width", arguments->width)->capture_default_str();
  verb->add_option("--image", arguments->image, "pixels a side")->capture_default_str();
  verb->add_option("--channels", arguments->channels)->capture_default_str();
  verb->add_option("--classes", arguments->classes)->capture_default_str();
  verb->add_option("--batch", arguments->batch)->check(CLI::PositiveNumber)->capture_default_str();
  verb->add_option("--steps", arguments->steps)->check(CLI::PositiveNumber)->capture_default_str();
  verb->add_option("--threads", arguments->threads);
  verb->add_option("--device", arguments->device)->capture_default_str();
  verb->add_flag("--json", arguments->json, "machine-readable");
  verb->callback([arguments, &outcome] { outcome = torch_verbs().bench_training(*arguments); });
}

}  // namespace auxbench
