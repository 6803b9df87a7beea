// The training aids by name: the auxiliary module and its rivals (aux/ computes them), with their settings' defaults.
//
// One list for the suite language, the cells and the experiment.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace auxbench {

// A full-precision network beside the one that is trained.
enum class TeacherKind { none, frozen, joint };

struct Aid {
  std::string name;
  std::string what;
  TeacherKind teacher = TeacherKind::none;
};

const std::vector<Aid>& aids();
const Aid* find_aid(const std::string& name);  // nullptr when there is none

// "AID.NAME" to its default.
const std::map<std::string, double>& aid_setting_defaults();

}  // namespace auxbench
