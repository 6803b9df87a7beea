#include "aux/joint_loss.h"

#include "base/check.h"
#include "base/error.h"
#include "base/torch_prelude.h"

namespace auxbench {
namespace {

bool same_taps(const TapPlan& a, const TapPlan& b) { return a.per_layer == b.per_layer && a.after_add == b.after_add; }

// What the pass that all methods share has to hand out; none: no taps at all.
std::optional<TapPlan> shared_taps(const std::vector<TrainingMethod*>& methods) {
  std::optional<TapPlan> plan;
  bool others = false;  // maps that are handed out whenever there are taps, whatever the plan
  for (const auto* method : methods) {
    const auto request = method->taps();
    others = others || request.blocks || request.heads;
    if (!request.taps || request.own_norms != nullptr) continue;
    if (plan && !same_taps(*plan, *request.taps))
      throw UserError(ExitCode::invalid_suite, "training methods: two of them ask for different taps of one pass");
    plan = request.taps;
  }
  return plan || !others ? plan : TapPlan();
}

void check_handed_out(const TapRequest& request, const NetworkOutput& output) {
  const auto refuse = [](const std::string& what) {
    throw UserError(ExitCode::invalid_suite,
                    "training methods: one of them reads " + what + ", and this network hands out none");
  };
  if (request.taps && (!output.stem.defined() || output.taps.empty())) refuse("taps");
  if (request.blocks && output.blocks.empty()) refuse("the maps behind blocks");
  if (request.heads && output.heads.empty()) refuse("the maps along a detector's towers");
}

// On the weights of the network, with the method's norms, and with quantizers that learn nothing from it.
NetworkOutput second_pass(Network& network, const at::Tensor& images, const TapRequest& request) {
  AUXBENCH_CHECK(request.taps.has_value(), "taps of a method with norms of its own");
  const bool training = network.module().is_training();
  network.module().train(false);
  auto output = network.forward(images, &*request.taps, request.own_norms);
  network.module().train(training);
  return output;
}

}  // namespace

JointLoss joint_loss(Network& network, const std::vector<TrainingMethod*>& methods, const TaskLoss& task_loss,
                     const at::Tensor& images, const StepPosition& position) {
  for (auto* method : methods) method->prepare(network, position);
  const auto plan = shared_taps(methods);
  const auto output = network.forward(images, plan ? &*plan : nullptr);
  JointLoss result = {.logits = output.logits,
                      .levels = output.levels,
                      .task = sum_of(task_loss(output), "the task"),
                      .methods = {},
                      .total = {}};
  AUXBENCH_CHECK(result.task.defined(), "the task to have a loss, and it returned none");
  result.total = result.task;
  for (const auto* method : methods)
    if (method->task_loss_weight() != 1) result.total = result.total * method->task_loss_weight();
  for (auto* method : methods) {
    const auto request = method->taps();
    const auto own = request.own_norms != nullptr ? second_pass(network, images, request) : NetworkOutput();
    const auto& seen = request.own_norms != nullptr ? own : output;
    check_handed_out(request, seen);
    auto terms = method->losses({.images = images, .output = seen, .task_loss = task_loss});
    if (const auto sum = sum_of(terms, "a training method"); sum.defined()) result.total = result.total + sum;
    for (auto& term : terms) result.methods.push_back(std::move(term));
  }
  return result;
}

}  // namespace auxbench
