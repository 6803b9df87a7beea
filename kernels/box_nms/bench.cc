// NMS by every kernel and by the reference, in boxes per second on one core: boxes of all sizes on an image of 1333 x
// 800, crowded as a detector's are; one class and 80, all that are kept and the best 100.
#include <benchmark/benchmark.h>

#include <limits>
#include <string>

#include "base/random.h"
#include "kernels/box_nms/kernel.h"
#include "kernels/box_nms/reference.h"

namespace {

using namespace auxbench;
using namespace auxbench::box_nms;

struct Problem {
  std::vector<float> corners, scores;
  std::vector<int32_t> classes;

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

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  constexpr float kThreshold = 0.5F;
  constexpr size_t kAll = std::numeric_limits<size_t>::max();
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
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
