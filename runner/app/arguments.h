// What the verbs that need LibTorch are told, in plain types: these structs cross the border to libauxbench_torch.so
// (torch_verbs.h). The command line fills them in; their defaults are the ones that --help shows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace auxbench {

// What every verb that reads a suite has in common.
struct SuiteArguments {
  std::filesystem::path suite;
  std::string tier;  // empty: the suite's own, else full where its data are found, else embedded
  std::vector<std::string> only, skip, set;
  std::optional<int> seeds;
  std::string device = "cpu";
  std::optional<int> threads;  // the cells' key of that name
  std::optional<int> workers;
  std::string data_root;
  std::filesystem::path out;  // empty: auxbench-results/<suite>-<tier>
  bool json = false;
};

// A worker process of a run (runner/jobs/).
struct WorkerArguments {
  std::filesystem::path out;
  std::string device = "cpu", data_root;
  bool complete_data = false;      // a part of a published data set is refused
  std::optional<int> workers;      // threads that load images
  int processors = 0;              // for what it does beside computing; 0: all
  double checkpoint_minutes = 10;  // between two checkpoints within an epoch
  std::string command;             // that runs the suite
};

struct KernelBenchArguments {
  std::filesystem::path suite;
  std::vector<std::string> only;  // globs over names of rows and tables
  std::optional<int> repetitions, threads;
  std::string onednn3 = "libdnnl.so.3";  // path, or name for the dynamic linker
  bool quick = false;
  std::filesystem::path json, out;
};

struct TrainingBenchArguments {
  std::string model = "resnet18", stem = "imagenet", variant = "fp", device = "cpu", quantizer = "dorefa";
  int stem_stride = 1, image = 224, channels = 3, classes = 1000, batch = 64, steps = 20, threads = 0;
  int bits = 2;
  double width = 1.0;
  std::string flavour = "detectron2", heads = "shared", norm = "batch", backbone_norm = "batch";  // of a detector
  bool json = false;
};

struct ProbeFiles {
  std::filesystem::path weights, aux_weights, input, labels, gradient, out;
};

struct QuantizerProbeArguments {
  std::string name, role = "weight";  // weight | activation
  int bits = 2;
  std::map<std::string, double> settings;
  ProbeFiles files;
};

struct ModelProbeArguments {
  std::string model = "resnet18", stem = "imagenet", activation = "relu", quantize_at = "conv-input";
  std::string quantizer = "none", first_last = "float";
  int64_t stem_stride = 1;
  double width = 1.0;
  int weight_bits = 32, activation_bits = 32;
  bool plain = false;  // without skip connections
  bool taps = false;
  ProbeFiles files;
};

struct DetectorProbeArguments {
  std::string model = "retinanet-resnet50", flavour = "detectron2", heads = "shared", norm = "batch";
  double width = 1.0;
  int tower = 4;
  ProbeFiles files;
};

struct StepProbeArguments {
  SuiteArguments suite;
  std::string cell;
  int steps = 1;
  bool float64 = false;
  ProbeFiles files;
};

}  // namespace auxbench
