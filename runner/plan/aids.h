// The training methods by name, which suites call aids: the auxiliary module and its rivals, which aux/ computes, with
// the defaults of their settings.
//
// aids.inc is the list itself, one line an aid, for the suite language, the cells and the experiment. Units of settings:
// teacher_lr is a multiple of the network's learning rate, until a part of the training.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace auxbench {

// A full-precision network beside the one that is trained: none; trained before, and then either frozen or trained
// along; or trained along from scratch.
enum class TeacherKind { none, frozen, joint, untrained };

// What the network itself starts from: its full-precision pretraining; nothing; the same cell with float activations;
// the same cell at the next wider bit-width.
enum class AidStart { pretrained, scratch, weights_first, wider };

struct Aid {
  std::string name;
  std::string what;
  TeacherKind teacher = TeacherKind::none;
  AidStart start = AidStart::pretrained;
  bool detects = false;                    // it has a meaning beside a detector, which has no one answer an image
  int epoch = 1;                           // of its code: raised when a change changes numbers
  std::map<std::string, double> settings;  // name to default
};

const std::vector<Aid>& aids();
const Aid* find_aid(const std::string& name);  // nullptr when there is none

// "AID.NAME" to its default.
const std::map<std::string, double>& aid_setting_defaults();

}  // namespace auxbench
