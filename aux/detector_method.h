// The paper's training method beside a detector (its section 3): one auxiliary path over the backbone's taps, and one of
// its own for each prediction head. The detector's own losses judge what stands on the paths' ends:
//
//   L = L_task(F) + weight * (L_task(H_heads) + L_task(H_backbone))
//
// What the paper leaves open, and what is the default here:
//
//   heads     Of a tower at level l the path's stem is the pyramid's map P_l, its taps are the maps behind the tower's
//             convolutions. Towers that levels share have one module for all levels; a tower of one level has a module
//             of its own. The layers on the ends, one for classes and one for boxes, are shared over the levels in
//             either case, as the detector's last layers are. All of them together say what a detector says, so that
//             its losses need no second form.
//   backbone  `levels`: the path's maps g behind the last blocks of C3, C4, C5 become
//                 m_l = ReLU(BN(conv1x1(g_l)) [+ BN(conv1x1(P_l)) with `pyramid`])       l = 3, 4, 5
//             with as many channels as the pyramid, and one layer a branch, shared over the three levels, predicts from
//             them. `last`: from the end of the path alone, at C5's level.
//             The default is `levels`. Small objects have their anchors at P3 and P4; with `last` the module learns from
//             the large ones alone, and the gradient of the others reaches the early stages through quantizers only,
//             which is what the module is to spare them. It costs about what the detector's last layers cost; `last`
//             costs a twentieth of that. No top-down way joins the levels: a second pyramid would cost what the first
//             does, and what it adds is not the backbone's.
//   pyramid   not tapped: the heads' modules begin at its maps, and so their gradient reaches it without a quantizer
//             between. With `pyramid` the backbone's module reads P3 to P5 too.
//   weight    one for both terms, 1 and constant, as for a classifier.
//
// A shared module meets the levels one after the other, its norms the statistics of each; they are never used in
// evaluation. An output of fewer levels than the network's is judged on these levels' anchors alone.
// Everything here is full precision, and none of it is left at inference.
#pragma once

#include <memory>
#include <optional>

#include "aux/auxiliary_path.h"
#include "aux/training_method.h"

namespace auxbench {

// One of the two layers on the ends of paths: from a map [N, C, H, W] to a part of what a detector says of its level,
// the classes or the boxes with what belongs to them.
class LevelHead {
 public:
  virtual ~LevelHead() = default;
  virtual void predict(const at::Tensor& map, LevelOutput& level) = 0;
  // Under which name its owner registers the module.
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual std::shared_ptr<torch::nn::Module> module() const = 0;
};

struct LevelHeads {
  std::unique_ptr<LevelHead> classes, boxes;
};

// Both, for maps of so many channels; draws their weights from torch's default generator.
using LevelHeadMaker = std::function<LevelHeads(int64_t channels)>;

struct DetectorMethodOptions {
  AuxiliaryOptions path;  // of all paths
  TapPlan taps;           // of the backbone
  bool backbone = true, heads = true;
  bool last_level = false;  // the backbone's module predicts at C5's level alone
  bool pyramid = false;     // the backbone's module reads the pyramid's maps too
  double weight = 1;
  std::optional<double> until = {};  // part of the training's steps, above 0; unset: the weight is constant
};

// Its losses are "aux_loss_heads" and "aux_loss_backbone". Its module holds
//   backbone.stem, .adaptors.N, .boundaries.N (auxiliary_path.h), .laterals.pL, .pyramid.pL, and the layers on the ends
//   heads.classes, heads.boxes: a path, or with unshared heads one a level, .pL; heads.NAME: the layers on the ends
// with L the level. Draws its weights from torch's default generator, the backbone's part first.
// Throws UserError for a network that is no detector, and where the backbone hands out no map behind one of its stages.
std::unique_ptr<TrainingMethod> make_detector_method(const Network& network, const DetectorMethodOptions& options,
                                                     const LevelHeadMaker& make_heads);

}  // namespace auxbench
