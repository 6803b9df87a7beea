#include "datasets/thumbnails.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "base/error.h"
#include "base/files/file.h"
#include "base/parallel.h"
#include "datasets/image/decode.h"
#include "datasets/image/encode.h"
#include "datasets/image/resize.h"

namespace auxbench {
namespace {

constexpr std::array kQualities = {80, 65, 50};
constexpr const char* kLayout = "auxbench thumbnails: %lld of %lld, %lld x %lld pixels, 32 a row";
static_assert(kThumbnailsInARow == 32, "kLayout and the header say so");

// The long side becomes kThumbnailSide; smaller images stay as they are.
Raster shrunk(const Raster& picture) {
  const int64_t longest = std::max(picture.width, picture.height);
  if (longest <= kThumbnailSide) return picture;
  const auto side = [&](int64_t length) { return std::max<int64_t>(1, length * kThumbnailSide / longest); };
  return resize(picture, side(picture.width), side(picture.height));
}

// In the middle of a square of kThumbnailSide, black around it.
Raster on_square(const Raster& tile) {
  Raster square(kThumbnailSide, kThumbnailSide);
  std::fill(square.rgb.begin(), square.rgb.end(), uint8_t{0});
  const int64_t left = (kThumbnailSide - tile.width) / 2, top = (kThumbnailSide - tile.height) / 2;
  for (int64_t y = 0; y < tile.height; ++y)
    std::memcpy(square.row(top + y) + static_cast<size_t>(left) * kColours, tile.row(y),
                static_cast<size_t>(tile.width) * kColours);
  return square;
}

int64_t rows_of(int64_t count) { return (count + kThumbnailsInARow - 1) / kThumbnailsInARow; }

Raster sheet_of(const std::vector<Raster>& tiles) {
  const int64_t width = tiles.front().width, height = tiles.front().height;
  Raster sheet(width * kThumbnailsInARow, height * rows_of(std::ssize(tiles)));
  std::fill(sheet.rgb.begin(), sheet.rgb.end(), uint8_t{0});
  for (size_t i = 0; i < tiles.size(); ++i) {
    AUXBENCH_CHECK(tiles[i].width == width && tiles[i].height == height, "images of one size");
    const auto at = static_cast<int64_t>(i);
    const int64_t left = at % kThumbnailsInARow * width, top = at / kThumbnailsInARow * height;
    for (int64_t y = 0; y < height; ++y)
      std::memcpy(sheet.row(top + y) + static_cast<size_t>(left) * kColours, tiles[i].row(y),
                  static_cast<size_t>(width) * kColours);
  }
  return sheet;
}

// Behind the first segment, which JFIF wants to stand first.
std::string with_comment(const std::string& jpeg, const std::string& comment) {
  const auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<unsigned char>(jpeg[i])); };
  AUXBENCH_CHECK(jpeg.size() > 6, "a JPEG file");
  const size_t end = 4 + (byte(4) << 8) + byte(5);
  const size_t length = comment.size() + 2;
  const std::string head = {'\xff', '\xfe', static_cast<char>(length >> 8), static_cast<char>(length & 0xff)};
  return jpeg.substr(0, end) + head + comment + jpeg.substr(end);
}

std::string layout_text(int64_t count, int64_t images, const Raster& tile) {
  std::array<char, 128> text{};
  std::snprintf(text.data(), text.size(), kLayout, static_cast<long long>(count), static_cast<long long>(images),
                static_cast<long long>(tile.width), static_cast<long long>(tile.height));
  return text.data();
}

std::vector<Raster> tiles_of(const Images& images, int threads) {
  std::vector<Raster> tiles(static_cast<size_t>(images->count()));
  parallel_for(tiles.size(), threads, [&](size_t i) {
    tiles[i] = shrunk(images->picture(i));
    if (images->boxed()) tiles[i] = on_square(tiles[i]);
  });
  return tiles;
}

}  // namespace

std::string make_thumbnails(const Images& evaluation, int threads) {
  AUXBENCH_CHECK(evaluation->count() > 0, "images to show");
  std::string bytes;
  for (int64_t most = std::min(kMostThumbnails, evaluation->count());; most /= 2) {
    const auto tiles = tiles_of(part_of(evaluation, most), threads);
    const auto sheet = sheet_of(tiles);
    const auto layout = layout_text(most, evaluation->count(), tiles.front());
    for (const int quality : kQualities) {
      bytes = with_comment(encode_jpeg(sheet, quality), layout);
      if (bytes.size() <= kThumbnailBytes || most == 1) return bytes;
    }
  }
}

Raster Thumbnails::tile(int64_t index) const {
  AUXBENCH_CHECK(index >= 0 && index < count, "a thumbnail there is");
  const int64_t left = index % kThumbnailsInARow * width, top = index / kThumbnailsInARow * height;
  Raster tile(width, height);
  for (int64_t y = 0; y < height; ++y)
    std::memcpy(tile.row(y), sheet.row(top + y) + static_cast<size_t>(left) * kColours,
                static_cast<size_t>(width) * kColours);
  return tile;
}

Thumbnails read_thumbnails(std::string_view bytes, const std::string& place) {
  const std::string wanted(kLayout, std::strchr(kLayout, '%'));
  const auto at = bytes.substr(0, 1024).find(wanted);
  long long count = 0, images = 0, width = 0, height = 0;
  const std::string text(at == std::string_view::npos ? "" : bytes.substr(at, 128));
  if (std::sscanf(text.c_str(), kLayout, &count, &images, &width, &height) != 4)
    refuse_data(place, "no sheet of thumbnails");
  Thumbnails read = {.count = count, .images = images, .width = width, .height = height, .sheet = {}};
  const auto in_range = [](int64_t value, int64_t most) { return value >= 1 && value <= most; };
  if (!in_range(read.count, kMostThumbnails) || read.images < read.count || !in_range(read.width, kThumbnailSide) ||
      !in_range(read.height, kThumbnailSide))
    refuse_data(place, "no sheet of thumbnails: its comment cannot be");
  read.sheet = decode_image(bytes, place);
  if (read.sheet.width != read.width * kThumbnailsInARow || read.sheet.height != read.height * rows_of(read.count))
    refuse_data(place, "its picture is not of the size that its comment says");
  return read;
}

std::filesystem::path thumbnails_file(const std::filesystem::path& folder, std::string_view dataset) {
  return folder / ("thumbnails-" + std::string(dataset) + ".jpg");
}

void keep_thumbnails(const std::filesystem::path& folder, std::string_view dataset, const DatasetRequest& request) {
  const auto file = thumbnails_file(folder, dataset);
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) return;
  write_file_atomically(file, make_thumbnails(load_dataset(dataset, request).test, request.threads));
}

}  // namespace auxbench
