// One cell: a network, a precision, training methods, data, recipe and seed, every axis in the singular.
//
// Names and numbers only; nothing here knows torch. The JSON form is canonical: it holds what differs from the defaults
// below, so that two cells that train the same thing have the same JSON and therefore the same id, and a key that a later
// version adds renames no cell that does not use it.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace auxbench {

// One stage of training (pretraining or fine-tuning). It is as long as `epochs` or as `iterations` says, never both;
// what is counted along it (milestones, warmup, auxi.until) is counted in the same unit.
struct StageSpec {
  int epochs = 0;
  int iterations = 0;  // batches; 0: epochs count
  int batch = 256;
  std::string optimizer = "sgd";      // sgd | adam
  double lr = 0;                      // at the start
  double momentum = 0.9;              // sgd
  bool nesterov = true;               // sgd
  double weight_decay = 0;            // L2 in the gradient
  bool decay_norms = true;            // also of BN affine parameters and biases
  std::string schedule = "constant";  // constant | step | cosine (per iteration)
  std::vector<double> milestones;     // step: epochs (fractions allowed) or iterations after which lr *= gamma
  double gamma = 0.1;
  double warmup = 0;                 // epochs (fractions allowed) or iterations over which lr rises linearly; 0: none
  double clip_norm = 0;              // bound of the L2 norm of all gradients together; 0: none
  std::vector<std::string> augment;  // of datasets/image/augment.h; in any order
  std::string evaluate = "every";    // every epoch | ends (after the first and the last epoch)
  int reestimate_norms = 0;          // training images that batch norms are re-estimated on before the last evaluation

  [[nodiscard]] bool by_iterations() const { return iterations > 0; }
  // In the unit that milestones, warmup and auxi.until count in.
  [[nodiscard]] int length() const { return by_iterations() ? iterations : epochs; }
  bool operator==(const StageSpec&) const = default;
};

// Post-training quantization: what its ranges, and its rounding where that is learned, are fitted to.
struct CalibrationSpec {
  int images = 1024;  // of the training set, chosen by the seed, never augmented
  int batch = 32;
  int iterations = 20000;     // steps for each layer whose rounding is learned; 0 otherwise
  int reestimate_norms = 0;   // training images that batch norms are re-estimated on; 0: they stay as trained
  bool correct_bias = false;  // each layer's mean is brought back to the full-precision network's
  bool operator==(const CalibrationSpec&) const = default;
};

// The full-precision auxiliary module H (aux/auxiliary_path.h says what each option does).
struct AuxiSpec {
  int kernel = 1;                   // of the adaptors: 1 | 3
  std::string tap = "block";        // block | layer
  std::string place = "after-add";  // after-add | before-add
  bool relu = true;                 // in the aggregation
  std::string norms = "shared";     // shared | separate
  double weight = 1.0;              // of CE(F o H) beside CE(F)
  double until = 0;  // epoch (fractions allowed) or iteration at which the weight, falling linearly, is 0; 0: constant
  bool pretrain = true;  // H is in the full-precision pretraining too; false: it starts fresh in fine-tuning
  // Of a detector alone (docs/detection.md argues the defaults).
  std::string where = "all";       // all | backbone | heads: which modules there are
  std::string predict = "levels";  // levels | last: what the backbone's module predicts
  bool pyramid = false;            // whether the backbone's module taps the pyramid's maps too
  bool operator==(const AuxiSpec&) const = default;
};

// A detector's own axes. Its kind (RetinaNet, FCOS) is the model's; `width` scales the backbone alone.
struct DetectorSpec {
  std::string heads = "shared";         // shared | unshared across pyramid levels; the last layers are always shared
  std::string quantize = "all";         // all | backbone: the pyramid and the heads stay full precision
  std::string flavour = "detectron2";   // detectron2 | torchvision
  std::string norm = "per-level";       // of pyramid and heads: per-level | batch | none | frozen | group
  std::string backbone_norm = "batch";  // batch | frozen
  int channels = 256;                   // of the pyramid and of the heads' towers
  int tower = 4;                        // convolutions in each tower of the heads
  bool operator==(const DetectorSpec&) const = default;
};

struct CellSpec {
  std::string task = "classification";  // classification | detection
  std::string dataset;                  // fashion-mnist | imagenet | cifar10 | cifar100 | coco | scenes | scenes-20k
  int64_t train_images = 0;             // the first N; 0: all
  int64_t test_images = 0;
  // Of a detector: the shorter side in pixels, the longer at most image_size * 1333 / 800; 0: the data set's own.
  int image_size = 0;
  std::string model;               // resnet18 | resnet34 | resnet50 | resnet101 | retinanet-resnet18 ...
  bool skip = true;                // false: the plain network without skip connections
  std::string stem = "imagenet";   // imagenet: 7x7/2 + max-pool 3/2 | small: 3x3, no pool
  int stem_stride = 1;             // of the small stem
  double width = 1.0;              // multiplies the channels of every stage (1.0: 64 128 256 512)
  std::string block = "post-act";  // post-act | pre-act | bireal | group; resolved from the quantizer when not given
  bool zero_init = false;          // the last batch norm of each block starts at scale 0
  int bases = 5;                   // branches of a group network
  std::string activation =
      "relu";  // of full precision: relu | relu6 | hardtanh | tanh; of a quantized cell's pretraining
  std::string quantizer = "none";  // none: full precision
  int weight_bits = 32;            // 1..8; 32: full precision
  int activation_bits = 32;
  std::string first_last = "float";  // float | 8-bit | same
  std::string quantize_at;           // conv-input | block-output; resolved from the quantizer when not given
  std::map<std::string, double> quantizer_settings;  // "weight.NAME", "activation.NAME" (headers of quantizers/)
  std::vector<std::string> aid;                      // sorted; "auxi" is the module, others its rivals
  std::map<std::string, double> aid_settings;        // "AID.NAME" (runner/plan/aids.inc)
  AuxiSpec auxi;                                     // meaningful when has_auxi()
  DetectorSpec detector;                             // meaningful for detection
  std::string weights;                               // file that full precision starts from; empty: initialisation
  std::optional<StageSpec> pretrain;                 // full precision; absent: as it starts
  std::optional<StageSpec> finetune;                 // quantized by training; absent otherwise
  std::optional<CalibrationSpec> calibrate;          // quantized after training; absent otherwise
  int threads = 1;                                   // of a CPU: sums have another order with another number of them
  int64_t seed = 0;

  [[nodiscard]] bool full_precision() const { return quantizer == "none"; }
  // It has a stage of its own: neither calibrated after training nor full precision as a file of weights has it.
  [[nodiscard]] bool trains() const { return full_precision() ? pretrain.has_value() : finetune.has_value(); }
  // There is a full-precision network to start from.
  [[nodiscard]] bool has_start() const { return pretrain.has_value() || !weights.empty(); }
  // Quantized after training: no stage of its own.
  [[nodiscard]] bool post_training() const { return calibrate.has_value(); }
  [[nodiscard]] bool has_aid(const std::string& name) const;
  [[nodiscard]] bool has_auxi() const { return has_aid("auxi"); }
  // One of the aids that need a full-precision teacher beside the network.
  [[nodiscard]] bool has_teacher() const;
  // A setting of one of its aids, "kd.beta", with its default.
  [[nodiscard]] double aid_setting(const std::string& name) const;
  // The stage that a cell which trains has: pretrain at full precision, finetune otherwise.
  [[nodiscard]] const StageSpec& stage() const;
  // The cell whose weights a quantized cell starts from: same network, data, seed and recipe. Usually its
  // full-precision pretraining, with the auxiliary module in it when this cell has it, and with live norms where this
  // cell's are frozen (they are frozen as that left them); with two-stage training the same
  // cell with float activations; with progressive training the next wider one (2 <- 4 <- 8 <- full precision). None for
  // full precision, without pretraining, or where an aid trains from scratch.
  [[nodiscard]] std::optional<CellSpec> parent() const;
  // The full-precision cell, without aids, whose weights its teacher has; none without a teacher or when that is
  // trained from scratch too.
  [[nodiscard]] std::optional<CellSpec> teacher() const;
  bool operator==(const CellSpec&) const = default;
};

// Canonical JSON of all that the number depends on, its parent's stage included: what differs from the defaults.
nlohmann::json cell_to_json(const CellSpec& cell);
// The inverse; a key that is missing has its default. Throws UserError(invalid_suite) starting with `place` for keys and
// words that this version does not know, and for axes that make no sense together.
CellSpec cell_from_json(const nlohmann::json& object, const std::string& place = "cell");

// "resnet18-plain-dorefa-w2a2-auxi-s0": readable, not unique.
std::string cell_slug(const CellSpec& cell);

// What else can change the number.
struct IdentityContext {
  std::string data_manifest;               // SHA-256 over the dataset's files
  std::string weights;                     // SHA-256 of imported initial weights, or empty
  std::string device_class;                // "cpu" | "cuda"
  std::map<std::string, int> code_epochs;  // of the code's parts (code_epochs.h); only those above 1 count
};

// slug + "-" + 12 hex of SHA-256 over the canonical JSON of cell and context.
std::string cell_id(const CellSpec& cell, const IdentityContext& context);

}  // namespace auxbench
