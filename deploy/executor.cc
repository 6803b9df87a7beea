#include "deploy/executor.h"

#include <algorithm>
#include <list>

#include "base/check.h"
#include "deploy/packed_weights.h"
#include "deploy/prepared_network.h"

namespace auxbench {

struct Executor::Parts {
  const IntegerNetwork& network;
  ExecutorOptions options;
  Isa isa;
  PackedWeights packed;
  std::list<PreparedNetwork> sizes;  // used last first

  PreparedNetwork& prepared(ValueSize size) {
    const auto found = std::find_if(sizes.begin(), sizes.end(), [&](const auto& each) { return each.image() == size; });
    if (found == sizes.end()) {
      sizes.emplace_front(network, size, options, isa, packed);
      if (sizes.size() > std::max<size_t>(1, options.most_sizes)) sizes.pop_back();
    } else if (found != sizes.begin()) {
      sizes.splice(sizes.begin(), sizes, found);
    }
    return sizes.front();
  }
};

Executor::Executor(const IntegerNetwork& network, const ExecutorOptions& options, const Isa& isa)
    : parts_(new Parts{.network = network, .options = options, .isa = isa}) {
  parts_->prepared({network.height, network.width});
}
Executor::~Executor() = default;
Executor::Executor(Executor&&) noexcept = default;

std::span<const float> Executor::run(std::span<const float> images) {
  return run(images, {parts_->network.height, parts_->network.width});
}

std::span<const float> Executor::run(std::span<const float> images, ValueSize size) {
  auto& prepared = parts_->prepared(size);
  prepared.run(images);
  return prepared.output(0).numbers;
}

ExecutorOutput Executor::output(const std::string& name) const {
  const auto& outputs = parts_->network.outputs;
  const auto found = std::find_if(outputs.begin(), outputs.end(), [&](const auto& each) { return each.name == name; });
  AUXBENCH_CHECK(found != outputs.end(), "an output that the network has");
  return parts_->sizes.front().output(static_cast<size_t>(found - outputs.begin()));
}

std::vector<float> Executor::value(size_t index) const { return parts_->sizes.front().value(index); }
std::vector<std::string> Executor::plans() const { return parts_->sizes.front().plans(); }
size_t Executor::map_bytes() const { return parts_->sizes.front().map_bytes(); }
size_t Executor::packed_weights() const { return parts_->packed.count(); }

}  // namespace auxbench
