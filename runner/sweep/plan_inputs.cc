#include "runner/sweep/plan_inputs.h"

#include <string>
#include <utility>

#include "base/files/sha256.h"
#include "runner/sweep/loaded_data.h"

namespace auxbench {
namespace {

DataFacts facts_of(const std::string& name, const DatasetRequest& request) {
  if (!dataset_implemented(name)) return {};
  if (!dataset_available(name, request.root)) {
    const auto published = published_size(name);
    return {.implemented = true, .manifest = {}, .train_images = published.train, .test_images = published.test};
  }
  const auto& data = loaded_dataset(name, request);
  return {.implemented = true,
          .manifest = data.manifest,
          .train_images = data.train->count(),
          .test_images = data.test->count()};
}

}  // namespace

PlanInputs plan_inputs(const DatasetRequest& request, std::vector<PastRun> history) {
  return {.data = [request](const std::string& name) { return facts_of(name, request); },
          .weights_digest = [](const std::string& file) { return sha256_file(file); },
          .history = std::move(history)};
}

}  // namespace auxbench
