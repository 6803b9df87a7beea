#include "datasets/sources/loader.h"

#include <algorithm>
#include <array>
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
#include "metrics/coco_eval.h"

namespace auxbench {
namespace {

// Images a worker takes at a time: few, so that none waits for another at a batch's end.
constexpr size_t kPiece = 4;

// The order of an epoch in which full batches are of one group (loader.h).
std::vector<uint32_t> grouped(const std::vector<uint32_t>& order, size_t batch,
                              const std::function<bool(uint32_t)>& wide) {
  std::vector<uint32_t> result;
  result.reserve(order.size());
  std::array<std::vector<uint32_t>, 2> waiting;  // wide, others
  for (const uint32_t index : order) {
    auto& group = waiting[wide(index) ? 0 : 1];
    group.push_back(index);
    if (group.size() < batch) continue;
    result.insert(result.end(), group.begin(), group.end());
    group.clear();
  }
  for (const auto& rest : waiting) result.insert(result.end(), rest.begin(), rest.end());
  return result;
}

}  // namespace

// A batch that is being made.
struct BatchLoader::Task {
  Position position;
  std::vector<uint32_t> indices;
  ImageShape shape;  // of each image
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
    auto first = tasks_.front();
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

Batch batch_on_heap(int64_t images, const ImageShape& shape) {
  struct Memory {
    std::vector<float, UnsetAllocator<float>> images;  // each image writes all of its own
    std::vector<int64_t> labels;
  };
  const auto count = static_cast<size_t>(images);
  auto memory = std::make_shared<Memory>();
  memory->images.resize(count * shape.size());
  memory->labels.resize(count);
  return {.images = memory->images, .labels = memory->labels, .boxed = {}, .owner = memory};
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

std::vector<uint32_t> BatchLoader::order_of(int64_t epoch) const {
  const auto count = static_cast<uint32_t>(images_->count());
  if (!options_.shuffle) {
    std::vector<uint32_t> order(count);
    std::iota(order.begin(), order.end(), 0U);
    return order;
  }
  auto order = permutation(count, stream_seed(options_.seed, "shuffle", static_cast<uint64_t>(epoch)));
  if (!images_->boxed()) return order;
  AUXBENCH_CHECK(images_->truth() != nullptr, "the truth of images with boxes");
  const auto& known = images_->truth()->images;
  return grouped(order, static_cast<size_t>(options_.batch),
                 [&known](uint32_t index) { return known[index].width > known[index].height; });
}

std::vector<uint32_t> BatchLoader::indices(int64_t epoch, int64_t batch_index) {
  AUXBENCH_CHECK(epoch >= 0, "an epoch from 0 on");
  const auto size = batch_size(batch_index);
  if (order_.empty() || (options_.shuffle && epoch != ordered_epoch_)) order_ = order_of(epoch);
  ordered_epoch_ = epoch;
  const auto begin = order_.begin() + batch_index * options_.batch;
  return {begin, begin + size};
}

RandomStream BatchLoader::stream_of(const Position& position, size_t index) const {
  return RandomStream(stream_seed(options_.seed, "augment", static_cast<uint64_t>(position.epoch), index));
}

std::shared_ptr<BatchLoader::Task> BatchLoader::begin_task(const Position& position) {
  auto task = std::make_shared<Task>();
  task->position = position;
  task->indices = indices(position.epoch, position.batch);
  task->shape = images_->shape();
  std::vector<BoxedImage> boxed;
  if (images_->boxed()) {
    task->shape.height = task->shape.width = 0;
    for (const size_t index : task->indices) {
      auto stream = stream_of(position, index);
      boxed.push_back(images_->look(index, augmentation_, stream));
      task->shape.height = std::max(task->shape.height, padded_side(boxed.back().height));
      task->shape.width = std::max(task->shape.width, padded_side(boxed.back().width));
    }
  }
  task->batch = maker_(std::ssize(task->indices), task->shape);
  task->batch.boxed = std::move(boxed);
  task->batch.height = task->shape.height;
  task->batch.width = task->shape.width;
  return task;
}

void BatchLoader::write_image(const Task& task, size_t i) const {
  const size_t index = task.indices[i], size = task.shape.size();
  auto stream = stream_of(task.position, index);
  const auto out = task.batch.images.subspan(i * size, size);
  if (images_->boxed()) {
    images_->write_padded(index, augmentation_, stream, task.shape, options_.channels_last, out);
    task.batch.labels[i] = 0;
    return;
  }
  images_->write(index, augmentation_, stream, options_.channels_last, out);
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
    return std::move(task->batch);
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
  return std::move(task->batch);
}

}  // namespace auxbench
