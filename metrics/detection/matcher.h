// Which box an anchor is to find.
//
// By overlap (RetinaNet): an anchor belongs to the truth with the largest IoU, of equal ones the first; it is the
// truth's where that IoU is at least `positive`, ignored where it is at least `negative`, background below. Besides,
// every anchor that has a truth's largest IoU over all anchors, ties too, is positive, for the truth that it belongs to
// itself. A truth that overlaps no anchor, having no area say, forces none. (Both flavours would force all anchors there:
// each has the truth's largest IoU, 0.)
//
// By point (FCOS with centre sampling): a location answers for the truths that it lies inside of, whose centre is less
// than `radius` strides away along x and y, and whose farthest side is between 4 and 8 strides away: from 0 on at the
// finest level, without end at the coarsest, borders excluded. Of several it takes the one of the smallest area: the
// largest 1e8 - area in float32, as published, where areas that differ by less than about 8 pixels are equal and the
// first truth wins; one of 1e8 square pixels or more is taken by none.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "metrics/detection/anchors.h"

namespace auxbench {

// In place of a truth's index.
inline constexpr int32_t kBackground = -1, kIgnored = -2;

// levels: all of the pyramid, finest first. One entry an anchor, level by level in the order of LevelAnchors::all().
std::vector<int32_t> match_anchors(const MatchRules& rules, std::span<const LevelAnchors> levels,
                                   std::span<const Corners> truths);

}  // namespace auxbench
