// Some evaluation images with their true boxes and the ones that a detector found in them: what a page needs to show them
// where neither the data nor the detector are.
//
// kMostSamples images, evenly spread over the evaluation's, each as it is evaluated (ImageSource::picture), its longer
// side at most kSampleSide pixels, with boxes in pixels of that picture. Crowds are left out of the true ones.
//
// The file is one of safetensors, whole pictures in it as PNG:
//
//   ids         I64 [n]      the images' ids in the data set's annotations
//   picture.I   U8 [bytes]   of image I, a PNG
//   truth.I     F32 [k, 6]   a box a row: label, score (1), x0, y0, x1, y1
//   found.I     F32 [k, 6]   likewise, by falling score
//   metadata    categories: a JSON array of names, by label
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/image/raster.h"
#include "datasets/sources/image_source.h"

namespace auxbench {

inline constexpr const char* kBoxSamplesFile = "boxes.safetensors";  // in the folder of a cell
inline constexpr const char* kNoBoxSamples = "no_box_samples";       // fact of a record: why there is no such file

inline constexpr int64_t kMostSamples = 8, kSampleSide = 400;

struct SampleBox {
  size_t label = 0;  // of a category
  float score = 0;   // in [0, 1]
  float x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  bool operator==(const SampleBox&) const = default;
};

struct BoxSample {
  int64_t id = 0;
  Raster picture;
  std::vector<SampleBox> truth, found;
};

struct BoxSamples {
  std::vector<std::string> categories;
  std::vector<BoxSample> images;  // their ids differ
};

// Where the samples stand among so many images: floor(i images / n), n = min(kMostSamples, images).
std::vector<size_t> sample_places(int64_t images);

// `found`: `rows` boxes of each image of the source, in its order: label, score, x0, y0, x1, y1 in the file's pixels; a
// row whose score is below 0 is empty. The source has boxes and an image at least. Throws UserError(data_missing) naming
// an image that cannot be read.
BoxSamples take_box_samples(const ImageSource& images, std::span<const float> found, size_t rows);

// Equal samples give equal bytes, as encode_png does.
std::string dump_box_samples(const BoxSamples& samples);

// Throw UserError(data_missing) "PLACE: WHAT" for bytes that are no such file, and for one beyond kMostSampleBytes.
inline constexpr size_t kMostSampleBytes = size_t{1} << 24;
BoxSamples parse_box_samples(std::string_view bytes, const std::string& place);
BoxSamples read_box_samples(const std::filesystem::path& path);

}  // namespace auxbench
