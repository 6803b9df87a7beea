#include "runner/training/calibration.h"

#include <algorithm>

#include "base/check.h"
#include "base/interrupt.h"
#include "base/random.h"
#include "base/stopwatch.h"
#include "base/torch_prelude.h"
#include "quantizers/adaround.h"
#include "quantizers/quantized_layers.h"
#include "runner/training/bias_correction.h"
#include "runner/training/norm_statistics.h"

namespace auxbench {
namespace {

constexpr double kLearningRate = 1e-3, kLambda = 0.01, kWarmUp = 0.2, kFirstBeta = 20, kLastBeta = 2;

class Calibrator {
 public:
  Calibrator(Experiment& experiment, const Dataset& data, const std::string& id, Progress& progress)
      : experiment_(experiment),
        spec_(*experiment.cell().calibrate),
        layers_(experiment.network().quantized_layers()),
        data_(data),
        id_(id),
        progress_(progress),
        rounded_(layers_.size()) {
    for (auto* layer : layers_) exact_.push_back(layer->values().detach().clone());
  }

  TrainOutcome run() {
    const Stopwatch watch;
    experiment_.train_mode(false);
    progress_.start_cell(id_, steps(), 0);
    batches_ = draw(spec_.images);
    observe();
    const auto correction = full_precision_means();
    if (spec_.iterations > 0)
      for (size_t i = 0; i < layers_.size() && !interrupted(); ++i) reconstruct(i);
    if (spec_.reestimate_norms > 0 && !interrupted())
      reestimate_norms(experiment_.network(), draw(spec_.reestimate_norms));
    if (correction != nullptr)
      for (size_t i = 0; i < correction->layers() && !interrupted(); ++i) correction->correct(i);
    progress_.end_cell();
    outcome_.state.train_seconds = watch.seconds();
    if (!interrupted()) evaluate_network();
    return std::move(outcome_);
  }

 private:
  [[nodiscard]] int64_t steps() const {
    return std::max<int64_t>(1, spec_.iterations * static_cast<int64_t>(layers_.size()));
  }

  bool interrupted() {
    if (signal_received() == 0) return false;
    outcome_.status = Status::interrupted;
    outcome_.reason = "signal " + std::to_string(signal_received());
    return true;
  }

  [[nodiscard]] std::vector<at::Tensor> draw(int64_t images) const {
    return some_images(data_.train, images, spec_.batch, experiment_.cell().seed, experiment_.options());
  }

  // null where biases are not corrected.
  std::unique_ptr<BiasCorrection> full_precision_means() {
    if (!spec_.correct_bias) return nullptr;
    quantize_before(0);
    auto correction = std::make_unique<BiasCorrection>(experiment_.network(), batches_);
    quantize_before(layers_.size());
    return correction;
  }

  // From layer `first` on at full precision, before it as quantized, with the weights that learned their rounding.
  void quantize_before(size_t first) {
    const at::NoGradGuard no_gradient;
    for (size_t i = 0; i < layers_.size(); ++i) {
      layers_[i]->bypass(i >= first);
      layers_[i]->values().detach().copy_(i < first && rounded_[i].defined() ? rounded_[i] : exact_[i]);
    }
  }

  void pass_all() {
    const at::NoGradGuard no_gradient;
    for (const auto& batch : batches_) experiment_.network().forward(batch);
  }

  void observe() {
    quantize_before(0);
    for (auto* layer : layers_) {
      if (layer->weight_quantizer() != nullptr) layer->weight_quantizer()->observe(layer->values());
      if (auto* quantizer = layer->input_quantizer(); quantizer != nullptr)
        layer->watch([quantizer](const LayerPass& pass) { quantizer->observe(pass.input); });
    }
    pass_all();
    for (auto* layer : layers_) layer->watch({});
    quantize_before(layers_.size());
  }

  // Maps of one size.
  struct Recorded {
    std::vector<at::Tensor> inputs, outputs;
    ConvGeometry geometry;
  };

  // What goes into layer i and comes out, over all images, with the layers before it quantized or not; by size, in the
  // order in which the sizes come.
  std::vector<Recorded> record(size_t i, bool quantized) {
    quantize_before(quantized ? i : 0);
    std::vector<Recorded> all;
    layers_[i]->watch([&](const LayerPass& pass) {
      const auto size = pass.input.sizes().slice(1);
      auto same = std::find_if(all.begin(), all.end(),
                               [&](const auto& each) { return each.inputs.front().sizes().slice(1) == size; });
      if (same == all.end()) {
        all.push_back({.inputs = {}, .outputs = {}, .geometry = pass.geometry});
        same = std::prev(all.end());
      }
      same->inputs.push_back(pass.input);
      same->outputs.push_back(pass.output);
    });
    pass_all();
    layers_[i]->watch({});
    quantize_before(layers_.size());
    return all;
  }

  // What a layer's rounding learns from, of maps of one size.
  struct Lesson {
    at::Tensor inputs, targets;
    ConvGeometry geometry;
  };

  std::vector<Lesson> lessons_of(size_t i) {
    auto& layer = *layers_[i];
    // Of the network as it was trained: no layer before this one is rounded in it.
    std::vector<at::Tensor> targets;
    for (const auto& size : record(i, false)) targets.push_back(at::cat(size.outputs));
    auto found = record(i, true);
    std::vector<Lesson> lessons;
    for (size_t s = 0; s < found.size(); ++s) {
      found[s].outputs.clear();
      lessons.push_back({.inputs = at::cat(found[s].inputs), .targets = targets[s], .geometry = found[s].geometry});
      found[s].inputs.clear();
      if (layer.input_quantizer() == nullptr) continue;
      const at::NoGradGuard no_gradient;
      lessons.back().inputs = layer.input_quantizer()->quantize(lessons.back().inputs);
    }
    return lessons;
  }

  // By how many maps each has; without chance where there is one alone.
  static const Lesson& draw_lesson(RandomStream& random, const std::vector<Lesson>& lessons) {
    if (lessons.size() == 1) return lessons.front();
    int64_t all = 0;
    for (const auto& lesson : lessons) all += lesson.inputs.size(0);
    auto drawn = static_cast<int64_t>(random.below(static_cast<uint64_t>(all)));
    for (const auto& lesson : lessons)
      if ((drawn -= lesson.inputs.size(0)) < 0) return lesson;
    return lessons.back();
  }

  void reconstruct(size_t i) {
    auto& layer = *layers_[i];
    if (layer.weight_quantizer() == nullptr) return;
    const auto lessons = lessons_of(i);
    AUXBENCH_CHECK(!lessons.empty(), "a layer that computes");
    LearnedRounding rounding(layer.values(), *layer.weight_quantizer());
    Optimizer optimizer({.epochs = 1, .optimizer = "adam"}, {{"alpha", rounding.alpha()}});
    optimizer.set_learning_rate(kLearningRate);
    RandomStream random(stream_seed(experiment_.cell().seed, "reconstruction", i));
    for (int step = 0; step < spec_.iterations && !interrupted(); ++step) {
      const auto& [inputs, targets, geometry] = draw_lesson(random, lessons);
      const auto chosen = choose(random, inputs.size(0)).to(inputs.device());
      optimizer.clear_gradients();
      const auto loss = reconstruction_loss(rounding, inputs.index_select(0, chosen), targets.index_select(0, chosen),
                                            geometry, step);
      loss.backward();
      optimizer.step();
      progress_.advance(++outcome_.state.iteration, loss.item<double>());
    }
    rounded_[i] = rounding.hard();
    quantize_before(layers_.size());
  }

  [[nodiscard]] at::Tensor choose(RandomStream& random, int64_t images) const {
    std::vector<int64_t> chosen(static_cast<size_t>(std::min<int64_t>(spec_.batch, images)));
    for (auto& index : chosen) index = static_cast<int64_t>(random.below(static_cast<uint64_t>(images)));
    return at::tensor(chosen, at::kLong);
  }

  [[nodiscard]] at::Tensor reconstruction_loss(const LearnedRounding& rounding, const at::Tensor& x,
                                               const at::Tensor& target, const ConvGeometry& geometry, int step) const {
    auto weight = rounding.soft();
    if (weight.dim() == 2) weight = weight.unsqueeze(2).unsqueeze(3);
    const auto y = at::conv2d(x, weight, {}, geometry.stride, geometry.padding, 1, geometry.groups);
    const auto error = (y - target).square().sum(1).mean();
    const double progress = (step / static_cast<double>(spec_.iterations) - kWarmUp) / (1 - kWarmUp);
    if (progress < 0) return error;
    return error + kLambda * rounding.regularizer(kFirstBeta + (kLastBeta - kFirstBeta) * progress);
  }

  void evaluate_network() {
    const Stopwatch watch;
    outcome_.final =
        evaluate(experiment_.task(), experiment_.cell(), experiment_.network(), data_.test, experiment_.options());
    outcome_.codes = code_shares(experiment_.network(), data_.test, experiment_.options());
    outcome_.state.evaluate_seconds = watch.seconds();
  }

  Experiment& experiment_;
  const CalibrationSpec& spec_;
  std::vector<QuantizedWeight*> layers_;
  const Dataset& data_;
  const std::string& id_;
  Progress& progress_;
  std::vector<at::Tensor> batches_;
  std::vector<at::Tensor> exact_, rounded_;  // weights of each layer; rounded_ undefined where it is not learned
  TrainOutcome outcome_;
};

}  // namespace

TrainOutcome calibrate(Experiment& experiment, const Dataset& data, const std::string& cell_id, Progress& progress) {
  return Calibrator(experiment, data, cell_id, progress).run();
}

}  // namespace auxbench
