// What a run stands on, examined: does this machine decode and paint as others do, are data, weights, cache and device
// in order, and how many workers keep the device busy.
#pragma once

#include <filesystem>
#include <functional>
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
  Finding device;           // what the half with LibTorch says of the device, handed on in its place
  std::string device_name;  // "cpu", "cuda:0"
  DataRoot root;
  std::vector<std::filesystem::path> weights;  // files to read
  int64_t images = 16;                         // fingerprinted of each dataset
  // Photographs a second that the device trains ResNet-18 with; asked for last. Empty: neither loading nor training is timed.
  std::function<double()> training_rate;
};

std::vector<Finding> examine(const DoctorOptions& options);

}  // namespace auxbench
