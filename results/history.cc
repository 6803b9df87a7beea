#include "results/history.h"

#include "base/error.h"

namespace auxbench {
namespace {

// The number of images a record says, or 0.
int64_t images(const Record& record, const char* fact) {
  const auto found = record.facts.find(fact);
  return found != record.facts.end() && found->second.is_number_integer() ? found->second.get<int64_t>() : 0;
}

}  // namespace

History history_of(const StoredRecords& stored) {
  History history;
  for (const auto& [id, record] : stored.by_id) {
    const auto total = record.seconds.find("total");
    if (record.status != Status::completed || total == record.seconds.end() || images(record, "train_images") == 0)
      continue;
    try {
      history.runs.push_back({.spec = cell_from_json(record.spec, id),
                              .device_class = record.provenance.device.starts_with("cuda") ? "cuda" : "cpu",
                              .train_images = images(record, "train_images"),
                              .test_images = images(record, "test_images"),
                              .seconds = total->second,
                              .threads = record.provenance.threads});
    } catch (const UserError& error) {
      history.warnings.push_back(std::string(error.what()) + ": a record of another version, no help for the price");
    }
  }
  return history;
}

}  // namespace auxbench
