// auxbench bench-training: images a second of one training step, as JSON, for scripts that compare.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/quantile.h"
#include "quantizers/methods/methods.h"
#include "runner/app/app.h"
#include "runner/bench/training_speed.h"
#include "runner/training/device.h"

namespace auxbench {
namespace {

struct BenchArguments {
  std::string model = "resnet18", stem = "imagenet", variant = "fp", device = "cpu", quantizer = "dorefa";
  int stem_stride = 1, image = 224, channels = 3, classes = 1000, batch = 64, steps = 20, threads = 0;
  int bits = 2;
  double width = 1.0;
  bool json = false;
};

CellSpec cell_of(const BenchArguments& arguments) {
  CellSpec cell;
  cell.dataset = "fashion-mnist";
  cell.model = arguments.model;
  cell.stem = arguments.stem;
  cell.stem_stride = arguments.stem_stride;
  cell.width = arguments.width;
  const StageSpec stage = {.epochs = 1, .batch = arguments.batch, .optimizer = "adam", .lr = 1e-3};
  cell.pretrain = stage;
  if (arguments.variant == "w2a2-auxi" || arguments.variant == "fp-auxi") cell.aid = {"auxi"};
  const auto* method = find_quantizer(arguments.quantizer);
  if (method == nullptr) throw UserError(ExitCode::usage, "--quantizer " + arguments.quantizer + ": no such quantizer");
  if (method->post_training())
    throw UserError(ExitCode::usage, "--quantizer " + method->name + ": has no training step");
  cell.block = method->block;
  cell.activation = method->activation;
  if (arguments.variant.starts_with("fp")) return cell;
  cell.quantizer = method->name;
  cell.weight_bits = cell.activation_bits = arguments.bits;
  cell.quantize_at = method->quantize_at;
  cell.finetune = stage;
  return cell;
}

ExitCode bench(const BenchArguments& arguments) {
  use_threads(arguments.threads);
  const auto device = open_device(arguments.device);
  const auto speed = measure_training(cell_of(arguments), arguments.image, arguments.channels, arguments.classes,
                                      arguments.steps, device);
  const double median = quantile(speed.step_seconds, 0.5);
  const double per_second = arguments.batch / median;
  const nlohmann::json result = {{"model", arguments.model},
                                 {"variant", arguments.variant},
                                 {"quantizer", arguments.quantizer},
                                 {"bits", arguments.bits},
                                 {"device", device.str()},
                                 {"threads", threads_used()},
                                 {"batch", arguments.batch},
                                 {"image", arguments.image},
                                 {"width", arguments.width},
                                 {"images_per_second", per_second},
                                 {"step_ms",
                                  {{"q25", 1e3 * quantile(speed.step_seconds, 0.25)},
                                   {"median", 1e3 * median},
                                   {"q75", 1e3 * quantile(speed.step_seconds, 0.75)}}}};
  if (arguments.json)
    std::printf("%s\n", result.dump().c_str());
  else
    std::printf("%s %s: %.1f images/s, %.2f ms a step of %d\n", arguments.model.c_str(), arguments.variant.c_str(),
                per_second, 1e3 * median, arguments.batch);
  return ExitCode::ok;
}

}  // namespace

void add_bench_training(CLI::App& app, Outcome& outcome) {
  auto arguments = std::make_shared<BenchArguments>();
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
  verb->callback([arguments, &outcome] { outcome = bench(*arguments); });
}

}  // namespace auxbench
