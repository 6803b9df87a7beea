#include "runner/bench/rates/bench.h"

#include <cmath>

namespace auxbench::rates {
namespace {

// Shorter launches say more about launching than about the loop.
constexpr double kShortestCalibration = 1e-3;
constexpr int kMostIterations = 1 << 30;

}  // namespace

void Bench::run_once(const std::function<void()>& launch) {
  launch();
  check(cudaGetLastError(), "launch of the check");
  check(cudaDeviceSynchronize(), "run of the check");
}

double Bench::seconds_of(int iterations, const std::function<void(int)>& launch) {
  check(cudaEventRecord(start_), "cudaEventRecord");
  launch(iterations);
  check(cudaGetLastError(), "launch");
  check(cudaEventRecord(end_), "cudaEventRecord");
  check(cudaEventSynchronize(end_), "run");
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, start_, end_), "cudaEventElapsedTime");
  return static_cast<double>(milliseconds) * 1e-3;
}

// The median over the blocks of one launch: a block that waited for the wall clock's next tick does not count.
double Bench::hertz(int blocks) const {
  std::vector<Stamp> stamps(static_cast<size_t>(blocks));
  check(cudaMemcpy(stamps.data(), stamps_.data(), stamps.size() * sizeof(Stamp), cudaMemcpyDeviceToHost), "stamps");
  std::vector<double> clocks;
  for (const Stamp& stamp : stamps)
    if (stamp.nanoseconds > 0)
      clocks.push_back(1e9 * static_cast<double>(stamp.cycles) / static_cast<double>(stamp.nanoseconds));
  if (clocks.empty()) throw std::runtime_error("the device's wall clock does not advance");
  return Quartiles::of(clocks).median;
}

void Bench::time(Row& row, double units, int blocks, const std::function<void(int)>& launch) {
  int iterations = 1;
  seconds_of(iterations, launch);  // loads the kernel
  double seconds = seconds_of(iterations, launch);
  while (seconds < kShortestCalibration && iterations < kMostIterations / 4)
    seconds = seconds_of(iterations *= 4, launch);
  const double wanted = seconds_per_row_ / (kRepetitions + kWarmUps + 1) * iterations / seconds;
  iterations = static_cast<int>(std::clamp(std::round(wanted), 1.0, static_cast<double>(kMostIterations)));
  for (int i = 0; i < kWarmUps; ++i) seconds_of(iterations, launch);

  std::vector<double> milliseconds, per_second, per_cycle, clock_mhz;
  for (int i = 0; i < kRepetitions; ++i) {
    seconds = seconds_of(iterations, launch);
    milliseconds.push_back(1e3 * seconds);
    per_second.push_back(units * iterations / seconds);
    if (blocks == 0) continue;
    const double clock = hertz(blocks);
    clock_mhz.push_back(1e-6 * clock);
    per_cycle.push_back(per_second.back() / (clock * device_.multiprocessors));
  }
  row.milliseconds = Quartiles::of(milliseconds);
  row.per_second = Quartiles::of(per_second);
  if (blocks > 0) {
    row.per_cycle = Quartiles::of(per_cycle);
    row.clock_mhz = Quartiles::of(clock_mhz).median;
  }
  row.status = kMeasured;
}

}  // namespace auxbench::rates
