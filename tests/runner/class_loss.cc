// The fused loss of classes against the same by single operations, wherever it may be called.
#include "runner/tasks/detection/class_loss.h"

#include "base/check.h"
#include "base/torch_prelude.h"
#include "metrics/detection/matcher.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

constexpr int64_t kImages = 3, kAnchors = 2, kClasses = 5, kHeight = 7, kWidth = 9;
const std::vector<double> kWeights = {0.5, 0.125, 2};

at::Tensor some_logits(at::ScalarType type) {
  at::manual_seed(5);
  return (4 * at::randn({kImages, kAnchors * kClasses, kHeight, kWidth}, at::kDouble) - 1).to(type);
}

// Every kind of label, background most of all.
at::Tensor some_labels() {
  at::manual_seed(6);
  const auto drawn = at::randint(-20, kClasses, {kImages, kAnchors, kHeight * kWidth}, at::kLong);
  return at::where(drawn.ge(int64_t{kIgnored}), drawn, at::full_like(drawn, int64_t{kBackground}));
}

using Loss = decltype(class_loss);

struct Found {
  at::Tensor loss, gradient;
};

// Of `factor` times the loss.
Found found_by(Loss& loss, const at::Tensor& logits, const LossRules& rules, double factor) {
  const auto x = logits.detach().set_requires_grad(true);
  const auto value = loss(x, some_labels(), kClasses, kWeights, rules);
  (factor * value).backward();
  return {value.detach(), x.grad()};
}

void check_equal(const at::Tensor& logits, const LossRules& rules, double tolerance) {
  for (const double factor : {1.0, 0.25}) {
    const auto fused = found_by(class_loss, logits, rules, factor);
    const auto truth = found_by(class_loss_by_formula, logits.to(at::kDouble), rules, factor);
    CHECK(fused.loss.scalar_type() == logits.scalar_type());
    CHECK(fused.gradient.sizes() == logits.sizes());
    const auto away = [&](const at::Tensor& one, const at::Tensor& other) {
      return ((one.to(at::kDouble) - other).abs() / (other.abs() + 1e-30)).max().item<double>();
    };
    CHECK(away(fused.loss, truth.loss) < tolerance);
    CHECK(away(fused.gradient, truth.gradient) < tolerance);
  }
}

}  // namespace

TEST_CASE("the fused loss of classes is that of the formula, in every type and layout", "[runner]") {
  for (const auto& [type, tolerance] : {std::pair{at::kFloat, 4e-6}, {at::kDouble, 1e-12}}) {
    const auto logits = some_logits(type);
    check_equal(logits, {}, tolerance);
    check_equal(logits.contiguous(at::MemoryFormat::ChannelsLast), {}, tolerance);
    const auto wider = at::cat({logits, logits}, 3);
    check_equal(wider.narrow(3, kWidth, kWidth), {}, tolerance);
    check_equal(logits, {.focal_alpha = 0.4, .focal_gamma = 1.5}, 100 * tolerance);  // not fused
  }
}

TEST_CASE("the gradient of a loss of classes may be asked for twice", "[runner]") {
  const auto x = some_logits(at::kFloat).set_requires_grad(true);
  const auto loss = class_loss(x, some_labels(), kClasses, kWeights, {});
  loss.backward({}, /*retain_graph=*/true);
  const auto first = x.grad().clone();
  loss.backward();
  CHECK(at::equal(x.grad(), 2 * first));
}

TEST_CASE("labels of another size than the logits are our fault", "[runner]") {
  const auto logits = some_logits(at::kFloat);
  CHECK_THROWS_AS(class_loss(logits, some_labels().narrow(2, 0, 5), kClasses, kWeights, {}), LogicFault);
  CHECK_THROWS_AS(class_loss(logits, some_labels(), kClasses - 1, kWeights, {}), LogicFault);
  CHECK_THROWS_AS(class_loss(logits, some_labels(), kClasses, {1.0}, {}), LogicFault);
}
