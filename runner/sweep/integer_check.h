// What a trained cell is worth as integers: it is frozen (deploy/freeze.h), kept as a file, and run over the test set
// on the integer engine beside its fake-quant evaluation.
#pragma once

#include <filesystem>

#include "datasets/dataset.h"
#include "results/record.h"
#include "runner/training/evaluator.h"
#include "runner/training/experiment.h"

namespace auxbench {

// Reads the cell's weights from `folder` into a network without the auxiliary module, freezes that, and writes
// kIntegerFile there. Nothing at full precision. What it finds goes into the record:
//
//   facts["integer"]  status   equal: the engine's answers are the evaluation's on every image | differs | none
//                     reason   why none; where and by how much the two part ways
//                     images, differing, the first metric by its name; bytes of the file's numbers, macs, integer_macs;
//                     sha256 of the file; module_free: whether the network with its module frozen gives the same file
//                     (cells with one)
//                     raw_differing: of a detector, of how many images an output of any level is not, bit for bit, what
//                     the network says of it; these differ, though the boxes may be equal
//   seconds           "integer image", "full-precision image": the median time of one image, one thread, on this engine
//                     and in LibTorch at full precision, taken in turns
void check_integers(Experiment& experiment, const Dataset& data, const Evaluation& evaluation,
                    const std::filesystem::path& folder, Record& record);

}  // namespace auxbench
