// The keys of a cell's JSON and the members behind them, listed once: what writes a cell, reads it back or takes it
// from a suite walks this list. For .cc files of this room.
//
// visit(key, member, presence) is called for each; the nested objects of a cell have walks of their own.
#pragma once

namespace auxbench {

// sometimes: left out of the canonical form where the number does not depend on it.
enum class Presence { always, sometimes };

template <typename Stage, typename Visit>
void visit_stage_keys(Stage& stage, Visit&& visit) {
  visit("epochs", stage.epochs, Presence::always);
  visit("batch", stage.batch, Presence::always);
  visit("optimizer", stage.optimizer, Presence::always);
  visit("lr", stage.lr, Presence::always);
  visit("momentum", stage.momentum, Presence::sometimes);
  visit("nesterov", stage.nesterov, Presence::sometimes);
  visit("weight_decay", stage.weight_decay, Presence::always);
  visit("decay_norms", stage.decay_norms, Presence::always);
  visit("schedule", stage.schedule, Presence::always);
  visit("milestones", stage.milestones, Presence::sometimes);
  visit("gamma", stage.gamma, Presence::sometimes);
  visit("augment", stage.augment, Presence::always);
  visit("evaluate", stage.evaluate, Presence::always);
}

template <typename Calibration, typename Visit>
void visit_calibration_keys(Calibration& calibration, Visit&& visit) {
  visit("images", calibration.images, Presence::always);
  visit("batch", calibration.batch, Presence::always);
  visit("iterations", calibration.iterations, Presence::always);
}

template <typename Auxi, typename Visit>
void visit_auxi_keys(Auxi& auxi, Visit&& visit) {
  visit("kernel", auxi.kernel, Presence::always);
  visit("tap", auxi.tap, Presence::always);
  visit("place", auxi.place, Presence::always);
  visit("relu", auxi.relu, Presence::always);
  visit("norms", auxi.norms, Presence::always);
  visit("weight", auxi.weight, Presence::always);
  visit("pretrain", auxi.pretrain, Presence::always);
}

template <typename Detector, typename Visit>
void visit_detector_keys(Detector& detector, Visit&& visit) {
  visit("heads", detector.heads, Presence::always);
  visit("quantize", detector.quantize, Presence::always);
}

template <typename Cell, typename Visit>
void visit_cell_keys(Cell& cell, Visit&& visit) {
  visit("task", cell.task, Presence::always);
  visit("dataset", cell.dataset, Presence::always);
  visit("train_images", cell.train_images, Presence::always);
  visit("test_images", cell.test_images, Presence::always);
  visit("model", cell.model, Presence::always);
  visit("skip", cell.skip, Presence::always);
  visit("stem", cell.stem, Presence::always);
  visit("stem_stride", cell.stem_stride, Presence::sometimes);
  visit("width", cell.width, Presence::always);
  visit("block", cell.block, Presence::always);
  visit("bases", cell.bases, Presence::sometimes);
  visit("activation", cell.activation, Presence::always);
  visit("quantizer", cell.quantizer, Presence::always);
  visit("weight_bits", cell.weight_bits, Presence::sometimes);
  visit("activation_bits", cell.activation_bits, Presence::sometimes);
  visit("first_last", cell.first_last, Presence::sometimes);
  visit("quantize_at", cell.quantize_at, Presence::sometimes);
  visit("quantizer_settings", cell.quantizer_settings, Presence::sometimes);
  visit("aid", cell.aid, Presence::always);
  visit("aid_settings", cell.aid_settings, Presence::sometimes);
  visit("weights", cell.weights, Presence::sometimes);
  visit("seed", cell.seed, Presence::always);
}

}  // namespace auxbench
