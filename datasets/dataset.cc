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

// Of the places, the first that has its files.
std::optional<std::filesystem::path> find_given(std::string_view name, const DataRoot& root) {
  return find_place(name, root, facts_of(name).is_here);
}

bool can_make(const DatasetFacts& facts, const DataRoot& root) { return facts.made && facts.made->possible(root); }

void check_image_size(std::string_view name, const DatasetFacts& facts, int64_t size) {
  if (size == 0) return;
  const auto refuse = [size](const std::string& why) {
    throw UserError(ExitCode::invalid_suite, "image_size: " + std::to_string(size) + ", " + why);
  };
  if (facts.image_size == 0) refuse("but the images of " + std::string(name) + " have one size");
  if (size < 1 || size > kLargestImageSize)
    refuse("1 to " + std::to_string(kLargestImageSize) + " pixels are possible");
}

Dataset load_made(const DatasetFacts& facts, const DatasetRequest& request) {
  facts.made->make(request);
  auto data = facts.load(facts.made->folder(), request);
  facts.made->check(data.manifest);
  data.manifest = facts.made->manifest().digest;
  return data;
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
  if (auto given = find_given(name, root)) return given;
  const auto& facts = facts_of(name);
  if (!facts.made || !facts.is_here(facts.made->folder())) return std::nullopt;
  return facts.made->folder();
}

std::filesystem::path need_dataset(std::string_view name, const DataRoot& root) {
  if (auto found = find_dataset(name, root)) return std::move(*found);
  refuse_unfound(name, root, facts_of(name).advice());
}

bool dataset_implemented(std::string_view name) {
  const auto* facts = find_facts(name);
  return facts != nullptr && facts->load != nullptr;
}

bool dataset_boxed(std::string_view name) {
  const auto* facts = find_facts(name);
  return facts != nullptr && facts->image_size > 0;
}

bool dataset_available(std::string_view name, const DataRoot& root) {
  return dataset_implemented(name) && (find_dataset(name, root).has_value() || can_make(facts_of(name), root));
}

PublishedSize published_size(std::string_view name) { return facts_of(name).published; }

Dataset load_dataset(std::string_view name, const DatasetRequest& request) {
  const auto& facts = implemented(name);
  check_image_size(name, facts, request.image_size);
  const auto given = find_given(name, request.root);
  auto data = !given && can_make(facts, request.root) ? load_made(facts, request)
                                                      : facts.load(need_dataset(name, request.root), request);
  data.name = name;
  if (request.complete) check_complete(name, facts, given.value_or(""), data.missing);
  return data;
}

DatasetManifest dataset_manifest(std::string_view name, const DatasetRequest& request) {
  const auto& facts = implemented(name);
  if (!find_given(name, request.root) && can_make(facts, request.root)) return facts.made->manifest();
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
