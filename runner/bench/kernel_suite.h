// Suites of kernels ("kind": "kernels"): which layers and networks `auxbench bench` times, at which bits, against whom.
//
//   layers   the vocabulary: convolutions by name
//   sets     names for lists of layers
//   tables   what is measured, and how it is laid out: layers times bits times threads times weights, and networks
//            times bits times threads. A table that is `on_request` is left out unless --only names it or its rows
//
// Whatever has the same layer, threads and weights runs in one race: opponents are measured once for all bits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace auxbench {

// The contestants a suite may set our kernels against, and the order of reports.
inline constexpr const char* kLayerOpponents[] = {"onednn2-fp32", "onednn2-bf16", "onednn2-int8",  "onednn3-fp32",
                                                  "onednn3-bf16", "onednn3-int8", "libtorch-fp32", "libtorch-int8"};

struct ConvLayerSpec {
  std::string name;
  int64_t h = 0, w = 0, c = 0, out = 0;
  int64_t r = 1, stride = 1, pad = 0;  // kernels are square

  bool operator==(const ConvLayerSpec&) const = default;
};

// One of our results.
struct KernelRow {
  std::string name;  // "r18-l1/w1a2/1t/hot", "r18-l1/w1a2/1t/hot/bit-serial", "resnet18/w2a2/1t"
  int weight_bits = 8, activation_bits = 8;
  std::string kernel;  // empty: the plan's choice
};

// What runs interleaved, so that its times can be paired.
struct KernelRace {
  std::string name;                    // "r18-l1/1t/hot", "resnet18/1t"
  std::optional<ConvLayerSpec> layer;  // else a network
  std::string network;
  int64_t image = 0;  // side of the network's images; of a detector's the shorter side, before padding
  int threads = 1;
  bool cold = false;  // weights come from memory each time
  std::vector<KernelRow> rows;
  std::vector<std::string> against;  // of kLayerOpponents
};

struct KernelTableSpec {
  std::string id, title, note;
  bool plot = false;
  std::vector<std::string> rows;  // names
};

struct KernelSuite {
  std::string name, title;
  int repetitions = 15;
  double seconds = 0.005;  // at least, of one repetition of one contestant
  int64_t cold_mib = 64;   // what cold weights fill
  std::vector<KernelRace> races;
  std::vector<KernelTableSpec> tables;
};

struct KernelSuiteRequest {
  std::vector<std::string> kernels;  // names a table may ask for
  std::vector<std::string> only;     // globs over names of rows and ids of tables; none: all tables but on_request
  std::optional<int> threads;        // instead of the tables'
};

// Throws UserError: invalid_suite as "file:line:col: /pointer: what", usage where --only leaves nothing.
KernelSuite load_kernel_suite(const std::filesystem::path& path, const KernelSuiteRequest& request);

}  // namespace auxbench
