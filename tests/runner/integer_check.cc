// What a record says about a trained cell's integer form.
#include "runner/sweep/integer_check.h"

#include <cmath>
#include <limits>

#include "runner/sweep/cell_files.h"
#include "tests/runner/small_cells.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;
using namespace auxbench::test;

namespace {

CellSpec lsq_cell() {
  auto cell = quantized(small_cell(true));
  cell.quantizer = "lsq";
  cell.finetune->epochs = 1;
  return cell;
}

nlohmann::json integer_facts(Trained& trained, const Evaluation& evaluation, const std::filesystem::path& folder) {
  Record record;
  trained.experiment->train_mode(false);
  save_weights(*trained.experiment, folder);
  check_integers(*trained.experiment, made_up_data(), evaluation, folder, record);
  return record.facts.at("integer");
}

}  // namespace

TEST_CASE("a trained cell's integers answer every image as its evaluation does, and a false answer is counted",
          "[runner]") {
  const TempFolder folder;
  auto trained = train_cell(lsq_cell(), {folder.path() / "checkpoint"});
  auto evaluation = *trained.outcome.final;
  const auto facts = integer_facts(trained, evaluation, folder.path());
  CHECK(facts.at("status") == "equal");
  CHECK(facts.at("images") == 40);
  CHECK(facts.at("differing") == 0);
  CHECK(facts.at("top1") == evaluation.metrics.front().value);
  CHECK(facts.at("module_free") == true);
  auto& answers = evaluation.outcomes.at("predictions");
  answers = answers.clone();
  answers[7].fill_(3 - answers[7].item<int>());
  const auto spoiled = integer_facts(trained, evaluation, folder.path());
  CHECK(spoiled.at("status") == "differs");
  CHECK(spoiled.at("differing") == 1);
}

TEST_CASE("a network whose scales are not finite has no integer form, and its record says so", "[runner]") {
  const TempFolder folder;
  auto trained = train_cell(lsq_cell(), {folder.path() / "checkpoint"});
  {
    const at::NoGradGuard no_gradient;
    int spoiled = 0;
    for (const auto& [name, tensor] : trained.experiment->tensors())
      if (name == "model.layer1.0.conv1.input_quantizer.step") {
        tensor.fill_(std::numeric_limits<float>::quiet_NaN());
        ++spoiled;
      }
    REQUIRE(spoiled == 1);
  }
  const auto facts = integer_facts(trained, *trained.outcome.final, folder.path());
  CHECK(facts.at("status") == "none");
  CHECK_THAT(facts.at("reason").get<std::string>(), contains_text("scale is not a finite number"));
}
