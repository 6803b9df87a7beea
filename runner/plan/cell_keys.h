// The keys of a cell's JSON and the members behind them, listed once: what writes a cell, reads it back or takes it
// from a suite walks this list. For .cc files of this room.
//
// visit(key, member) is called for each; the nested objects of a cell have walks of their own. What a member's default
// is, its struct says.
#pragma once

namespace auxbench {

template <typename Stage, typename Visit>
void visit_stage_keys(Stage& stage, Visit&& visit) {
  visit("epochs", stage.epochs);
  visit("iterations", stage.iterations);
  visit("batch", stage.batch);
  visit("optimizer", stage.optimizer);
  visit("lr", stage.lr);
  visit("momentum", stage.momentum);
  visit("nesterov", stage.nesterov);
  visit("weight_decay", stage.weight_decay);
  visit("decay_norms", stage.decay_norms);
  visit("schedule", stage.schedule);
  visit("milestones", stage.milestones);
  visit("gamma", stage.gamma);
  visit("warmup", stage.warmup);
  visit("clip_norm", stage.clip_norm);
  visit("augment", stage.augment);
  visit("evaluate", stage.evaluate);
  visit("reestimate_norms", stage.reestimate_norms);
}

template <typename Calibration, typename Visit>
void visit_calibration_keys(Calibration& calibration, Visit&& visit) {
  visit("images", calibration.images);
  visit("batch", calibration.batch);
  visit("iterations", calibration.iterations);
  visit("reestimate_norms", calibration.reestimate_norms);
  visit("correct_bias", calibration.correct_bias);
}

template <typename Auxi, typename Visit>
void visit_auxi_keys(Auxi& auxi, Visit&& visit) {
  visit("kernel", auxi.kernel);
  visit("tap", auxi.tap);
  visit("place", auxi.place);
  visit("relu", auxi.relu);
  visit("norms", auxi.norms);
  visit("weight", auxi.weight);
  visit("until", auxi.until);
  visit("pretrain", auxi.pretrain);
  visit("where", auxi.where);
  visit("predict", auxi.predict);
  visit("pyramid", auxi.pyramid);
}

template <typename Detector, typename Visit>
void visit_detector_keys(Detector& detector, Visit&& visit) {
  visit("heads", detector.heads);
  visit("quantize", detector.quantize);
  visit("flavour", detector.flavour);
  visit("norm", detector.norm);
  visit("backbone_norm", detector.backbone_norm);
  visit("channels", detector.channels);
  visit("tower", detector.tower);
}

template <typename Cell, typename Visit>
void visit_cell_keys(Cell& cell, Visit&& visit) {
  visit("task", cell.task);
  visit("dataset", cell.dataset);
  visit("train_images", cell.train_images);
  visit("test_images", cell.test_images);
  visit("image_size", cell.image_size);
  visit("model", cell.model);
  visit("skip", cell.skip);
  visit("stem", cell.stem);
  visit("stem_stride", cell.stem_stride);
  visit("width", cell.width);
  visit("block", cell.block);
  visit("zero_init", cell.zero_init);
  visit("bases", cell.bases);
  visit("activation", cell.activation);
  visit("quantizer", cell.quantizer);
  visit("weight_bits", cell.weight_bits);
  visit("activation_bits", cell.activation_bits);
  visit("first_last", cell.first_last);
  visit("quantize_at", cell.quantize_at);
  visit("quantizer_settings", cell.quantizer_settings);
  visit("aid", cell.aid);
  visit("aid_settings", cell.aid_settings);
  visit("weights", cell.weights);
  visit("threads", cell.threads);
  visit("seed", cell.seed);
}

}  // namespace auxbench
