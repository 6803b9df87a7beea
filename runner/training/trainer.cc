#include "runner/training/trainer.h"

#include <cmath>

#include "base/interrupt.h"
#include "base/stopwatch.h"
#include "base/torch_prelude.h"
#include "runner/training/batch.h"
#include "runner/training/device.h"
#include "runner/training/schedule.h"

namespace auxbench {
namespace {

constexpr double kExploded = 1e4;
// On a device, reading a loss waits for the step: losses are read this many at a time.
constexpr size_t kLossesPerRead = 32;

class Trainer {
 public:
  Trainer(Experiment& experiment, const Dataset& data, const std::filesystem::path& checkpoint, const std::string& id,
          Progress& progress)
      : experiment_(experiment),
        stage_(experiment.cell().stage()),
        data_(data),
        checkpoint_(checkpoint),
        id_(id),
        progress_(progress),
        loader_(
            data.train,
            {.batch = stage_.batch, .seed = experiment.cell().seed, .augment = stage_.augment, .epochs = stage_.epochs},
            experiment.options()) {}

  TrainOutcome run() {
    load_checkpoint(checkpoint_, id_, experiment_, outcome_.state);
    progress_.start_cell(id_, total(), outcome_.state.iteration);
    while (outcome_.state.iteration < total() && outcome_.status == Status::completed) run_epoch();
    progress_.end_cell();
    if (outcome_.status == Status::completed && outcome_.final.predictions.empty()) outcome_.final = timed_evaluation();
    return std::move(outcome_);
  }

 private:
  [[nodiscard]] int64_t total() const { return stage_.epochs * loader_.batches(); }
  [[nodiscard]] int64_t epoch() const { return outcome_.state.iteration / loader_.batches(); }

  void run_epoch() {
    const Stopwatch watch;
    const auto this_epoch = epoch();
    experiment_.train_mode(true);
    while (epoch() == this_epoch && outcome_.status == Status::completed) {
      step(this_epoch, outcome_.state.iteration % loader_.batches());
      if (signal_received() != 0) {
        outcome_.status = Status::interrupted;
        outcome_.reason = "signal " + std::to_string(signal_received());
      }
    }
    if (!read_losses()) return;
    outcome_.state.train_seconds += watch.seconds();
    if (epoch() != this_epoch) end_epoch(this_epoch);
    save_checkpoint(checkpoint_, id_, experiment_, outcome_.state);
  }

  void step(int64_t this_epoch, int64_t batch_index) {
    const auto batch = loader_.take(this_epoch, batch_index);
    const double lr = learning_rate(stage_, outcome_.state.iteration, loader_.batches());
    const auto losses = experiment_.step(batch.images, batch.labels, lr, {outcome_.state.iteration, total()});
    pending_.push_back(losses.loss.detach());
    if (losses.aux_loss.defined()) pending_aux_.push_back(losses.aux_loss.detach());
    ++outcome_.state.iteration;
    const bool on_cpu = experiment_.options().device.is_cpu();
    if (on_cpu || pending_.size() >= kLossesPerRead) read_losses();
  }

  // Adds the pending losses to the epoch's sum; false, and the outcome says so, when one of them exploded.
  bool read_losses() {
    const auto first = outcome_.state.iteration - static_cast<int64_t>(pending_.size());
    for (size_t i = 0; i < pending_.size(); ++i) {
      const double loss = pending_[i].item<double>();
      const double aux_loss = pending_aux_.empty() ? 0.0 : pending_aux_[i].item<double>();
      if (!(std::isfinite(loss) && std::isfinite(aux_loss) && loss < kExploded && aux_loss < kExploded)) {
        outcome_.status = Status::diverged;
        outcome_.reason =
            "loss " + std::to_string(loss) + " at step " + std::to_string(first + static_cast<int64_t>(i) + 1);
        return false;
      }
      outcome_.state.epoch_loss_sum += loss;
      outcome_.state.epoch_aux_loss_sum += aux_loss;
      progress_.advance(outcome_.state.iteration, loss);
    }
    pending_.clear();
    pending_aux_.clear();
    return outcome_.status != Status::diverged;
  }

  void end_epoch(int64_t finished) {
    auto& state = outcome_.state;
    const bool last = finished + 1 == stage_.epochs;
    if (stage_.evaluate == "every" || finished == 0 || last) {
      auto evaluation = timed_evaluation();
      const auto batches = static_cast<double>(loader_.batches());
      state.curves["epoch"].push_back(static_cast<double>(finished + 1));
      state.curves["train_loss"].push_back(state.epoch_loss_sum / batches);
      if (experiment_.auxiliary() != nullptr) state.curves["aux_loss"].push_back(state.epoch_aux_loss_sum / batches);
      state.curves["top1"].push_back(evaluation.top1);
      state.curves["top5"].push_back(evaluation.top5);
      if (last) outcome_.final = std::move(evaluation);
    }
    state.epoch_loss_sum = state.epoch_aux_loss_sum = 0;
  }

  Evaluation timed_evaluation() {
    const Stopwatch watch;
    experiment_.train_mode(false);
    auto evaluation = evaluate(experiment_.network(), data_.test, experiment_.options());
    outcome_.state.evaluate_seconds += watch.seconds();
    return evaluation;
  }

  Experiment& experiment_;
  const StageSpec& stage_;
  const Dataset& data_;
  const std::filesystem::path& checkpoint_;
  const std::string& id_;
  Progress& progress_;
  TensorLoader loader_;
  TrainOutcome outcome_;
  std::vector<at::Tensor> pending_, pending_aux_;
};

}  // namespace

TrainOutcome train(Experiment& experiment, const Dataset& data, const std::filesystem::path& checkpoint,
                   const std::string& cell_id, Progress& progress) {
  return Trainer(experiment, data, checkpoint, cell_id, progress).run();
}

}  // namespace auxbench
