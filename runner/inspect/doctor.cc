#include "runner/inspect/doctor.h"

#include <dlfcn.h>
#include <spng.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/error.h"
#include "base/files/file.h"
#include "base/files/sha256.h"
#include "base/files/torch_file.h"
#include "base/format.h"
#include "base/parallel.h"
#include "base/stopwatch.h"
#include "datasets/checks/inventory.h"
#include "datasets/checks/shipped_photographs.h"
#include "datasets/dataset.h"
#include "datasets/image/encode.h"
#include "datasets/image/jpeg_decoder.h"
#include "datasets/image/resize_passes.h"
#include "datasets/image/transforms.h"
#include "datasets/scenes/scene.h"
#include "datasets/sources/fashion_mnist.h"
#include "datasets/sources/memory_images.h"

namespace auxbench {
namespace {

// Of the first test images, normalised, and of the first scenes of seed 0 from the training images.
constexpr int64_t kGarments = 16, kScenes = 4;
constexpr const char* kGarmentsFingerprint = "4678e0f3e5d962e64352dd3a805bcc783f2c32b8c640b7f27dba5cda3cad9ba5";
constexpr const char* kScenesFingerprint = "769326fb2fd81fc65b827345cb0cee79460cdfd57e1a54ebba091cd4621e4c6e";

constexpr uintmax_t kLittleRoom = uintmax_t{1} << 30;  // bytes

Finding compared(const std::string& subject, const std::string& what, const std::string& found,
                 const std::string& shipped) {
  if (found == shipped) return {subject, Health::good, what + ": as shipped"};
  return {subject, Health::bad, what + ": SHA-256 " + found + ", shipped was " + shipped};
}

// The file behind a function of a library: its name carries the version.
std::string library_of(const void* function) {
  Dl_info info{};
  if (dladdr(function, &info) == 0 || info.dli_fname == nullptr) return "unknown";
  std::error_code ignored;
  const auto real = std::filesystem::canonical(info.dli_fname, ignored);
  return ignored ? info.dli_fname : real.filename().string();
}

Finding examine_decoder() {
  return {"decoder", Health::good,
          "libjpeg-turbo (" + library_of(jpeg_library()) + "), exact integer DCT, fancy upsampling; libspng " +
              spng_version_string()};
}

Finding examine_resize() {
  return {"resize", Health::good,
          std::string("Pillow's bilinear (up to 12), ") + (avx2_passes() != nullptr ? "AVX2" : "plain") + " passes"};
}

Finding examine_photographs() {
  std::string wrong;
  for (const auto& photograph : shipped_photographs()) {
    const std::string name(photograph.name);
    if (photograph_fingerprint(bytes_of_hex(photograph.hex), name) != photograph.fingerprint)
      wrong += (wrong.empty() ? "" : ", ") + name;
  }
  const auto count = std::to_string(shipped_photographs().size()) + " shipped photographs";
  if (wrong.empty()) return {"photographs", Health::good, count + ": to the bit what Pillow makes of them"};
  return {"photographs", Health::bad, "not what Pillow makes of them: " + wrong};
}

std::string fingerprint_of(const Images& images, int64_t count) {
  std::string bytes;
  std::vector<float> pixels(images->shape().size());
  RandomStream no_chance(0);
  for (size_t i = 0; i < static_cast<size_t>(std::min(count, images->count())); ++i) {
    images->write(i, {}, no_chance, false, pixels);
    bytes.append(reinterpret_cast<const char*>(pixels.data()), pixels.size() * sizeof(float));
  }
  return sha256_hex(bytes);
}

std::string scenes_fingerprint(const ImageSet& garments) {
  std::string bytes;
  for (uint64_t i = 0; i < kScenes; ++i) {
    RandomStream stream(stream_seed(0, "scene", i));
    const auto scene = paint_scene(garments, kDetectionStyle, stream);
    bytes += encode_jpeg(scene.picture, 90);
  }
  return sha256_hex(bytes);
}

// They are read once, for the speed too; null where they cannot be.
std::unique_ptr<IdxFolder> examine_garments(const DoctorOptions& options, std::vector<Finding>& findings) {
  try {
    auto garments = std::make_unique<IdxFolder>(load_fashion_mnist(options.root));
    const auto test = memory_images(std::move(garments->test), kFashionMnistMean, kFashionMnistStd);
    findings.push_back(compared("garments", "the first " + std::to_string(kGarments) + " test images of Fashion-MNIST",
                                fingerprint_of(test, kGarments), kGarmentsFingerprint));
    findings.push_back(compared("scenes", "the first " + std::to_string(kScenes) + " scenes of seed 0",
                                scenes_fingerprint(garments->train), kScenesFingerprint));
    return garments;
  } catch (const UserError& error) {
    findings.push_back({"garments", Health::bad, error.what()});
    return nullptr;
  }
}

// Nobody ships vectors of ImageNet: two machines can compare what they print.
void examine_imagenet(const DoctorOptions& options, std::vector<Finding>& findings) {
  if (!dataset_available("imagenet", options.root)) return;
  try {
    const auto data = load_dataset("imagenet", {.root = options.root, .threads = available_threads()});
    findings.push_back({"imagenet", Health::note,
                        "the first " + std::to_string(std::min(options.images, data.test->count())) +
                            " validation tensors: SHA-256 " + fingerprint_of(data.test, options.images)});
  } catch (const UserError& error) {
    findings.push_back({"imagenet", Health::bad, error.what()});
  }
}

void examine_data(const DoctorOptions& options, std::vector<Finding>& findings) {
  for (const auto& name : dataset_names()) {
    try {
      const auto found = take_inventory(name, options.root, available_threads());
      const auto text = name + " in " + found.folder.string() + ": " + found.content;
      findings.push_back({"data", found.missing.empty() ? Health::good : Health::note,
                          text + (found.missing.empty() ? "" : "; tier full refuses it: " + found.missing)});
    } catch (const UserError& error) {
      findings.push_back({"data", Health::note, error.what()});
    }
  }
}

Finding examine_weights(const std::filesystem::path& file) {
  try {
    const auto count = read_weights(file).tensors.size();
    return {"weights", Health::good,
            file.string() + ": " + std::to_string(count) + " tensors, SHA-256 " + sha256_file(file)};
  } catch (const UserError& error) {
    return {"weights", Health::bad, error.what()};
  }
}

Finding examine_cache() {
  const auto folder = cache_folder();
  try {
    make_folder(folder);
    const auto probe = folder / "doctor";
    write_file_atomically(probe, "can be written\n");
    std::filesystem::remove(probe);
  } catch (const UserError& error) {
    return {"cache", Health::bad, error.what()};
  }
  std::error_code error;
  const auto room = std::filesystem::space(folder, error).available;
  const auto text =
      folder.string() + ": can be written, " + with_commas(static_cast<int64_t>(room >> 20)) + " MiB free";
  return {"cache", error || room > kLittleRoom ? Health::good : Health::note, text};
}

// Photographs a second from JPEG to batch, on one thread.
double loading_rate(const ImageSet& garments) {
  constexpr uint64_t kPictures = 8;
  constexpr double kSeconds = 0.5;
  std::vector<std::string> files;
  for (uint64_t i = 0; i < kPictures; ++i) {
    RandomStream stream(stream_seed(0, "photograph", i));
    files.push_back(encode_jpeg(paint_scene(garments, kPhotographStyle, stream).picture, 90));
  }
  std::vector<float> pixels(3 * kPhotoSide * kPhotoSide);
  const Stopwatch watch;
  uint64_t made = 0;
  for (; watch.seconds() < kSeconds; ++made) {
    RandomStream stream(made);
    const auto& file = files[made % kPictures];
    const Augmentation augmentation = {.random_resized_crop = true, .flip = true};
    write_normalised(see_photo(file, "a generated photograph", augmentation, stream), pixels);
  }
  return static_cast<double>(made) / watch.seconds();
}

Finding examine_speed(const DoctorOptions& options, const ImageSet& garments) {
  const auto rounded = [](double rate) { return std::to_string(static_cast<int64_t>(std::lround(rate))); };
  const double loaded = loading_rate(garments), trained = options.training_rate();
  const auto workers = static_cast<int64_t>(std::ceil(trained / loaded));
  const auto threads = available_threads();
  return {"speed", workers <= threads ? Health::good : Health::note,
          "a worker makes " + rounded(loaded) + " photographs of 500 x 375 a second ready, " + options.device_name +
              " trains ResNet-18 with " + rounded(trained) + ": " + std::to_string(workers) +
              " keep it busy, this process has " + std::to_string(threads)};
}

}  // namespace

std::vector<Finding> examine(const DoctorOptions& options) {
  std::vector<Finding> findings = {examine_decoder(), examine_resize(), examine_photographs()};
  const auto garments = examine_garments(options, findings);
  examine_imagenet(options, findings);
  examine_data(options, findings);
  for (const auto& file : options.weights) findings.push_back(examine_weights(file));
  findings.push_back(examine_cache());
  findings.push_back(options.device);
  if (options.training_rate && garments) findings.push_back(examine_speed(options, garments->train));
  return findings;
}

}  // namespace auxbench
