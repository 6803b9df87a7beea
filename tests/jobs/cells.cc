// The order of cells, what is said about them, and how many are computed at once.
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "runner/jobs/cell_queue.h"
#include "runner/jobs/job_count.h"
#include "runner/jobs/messages.h"
#include "runner/jobs/run_screen.h"
#include "runner/jobs/worker_process.h"
#include "tests/support/catch.h"

using namespace auxbench;
using State = CellQueue::State;

namespace {

PlannedCell cell(const std::string& id, std::vector<std::string> needs = {}, bool selected = true) {
  PlannedCell made = {.spec = {}, .id = id, .needs = std::move(needs), .selected = selected};
  made.spec.dataset = "fashion-mnist";
  made.spec.model = "resnet18";
  made.spec.pretrain = StageSpec{.epochs = 1, .lr = 0.1};
  made.slug = cell_slug(made.spec);
  return made;
}

Plan plan_of(std::vector<PlannedCell> cells) { return {.device_class = "cpu", .cells = std::move(cells)}; }

}  // namespace

TEST_CASE("cells come in the plan's order, each when what it needs is settled", "[jobs]") {
  const auto plan =
      plan_of({cell("a"), cell("b", {"a"}), cell("left out", {}, false), cell("c"), cell("d", {"b", "c"})});
  CellQueue queue(plan);
  REQUIRE(queue.size() == 4);
  CHECK(queue.next() == 0U);
  queue.set(0, State::running);
  CHECK(queue.next() == 2U);  // b waits for a
  queue.set(2, State::elsewhere);
  CHECK_FALSE(queue.next());
  queue.set(0, State::settled);
  CHECK(queue.next() == 1U);
  queue.set(1, State::settled);
  CHECK_FALSE(queue.next());  // d waits for c, which another run has
  queue.set(2, State::waiting);
  CHECK(queue.next() == 2U);  // and has given back
  queue.set(2, State::settled);
  CHECK(queue.next() == 3U);
  queue.set(3, State::settled);
  CHECK(queue.count(State::settled) == 4);
}

TEST_CASE("messages are read back as they were said", "[jobs]") {
  const WorkerMessage step = {.kind = WorkerMessage::Kind::step, .cell = "a", .done = 3, .total = 9, .loss = 0.5};
  const auto back = message_of(line_of(step));
  CHECK(back.kind == step.kind);
  CHECK(back.cell == "a");
  CHECK(back.done == 3);
  CHECK(back.total == 9);
  CHECK(back.loss == 0.5);
  const auto fatal = message_of(line_of(WorkerMessage{.kind = WorkerMessage::Kind::fatal,
                                                      .loss = std::nan(""),
                                                      .code = 2,
                                                      .text = "two\nlines \xff",
                                                      .detail = {{"x", 1}}}));
  CHECK(fatal.code == 2);
  CHECK(fatal.loss == 0);
  CHECK(fatal.text == "two\nlines \xef\xbf\xbd");
  CHECK(fatal.detail.at("x") == 1);
  const auto planned = cell("a", {"b"});
  const auto told = cell_of(line_of(planned));
  CHECK(told.spec == planned.spec);
  CHECK(told.needs == planned.needs);
  for (const char* line : {"", "{", "3", "{\"say\": \"moo\"}", "{\"say\": \"step\", \"done\": \"x\"}"})
    CHECK_THROWS_AS(message_of(line), UserError);
}

TEST_CASE("no line is wider than the terminal, and there are no more than it has", "[jobs]") {
  RunProgress progress = {.settled = 7, .all = 40, .elsewhere = 2, .seconds = 100, .left = 4000};
  for (int i = 0; i < 6; ++i)
    progress.running.push_back({.label = "[12/40] resnet50-dorefa-relu6-official-w2a2-auxi-s" + std::to_string(i),
                                .done = 120,
                                .total = 480,
                                .begun = 100,
                                .loss = 1.2345,
                                .seconds = 10});
  progress.running[1].total = 0;
  for (const size_t width : {1U, 2U, 5U, 20U, 60U, 80U, 200U})
    for (const size_t height : {1U, 3U, 24U}) {
      const auto lines = screen_lines(progress, width, height);
      CHECK(lines.size() == std::min<size_t>(7, height));
      for (const auto& line : lines) CHECK(line.size() <= width);
    }
  const auto wide = screen_lines(progress, 200, 24);
  CHECK(wide[0] ==
        "[12/40] resnet50-dorefa-relu6-official-w2a2-auxi-s0 [######..................] 120/480 loss 1.234, 3 min 00 s "
        "left");
  CHECK(wide[1] == "[12/40] resnet50-dorefa-relu6-official-w2a2-auxi-s1 starting");
  CHECK(wide[6] == "7 of 40 cells, 2 in another run; 1 min 40 s, about 1 h 06 min left");
  CHECK(screen_lines(progress, 200, 3)[2].find("7 of 40 cells, 4 more running") == 0);
}

TEST_CASE("as many jobs as processors and memory allow, one on a GPU, never none", "[jobs]") {
  auto plan = plan_of({cell("a"), cell("b"), cell("c"), cell("d")});
  constexpr int64_t kGiB = int64_t{1} << 30;
  CHECK(count_jobs(plan, {}, {.processors = 2, .memory_bytes = 64 * kGiB}).jobs == 2);
  CHECK(count_jobs(plan, {}, {.processors = 64, .memory_bytes = 640 * kGiB}).jobs == 4);
  CHECK(count_jobs(plan, {}, {.processors = 3}).jobs == 3);
  const auto poor = count_jobs(plan, {}, {.processors = 64, .memory_bytes = kGiB / 10});
  CHECK(poor.jobs == 1);
  CHECK(poor.warning.empty());
  const auto greedy = count_jobs(plan, 4, {.processors = 2, .memory_bytes = kGiB});
  CHECK(greedy.jobs == 4);
  CHECK(greedy.warning.find("--jobs 4: the workers may take about ") == 0);
  CHECK(greedy.warning.find("1.0 GiB are free: some may be killed") != std::string::npos);
  CHECK_THROWS_WITH(count_jobs(plan, 0, {}), "--jobs 0: expected at least 1");
  plan.device_class = "cuda";
  CHECK(count_jobs(plan, {}, {.processors = 16, .memory_bytes = 64 * kGiB}).jobs == 1);
  CHECK(count_jobs(plan, 3, {.processors = 16, .memory_bytes = 64 * kGiB}).jobs == 3);
}

TEST_CASE("how a worker ended is told in words", "[jobs]") {
  CHECK(WorkerEnd{.signal = 9, .peak_bytes = int64_t{3} << 29}.text() ==
        "was killed by signal 9 (out of memory, or by somebody); it had 1.50 GiB of memory at its peak");
  CHECK(WorkerEnd{.exit_code = 3}.text().find("left with exit code 3; ") == 0);
  CHECK(WorkerEnd{.signal = 6}.text().find("died of signal 6 (Aborted); ") == 0);
}
