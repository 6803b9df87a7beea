#include "runner/training/trainer.h"

#include <cmath>

#include "base/interrupt.h"
#include "base/stopwatch.h"
#include "base/torch_prelude.h"
#include "runner/training/device.h"
#include "runner/training/norm_statistics.h"
#include "runner/training/schedule.h"
#include "runner/training/step_engine.h"

namespace auxbench {
namespace {

constexpr double kExploded = 1e4;
// On a device, reading a loss waits for the step: losses are read this many at a time.
constexpr size_t kLossesPerRead = 32;

class Trainer {
 public:
  Trainer(Experiment& experiment, const Dataset& data, const CheckpointPolicy& checkpoints, const std::string& id,
          Progress& progress)
      : experiment_(experiment),
        engine_(make_eager_step(experiment)),
        stage_(experiment.cell().stage()),
        data_(data),
        checkpoints_(checkpoints),
        id_(id),
        progress_(progress),
        loader_(data.train,
                {.batch = stage_.batch,
                 .seed = experiment.cell().seed,
                 .augment = stage_.augment,
                 .epochs = stage_.by_iterations() ? 0 : stage_.epochs},
                experiment.options()) {}

  TrainOutcome run() {
    load_checkpoint(checkpoints_.file, id_, experiment_, outcome_.state);
    if (outcome_.state.epoch_steps.empty())
      for (const auto& [curve, sum] : outcome_.state.epoch_losses)
        outcome_.state.epoch_steps[curve] = outcome_.state.iteration % loader_.batches();
    progress_.start_cell(id_, total(), outcome_.state.iteration);
    while (!done() && outcome_.status == Status::completed) run_epoch();
    progress_.end_cell();
    if (outcome_.status == Status::completed && !outcome_.final) outcome_.final = last_evaluation();
    return std::move(outcome_);
  }

 private:
  [[nodiscard]] int64_t total() const {
    return stage_.by_iterations() ? stage_.iterations : stage_.epochs * loader_.batches();
  }
  [[nodiscard]] bool done() const { return outcome_.state.iteration >= total(); }
  [[nodiscard]] int64_t epoch() const { return outcome_.state.iteration / loader_.batches(); }

  void run_epoch() {
    watch_ = Stopwatch();
    const auto this_epoch = epoch();
    experiment_.train_mode(true);
    while (epoch() == this_epoch && !done() && outcome_.status == Status::completed) {
      step(this_epoch, outcome_.state.iteration % loader_.batches());
      if (signal_received() != 0) {
        outcome_.status = Status::interrupted;
        outcome_.reason = "signal " + std::to_string(signal_received());
      } else if (epoch() == this_epoch && !done() && since_checkpoint_.seconds() >= 60 * checkpoints_.minutes) {
        save_between_epochs();
      }
    }
    if (!read_losses()) return;
    outcome_.state.train_seconds += watch_.seconds();
    if (epoch() != this_epoch || done()) end_epoch(this_epoch);
    save();
  }

  void save() {
    save_checkpoint(checkpoints_.file, id_, experiment_, outcome_.state);
    since_checkpoint_ = Stopwatch();
  }

  // Nothing of a training that has diverged is kept.
  void save_between_epochs() {
    if (!read_losses()) return;
    outcome_.state.train_seconds += watch_.seconds();
    watch_ = Stopwatch();
    save();
  }

  void step(int64_t this_epoch, int64_t batch_index) {
    const auto batch = loader_.take(this_epoch, batch_index);
    const double lr = learning_rate(stage_, outcome_.state.iteration, loader_.batches());
    const auto losses = engine_->step(batch, lr, {outcome_.state.iteration, total()});
    NamedLosses now = {{.name = "train_loss", .value = losses.task.detach()}};
    for (const auto& loss : losses.methods) now.push_back({.name = loss.name, .value = loss.value.detach()});
    pending_.push_back(std::move(now));
    ++outcome_.state.iteration;
    const bool on_cpu = experiment_.options().device.is_cpu();
    if (on_cpu || pending_.size() >= kLossesPerRead) read_losses();
  }

  // Adds the pending losses to the epoch's sums; false, and the outcome says so, when one of them exploded.
  bool read_losses() {
    auto number = outcome_.state.iteration - static_cast<int64_t>(pending_.size());
    for (const auto& losses : pending_) {
      ++number;
      for (const auto& loss : losses)
        if (!add_loss(loss.name, loss.value.item<double>(), number)) return false;
      progress_.advance(outcome_.state.iteration, losses.front().value.item<double>());
    }
    pending_.clear();
    return outcome_.status != Status::diverged;
  }

  bool add_loss(const std::string& curve, double loss, int64_t step_number) {
    outcome_.state.epoch_losses[curve] += loss;
    ++outcome_.state.epoch_steps[curve];
    if (std::isfinite(loss) && loss < kExploded) return true;
    outcome_.status = Status::diverged;
    outcome_.reason = (curve == "train_loss" ? "loss" : curve) + " " + std::to_string(loss) + " at step " +
                      std::to_string(step_number);
    return false;
  }

  // The last epoch of a stage that is counted in iterations may end before its images do.
  void end_epoch(int64_t finished) {
    auto& state = outcome_.state;
    const bool last = done();
    if (stage_.evaluate == "every" || finished == 0 || last) {
      auto evaluation = last ? last_evaluation() : timed_evaluation();
      state.curves["epoch"].push_back(static_cast<double>(state.iteration) / static_cast<double>(loader_.batches()));
      for (const auto& [curve, sum] : state.epoch_losses)
        state.curves[curve].push_back(sum / static_cast<double>(state.epoch_steps.at(curve)));
      for (const auto& metric : evaluation.metrics) state.curves[metric.name].push_back(metric.value);
      if (last) outcome_.final = std::move(evaluation);
    }
    state.epoch_losses.clear();
    state.epoch_steps.clear();
  }

  // Norms are re-estimated from their weights alone: a run that was interrupted behind it does it once more, the same.
  Evaluation last_evaluation() {
    const Stopwatch watch;
    experiment_.train_mode(false);
    if (stage_.reestimate_norms > 0)
      reestimate_norms(experiment_.network(), some_images(data_.train, stage_.reestimate_norms, stage_.batch,
                                                          experiment_.cell().seed, experiment_.options()));
    outcome_.state.train_seconds += watch.seconds();
    auto evaluation = timed_evaluation();
    const Stopwatch counting;
    if (!experiment_.cell().full_precision())
      outcome_.codes = code_shares(experiment_.network(), data_.test, experiment_.options());
    outcome_.state.evaluate_seconds += counting.seconds();
    return evaluation;
  }

  Evaluation timed_evaluation() {
    const Stopwatch watch;
    experiment_.train_mode(false);
    auto evaluation =
        evaluate(experiment_.task(), experiment_.cell(), experiment_.network(), data_.test, experiment_.options());
    outcome_.state.evaluate_seconds += watch.seconds();
    return evaluation;
  }

  Experiment& experiment_;
  std::unique_ptr<StepEngine> engine_;
  const StageSpec& stage_;
  const Dataset& data_;
  const CheckpointPolicy& checkpoints_;
  const std::string& id_;
  Progress& progress_;
  TensorLoader loader_;
  TrainOutcome outcome_;
  std::vector<NamedLosses> pending_;    // of steps whose losses were not read yet; the task's first
  Stopwatch watch_, since_checkpoint_;  // the first: since training seconds were last added up
};

}  // namespace

TrainOutcome train(Experiment& experiment, const Dataset& data, const CheckpointPolicy& checkpoints,
                   const std::string& cell_id, Progress& progress) {
  return Trainer(experiment, data, checkpoints, cell_id, progress).run();
}

}  // namespace auxbench
