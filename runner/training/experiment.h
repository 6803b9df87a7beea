// Experiment: the objects one cell needs, made in one place from its spec.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "aux/auxiliary_module.h"
#include "aux/joint_loss.h"
#include "aux/training_aid.h"
#include "models/network.h"
#include "models/weights.h"
#include "runner/plan/cell_spec.h"
#include "runner/training/optimizer.h"

namespace auxbench {

// What the data decide about the network.
struct DataShape {
  int64_t channels = 1;
  int64_t classes = 10;
};

struct ExperimentOptions {
  c10::Device device{c10::kCPU};
  c10::ScalarType type = c10::ScalarType::Float;
  std::optional<int> workers;  // threads that load images; none: batch.h chooses. No number depends on it.
};

// F alone as the cell has it, or the same network at full precision: on the CPU, in float32, with weights drawn from
// torch's generator.
enum class Precision { of_cell, full };
std::unique_ptr<Network> make_cell_network(const CellSpec& cell, const DataShape& data, Precision precision);

class Experiment {
 public:
  // Initial weights follow from the seed alone; F's do not depend on whether there is an H.
  Experiment(const CellSpec& cell, const DataShape& data, const ExperimentOptions& options);
  ~Experiment();

  [[nodiscard]] const CellSpec& cell() const { return cell_; }
  [[nodiscard]] const ExperimentOptions& options() const { return options_; }
  Network& network() { return *network_; }
  AuxiliaryModule* auxiliary() { return auxiliary_.get(); }
  // Networks beside this one that want the weights of a trained full-precision network.
  [[nodiscard]] std::vector<Network*> teachers() const;
  // Of a cell that trains; one that is calibrated has none.
  [[nodiscard]] Optimizer& optimizer() const;

  // F's tensors under "model.", H's under "aux.", another aid's under "aid.NAME.": parameters and buffers, and
  // parameters alone.
  [[nodiscard]] NamedTensors tensors() const;
  [[nodiscard]] NamedTensors parameters() const;

  // The names among them of what quantizers learn and remember: fitted anew by every cell, never taken from the weights
  // it starts from.
  [[nodiscard]] std::set<std::string> quantizer_tensors() const;

  void train_mode(bool on);

  // Forward and backward; gradients are left in the parameters.
  JointLoss differentiate(const at::Tensor& images, const at::Tensor& labels, const StepPosition& position = {});
  // differentiate, then the optimiser's step.
  JointLoss step(const at::Tensor& images, const at::Tensor& labels, double lr, const StepPosition& position = {});

  // The number of levels the inner layers' quantizers have; 0 at full precision.
  [[nodiscard]] int64_t weight_levels() const;
  [[nodiscard]] int64_t activation_levels() const;

 private:
  CellSpec cell_;
  ExperimentOptions options_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<AuxiliaryModule> auxiliary_;
  std::map<std::string, std::unique_ptr<TrainingAid>> aids_;  // all but the module, by name
  LossParts parts_;
  std::unique_ptr<Optimizer> optimizer_;  // null without a stage
};

}  // namespace auxbench
