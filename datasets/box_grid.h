// Samples of boxes (box_samples.h) of several detectors as one picture: a line an image, a column a detector, true boxes
// as broad frames with their names below, found ones as narrow frames with name and score above. Colours stay apart for
// colour-blind eyes (Okabe, Ito).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "datasets/box_samples.h"
#include "datasets/image/raster.h"

namespace auxbench {

// Boxes of a lower score are not drawn: a detector keeps a hundred an image, most of them next to nothing.
inline constexpr float kLeastShownScore = 0.3F;
// A picture of many columns has fewer lines: so many tiles in all, but a line at least.
inline constexpr int64_t kMostTiles = 28;

struct BoxColumn {
  std::string title;
  BoxSamples samples;
};

// The images are the first column's; where another has none of that id its tile says so. `title` is one line, cut where it
// is too long, as the columns' titles are. Columns are not empty.
Raster draw_box_grid(const std::string& title, std::span<const BoxColumn> columns);

}  // namespace auxbench
