#include "datasets/dataset.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "datasets/dataset_facts.h"
#include "datasets/manifest.h"

namespace auxbench {
namespace {

struct Line {
  std::string_view name;
  DatasetFacts facts;
};

const auto& lines() {
#define DATASET(name, facts) Line{name, facts()},
  static const std::array kLines = {
#include "datasets/datasets.inc"
  };
#undef DATASET
  return kLines;
}

const DatasetFacts* find_facts(std::string_view name) {
  const auto found = std::find_if(lines().begin(), lines().end(), [&](const Line& line) { return line.name == name; });
  return found == lines().end() ? nullptr : &found->facts;
}

const DatasetFacts& facts_of(std::string_view name) {
  const auto* facts = find_facts(name);
  AUXBENCH_CHECK(facts != nullptr, "a data set of the table");
  return *facts;
}

const DatasetFacts& implemented(std::string_view name) {
  const auto* facts = find_facts(name);
  if (facts == nullptr || facts->load == nullptr)
    throw UserError(ExitCode::data_missing, "dataset " + std::string(name) + ": this program has no loader for it");
  return *facts;
}

void check_complete(std::string_view name, const DatasetFacts& facts, const std::filesystem::path& folder,
                    const std::string& missing) {
  if (missing.empty()) return;
  refuse_data(folder.string(), "not all of " + std::string(facts.title) + ": " + missing + " (auxbench data verify " +
                                   std::string(name) + ")");
}

}  // namespace

const std::vector<std::string>& dataset_names() {
  static const auto kNames = [] {
    std::vector<std::string> names;
    for (const auto& line : lines()) names.emplace_back(line.name);
    return names;
  }();
  return kNames;
}

std::optional<std::filesystem::path> find_dataset(std::string_view name, const DataRoot& root) {
  return find_place(name, root, facts_of(name).is_here);
}

std::filesystem::path need_dataset(std::string_view name, const DataRoot& root) {
  const auto& facts = facts_of(name);
  return need_place(name, root, facts.is_here, facts.advice);
}

bool dataset_implemented(std::string_view name) {
  const auto* facts = find_facts(name);
  return facts != nullptr && facts->load != nullptr;
}

bool dataset_available(std::string_view name, const DataRoot& root) {
  return dataset_implemented(name) && find_dataset(name, root).has_value();
}

PublishedSize published_size(std::string_view name) { return facts_of(name).published; }

Dataset load_dataset(std::string_view name, const DatasetRequest& request) {
  const auto& facts = implemented(name);
  const auto folder = need_dataset(name, request.root);
  auto data = facts.load(folder, request.threads);
  data.name = name;
  if (request.complete) check_complete(name, facts, folder, data.missing);
  return data;
}

DatasetManifest dataset_manifest(std::string_view name, const DatasetRequest& request) {
  const auto& facts = implemented(name);
  const auto folder = need_dataset(name, request.root);
  auto manifest = kept_manifest(name, folder, facts, request.threads);
  if (request.complete) check_complete(name, facts, folder, manifest.missing);
  return manifest;
}

Inventory take_inventory(const std::string& dataset, const DataRoot& root, int threads, bool pictures) {
  const auto folder = need_dataset(dataset, root);
  auto found = facts_of(dataset).inventory(folder, threads, pictures);
  found.folder = folder;
  return found;
}

}  // namespace auxbench
