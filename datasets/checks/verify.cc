#include "datasets/checks/verify.h"

#include <atomic>
#include <map>
#include <string_view>

#include "base/error.h"
#include "base/files/file.h"
#include "base/files/sha256.h"
#include "base/parallel.h"
#include "datasets/image/decode.h"
#include "datasets/image/transforms.h"

namespace auxbench {
namespace {

constexpr size_t kTellEvery = 256;

struct Looked {
  std::string digest;  // empty: the file cannot be read
  uint64_t bytes = 0;
  std::string fault;
};

// Without the path that the message begins with.
std::string without_place(const std::string& message, const std::string& place) {
  return message.starts_with(place + ": ") ? message.substr(place.size() + 2) : message;
}

Looked look_at(const std::filesystem::path& path, const PictureFile& file) {
  Looked looked;
  try {
    const auto bytes = read_file(path);
    looked.bytes = bytes.size();
    looked.digest = sha256_hex(bytes);
    const auto raster = decode_image(bytes, path.string());
    if (file.cropped) check_photo_shape(raster.width, raster.height, path.string());
    if (file.width > 0 && (raster.width != file.width || raster.height != file.height))
      looked.fault = "has " + std::to_string(raster.width) + " x " + std::to_string(raster.height) +
                     " pixels, the annotations say " + std::to_string(file.width) + " x " + std::to_string(file.height);
  } catch (const UserError& error) {
    looked.fault = without_place(error.what(), path.string());
  }
  return looked;
}

std::map<std::string_view, std::string_view> digests_by_name(std::string_view manifest, const std::string& place) {
  constexpr size_t kDigest = 64, kName = kDigest + 2;
  std::map<std::string_view, std::string_view> digests;
  for (size_t line = 1; !manifest.empty(); ++line) {
    const auto text = manifest.substr(0, manifest.find('\n'));
    manifest.remove_prefix(std::min(text.size() + 1, manifest.size()));
    if (text.size() <= kName || text.find_first_not_of("0123456789abcdef") != kDigest || text[kDigest] != ' ')
      refuse_data(place + ":" + std::to_string(line), "not a line of sha256sum");
    digests[text.substr(kName)] = text.substr(0, kDigest);
  }
  return digests;
}

}  // namespace

Verification verify_pictures(const std::filesystem::path& folder, const std::vector<PictureFile>& files, int threads,
                             const std::function<void(size_t done)>& tell) {
  std::vector<Looked> looked(files.size());
  std::atomic<size_t> done = 0;
  parallel_for(files.size(), threads, [&](size_t i) {
    looked[i] = look_at(folder / files[i].name, files[i]);
    if (const size_t now = ++done; tell && now % kTellEvery == 0) tell(now);
  });
  Verification result;
  result.files = std::ssize(files);
  for (size_t i = 0; i < files.size(); ++i) {
    result.bytes += looked[i].bytes;
    if (!looked[i].fault.empty()) result.faults.push_back({files[i].name, looked[i].fault});
    if (!looked[i].digest.empty())
      result.manifest.append(looked[i].digest).append("  ").append(files[i].name).append("\n");
  }
  return result;
}

std::vector<FileFault> compare_manifests(const std::string& before, const std::string& now, const std::string& place) {
  const auto old_digests = digests_by_name(before, place), new_digests = digests_by_name(now, "manifest");
  std::map<std::string_view, const char*> changes;
  for (const auto& [name, digest] : old_digests) {
    const auto found = new_digests.find(name);
    if (found == new_digests.end())
      changes[name] = "gone";
    else if (found->second != digest)
      changes[name] = "changed";
  }
  for (const auto& [name, digest] : new_digests)
    if (!old_digests.contains(name)) changes[name] = "new";
  std::vector<FileFault> faults;
  faults.reserve(changes.size());
  for (const auto& [name, what] : changes) faults.push_back({std::string(name), what});
  return faults;
}

}  // namespace auxbench
