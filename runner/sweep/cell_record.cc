#include "runner/sweep/cell_record.h"

#include <cmath>

#include "base/check.h"
#include "base/torch_prelude.h"
#include "quantizers/quantizer.h"

namespace auxbench {
namespace {

// Four digits: a share of some thousand activations has no more.
double rounded(double share) { return std::round(share * 1e4) / 1e4; }

// What reports/code_table.h reads.
nlohmann::json json_of(const std::vector<LayerCodes>& layers) {
  auto all = nlohmann::json::array();
  for (const auto& layer : layers) {
    nlohmann::json entry = {{"layer", layer.layer}};
    if (const auto& found = layer.activations)
      entry["activations"] = {{"levels", found->levels},
                              {"most", rounded(found->most)},
                              {"top", rounded(found->top)},
                              {"beyond", rounded(found->beyond)}};
    if (const auto& found = layer.weights)
      entry["weights"] = {{"levels", found->levels}, {"most", rounded(found->most)}, {"ends", rounded(found->ends)}};
    all.push_back(std::move(entry));
  }
  return all;
}

}  // namespace

void fill_record(const TrainOutcome& outcome, const Task& task, const Dataset& data, Record& record) {
  record.status = outcome.status;
  record.reason = outcome.reason;
  record.curves = outcome.state.curves;
  record.seconds = {{"train", outcome.state.train_seconds}, {"evaluate", outcome.state.evaluate_seconds}};
  if (outcome.state.earlier_seconds > 0) record.seconds["earlier runs"] = outcome.state.earlier_seconds;
  record.facts["steps"] = outcome.state.iteration;
  record.facts["train_images"] = data.train->count();
  record.facts["test_images"] = data.test->count();
  if (!data.missing.empty()) record.facts["data_missing"] = data.name + ": " + data.missing;
  if (outcome.status != Status::completed) return;
  AUXBENCH_CHECK(outcome.final.has_value(), "an evaluation of what is completed");
  record.metrics = outcome.final->metrics;
  for (const auto& [name, fact] : outcome.final->facts) record.facts[name] = fact;
  if (!outcome.codes.empty()) record.facts["codes"] = json_of(outcome.codes);
  if (const auto images = outcome.final->without_numbers; images > 0) {
    record.status = Status::mistrusted;
    record.reason = "the outputs for " + std::to_string(images) + " of " + std::to_string(data.test->count()) +
                    " test images are no numbers: the network overflows";
    return;
  }
  const auto sign =
      sign_of_chance(*outcome.final, outcome.state.curves, task.chance_level(shape_of(data), data.test->count()));
  if (!sign) return;
  record.status = Status::mistrusted;
  record.reason = *sign + ": the network has learned nothing";
}

void describe_precision(const Experiment& experiment, Record& record) {
  if (experiment.cell().full_precision()) return;
  const auto bits = [](int64_t levels) { return levels == 0 ? kFullPrecision : real_bits(levels); };
  record.facts["weight_levels"] = experiment.weight_levels();
  record.facts["activation_levels"] = experiment.activation_levels();
  record.facts["weight_real_bits"] = bits(experiment.weight_levels());
  record.facts["activation_real_bits"] = bits(experiment.activation_levels());
}

}  // namespace auxbench
