#include "datasets/box_grid.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/text.h"
#include "datasets/image/drawing.h"
#include "datasets/image/resize.h"

namespace auxbench {
namespace {

constexpr Colour kPaper = {255, 255, 255}, kInk = {32, 32, 32}, kFaint = {110, 110, 110}, kNothing = {225, 225, 225};
constexpr Colour kTrue = {86, 180, 233}, kFound = {230, 159, 0}, kLetters = {0, 0, 0};
constexpr int64_t kMargin = 12, kBetween = 8, kSmall = kCharacterHeight + 2, kLarge = 2 * kCharacterHeight + 4;
constexpr int64_t kBroad = 4, kNarrow = 2;            // frames
constexpr size_t kFewColumns = 4, kLongestName = 14;  // of a category, in characters
constexpr int64_t kTileOfFew = 280, kTileOfMany = 224;

// At most so many characters, the last of them dots where it is cut.
std::string cut(const std::string& text, size_t most) {
  std::string kept;
  std::string_view rest = text;
  for (size_t characters = 0; !rest.empty(); ++characters) {
    if (characters == most) return kept.substr(0, kept.size() - std::min<size_t>(2, kept.size())) + "..";
    const auto bytes = std::max<size_t>(1, utf8_bytes(rest));
    kept += bytes > 1 ? std::string("?") : std::string(rest.substr(0, 1));
    rest.remove_prefix(bytes);
  }
  return kept;
}

// In double size where it fits, else in single size, cut.
void write_fitting(const std::string& text, int64_t left, int64_t top, int64_t width, Raster& picture) {
  const int64_t scale = text_width(text, 2) <= width ? 2 : 1;
  write_text(cut(text, static_cast<size_t>(width / (kCharacterWidth * scale))), left, top, scale, kInk, picture);
}

// Letters on a ground of their own that lies within the picture where it can.
void write_label(const std::string& text, int64_t left, int64_t top, const Colour& colour, Raster& picture) {
  const Box area = {.left = std::max<int64_t>(0, std::min(left, picture.width - text_width(text, 1) - 1)),
                    .top = std::clamp<int64_t>(top, 0, std::max<int64_t>(0, picture.height - kSmall)),
                    .width = text_width(text, 1) + 1,
                    .height = kSmall - 1};
  fill(area, colour, picture);
  write_text(text, area.left + 1, area.top + 1, 1, kLetters, picture);
}

class Tile {
 public:
  // The picture's longer side becomes `side`.
  Tile(const BoxSamples& samples, const BoxSample& sample, int64_t side) : samples_(samples) {
    const auto& picture = sample.picture;
    factor_ = static_cast<double>(side) / static_cast<double>(std::max(picture.width, picture.height));
    tile_ = resize(picture, scaled(picture.width), scaled(picture.height));
    for (const auto& box : sample.truth) draw_frame(grown(area_of(box), kBroad / 2 - 1), kBroad, kTrue, tile_);
    // The best last, so that it lies above the others.
    for (auto box = sample.found.rbegin(); box != sample.found.rend(); ++box)
      if (box->score >= kLeastShownScore) draw_frame(area_of(*box), kNarrow, kFound, tile_);
    for (const auto& box : sample.truth) {
      const auto area = area_of(box);
      write_label(name_of(box), area.left, area.top + area.height + 1, kTrue, tile_);
    }
    for (auto box = sample.found.rbegin(); box != sample.found.rend(); ++box) {
      if (box->score < kLeastShownScore) continue;
      const auto hundredths = std::min(99L, std::lround(100 * box->score));
      write_label(name_of(*box) + (hundredths < 10 ? " .0" : " .") + std::to_string(hundredths), area_of(*box).left,
                  area_of(*box).top - kSmall, kFound, tile_);
    }
  }

  [[nodiscard]] const Raster& picture() const { return tile_; }

 private:
  [[nodiscard]] int64_t scaled(int64_t length) const {
    return std::max<int64_t>(1, std::lround(factor_ * static_cast<double>(length)));
  }

  // Of a box that may lie anywhere; what lies beyond the picture is as good as at its edge.
  [[nodiscard]] Box area_of(const SampleBox& box) const {
    const auto pixel = [&](float place, int64_t most) {
      return std::lround(std::clamp(factor_ * static_cast<double>(place), -9.0, static_cast<double>(most + 9)));
    };
    const int64_t left = pixel(box.x0, tile_.width), top = pixel(box.y0, tile_.height);
    return {.left = left,
            .top = top,
            .width = std::max<int64_t>(0, pixel(box.x1, tile_.width) - left),
            .height = std::max<int64_t>(0, pixel(box.y1, tile_.height) - top)};
  }

  static Box grown(const Box& area, int64_t by) {
    return {.left = area.left - by, .top = area.top - by, .width = area.width + 2 * by, .height = area.height + 2 * by};
  }

  [[nodiscard]] std::string name_of(const SampleBox& box) const {
    return cut(samples_.categories.at(box.label), kLongestName);
  }

  const BoxSamples& samples_;
  double factor_ = 1;
  Raster tile_;
};

Raster empty_tile(int64_t side) {
  auto tile = ground(side, side / 2, kNothing);
  write_text("not among its samples", kBetween, kBetween, 1, kFaint, tile);
  return tile;
}

// The sample of this image, as a tile.
Raster tile_of(const BoxSamples& samples, int64_t id, int64_t side) {
  const auto found = std::find_if(samples.images.begin(), samples.images.end(),
                                  [id](const BoxSample& image) { return image.id == id; });
  return found == samples.images.end() ? empty_tile(side) : Tile(samples, *found, side).picture();
}

// Which frames are which, from `left` on.
void write_legend(int64_t left, int64_t top, Raster& page) {
  const auto entry = [&](const Colour& colour, int64_t thickness, const std::string& text) {
    draw_frame({.left = left, .top = top, .width = 18, .height = kCharacterHeight}, thickness, colour, page);
    left += 24;
    write_text(text, left, top + 1, 1, kInk, page);
    left += text_width(text, 1) + 18;
  };
  entry(kTrue, kBroad, "true");
  entry(kFound, kNarrow, "found, score " + std::to_string(std::lround(100 * kLeastShownScore)) + " % or more");
}

}  // namespace

Raster draw_box_grid(const std::string& title, std::span<const BoxColumn> columns) {
  AUXBENCH_CHECK(!columns.empty() && !columns.front().samples.images.empty(), "columns with images");
  const int64_t side = columns.size() <= kFewColumns ? kTileOfFew : kTileOfMany;
  const auto& images = columns.front().samples.images;
  const auto lines = std::min<int64_t>(std::ssize(images), std::max<int64_t>(1, kMostTiles / std::ssize(columns)));
  std::vector<std::vector<Raster>> tiles(static_cast<size_t>(lines));
  std::vector<int64_t> highest(tiles.size());
  const int64_t head = kMargin + 2 * kLarge + kSmall + kBetween;
  int64_t height = head;
  for (size_t line = 0; line < tiles.size(); ++line) {
    for (const auto& column : columns) {
      tiles[line].push_back(tile_of(column.samples, images[line].id, side));
      highest[line] = std::max(highest[line], tiles[line].back().height);
    }
    height += kSmall + highest[line] + kBetween;
  }
  const int64_t width = 2 * kMargin + std::ssize(columns) * (side + kBetween) - kBetween;
  auto page = ground(width, height + kMargin - kBetween, kPaper);
  write_fitting(title, kMargin, kMargin, width - 2 * kMargin, page);
  write_legend(kMargin, kMargin + kLarge, page);
  const auto left_of = [&](size_t column) { return kMargin + static_cast<int64_t>(column) * (side + kBetween); };
  for (size_t column = 0; column < columns.size(); ++column)
    write_fitting(columns[column].title, left_of(column), head - kLarge, side, page);
  int64_t top = head;
  for (size_t line = 0; line < tiles.size(); ++line) {
    write_text("image " + std::to_string(images[line].id), kMargin, top, 1, kFaint, page);
    for (size_t column = 0; column < columns.size(); ++column)
      paste(tiles[line][column], left_of(column), top + kSmall, page);
    top += kSmall + highest[line] + kBetween;
  }
  return page;
}

}  // namespace auxbench
