// Small pictures of a data set's evaluation images, in one file for pages that show pictures where the data are not.
//
// A contact sheet: a JPEG of kThumbnailsInARow tiles a row, each an image as it is evaluated (photographs cropped), no
// side above kThumbnailSide, row after row in the order of the images; the rest of the last row is black. Images with
// boxes, which have sizes of their own, stand in the middle of black squares of that side. Of images that
// stand by class one in every so many is shown, else the first ones (part_of, image_source.h). What a reader needs to cut
// it stands in the file's one comment, on one line:
//
//   auxbench thumbnails: COUNT of IMAGES, WIDTH x HEIGHT pixels, 32 a row
//
// A sheet takes kThumbnailBytes at most: quality is lowered first, from 80 over 65 to 50, then the number of images, from
// 1,024 by halves. Equal images give equal bytes with one version of libjpeg-turbo.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "datasets/dataset.h"
#include "datasets/image/raster.h"

namespace auxbench {

inline constexpr int64_t kThumbnailSide = 32, kThumbnailsInARow = 32, kMostThumbnails = 1024;
inline constexpr size_t kThumbnailBytes = 300'000;

// threads: that read images. Throws UserError(data_missing) naming an image that cannot be read.
std::string make_thumbnails(const Images& evaluation, int threads);

struct Thumbnails {
  int64_t count = 0, images = 0;  // shown, of so many evaluation images
  int64_t width = 0, height = 0;  // of a tile
  Raster sheet;

  [[nodiscard]] Raster tile(int64_t index) const;  // index below count
};

// Throws UserError(data_missing) "PLACE: WHAT" for bytes that are no such sheet.
Thumbnails read_thumbnails(std::string_view bytes, const std::string& place);

// FOLDER/thumbnails-DATASET.jpg
std::filesystem::path thumbnails_file(const std::filesystem::path& folder, std::string_view dataset);

// Writes that file of the data set's evaluation images unless it is there. Throws as load_dataset and make_thumbnails.
void keep_thumbnails(const std::filesystem::path& folder, std::string_view dataset, const DatasetRequest& request);

}  // namespace auxbench
