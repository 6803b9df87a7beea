// NMS by every kernel and by the reference, in boxes per second on one core: boxes of all sizes on an image of 1333 x
// 800, crowded as a detector's are; one class and 80, all that are kept and the best 100.
//
//   bench-box-nms [--boxes=FILE] [options of Google Benchmark]
//
// FILE: rows of six float32, x0 y0 x1 y1 score class, for comparisons with others on the same boxes. Then those alone, by
// what the program itself would use: "one class", "by class" and how many boxes each keeps.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <limits>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/files/file.h"
#include "base/random.h"
#include "kernels/box_nms/kernel.h"
#include "kernels/box_nms/reference.h"

namespace {

using namespace auxbench;
using namespace auxbench::box_nms;

struct Problem {
  std::vector<float> corners, scores;
  std::vector<int32_t> classes;

  explicit Problem(const std::string& file) {
    constexpr size_t kNumbers = 6, kRow = kNumbers * sizeof(float);
    const auto bytes = read_file(file);
    if (bytes.empty() || bytes.size() % kRow != 0)
      throw UserError(ExitCode::usage, file + ": expected rows of six float32");
    for (size_t at = 0; at < bytes.size(); at += kRow) {
      float row[kNumbers];
      std::memcpy(row, bytes.data() + at, kRow);
      corners.insert(corners.end(), row, row + 4);
      scores.push_back(row[4]);
      classes.push_back(static_cast<int32_t>(row[5]));
    }
  }

  // `objects` places around which boxes lie.
  Problem(size_t boxes, size_t objects, int32_t labels) {
    RandomStream random(stream_seed(0, "boxes", boxes, objects));
    const auto number = [&](double least, double most) { return least + (most - least) * random.uniform(); };
    struct Object {
      double x, y, w, h;
    };
    std::vector<Object> around;
    for (size_t i = 0; i < objects; ++i)
      around.push_back({number(0, 1333), number(0, 800), number(8, 300), number(8, 300)});
    for (size_t i = 0; i < boxes; ++i) {
      const auto& o = around[random.below(objects)];
      const double x = o.x + o.w * number(-.3, .3), y = o.y + o.h * number(-.3, .3), w = o.w * number(.7, 1.4),
                   h = o.h * number(.7, 1.4);
      for (const double corner : {x - w / 2, y - h / 2, x + w / 2, y + h / 2})
        corners.push_back(static_cast<float>(corner));
      scores.push_back(static_cast<float>(random.uniform()));
      classes.push_back(static_cast<int32_t>(random.below(static_cast<uint64_t>(labels))));
    }
  }

  [[nodiscard]] Boxes boxes() const { return {corners, scores, classes}; }
};

template <typename Run>
void add(const std::string& name, const Problem& problem, const Run& run) {
  benchmark::RegisterBenchmark(name.c_str(), [run, &problem](benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(run(problem.boxes()));
    state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(problem.scores.size()));
  });
}

constexpr float kThreshold = 0.5F;
constexpr size_t kAll = std::numeric_limits<size_t>::max();

// The value of --boxes, taken out of the arguments; empty without.
std::string take_boxes(int& argc, char** argv) {
  constexpr std::string_view kFlag = "--boxes=";
  std::string file;
  int kept = 1;
  for (int i = 1; i < argc; ++i)
    if (std::string_view(argv[i]).starts_with(kFlag))
      file = argv[i] + kFlag.size();
    else
      argv[kept++] = argv[i];
  argc = kept;
  return file;
}

void add_given(const Problem& problem) {
  for (const bool by_class : {false, true})
    benchmark::RegisterBenchmark(by_class ? "by class" : "one class", [by_class, &problem](benchmark::State& state) {
      auto boxes = problem.boxes();
      if (!by_class) boxes.classes = {};
      size_t kept = 0;
      for (auto _ : state) kept = nms(boxes, kThreshold, kAll).size();
      state.counters["kept"] = static_cast<double>(kept);
    });
}

void add_own() {
  static const Problem kOne(10000, 1000, 1), kMany(10000, 1000, 80), kImage(4000, 60, 80);
  struct Case {
    const char* name;
    const Problem& problem;
    size_t most;
  };
  for (const auto& [name, problem, most] : {Case{"10000 of one class", kOne, kAll}, Case{"10000 of 80", kMany, kAll},
                                            Case{"4000 of 80, the best 100", kImage, 100}}) {
    for (const auto* kernel : all_kernels())
      if (kernel->runs_on(this_isa()))
        add(std::string(name) + "/" + kernel->name, problem,
            [kernel, most = most](const Boxes& boxes) { return nms_with(*kernel, boxes, kThreshold, most); });
    add(std::string(name) + "/reference", problem,
        [most = most](const Boxes& boxes) { return reference(boxes, kThreshold, most); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto file = take_boxes(argc, argv);
    benchmark::Initialize(&argc, argv);
    if (file.empty()) {
      add_own();
    } else {
      static const Problem kGiven(file);
      add_given(kGiven);
    }
    benchmark::RunSpecifiedBenchmarks();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench-box-nms: %s\n", error.what());
    return static_cast<int>(ExitCode::usage);
  }
}
