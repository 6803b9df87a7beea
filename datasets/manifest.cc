#include "datasets/manifest.h"

#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files/file.h"
#include "base/files/sha256.h"
#include "datasets/file_times.h"

namespace auxbench {
namespace {

using nlohmann::json;
using Path = std::filesystem::path;

// Raised with every change of what a manifest is made of.
constexpr const char* kFormat = "auxbench data manifest 1";

// What was watched, as it is now.
struct Watch {
  std::string state;    // SHA-256 over the lines "BYTES TIME FILE"
  int64_t changed = 0;  // the last of them; a file that is gone has not settled
};

Watch look_at(const std::vector<Path>& files) {
  Sha256 state;
  Watch watch;
  if (files.empty()) watch.changed = nanoseconds_now();
  for (const auto& file : files) {
    struct stat known {};
    const bool there = stat(file.c_str(), &known) == 0;
    const auto changed = there ? changed_at(known) : nanoseconds_now();
    state.add(std::to_string(there ? known.st_size : -1) + " " + std::to_string(changed) + " " + file.string() + "\n");
    watch.changed = std::max(watch.changed, changed);
  }
  watch.state = state.hex();
  return watch;
}

std::optional<DatasetManifest> read_manifest(const Path& file, const std::string& state) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return std::nullopt;
  try {
    const auto kept = json::parse(read_file(file));
    if (kept.at("format") != kFormat || kept.at("files") != state) return std::nullopt;
    return DatasetManifest{.digest = kept.at("digest").get<std::string>(),
                           .train = kept.at("train").get<int64_t>(),
                           .test = kept.at("test").get<int64_t>(),
                           .missing = kept.at("missing").get<std::string>()};
  } catch (const UserError&) {  // an unreadable cache is no cache
  } catch (const json::exception&) {
  }
  return std::nullopt;
}

void keep(const Path& file, const DatasetManifest& manifest, const std::string& state) {
  const json text = {{"format", kFormat},       {"files", state},        {"digest", manifest.digest},
                     {"train", manifest.train}, {"test", manifest.test}, {"missing", manifest.missing}};
  try {
    make_folder(file.parent_path());
    write_file_atomically(file, text.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
  } catch (const UserError&) {  // no room for a cache: the next one reads the files again
  }
}

}  // namespace

std::filesystem::path manifest_file(std::string_view name, const Path& folder) {
  std::error_code error;
  const auto real = std::filesystem::canonical(folder, error);
  const auto place = std::string(name) + "\n" + (error ? folder : real).string();
  return cache_folder() / "data-manifests" / (sha256_hex(place).substr(0, 16) + ".json");
}

DatasetManifest kept_manifest(std::string_view name, const Path& folder, const DatasetFacts& facts, int threads) {
  const auto begin = nanoseconds_now();
  const auto file = manifest_file(name, folder);
  if (auto kept = read_manifest(file, look_at(facts.watched(folder)).state)) return std::move(*kept);
  auto manifest = facts.manifest(folder, threads);
  // All of it quiet since before it was read: as it is now, so it was read.
  if (const auto after = look_at(facts.watched(folder)); is_settled(after.changed, begin))
    keep(file, manifest, after.state);
  return manifest;
}

}  // namespace auxbench
