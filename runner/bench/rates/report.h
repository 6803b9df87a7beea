// What the program kernels/rates reports: rows, and their JSON. Free of CUDA.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace auxbench::rates {

// The statuses of a row besides "failed: MESSAGE".
inline constexpr const char* kMeasured = "measured";
inline constexpr const char* kAbsent = "not on this device";
inline constexpr const char* kWrong = "wrong result: not a rate";
inline constexpr const char* kSkipped = "not measured: an earlier row broke the CUDA context";

struct Quartiles {
  double q25 = 0, median = 0, q75 = 0;

  static Quartiles of(const std::vector<double>& values);
  [[nodiscard]] Quartiles times(double factor) const { return {q25 * factor, median * factor, q75 * factor}; }
};

struct Row {
  std::string name;
  std::string group;     // "matrix", "vector" or "memory"
  std::string unit;      // what is counted: "instructions", "values", "operations" or "bytes"
  double macs = 0;       // multiply-accumulates of one instruction; 0 outside of "matrix"
  bool is_bf16 = false;  // the fastest of these is 100 %
  std::string note;      // what a reader has to know, mostly empty
  std::string status = kAbsent;
  // Present when status is kMeasured; the clock and what depends on it only where a kernel could read the clock.
  std::optional<Quartiles> milliseconds;  // one repetition
  std::optional<Quartiles> per_second;    // units a second, the whole device
  std::optional<Quartiles> per_cycle;     // units a cycle and multiprocessor
  std::optional<double> clock_mhz;        // of a multiprocessor while this row ran, median
};

struct Device {
  std::string name;
  int major = 0, minor = 0;  // compute capability
  int multiprocessors = 0;
  int highest_clock_mhz = 0;  // what the driver states, not what is held under load
  long long l2_bytes = 0;
  long long memory_bytes = 0;
  int driver_version = 0, runtime_version = 0;  // as CUDA numbers them: 13000 is 13.0
  bool has_wgmma = false;
};

struct Report {
  Device device;
  int repetitions = 0;
  double seconds_per_row = 0;
  std::vector<Row> rows;

  // Every row is measured or not on this device.
  [[nodiscard]] bool is_whole() const;
  // One object, ended by a newline; docs in rates.cu.
  [[nodiscard]] std::string json() const;
};

}  // namespace auxbench::rates
