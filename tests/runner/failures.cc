// What a cell's failure, or an overflow, comes to in its record.
#include <new>

#include "base/error.h"
#include "base/torch_prelude.h"
#include "runner/sweep/cell_record.h"
#include "runner/training/code_shares.h"
#include "runner/training/error_text.h"
#include "tests/runner/small_cells.h"
#include "tests/support/catch.h"

using namespace auxbench;
using namespace auxbench::test;

namespace {

template <typename Body>
std::string text_of(const Body& body) {
  try {
    body();
  } catch (const std::exception& error) {
    return error_text(error);
  }
  return "nothing";
}

}  // namespace

TEST_CASE("LibTorch's errors become one line without its stack", "[runner]") {
  const auto shapes = text_of([] { at::conv2d(at::zeros({1, 2, 4, 4}), at::zeros({1, 1, 3, 3})); });
  CHECK_THAT(shapes, Catch::Matchers::StartsWith("LibTorch: Given groups=1"));
  CHECK(shapes.find('\n') == std::string::npos);
  CHECK(shapes.find("frame #") == std::string::npos);
  CHECK(shapes.find("Exception raised") == std::string::npos);
  CHECK(text_of([] { throw std::runtime_error("a\nb\nException raised from c at d"); }) == "a b");
  CHECK(text_of([] { throw std::runtime_error(std::string(5000, 'x')); }).size() == 403);
  CHECK(text_of([] { throw UserError(ExitCode::usage, std::string(5000, 'x')); }).size() == 5000);
}

TEST_CASE("memory that is not there is called so, with what was asked for", "[runner]") {
  CHECK_THAT(text_of([] { at::empty({int64_t{1} << 58}, at::kFloat); }),
             Catch::Matchers::StartsWith("not enough memory: 1152921504606846976 bytes were asked for at once"));
  CHECK_THAT(text_of([] { throw std::bad_alloc(); }), Catch::Matchers::StartsWith("not enough memory: a narrower"));
}

TEST_CASE("codes of a network that overflows are counted as far as they are numbers", "[runner]") {
  const auto experiment = experiment_of(quantized(small_cell(false)));
  experiment->train_mode(false);
  auto& network = experiment->network();
  CHECK_FALSE(code_shares(network, made_up_data().test, {}).empty());
  {
    const at::NoGradGuard no_gradient;
    for (const auto& [name, tensor] : experiment->tensors())
      if (name.ends_with("running_var")) tensor.fill_(-1);
  }
  const auto layers = code_shares(network, made_up_data().test, {});
  REQUIRE_FALSE(layers.empty());
  CHECK_FALSE(layers.back().activations.has_value());
  CHECK(layers.back().weights.has_value());
}

TEST_CASE("a network whose outputs are no numbers is mistrusted, with their count", "[runner]") {
  const auto cell = quantized(small_cell(false));
  const auto experiment = experiment_of(cell);
  TrainOutcome outcome;
  outcome.final = Evaluation{.metrics = {{.name = "top1", .value = 90, .unit = "%"}}, .without_numbers = 3};
  Record record;
  fill_record(outcome, experiment->task(), made_up_data(), record);
  CHECK(record.status == Status::mistrusted);
  CHECK(record.reason == "the outputs for 3 of 40 test images are no numbers: the network overflows");
}
