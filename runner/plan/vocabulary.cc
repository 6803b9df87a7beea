// The list itself. Names that no part of the program knows yet stand here too: a suite may ask for them, and the run
// says that they are not implemented.
#include "models/list/models.h"
#include "quantizers/methods/methods.h"
#include "runner/plan/aids.h"
#include "runner/plan/language.h"

namespace auxbench {
namespace {

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const auto& model : kModels) names.emplace_back(model.name);
  return names;
}

// "none", and every method there is.
std::vector<std::string> quantizer_names() {
  std::vector<std::string> names = {"none"};
  for (const auto& method : quantizer_methods()) names.push_back(method.name);
  return names;
}

std::vector<std::string> aid_names() {
  std::vector<std::string> names;
  for (const auto& aid : aids()) names.push_back(aid.name);
  return names;
}

std::vector<std::string> aid_setting_names() {
  std::vector<std::string> names;
  for (const auto& [name, value] : aid_setting_defaults()) names.push_back(name);
  return names;
}

const std::vector<std::string> kMetrics = {"top1", "top5", "ap",  "ap50", "ap75", "aps",
                                           "apm",  "apl",  "ar1", "ar10", "ar100"};

}  // namespace

const std::vector<LanguageKey>& suite_language() {
  static const std::vector<LanguageKey> kLanguage = {
      {"suite", "$schema", "string", {}},
      {"suite", "name", "string", {}},
      {"suite", "title", "string", {}},
      {"suite", "extends", "any", {}},
      {"suite", "defaults", "cell", {}},
      {"suite", "matrix", "object", {}},
      {"suite", "zip", "object", {}},
      {"suite", "exclude", "object[]", {}},
      {"suite", "include", "cell[]", {}},
      {"suite", "groups", "group[]", {}},
      {"suite", "seeds", "integers", {}},
      {"suite", "tiers", "object", {}},
      {"suite", "default_tier", "string", {}},
      {"suite", "order", "step[]", {}},
      {"suite", "tables", "table[]", {}},
      {"suite", "claims", "claim[]", {}},
      {"group", "name", "string", {}},
      {"group", "set", "cell", {}},
      {"group", "matrix", "object", {}},
      {"group", "zip", "object", {}},
      {"group", "exclude", "object[]", {}},
      {"group", "include", "cell[]", {}},
      {"cell", "task", "string", {"classification", "detection"}},
      {"cell",
       "dataset",
       "string",
       {"fashion-mnist", "imagenet", "cifar10", "cifar100", "coco", "scenes", "scenes-20k"}},
      {"cell", "train_images", "integer", {}, 0},
      {"cell", "test_images", "integer", {}, 0},
      {"cell", "image_size", "integer", {}, 0, 4096},
      {"cell", "model", "string", model_names()},
      {"cell", "skip", "boolean", {}},
      {"cell", "stem", "string", {"imagenet", "small"}},
      {"cell", "stem_stride", "integer", {}, 1, 1024},
      {"cell", "width", "number", {}, 0.01, 1024},
      {"cell", "block", "string", {"post-act", "pre-act", "bireal", "group"}},
      {"cell", "zero_init", "boolean", {}},
      {"cell", "bases", "integer", {}, 1, 1024},
      {"cell", "activation", "string", {"relu", "relu6", "hardtanh", "tanh"}},
      {"cell", "quantizer", "string", quantizer_names()},
      {"cell", "weight_bits", "integer", {}, 1},
      {"cell", "activation_bits", "integer", {}, 1},
      {"cell", "first_last", "string", {"float", "8-bit", "same"}},
      {"cell", "quantize_at", "string", {"conv-input", "block-output"}},
      {"cell", "quantizer_settings", "quantizer settings", {}},
      {"cell", "aid", "strings", aid_names()},
      {"cell", "aid_settings", "settings", aid_setting_names()},
      {"cell", "weights", "string", {}},
      {"cell", "threads", "integer", {}, 1},
      {"cell", "auxi", "auxi", {}},
      {"cell", "detector", "detector", {}},
      {"cell", "pretrain", "stage", {}},
      {"cell", "finetune", "stage", {}},
      {"cell", "calibrate", "calibration", {}},
      {"calibration", "images", "integer", {}, 1},
      {"calibration", "batch", "integer", {}, 1},
      {"calibration", "iterations", "integer", {}, 0},
      {"calibration", "reestimate_norms", "integer", {}, 0},
      {"calibration", "correct_bias", "boolean", {}},
      {"stage", "epochs", "integer", {}, 1},
      {"stage", "iterations", "integer", {}, 1},
      {"stage", "batch", "integer", {}, 1},
      {"stage", "optimizer", "string", {"sgd", "adam"}},
      {"stage", "lr", "number", {}, 1e-12},
      {"stage", "momentum", "number", {}, 0},
      {"stage", "nesterov", "boolean", {}},
      {"stage", "weight_decay", "number", {}, 0},
      {"stage", "decay_norms", "boolean", {}},
      {"stage", "schedule", "string", {"constant", "step", "cosine"}},
      {"stage", "milestones", "numbers", {}, 0},
      {"stage", "gamma", "number", {}, 0},
      {"stage", "warmup", "number", {}, 0},
      {"stage", "clip_norm", "number", {}, 0},
      {"stage", "augment", "strings", {"random-resized-crop", "pad-crop", "square-crop", "flip", "short-side"}},
      {"stage", "evaluate", "string", {"every", "ends"}},
      {"stage", "reestimate_norms", "integer", {}, 0},
      {"auxi", "kernel", "integer", {}, 1},
      {"auxi", "tap", "string", {"block", "layer"}},
      {"auxi", "place", "string", {"after-add", "before-add"}},
      {"auxi", "relu", "boolean", {}},
      {"auxi", "norms", "string", {"shared", "separate"}},
      {"auxi", "weight", "number", {}, 0},
      {"auxi", "until", "number", {}, 0},
      {"auxi", "pretrain", "boolean", {}},
      {"auxi", "where", "string", {"all", "backbone", "heads"}},
      {"auxi", "predict", "string", {"levels", "last"}},
      {"auxi", "pyramid", "boolean", {}},
      {"detector", "heads", "string", {"shared", "unshared"}},
      {"detector", "quantize", "string", {"all", "backbone"}},
      {"detector", "flavour", "string", {"detectron2", "torchvision"}},
      {"detector", "norm", "string", {"per-level", "batch", "none", "frozen", "group"}},
      {"detector", "backbone_norm", "string", {"batch", "frozen"}},
      {"detector", "channels", "integer", {}, 1, 4096},
      {"detector", "tower", "integer", {}, 1, 16},
      {"step", "tables", "strings", {}},
      {"step", "claims", "boolean", {}},
      {"step", "where", "object", {}},
      {"step", "seeds", "integers", {}},
      {"tier", "extends", "string", {}},
      {"tier", "title", "string", {}},
      {"tier", "proxy", "boolean", {}},
      {"tier", "proxy_reason", "string", {}},
      {"tier", "set", "cell", {}},
      {"tier", "seeds", "integers", {}},
      {"tier", "rules", "rule[]", {}},
      {"tier", "only", "object[]", {}},
      {"rule", "where", "object", {}},
      {"rule", "set", "cell", {}},
      {"rule", "seeds", "integers", {}},
      {"table", "id", "string", {}},
      {"table", "title", "string", {}},
      {"table", "source", "string", {}},
      {"table", "note", "string", {}},
      {"table", "metrics", "strings", kMetrics},
      {"table", "where", "object", {}},
      {"table", "columns", "column[]", {}},
      {"table", "rows", "row[]", {}},
      {"column", "id", "string", {}},
      {"column", "title", "string", {}},
      {"column", "role", "string", {"full-precision", "baseline", "aid", "other"}},
      {"column", "where", "object", {}},
      {"row", "title", "string", {}},
      {"row", "epoch", "integer", {}, 1},
      {"row", "where", "object", {}},
      {"row", "reported", "object", {}},
      {"claim", "text", "string", {}},
      {"claim", "table", "string", {}},
      {"claim", "row", "string", {}},
      {"claim", "column", "string", {}},
      {"claim", "against", "string", {}},
      {"claim", "margin", "number", {}, 0, 100},
  };
  return kLanguage;
}

}  // namespace auxbench
