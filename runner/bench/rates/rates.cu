// rates [--json FILE] [--seconds S]: the instruction rates on which the design of low-bit CUDA kernels hangs, measured.
//
// Rows
//   matrix   wgmma of 64 x 256 x 32 bytes (b1 with and.popc, s8, u8 by s8, e4m3, bf16) with B in shared memory and A
//   there
//            or in registers, where the device has it; mma.sync m16n8 by 32 bytes (b1, s4, s8, bf16)
//   vector   unpacking codes of 4, 2 and 1 bits to bytes in registers; popc; lop3
//   memory   copying 1 GiB, reading what stays in the second-level cache
//
// Method. Every kernel is first run for a few iterations and its whole result compared: matrix kernels with a loop on
// the host over the same operands (integers as they are, floating point on +-1 and +-2, both exactly), unpacking and
// logic with a plain loop on the device, copies word by word, reads by their sum. A row that fails says "wrong result:
// not a rate". Then the same kernel is timed on random data between two CUDA events, on as many blocks as are resident
// at once: warm-up, iterations chosen so that the row takes S seconds (default 0.5), 11 repetitions, median and
// quartiles. Kernels read their multiprocessor's clock and the wall clock themselves; rates a cycle refer to that
// clock, not to the one the driver states.
//
// A sign of health: wgmma of bf16 comes near what the vendor states, 2048 multiply-accumulates a cycle and
// multiprocessor on Hopper. Where it does not, doubt the other rows too.
//
// The JSON (to FILE, or to standard output): device, method, rows; a row has name, group, status ("measured", "not on
// this device", "wrong result: not a rate", "failed: MESSAGE", "not measured: ..."), a note where one is due, and when
// measured
//   milliseconds                  one repetition                                       {q25, median, q75}, as all below
//   clock_mhz                     median; where the row's kernel reads the clock
//   UNIT_per_cycle_per_sm         instructions (of a warp or, wgmma, a warpgroup), values, operations (of one thread)
//   macs_per_cycle_per_sm, tera_operations_per_second, percent_of_bf16 (a number)      matrix; 2 operations a MAC
//   giga_UNIT_per_second          vector
//   gigabytes_per_second          memory
// Percent are of the fastest bf16 row.
//
// Exit codes: 0 all rows are measured or not on this device, 1 some are wrong or failed, 2 usage, 77 no CUDA device.
#include <cuda_runtime.h>

#include <charconv>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "base/files/file.h"
#include "runner/bench/rates/bench.h"
#include "runner/bench/rates/report.h"

namespace {

using namespace auxbench::rates;

constexpr int kFailed = 1, kUsage = 2, kNoDevice = 77;
constexpr const char* kHelp =
    "rates [--json FILE] [--seconds S]\n"
    "Measures instruction rates of CUDA device 0 and writes them as JSON.\n"
    "  --json FILE   where to (default: standard output)\n"
    "  --seconds S   time for each row, above 0 and at most 60 (default: 0.5)\n"
    "Exit codes: 0 measured, 1 a row is wrong or failed, 2 usage, 77 no CUDA device.\n";

struct Options {
  std::string json;
  double seconds = 0.5;
  bool help = false;
};

// Throws with what is wrong.
Options parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view name = arguments[i];
    if (name == "-h" || name == "--help") {
      options.help = true;
      continue;
    }
    if (name != "--json" && name != "--seconds") throw std::runtime_error("unknown argument " + std::string(name));
    if (i + 1 == count) throw std::runtime_error(std::string(name) + " needs a value");
    const std::string_view value = arguments[++i];
    if (name == "--json") {
      options.json = value;
      continue;
    }
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), options.seconds);
    if (error != std::errc{} || end != value.data() + value.size() || !(options.seconds > 0 && options.seconds <= 60))
      throw std::runtime_error("--seconds " + std::string(value) + ": not a number above 0 and at most 60");
  }
  return options;
}

int attribute(cudaDeviceAttr which) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, which, 0), "cudaDeviceGetAttribute");
  return value;
}

// Device 0. Throws when there is none that this program can use.
Device find_device() {
  int count = 0;
  check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  if (count == 0) throw std::runtime_error("there is none");
  check(cudaSetDevice(0), "cudaSetDevice");
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
  Device device;
  device.name = properties.name;
  device.major = properties.major;
  device.minor = properties.minor;
  device.multiprocessors = properties.multiProcessorCount;
  device.highest_clock_mhz = attribute(cudaDevAttrClockRate) / 1000;
  device.l2_bytes = properties.l2CacheSize;
  device.memory_bytes = static_cast<long long>(properties.totalGlobalMem);
  check(cudaDriverGetVersion(&device.driver_version), "cudaDriverGetVersion");
  check(cudaRuntimeGetVersion(&device.runtime_version), "cudaRuntimeGetVersion");
  if (device.major < 8) throw std::runtime_error(device.name + " is older than compute capability 8.0");
  device.has_wgmma = has_wgmma();
  return device;
}

std::vector<Job> all_jobs(const Device& device) {
  std::vector<Job> all;
  for (const auto& jobs : {wgmma_jobs(), mma_jobs(device), vector_jobs(), memory_jobs()})
    all.insert(all.end(), jobs.begin(), jobs.end());
  return all;
}

// One row's failure is not the next one's, unless the context is broken: then nothing more can be measured.
std::vector<Row> measure_all(Bench& bench) {
  std::vector<Row> rows;
  bool alive = true;
  for (const Job& job : all_jobs(bench.device())) {
    Row row = job.row;
    try {
      if (alive)
        job.measure(bench, row);
      else
        row.status = kSkipped;
    } catch (const std::exception& error) {
      row.status = std::string("failed: ") + error.what();
      alive = is_alive();
    }
    std::fprintf(stderr, "rates: %s: %s\n", row.name.c_str(), row.status.c_str());
    rows.push_back(row);
  }
  return rows;
}

int run(const Options& options) {
  Report report;
  try {
    report.device = find_device();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rates: no CUDA device to measure: %s\n", error.what());
    return kNoDevice;
  }
  report.repetitions = Bench::kRepetitions;
  report.seconds_per_row = options.seconds;
  Bench bench(report.device, options.seconds);
  report.rows = measure_all(bench);
  const std::string json = report.json();
  if (options.json.empty())
    std::fputs(json.c_str(), stdout);
  else
    auxbench::write_file_atomically(options.json, json);
  if (report.is_whole()) return 0;
  std::fprintf(stderr, "rates: some rows are wrong or failed: their status says so\n");
  return kFailed;
}

}  // namespace

int main(int count, char** arguments) {
  Options options;
  try {
    options = parse(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rates: %s\n%s", error.what(), kHelp);
    return kUsage;
  }
  if (options.help) {
    std::fputs(kHelp, stdout);
    return 0;
  }
  try {
    return run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rates: %s\n", error.what());
    return kFailed;
  }
}
