// The rivals' losses against the same formulas in plain loops over the same logits.
#include <cmath>

#include "aux/additional_loss.h"
#include "aux/distillation.h"
#include "aux/joint_loss.h"
#include "aux/stochastic_precision.h"
#include "base/torch_prelude.h"
#include "models/weights.h"
#include "tests/aux/small_task.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

using Matrix = std::vector<std::vector<double>>;

NetworkOptions options_of(const PrecisionPlan& precision) {
  return {.model = "resnet18",
          .in_channels = 1,
          .classes = 5,
          .stem = "small",
          .stem_stride = 2,
          .width = 1.0 / 32,
          .precision = precision};
}

const PrecisionPlan kTwoBits = {.quantizer = "dorefa", .weight_bits = 2, .activation_bits = 2};

struct Setting {
  std::unique_ptr<Network> network, teacher;
  at::Tensor images, labels;
};

Setting make_setting() {
  at::manual_seed(11);
  Setting setting = {make_network(options_of(kTwoBits)), make_network(options_of({})), {}, {}};
  for (auto* network : {setting.network.get(), setting.teacher.get()}) {
    move_module(network->module(), c10::kCPU, at::kDouble);
    network->module().eval();
  }
  setting.images = at::randn({6, 1, 16, 16}, at::kDouble);
  setting.labels = at::randint(5, {6}, at::kLong);
  return setting;
}

Matrix rows_of(const at::Tensor& logits) {
  const auto flat = logits.detach().contiguous();
  Matrix rows;
  for (int64_t i = 0; i < flat.size(0); ++i)
    rows.emplace_back(flat.const_data_ptr<double>() + i * flat.size(1),
                      flat.const_data_ptr<double>() + (i + 1) * flat.size(1));
  return rows;
}

std::vector<double> softmax(const std::vector<double>& logits) {
  std::vector<double> p;
  double sum = 0;
  for (const double z : logits) sum += std::exp(z);
  for (const double z : logits) p.push_back(std::exp(z) / sum);
  return p;
}

// Mean over rows of sum p log(p / q), or of -sum p log q.
double mean_over_rows(const Matrix& p_logits, const Matrix& q_logits, bool entropy_too) {
  double total = 0;
  for (size_t i = 0; i < p_logits.size(); ++i) {
    const auto p = softmax(p_logits[i]), q = softmax(q_logits[i]);
    for (size_t j = 0; j < p.size(); ++j) total += p[j] * ((entropy_too ? std::log(p[j]) : 0) - std::log(q[j]));
  }
  return total / static_cast<double>(p_logits.size());
}

double divergence(const Matrix& p, const Matrix& q) { return mean_over_rows(p, q, true); }
double soft_cross_entropy(const Matrix& teacher, const Matrix& student) {
  return mean_over_rows(teacher, student, false);
}

double cross_entropy(const Matrix& logits, const at::Tensor& labels) {
  double total = 0;
  for (size_t i = 0; i < logits.size(); ++i)
    total -= std::log(softmax(logits[i])[static_cast<size_t>(labels[static_cast<int64_t>(i)].item<int64_t>())]);
  return total / static_cast<double>(logits.size());
}

JointLoss loss_of(Network& network, TrainingMethod& method, const Setting& setting) {
  return joint_loss(network, {&method}, test::cross_entropy_with(setting.labels), setting.images);
}

// Of all terms of the methods.
double methods_of(const JointLoss& loss) { return sum_of(loss.methods, "the methods").item<double>(); }

struct Measured {
  double total;
  Matrix student, teacher;
  at::Tensor labels;
};

Measured measure(const DistillationOptions& options) {
  auto setting = make_setting();
  const auto teacher_logits = rows_of(setting.teacher->forward(setting.images).logits);
  const auto method = make_distillation(std::move(setting.teacher), options, kTwoBits);
  const auto loss = loss_of(*setting.network, *method, setting);
  return {loss.total.item<double>(), rows_of(loss.logits), teacher_logits, setting.labels};
}

}  // namespace

TEST_CASE("joint distillation of the arXiv version adds both directions, each to its own network", "[aux]") {
  const auto found = measure({.kind = "kd", .beta = 0.5});
  const double student = cross_entropy(found.student, found.labels) + 0.5 * divergence(found.student, found.teacher);
  const double teacher = cross_entropy(found.teacher, found.labels) + 0.5 * divergence(found.teacher, found.student);
  CHECK(found.total == Approx(student + teacher).epsilon(1e-12));
}

TEST_CASE("the journal version swaps the directions and halves the network's own loss", "[aux]") {
  const auto found = measure({.kind = "kd-journal", .beta = 0.5, .own_weight = 0.5});
  const double student =
      0.5 * cross_entropy(found.student, found.labels) + 0.5 * divergence(found.teacher, found.student);
  const double teacher = cross_entropy(found.teacher, found.labels) + 0.5 * divergence(found.student, found.teacher);
  CHECK(found.total == Approx(student + teacher).epsilon(1e-12));
}

TEST_CASE("a fixed teacher has no loss of its own and gets no gradient", "[aux]") {
  const auto found = measure({.kind = "fixed-teacher", .beta = 0.5});
  CHECK(found.total ==
        Approx(cross_entropy(found.student, found.labels) + 0.5 * divergence(found.student, found.teacher))
            .epsilon(1e-12));
  auto setting = make_setting();
  const auto method = make_distillation(std::move(setting.teacher), {.kind = "fixed-teacher"}, kTwoBits);
  loss_of(*setting.network, *method, setting).total.backward();
  for (const auto& parameter : method->module()->parameters()) CHECK_FALSE(parameter.grad().defined());
}

TEST_CASE("Apprentice weighs labels and the teacher's probabilities alike", "[aux]") {
  for (const char* kind : {"apprentice-a", "apprentice-b", "apprentice-c"}) {
    const auto found = measure({.kind = kind, .beta = 0.5, .own_weight = 0.5});
    double wanted =
        0.5 * cross_entropy(found.student, found.labels) + 0.5 * soft_cross_entropy(found.teacher, found.student);
    if (std::string(kind) == "apprentice-a") wanted += cross_entropy(found.teacher, found.labels);
    INFO(kind);
    CHECK(found.total == Approx(wanted).epsilon(1e-12));
  }
}

TEST_CASE("each side of a joint distillation stops at the other side", "[aux]") {
  auto setting = make_setting();
  // The network's own loss weighs nothing: what is left for it is the divergence alone.
  const auto method = make_distillation(std::move(setting.teacher), {.kind = "kd", .beta = 0}, kTwoBits);
  const auto loss = loss_of(*setting.network, *method, setting);
  sum_of(loss.methods, "the methods").backward();
  for (const auto& parameter : setting.network->module().parameters())
    if (parameter.grad().defined()) CHECK(parameter.grad().abs().max().item<double>() == 0);
  bool teacher_learns = false;
  for (const auto& parameter : method->module()->parameters())
    teacher_learns = teacher_learns || (parameter.grad().defined() && parameter.grad().abs().max().item<double>() > 0);
  CHECK(teacher_learns);
}

TEST_CASE("attention and hint vanish where both networks see the same, and not elsewhere", "[aux]") {
  auto setting = make_setting();
  auto twin = make_network(options_of({}));
  move_module(twin->module(), c10::kCPU, at::kDouble);
  twin->module().eval();
  const auto own = named_tensors(setting.teacher->module());
  {
    const at::NoGradGuard no_gradient;
    for (const auto& [name, tensor] : named_tensors(twin->module())) tensor.copy_(own.at(name));
  }
  const DistillationOptions attention = {.kind = "kd-journal", .beta = 0, .attention = 50};
  const DistillationOptions hint = {.kind = "hint", .hint_weight = 0.1, .hint_blocks = 2};
  for (const auto& options : {attention, hint}) {
    INFO(options.kind);
    auto teacher = make_network(options_of({}));
    move_module(teacher->module(), c10::kCPU, at::kDouble);
    teacher->module().eval();
    {
      const at::NoGradGuard no_gradient;
      for (const auto& [name, tensor] : named_tensors(teacher->module())) tensor.copy_(own.at(name));
    }
    const auto method = make_distillation(std::move(teacher), options, kTwoBits);
    const auto teacher_loss =
        options.kind == "hint" ? 0.0 : cross_entropy(rows_of(twin->forward(setting.images).logits), setting.labels);
    const auto same = loss_of(*twin, *method, setting);
    CHECK(methods_of(same) == Approx(teacher_loss).margin(1e-12));
    const auto other = loss_of(*setting.network, *method, setting);
    CHECK(methods_of(other) > teacher_loss + 1e-9);
  }
}

TEST_CASE("additional losses sit behind the blocks that downsample", "[aux]") {
  auto setting = make_setting();
  const auto method = make_additional_loss(*setting.network, test::linear_head(5), 0.01);
  move_module(*method->module(), c10::kCPU, at::kDouble);
  CHECK(method->module()->children().size() == 3);
  const auto loss = loss_of(*setting.network, *method, setting);
  const TapPlan taps;
  const auto output = setting.network->forward(setting.images, &taps);
  const auto heads = named_tensors(*method->module());
  double wanted = 0;
  int head = 1;
  for (const size_t block : {size_t{2}, size_t{4}, size_t{6}}) {
    const auto name = "fc" + std::to_string(head++);
    const auto features = at::relu(output.blocks[block]).mean({2, 3});
    const auto logits = features.matmul(heads.at(name + ".weight").t()) + heads.at(name + ".bias");
    wanted += 0.01 * cross_entropy(rows_of(logits), setting.labels);
  }
  CHECK(methods_of(loss) == Approx(wanted).epsilon(1e-12));
}

TEST_CASE("stochastic precision falls to none, and at certainty is the full-precision network", "[aux]") {
  auto setting = make_setting();
  const auto quantized = setting.network->forward(setting.images).logits;
  const auto always = make_stochastic_precision(0, 1.0, 1.0);
  always->prepare(*setting.network, {0, 100});
  const auto full = setting.network->forward(setting.images).logits;
  CHECK_FALSE(full.equal(quantized));
  auto plain = make_network(options_of({}));
  move_module(plain->module(), c10::kCPU, at::kDouble);
  plain->module().eval();
  {
    const at::NoGradGuard no_gradient;
    const auto own = named_tensors(setting.network->module());
    for (const auto& [name, tensor] : named_tensors(plain->module())) tensor.copy_(own.at(name));
  }
  CHECK(plain->forward(setting.images).logits.equal(full));
  const auto ended = make_stochastic_precision(0, 0.5, 0.5);
  ended->prepare(*setting.network, {50, 100});
  CHECK(setting.network->forward(setting.images).logits.equal(quantized));
}

TEST_CASE("the quantizer of hints is a part of the module, fitted once and never trained", "[aux]") {
  auto setting = make_setting();
  const PrecisionPlan lsq = {.quantizer = "lsq", .weight_bits = 2, .activation_bits = 2};
  const auto method =
      make_distillation(std::move(setting.teacher), {.kind = "hint", .hint_weight = 0.1, .hint_blocks = 2}, lsq);
  const auto before = named_tensors(*method->module());
  REQUIRE(before.contains("hint_quantizer.step"));
  CHECK_FALSE(before.at("hint_quantizer.step").requires_grad());
  CHECK_FALSE(before.at("hint_quantizer.fitted").item<bool>());
  loss_of(*setting.network, *method, setting);
  CHECK(before.at("hint_quantizer.fitted").item<bool>());
}
