// Pictures of what detectors find, for the rows of a report's tables: for each row whose columns have detectors a grid of
// some evaluation images (datasets/box_grid.h), a column for each of the table's columns that has a completed run, of
// which the one of the least seed is shown; where all are mistrusted one of these, which the column's title says. A row of
// an epoch of the learning curve has none: samples are of the end.
//
//   DIR/pictures/boxes-HEX.png   HEX: 16 digits of a SHA-256 over the titles, the runs' ids and the digests of their
//                                weights, so that a picture that is there is the one that is wanted
//
// What is drawn is what each cell keeps in its folder (datasets/box_samples.h). No data are needed, and where the cells'
// folders are gone too, pictures that were drawn before are still shown.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "reports/report.h"
#include "results/store.h"

namespace auxbench {

inline constexpr const char* kPicturesFolder = "pictures";  // in a results folder

// Draws the pictures that are not there yet and removes those of runs that are no longer shown. For ReportInput::pictures:
// one for each such row, or why there is none; of rows beyond kMostPanels (reports/detection_model.h) none is drawn.
// Throws UserError where a picture cannot be written.
std::vector<RowPicture> draw_box_pictures(const Plan& plan, const std::map<std::string, Record>& records,
                                          const RecordFolder& folder);

// Makes the samples that a finished cell of the plan has not kept, from its outcomes and the data: of cells that were
// finished before samples were kept, or whose images could not be read then. Returns what hindered it, a line for each
// data set.
std::vector<std::string> complete_box_samples(const Plan& plan, const std::map<std::string, Record>& records,
                                              const RecordFolder& folder, const DatasetRequest& request);

}  // namespace auxbench
