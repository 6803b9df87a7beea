// Probes: the numbers a researcher holds against his own code. Files are safetensors; docs/probes.md names the tensors.
//
// The oracle tests call these functions, so that a probe and a test cannot disagree.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/files/safetensors.h"
#include "models/network.h"
#include "quantizers/quantizer.h"
#include "runner/plan/cell_spec.h"

namespace auxbench {

// Throw UserError(usage) naming the flag and what is wrong with what it gives: a shape, rank or type that the network or
// quantizer cannot take, a label out of range, a width or stride that makes no network, memory that is not there.

// in: "input", optionally "grad" of the same shape. Out, in float64: "values", "codes", "offset", "levels" and "scale",
// shaped to multiply the codes, or "basis"; learned parameters and state (docs/probes.md names both), with "grad" also
// "input_grad" and "NAME_grad" for each learned parameter.
SafeTensors probe_quantizer(const std::string& method, Role role, int bits, const QuantizerSettings& settings,
                            const SafeTensors& in);

struct ModelProbe {
  NetworkOptions network;  // classes and input channels are read off the weights
  bool taps = false;
};

// weights: torchvision's names, as import_tensors takes them. in: "input" [N, C, H, W], F32 or F64, whose type is used.
// Out: "logits", with taps also "stem" and "tap.0" ... Evaluation mode.
SafeTensors probe_model(const ModelProbe& probe, const SafeTensors& weights, const SafeTensors& in);

// weights: "model." and "aux." tensors to start from; the network's may also stand without "model.", as import_tensors
// takes them, and what quantizers learn may be missing: it is fitted to the batch. in: "input", "labels" (whole numbers).
// The cell's own loss and optimiser at its starting learning rate, training mode; its data set is not asked for. Out:
// "loss", "logits" and "grad.NAME" of step 1, with H also "aux_loss" and "aux_logits"; "losses" and "totals" (with all
// that the aids add) [steps]; "after.NAME" after the last step.
SafeTensors probe_step(const CellSpec& cell, const SafeTensors& weights, const SafeTensors& in, int steps,
                       bool float64);

}  // namespace auxbench
