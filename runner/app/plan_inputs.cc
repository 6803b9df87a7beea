#include "runner/app/plan_inputs.h"

#include <string>
#include <utility>

#include "base/files/sha256.h"

namespace auxbench {
namespace {

DataFacts facts_of(const std::string& name, const DatasetRequest& request) {
  if (!dataset_implemented(name)) return {};
  if (!dataset_available(name, request.root)) {
    const auto published = published_size(name);
    return {.implemented = true, .manifest = {}, .train_images = published.train, .test_images = published.test};
  }
  const auto data = dataset_manifest(name, request);
  return {.implemented = true, .manifest = data.digest, .train_images = data.train, .test_images = data.test};
}

}  // namespace

PlanInputs plan_inputs(const DatasetRequest& request, std::vector<PastRun> history) {
  return {.data = [request](const std::string& name) { return facts_of(name, request); },
          .weights_digest = [](const std::string& file) { return sha256_file(file); },
          .history = std::move(history)};
}

}  // namespace auxbench
