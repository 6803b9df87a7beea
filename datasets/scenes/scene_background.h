// Textured backgrounds of scenes.
#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"

namespace auxbench {

// Value noise over [0, 1): random at the corners of square cells of `cell` pixels, smoothly changing in between.
std::vector<float> value_noise(int64_t width, int64_t height, int64_t cell, RandomStream& stream);

// Red, green, blue from 0 to 255, row by row: two colours that change places at a slanting line like a table's edge.
std::vector<float> draw_background(int64_t width, int64_t height, RandomStream& stream);

}  // namespace auxbench
