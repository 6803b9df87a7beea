// What a run stands on, examined: does this machine decode and paint as others do, are data, weights, cache and device
// in order, and how many workers keep the device busy.
#pragma once

#include <c10/core/Device.h>

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/places.h"

namespace auxbench {

enum class Health { good, note, bad };  // note: nothing is wrong, but something is not there

struct Finding {
  std::string subject;  // "decoder", "resize", "photographs", "garments", "scenes", "data", "cache", "device", ...
  Health health = Health::good;
  std::string text;
};

struct DoctorOptions {
  c10::Device device{c10::kCPU};
  DataRoot root;
  std::vector<std::filesystem::path> weights;  // files to read
  int64_t images = 16;                         // fingerprinted of each dataset
  bool speed = true;                           // also times loading and a training step
};

std::vector<Finding> examine(const DoctorOptions& options);

}  // namespace auxbench
