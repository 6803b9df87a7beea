#include "runner/plan/aids.h"

namespace auxbench {

const std::vector<Aid>& aids() {
  static const std::vector<Aid> kAids = {
      {"additional-loss", "a classifier behind each block that downsamples"},
      {"apprentice-a", "a teacher trained along, both from scratch", TeacherKind::joint},
      {"apprentice-b", "a trained teacher, the network from scratch", TeacherKind::frozen},
      {"apprentice-c", "a trained teacher, the network from its full-precision weights", TeacherKind::frozen},
      {"auxi", "the full-precision auxiliary module"},
      {"fixed-teacher", "distillation from a frozen teacher", TeacherKind::frozen},
      {"hint", "the last blocks follow the teacher's quantized maps", TeacherKind::frozen},
      {"kd", "joint distillation, as arXiv 1908.04680v1 has it", TeacherKind::joint},
      {"kd-journal", "joint distillation with attention, as the journal version has it", TeacherKind::joint},
      {"progressive", "from the next wider bit-width"},
      {"stochastic-precision", "each block at full precision with a probability that falls to zero"},
      {"two-stage", "weights first, then activations too"},
  };
  return kAids;
}

const Aid* find_aid(const std::string& name) {
  for (const auto& aid : aids())
    if (aid.name == name) return &aid;
  return nullptr;
}

const std::map<std::string, double>& aid_setting_defaults() {
  static const std::map<std::string, double> kDefaults = {
      {"additional-loss.weight", 0.01},
      {"fixed-teacher.beta", 0.5},
      {"hint.blocks", 1},
      {"hint.weight", 0.1},
      {"kd.beta", 0.5},
      {"kd.teacher_lr", 0.2},  // times the network's: 1e-3 beside 5e-3
      {"kd-journal.attention", 50},
      {"kd-journal.beta", 0.5},
      {"kd-journal.own_weight", 0.5},
      {"kd-journal.teacher_lr", 0.2},
      {"stochastic-precision.probability", 0.5},
      {"stochastic-precision.until", 0.5},  // of the training
  };
  return kDefaults;
}

}  // namespace auxbench
