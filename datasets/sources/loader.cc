#include "datasets/sources/loader.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <limits>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/work_counter.h"
#include "datasets/image/raster.h"

namespace auxbench {
namespace {

// Images a worker takes at a time: few, so that none waits for another at a batch's end.
constexpr size_t kPiece = 4;

}  // namespace

// A batch that is being made.
struct BatchLoader::Task {
  Position position;
  std::vector<uint32_t> indices;
  Batch batch;
  size_t begun = 0, done = 0;  // images
  std::exception_ptr failure;  // the first
};

// The worker threads and the batches they are making, in the order in which they will be asked for.
class BatchLoader::Crew {
 public:
  Crew(const BatchLoader& loader, int workers) : loader_(loader) {
    for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
  }
  ~Crew() {
    const std::scoped_lock lock(guard_);
    stopping_ = true;
    something_to_do_.notify_all();
  }

  [[nodiscard]] size_t waiting() const { return tasks_.size(); }
  [[nodiscard]] bool next_is(const Position& position) const {
    return !tasks_.empty() && tasks_.front()->position == position;
  }
  void forget() {
    const std::scoped_lock lock(guard_);
    tasks_.clear();  // who writes into one of them keeps it until it is written
  }
  void add(std::shared_ptr<Task> task) {
    const std::scoped_lock lock(guard_);
    tasks_.push_back(std::move(task));
    something_to_do_.notify_all();
  }
  // The first of the batches, when it is done.
  std::shared_ptr<Task> finish_first() {
    std::unique_lock lock(guard_);
    const auto first = tasks_.front();
    something_done_.wait(lock, [&] { return first->done == first->indices.size(); });
    tasks_.pop_front();
    return first;
  }

 private:
  struct Piece {
    std::shared_ptr<Task> task;
    size_t begin = 0, end = 0;
  };

  void work() {
    while (auto piece = next_piece()) {
      std::exception_ptr failure;
      try {
        for (size_t i = piece->begin; i < piece->end; ++i) loader_.write_image(*piece->task, i);
      } catch (...) {
        failure = std::current_exception();
      }
      const std::scoped_lock lock(guard_);
      auto& task = *piece->task;
      if (!task.failure) task.failure = std::move(failure);
      task.done += piece->end - piece->begin;
      if (task.done == task.indices.size()) something_done_.notify_all();
    }
  }

  // Waits for one; none when the workers are to end.
  std::optional<Piece> next_piece() {
    std::unique_lock lock(guard_);
    for (;;) {
      if (stopping_) return std::nullopt;
      for (const auto& task : tasks_) {
        if (task->begun == task->indices.size()) continue;
        Piece piece = {.task = task, .begin = task->begun, .end = std::min(task->begun + kPiece, task->indices.size())};
        task->begun = piece.end;
        return piece;
      }
      something_to_do_.wait(lock);
    }
  }

  const BatchLoader& loader_;
  std::mutex guard_;
  std::condition_variable something_to_do_, something_done_;
  std::deque<std::shared_ptr<Task>> tasks_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;  // last: joined before the rest goes
};

Batch batch_on_heap(int64_t images, size_t floats_an_image) {
  struct Memory {
    std::vector<float, UnsetAllocator<float>> images;  // each image writes all of its own
    std::vector<int64_t> labels;
  };
  const auto count = static_cast<size_t>(images);
  auto memory = std::make_shared<Memory>();
  memory->images.resize(count * floats_an_image);
  memory->labels.resize(count);
  return {.images = memory->images, .labels = memory->labels, .owner = memory};
}

BatchLoader::BatchLoader(Images images, const LoaderOptions& options, BatchMaker maker)
    : images_(std::move(images)),
      options_(options),
      augmentation_(parse_augmentation(options.augment)),
      maker_(std::move(maker)) {
  if (options.batch < 1)
    throw UserError(ExitCode::invalid_suite, "batch: " + std::to_string(options.batch) + " images, use 1 or more");
  images_->check_augmentation(augmentation_);
  AUXBENCH_CHECK(images_->count() <= std::numeric_limits<uint32_t>::max(), "fewer than 2^32 images");
  AUXBENCH_CHECK(options.workers >= 0 && options.ahead >= 1, "workers and batches ahead");
  if (options.workers > 0) crew_ = std::make_unique<Crew>(*this, options.workers);
}

BatchLoader::~BatchLoader() = default;

int64_t BatchLoader::batches() const {
  const auto count = images_->count();
  return count / options_.batch + (count % options_.batch != 0 ? 1 : 0);
}

int64_t BatchLoader::batch_size(int64_t batch_index) const {
  AUXBENCH_CHECK(batch_index >= 0 && batch_index < batches(), "a batch of the epoch");
  return std::min(options_.batch, images_->count() - batch_index * options_.batch);
}

std::vector<uint32_t> BatchLoader::indices(int64_t epoch, int64_t batch_index) {
  AUXBENCH_CHECK(epoch >= 0, "an epoch from 0 on");
  const auto size = batch_size(batch_index);
  const auto count = static_cast<uint32_t>(images_->count());
  if (epoch != ordered_epoch_ && options_.shuffle)
    order_ = permutation(count, stream_seed(options_.seed, "shuffle", static_cast<uint64_t>(epoch)));
  if (order_.empty()) {
    order_.resize(count);
    std::iota(order_.begin(), order_.end(), 0U);
  }
  ordered_epoch_ = epoch;
  const auto begin = order_.begin() + batch_index * options_.batch;
  return {begin, begin + size};
}

std::shared_ptr<BatchLoader::Task> BatchLoader::begin_task(const Position& position) {
  auto task = std::make_shared<Task>();
  task->position = position;
  task->indices = indices(position.epoch, position.batch);
  task->batch = maker_(std::ssize(task->indices), images_->shape().size());
  return task;
}

void BatchLoader::write_image(const Task& task, size_t i) const {
  const size_t index = task.indices[i], size = images_->shape().size();
  RandomStream stream(stream_seed(options_.seed, "augment", static_cast<uint64_t>(task.position.epoch), index));
  images_->write(index, augmentation_, stream, options_.channels_last, task.batch.images.subspan(i * size, size));
  task.batch.labels[i] = images_->label(index);
}

// Until `count` batches wait to be taken.
void BatchLoader::make_ahead(size_t count) {
  while (crew_->waiting() < count && (options_.epochs == 0 || next_.epoch < options_.epochs)) {
    crew_->add(begin_task(next_));
    if (++next_.batch == batches()) next_ = {.epoch = next_.epoch + 1, .batch = 0};
  }
}

Batch BatchLoader::take(int64_t epoch, int64_t batch_index) {
  count_work();
  const Position wanted = {.epoch = epoch, .batch = batch_index};
  if (!crew_) {
    const auto task = begin_task(wanted);
    for (size_t i = 0; i < task->indices.size(); ++i) write_image(*task, i);
    return task->batch;
  }
  AUXBENCH_CHECK(epoch >= 0 && (options_.epochs == 0 || epoch < options_.epochs), "an epoch there is");
  if (!crew_->next_is(wanted)) {
    crew_->forget();
    next_ = wanted;
  }
  make_ahead(1 + static_cast<size_t>(options_.ahead));
  const auto task = crew_->finish_first();
  // Taken out, so that the exception ends in the thread that reads it, whenever a worker lets go of the task.
  if (auto failure = std::exchange(task->failure, nullptr)) std::rethrow_exception(std::move(failure));
  return task->batch;
}

}  // namespace auxbench
