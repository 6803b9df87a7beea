// Task: what a cell learns. It owns the network, the losses, the heads beside the network and the evaluation; training,
// checkpoints and records know named losses and metrics, never what they are.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aux/training_method.h"
#include "datasets/sources/image_source.h"
#include "models/network.h"
#include "models/weights.h"
#include "results/record.h"
#include "runner/plan/cell_spec.h"

namespace auxbench {

// What the data decide about the network.
struct DataShape {
  int64_t channels = 1;
  int64_t classes = 10;
};

// What the images of a batch are to be recognised as. What a task does not use is undefined.
struct Targets {
  at::Tensor labels;                     // [N] int64
  std::vector<at::Tensor> boxes = {};    // of each image [n, 4] float: x0 y0 x1 y1 in pixels of the batch
  std::vector<at::Tensor> classes = {};  // of each image [n] int64
};

struct TensorBatch {
  at::Tensor images;  // [N, C, H, W]; undefined where an evaluator is handed outputs alone
  Targets targets;
  std::vector<BoxedImage> infos = {};  // of images with boxes
};

// What a network is worth on a set of images.
struct Evaluation {
  std::vector<Metric> metrics;  // at least one; the first decides
  NamedTensors outcomes;        // what became of each image: [images, ...] in their order, on the CPU
  std::string answers;          // the outcome by which two runs of one network are compared, image by image
  int64_t without_numbers = 0;  // images whose outputs are not all finite and so decide nothing
  std::map<std::string, nlohmann::json> facts = {};  // what a record says besides, by its fact's name
};

// Gathers an evaluation batch by batch, in the images' order.
class Evaluator {
 public:
  virtual ~Evaluator() = default;
  virtual void add(const TensorBatch& batch, const NetworkOutput& output) = 0;
  // Takes what another evaluator of the same task gathered over the images that follow its own.
  virtual void merge(Evaluator& next) = 0;
  virtual Evaluation finish() = 0;
};

// A cell's network as the cell has it, or the same one at full precision.
enum class Precision { of_cell, full };

// What a network shows that has learned nothing. One sign is enough.
struct ChanceLevel {
  double metric = 0;                // the metric is no better than this
  std::optional<double> loss = {};  // the mean training loss of the task is no smaller than this
  std::string name = {};            // of the metric; empty: the first
};

// By epoch: "epoch", "train_loss" ...
using Curves = std::map<std::string, std::vector<double>>;

// The losses of a task, with what they remember from step to step.
class TaskLosses {
 public:
  virtual ~TaskLosses() = default;

  // Before the losses of a training step: what they need of its batch is worked out once, for all outputs.
  virtual void begin_step(const TensorBatch& /*batch*/) {}

  // Of an output for the images of the step, whichever network it is from: at least one, each a scalar; they are summed
  // by their weights. A detector's output may hold some levels only.
  virtual NamedLosses losses(const NetworkOutput& output, const Targets& targets) = 0;

  // What they remember, saved with the cell under kTaskPrefix; null when that is nothing.
  virtual torch::nn::Module* module() { return nullptr; }
};

inline constexpr const char* kTaskPrefix = "task.";

class Task {
 public:
  virtual ~Task() = default;

  // On the CPU, in float32, with weights drawn from torch's default generator.
  [[nodiscard]] virtual std::unique_ptr<Network> network(const CellSpec& cell, const DataShape& data,
                                                         Precision precision) const = 0;

  [[nodiscard]] virtual std::unique_ptr<TaskLosses> make_losses(const CellSpec& cell, const DataShape& data) const = 0;

  // What training methods put on the end of a path of feature maps.
  [[nodiscard]] virtual HeadMaker head(const DataShape& data) const = 0;

  // Of the cell's network on `images`, which must outlive it.
  [[nodiscard]] virtual std::unique_ptr<Evaluator> evaluator(const CellSpec& cell, const ImageSource& images) const = 0;

  // Of an evaluation over `test_images`; none where nothing can be said.
  [[nodiscard]] virtual std::optional<ChanceLevel> chance_level(const DataShape& data, int64_t test_images) const = 0;
};

// The task that suites call by this name ("classification", "detection"); nullptr when there is none.
const Task* find_task(const std::string& name);

// What says that nothing was learned: "top1 is at chance level". Nothing where something was. `curves` are those of the
// training (runner/training/trainer.h). Their loss counts from the second epoch on, since that of the first holds the
// start, where every network guesses.
std::optional<std::string> sign_of_chance(const Evaluation& evaluation, const Curves& curves,
                                          const std::optional<ChanceLevel>& chance);

}  // namespace auxbench
