#include "runner/plan/aids.h"

namespace auxbench {

const std::vector<Aid>& aids() {
#define SETTINGS(...) \
  { __VA_ARGS__ }
#define AID(name, what, teacher, start, detects, epoch, settings) \
  {name, what, TeacherKind::teacher, AidStart::start, detects, epoch, SETTINGS settings},
  static const std::vector<Aid> kAids = {
#include "runner/plan/aids.inc"
  };
#undef AID
#undef SETTINGS
  return kAids;
}

const Aid* find_aid(const std::string& name) {
  for (const auto& aid : aids())
    if (aid.name == name) return &aid;
  return nullptr;
}

const std::map<std::string, double>& aid_setting_defaults() {
  static const std::map<std::string, double> kDefaults = [] {
    std::map<std::string, double> all;
    for (const auto& aid : aids())
      for (const auto& [name, value] : aid.settings) all[aid.name + "." + name] = value;
    return all;
  }();
  return kDefaults;
}

}  // namespace auxbench
