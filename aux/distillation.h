// Distillation from a full-precision network of the same depth ("teacher", p_T) to the network that is trained (p).
// Both put out logits; CE is the task's own loss of them. KL(p || q) = sum p (log p - log q), a mean over the batch;
// temperature 1. Each side's term stops at the other side.
//
//   kd (arXiv 1908.04680v1)          L = CE + beta KL(p || p_T);  the teacher learns CE_T + beta KL(p_T || p); beta 0.5
//   kd-journal (its journal version) L = w CE + beta KL(p_T || p) + gamma attention; teacher CE_T + beta KL(p || p_T);
//                                    w 0.5, beta 0.5, gamma 50
//   fixed-teacher                    kd with a teacher that does not learn
//   apprentice-a, -b, -c (arXiv 1711.05852)  L = b CE + c H(z_T, p), and for -a the teacher learns a CE_T; a = 1,
//                                    b = c = 0.5, H: cross-entropy, z_T: the teacher's probabilities
//   hint (Zhuang et al. 2018)        weight/2 * mean (Q(m_T) - Q(m))^2 over the last one or two blocks' activated maps,
//                                    Q the activations' quantizer
//   attention: mean over stages of mean (a - a_T)^2, a = sum over channels |map|, of length 1 for each image
#pragma once

#include "aux/training_method.h"

namespace auxbench {

struct DistillationOptions {
  std::string kind = "kd";  // a name above
  double beta = 0.5;
  double attention = 0;    // gamma
  double own_weight = 1;   // of the network's own CE
  double hint_weight = 0;  // 0: none
  int64_t hint_blocks = 1;
};

// Takes the teacher, a full-precision network with the same blocks. `activations`: how the student quantizes them, for
// hints: their quantizer is fitted to the first batch, never trained, and stands in the module as "hint_quantizer".
// Its losses are "KIND_loss", "KIND_attention_loss" and "KIND_teacher_loss". Of a detector there are hints alone, from
// its backbone's blocks: UserError for the kinds that compare logits.
std::unique_ptr<TrainingMethod> make_distillation(std::unique_ptr<Network> teacher, const DistillationOptions& options,
                                                  const PrecisionPlan& activations);

}  // namespace auxbench
