#include "models/batch_norm.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/torch_prelude.h"
#include "kernels/batch_norm/batch_norm.h"
#include "quantizers/fused.h"

namespace auxbench {
namespace {

using batch_norm::Blocks;
using batch_norm::Map;

bool on_kernels(const at::Tensor& x) {
  return x.is_cpu() && x.dim() == 4 && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble);
}

bool channels_last(const at::Tensor& x) { return x.is_contiguous(at::MemoryFormat::ChannelsLast); }

// x as it is where it is dense, else a dense copy.
at::Tensor in_some_layout(const at::Tensor& x) {
  return x.is_contiguous() || channels_last(x) ? x : x.contiguous(at::MemoryFormat::ChannelsLast);
}

Map map_of(const at::Tensor& x) {
  const auto size = [&](int64_t dimension) { return static_cast<std::size_t>(x.size(dimension)); };
  if (channels_last(x)) return {.outer = size(0) * size(2) * size(3), .channels = size(1), .inner = 1};
  return {.outer = size(0), .channels = size(1), .inner = size(2) * size(3)};
}

template <typename T>
std::span<const T> numbers_of(const at::Tensor& x) {
  return x.defined() ? fused_detail::elements<T>(x) : std::span<const T>();
}

// work(blocks) on all blocks of a map, by several threads where it is large.
template <typename Work>
void over_blocks(const Map& map, const Work& work) {
  const auto all = Blocks::of(map);
  const auto grain = map.size() < 2 * fused_detail::kGrain ? static_cast<int64_t>(all.last) : 1;
  at::parallel_for(0, static_cast<int64_t>(all.last), std::max<int64_t>(1, grain), [&](int64_t first, int64_t last) {
    work(Blocks{static_cast<std::size_t>(first), static_cast<std::size_t>(last)});
  });
}

// The totals over blocks of what sums(blocks, room) leaves for each.
template <typename Sums>
std::vector<double> totals_of(const Map& map, std::size_t kinds, const Sums& sums) {
  std::vector<double> room(Blocks::of(map).last * kinds * map.channels), totals(kinds * map.channels);
  over_blocks(map, [&](const Blocks& blocks) { sums(blocks, std::span<double>(room)); });
  batch_norm::add_up(room, map, totals);
  return totals;
}

// Of one batch. Kernels subtract `rounded`, the mean as a T; `rest` is what that leaves.
template <typename T>
struct Statistics {
  std::vector<double> mean, variance;
  std::vector<T> rounded;

  [[nodiscard]] double rest(std::size_t c) const { return mean[c] - static_cast<double>(rounded[c]); }
};

template <typename T>
Statistics<T> statistics_of(const at::Tensor& x, const Map& map) {
  const auto n = static_cast<double>(map.outer * map.inner);
  const auto numbers = numbers_of<T>(x);
  Statistics<T> found;
  found.mean = totals_of(
      map, 1, [&](const Blocks& blocks, std::span<double> room) { batch_norm::sum(numbers, map, blocks, room); });
  found.rounded.resize(map.channels);
  for (std::size_t c = 0; c < map.channels; ++c) found.rounded[c] = static_cast<T>(found.mean[c] /= n);
  found.variance = totals_of(map, 1, [&](const Blocks& blocks, std::span<double> room) {
    batch_norm::sum_squares(numbers, std::span<const T>(found.rounded), map, blocks, room);
  });
  for (std::size_t c = 0; c < map.channels; ++c) {
    const double variance = found.variance[c] / n - found.rest(c) * found.rest(c);
    found.variance[c] = variance < 0 ? 0 : variance;
  }
  return found;
}

template <typename T>
void update_running(torch::nn::BatchNorm2dImpl& norm, const Statistics<T>& found, const Map& map) {
  if (!norm.running_mean.defined()) return;
  norm.num_batches_tracked.add_(1);
  const auto momentum = norm.options.momentum();
  const double share = momentum ? *momentum : 1 / norm.num_batches_tracked.template item<double>();
  const auto n = static_cast<double>(map.outer * map.inner);
  T* mean = norm.running_mean.template mutable_data_ptr<T>();
  T* variance = norm.running_var.template mutable_data_ptr<T>();
  for (std::size_t c = 0; c < map.channels; ++c) {
    mean[c] = static_cast<T>(share * found.mean[c] + (1 - share) * static_cast<double>(mean[c]));
    variance[c] =
        static_cast<T>(share * found.variance[c] * n / (n - 1) + (1 - share) * static_cast<double>(variance[c]));
  }
}

template <typename T>
at::Tensor transformed(const at::Tensor& x, std::span<const T> alpha, std::span<const T> beta, const AfterNorm& after) {
  const auto map = map_of(x);
  const auto added = after.added.defined() ? fused_detail::in_layout_of(after.added.detach(), x) : at::Tensor();
  auto y = at::empty_like(x);
  const auto room = fused_detail::room_in<T>(y);
  over_blocks(map, [&](const Blocks& blocks) {
    batch_norm::transform(numbers_of<T>(x), alpha, beta, numbers_of<T>(added), after.relu, map, blocks, room);
  });
  return y;
}

template <typename T>
struct BatchNormNode final : torch::autograd::Node {
  torch::autograd::SavedVariable x, weight;
  at::Tensor y;  // without its history; undefined where there is no ReLU
  int64_t version = 0;
  Statistics<T> statistics;
  double eps = 0;
  bool adds = false;

  torch::autograd::variable_list apply(torch::autograd::variable_list&& incoming) override {
    torch::autograd::variable_list gradients(4);
    if (!incoming[0].defined()) return gradients;
    const at::NoGradGuard no_gradient;
    AUXBENCH_CHECK(!y.defined() || y._version() == version, "the output of a norm with a ReLU to be left as it was");
    const auto input = x.unpack();
    const auto scales = weight.unpack();
    const auto dy = fused_detail::in_layout_of(incoming[0], input);
    const auto map = map_of(input);
    const auto n = static_cast<double>(map.outer * map.inner);
    const batch_norm::Gradients<T> given = {.x = numbers_of<T>(input),
                                            .dy = numbers_of<T>(dy),
                                            .y = numbers_of<T>(y),
                                            .mean = std::span<const T>(statistics.rounded)};
    const auto totals = totals_of(map, 2, [&](const Blocks& blocks, std::span<double> room) {
      batch_norm::sum_gradients(given, map, blocks, room);
    });
    std::vector<T> a(map.channels), k(map.channels), q(map.channels);
    auto dweight = at::empty_like(scales), dbias = at::empty_like(scales);
    for (std::size_t c = 0; c < map.channels; ++c) {
      const double s = 1 / std::sqrt(statistics.variance[c] + eps), sum = totals[c];
      const double products = totals[map.channels + c] - statistics.rest(c) * sum;
      a[c] = static_cast<T>(s * static_cast<double>(scales.template const_data_ptr<T>()[c]));
      q[c] = static_cast<T>(s * s * products / n);
      k[c] = static_cast<T>(sum / n - statistics.rest(c) * s * s * products / n);
      dweight.template mutable_data_ptr<T>()[c] = static_cast<T>(products * s);
      dbias.template mutable_data_ptr<T>()[c] = static_cast<T>(sum);
    }
    auto dx = at::empty_like(input);
    auto dadded = adds && y.defined() ? at::empty_like(input) : at::Tensor();
    const auto room = fused_detail::room_in<T>(dx);
    const auto room_of_added = dadded.defined() ? fused_detail::room_in<T>(dadded) : std::span<T>();
    over_blocks(map, [&](const Blocks& blocks) {
      batch_norm::differentiate(given, std::span<const T>(a), std::span<const T>(k), std::span<const T>(q), map, blocks,
                                room, room_of_added);
    });
    return {dx, dweight, dbias, adds && !y.defined() ? incoming[0] : dadded};
  }

  void release_variables() override {
    x.reset_data();
    weight.reset_data();
    y.reset();
  }
};

torch::autograd::Edge edge_to(const at::Tensor& x) {
  return x.defined() && x.requires_grad() ? torch::autograd::impl::gradient_edge(x) : torch::autograd::Edge();
}

template <typename T>
at::Tensor train(torch::nn::BatchNorm2dImpl& norm, const at::Tensor& x, const AfterNorm& after) {
  at::Tensor y;
  Statistics<T> statistics;
  {
    const at::NoGradGuard no_gradient;
    const auto map = map_of(x);
    statistics = statistics_of<T>(x, map);
    update_running(norm, statistics, map);
    std::vector<T> alpha(map.channels), beta(map.channels);
    for (std::size_t c = 0; c < map.channels; ++c) {
      const double s = 1 / std::sqrt(statistics.variance[c] + norm.options.eps());
      alpha[c] = static_cast<T>(s * static_cast<double>(norm.weight.const_data_ptr<T>()[c]));
      beta[c] = static_cast<T>(static_cast<double>(norm.bias.const_data_ptr<T>()[c]) -
                               statistics.mean[c] * static_cast<double>(alpha[c]));
    }
    y = transformed<T>(x, std::span<const T>(alpha), std::span<const T>(beta), after);
  }
  if (!fused_detail::needs_gradient(x, {norm.weight, norm.bias, after.added})) return y;
  auto node = fused_detail::make_node<BatchNormNode<T>>();
  node->x = torch::autograd::SavedVariable(x, /*is_output=*/false);
  node->weight = torch::autograd::SavedVariable(norm.weight, /*is_output=*/false);
  node->statistics = std::move(statistics);
  node->eps = norm.options.eps();
  node->adds = after.added.defined();
  for (const auto& input : {x, norm.weight, norm.bias, after.added}) node->add_next_edge(edge_to(input));
  if (after.relu) {
    node->y = y.detach();
    node->version = y._version();
  }
  torch::autograd::set_history(y, node);
  return y;
}

at::Tensor by_running_statistics(const torch::nn::BatchNorm2dImpl& norm, const at::Tensor& x) {
  return at::batch_norm(x, norm.weight, norm.bias, norm.running_mean, norm.running_var, /*training=*/false,
                        /*momentum=*/0, norm.options.eps(), /*cudnn_enabled=*/false);
}

}  // namespace

at::Tensor followed_by(at::Tensor y, const AfterNorm& after) {
  if (after.added.defined()) y = y + after.added;
  return after.relu ? y.relu() : y;
}

at::Tensor normalised(torch::nn::BatchNorm2dImpl& norm, const at::Tensor& x, const AfterNorm& after) {
  const bool one = x.dim() == 4 && x.size(0) * x.size(2) * x.size(3) == 1;
  if (one && norm.is_training() && norm.running_mean.defined())
    return followed_by(by_running_statistics(norm, x), after);
  const bool fits = norm.weight.defined() && norm.weight.scalar_type() == x.scalar_type() && x.dim() == 4 &&
                    x.size(1) == norm.weight.size(0);
  const bool sums = !after.added.defined() || after.added.sizes() == x.sizes();
  if (!norm.is_training() || !on_kernels(x) || !fits || !sums) return followed_by(norm.forward(x), after);
  const auto dense = in_some_layout(x);
  return x.scalar_type() == at::kDouble ? train<double>(norm, dense, after) : train<float>(norm, dense, after);
}

at::Tensor affine(const at::Tensor& x, const at::Tensor& alpha, const at::Tensor& beta, const AfterNorm& after) {
  const bool wanted =
      at::GradMode::is_enabled() && (x.requires_grad() || (after.added.defined() && after.added.requires_grad()));
  const bool sums = !after.added.defined() || after.added.sizes() == x.sizes();
  if (wanted || !on_kernels(x) || !sums || alpha.scalar_type() != x.scalar_type() || x.size(1) != alpha.size(0))
    return followed_by(x.mul(alpha.view({1, -1, 1, 1})).add_(beta.view({1, -1, 1, 1})), after);
  const at::NoGradGuard no_gradient;
  const auto dense = in_some_layout(x), a = alpha.contiguous(), b = beta.contiguous();
  return x.scalar_type() == at::kDouble
             ? transformed<double>(dense, numbers_of<double>(a), numbers_of<double>(b), after)
             : transformed<float>(dense, numbers_of<float>(a), numbers_of<float>(b), after);
}

}  // namespace auxbench
