#include "runner/bench/own_layer.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/random.h"
#include "deploy/share.h"
#include "kernels/lowbit_conv/reference.h"

namespace auxbench::bench {
namespace {

using lowbit_conv::Buffer;
using lowbit_conv::Problem;
using requantize::CodeMap;
using requantize::Epilogue;

// As deploy/prepared_network.cc lays maps out.
CodeMap<uint8_t> map_of(int64_t h, int64_t w, int64_t channels, int64_t border) {
  return {.h = h, .w = w, .border = border, .pixel = lowbit_conv::usual_pixel(channels)};
}

Buffer memory_of(CodeMap<uint8_t>& map, int64_t images, uint8_t fill) {
  Buffer made(static_cast<size_t>(images * map.image() + requantize::kSlack));
  map.data = reinterpret_cast<uint8_t*>(made.data());
  std::memset(map.data, fill, made.size());
  return made;
}

Problem shared_by(Problem problem, int threads) {
  problem.threads = threads;
  return problem;
}

std::string place_text(const OwnData::Pixel& pixel, int64_t channel) {
  return "row " + std::to_string(pixel.y) + ", column " + std::to_string(pixel.x) + ", channel " +
         std::to_string(channel);
}

}  // namespace

Problem problem_of(const ConvLayerSpec& layer, int weight_bits, int activation_bits) {
  return {.h = layer.h,
          .w = layer.w,
          .c = layer.c,
          .out = layer.out,
          .r = layer.r,
          .s = layer.r,
          .stride = layer.stride,
          .pad = layer.pad,
          .weight_bits = weight_bits,
          .odd_weights = weight_bits == 1,
          .activation_bits = activation_bits};
}

OwnData::OwnData(const Problem& p, uint64_t seed) : problem(p), in_map(map_of(p.h, p.w, p.c, p.pad)) {
  RandomStream random(seed);
  const auto draw = [&](int bits) { return static_cast<int>(random.below(uint64_t{1} << bits)); };
  weights.resize(static_cast<size_t>(p.out * p.taps()));
  for (auto& code : weights) code = static_cast<int8_t>(draw(p.weight_bits) - (1 << (p.weight_bits - 1)));
  in = memory_of(in_map, p.n, p.border_code());
  for (int64_t y = 0; y < p.h; ++y)
    for (int64_t x = 0; x < p.w; ++x)
      for (int64_t c = 0; c < p.c; ++c) in_map.at(0, y, x)[c] = static_cast<uint8_t>(draw(p.activation_bits));
  sample_sums(random.next());
  make_epilogue(random.next());
}

// What a pixel's taps read, borders as codes of value 0, is a small problem without padding.
void OwnData::sample_sums(uint64_t seed) {
  RandomStream random(seed);
  constexpr int kMore = 8;
  const auto& p = problem;
  const int64_t last_y = p.out_h() - 1, last_x = p.out_w() - 1;
  pixels = {{0, 0, {}}, {0, last_x, {}}, {last_y, 0, {}}, {last_y, last_x, {}}};
  for (int i = 0; i < kMore; ++i)
    pixels.push_back({static_cast<int64_t>(random.below(static_cast<uint64_t>(last_y + 1))),
                      static_cast<int64_t>(random.below(static_cast<uint64_t>(last_x + 1))),
                      {}});
  auto small = p;
  small.h = p.r;
  small.w = p.s;
  small.stride = 1;
  small.pad = 0;
  for (auto& pixel : pixels) {
    std::vector<uint8_t> patch;
    for (int64_t r = 0; r < p.r; ++r)
      for (int64_t s = 0; s < p.s; ++s) {
        const auto* from = in_map.at(0, pixel.y * p.stride + r - p.pad, pixel.x * p.stride + s - p.pad);
        patch.insert(patch.end(), from, from + p.c);
      }
    pixel.sums = lowbit_conv::reference(small, weights, patch);
  }
}

// As a norm does it: each channel by the mean and deviation that random codes give it away from the borders. Some
// norms have negative factors.
void OwnData::make_epilogue(uint64_t seed) {
  RandomStream random(seed);
  const auto& p = problem;
  const int levels = 1 << p.activation_bits;
  const double code_mean = (levels - 1) / 2.0, code_deviation = std::sqrt((levels * levels - 1) / 12.0);
  for (auto* each : {&scale, &alpha, &beta}) each->resize(static_cast<size_t>(requantize::padded_channels(p.out)));
  for (int64_t o = 0; o < p.out; ++o) {
    double sum = 0, squares = 0;
    for (int64_t t = 0; t < p.taps(); ++t) {
      const int code = weights[static_cast<size_t>(o * p.taps() + t)];
      const double weight = p.odd_weights ? 2 * code + 1 : code;
      sum += weight;
      squares += weight * weight;
    }
    const double mean = code_mean * sum, deviation = code_deviation * std::sqrt(std::max(1.0, squares));
    const auto c = static_cast<size_t>(o);
    const double factor = (0.25 + 0.15 * random.uniform()) / deviation * (random.below(8) == 0 ? -1 : 1);
    scale[c] = static_cast<float>(0.01 * (0.5 + random.uniform()));
    alpha[c] = static_cast<float>(factor / static_cast<double>(scale[c]));
    beta[c] = static_cast<float>(0.5 - mean * factor);
  }
}

Epilogue OwnData::chain() const {
  const int32_t steps = (1 << problem.activation_bits) - 1;
  Epilogue made = {.channels = problem.out};
  made.scale = scale.data();
  made.alpha = alpha.data();
  made.beta = beta.data();
  made.clamp = true;
  made.encoder = {.kind = requantize::Encoder::Kind::affine, .steps = steps, .multiply = static_cast<float>(steps)};
  return made;
}

OwnLayer::OwnLayer(std::shared_ptr<const OwnData> data, const std::string& kernel, int threads, int64_t cold_bytes,
                   const Isa& isa)
    : data_(std::move(data)),
      isa_(isa),
      plan_(lowbit_conv::make_plan(shared_by(data_->problem, threads), isa, kernel)),
      threads_(threads) {
  const auto& p = data_->problem;
  const auto blob = plan_.pack(data_->weights);
  const size_t copies = std::max<size_t>(1, (static_cast<size_t>(cold_bytes) + blob.size() - 1) / blob.size());
  for (size_t i = 0; i < copies; ++i) {
    packed_.emplace_back(blob.size());
    std::memcpy(packed_.back().data(), blob.data(), blob.size());
  }
  shared_ = Buffer(plan_.shared_bytes());
  for (int i = 0; i < threads; ++i) own_.emplace_back(plan_.own_bytes());
  out_map_ = map_of(p.out_h(), p.out_w(), p.out, 1);
  out_ = memory_of(out_map_, p.n, 0);
  epilogue_ = data_->chain();
  requantize::simplify(epilogue_, static_cast<int32_t>(p.bound()), simpler_);
  epilogue_.codes = out_map_;
}

int64_t OwnLayer::compulsory_bytes() const {
  const auto& p = data_->problem;
  return (p.out * p.taps() * p.weight_bits + 7) / 8 + p.n * (p.h * p.w * p.c + p.out_h() * p.out_w() * p.out);
}

void OwnLayer::execute(lowbit_conv::Sink sink, const Epilogue& epilogue) {
  const auto* packed = packed_[next_].data();
  next_ = next_ + 1 == packed_.size() ? 0 : next_ + 1;
  for (int phase = 0; phase < plan_.phases(); ++phase)
    share(threads_, plan_.tasks(phase), [&](int64_t first, int64_t last, int thread) {
      plan_.execute(phase, first, last,
                    {.in = data_->in_map,
                     .packed = packed,
                     .shared = shared_.data(),
                     .own = own_[static_cast<size_t>(thread)].data(),
                     .sink = sink,
                     .epilogue = &epilogue});
    });
}

void OwnLayer::run() { execute(requantize::apply_for(isa_), epilogue_); }

std::string OwnLayer::check() {
  const auto sums = check_sums();
  return sums.empty() ? check_codes() : sums;
}

std::string OwnLayer::check_sums() {
  const auto& p = data_->problem;
  const int64_t pixel = requantize::padded_channels(p.out);
  Buffer memory(static_cast<size_t>(p.n * p.out_h() * p.out_w() * pixel) * sizeof(int32_t));
  Epilogue keeping = {.channels = p.out};
  keeping.out = requantize::sums_map(reinterpret_cast<int32_t*>(memory.data()), p.out_h(), p.out_w(), pixel);
  execute(requantize::keep_sums, keeping);
  for (const auto& expected : data_->pixels)
    for (int64_t o = 0; o < p.out; ++o) {
      int32_t found = 0;
      std::memcpy(&found, keeping.out.at(0, expected.y, expected.x) + o, sizeof found);
      const auto sum = expected.sums[static_cast<size_t>(o)];
      if (found != sum)
        return "the sum at " + place_text(expected, o) + " is " + std::to_string(found) + " instead of " +
               std::to_string(sum);
    }
  return "";
}

// The sums at the pixels are right, so the codes there follow; and a layer whose codes are few is no measure.
std::string OwnLayer::check_codes() {
  const auto& p = data_->problem;
  const auto chain = data_->chain();
  run();
  for (const auto& expected : data_->pixels)
    for (int64_t o = 0; o < p.out; ++o) {
      const auto code = requantize::code_of(chain, static_cast<int32_t>(expected.sums[static_cast<size_t>(o)]), o, 0);
      if (out_map_.at(0, expected.y, expected.x)[o] != code)
        return "the code at " + place_text(expected, o) + " is " +
               std::to_string(out_map_.at(0, expected.y, expected.x)[o]) + " instead of " + std::to_string(code);
    }
  const int64_t levels = int64_t{1} << p.activation_bits;
  std::vector<bool> seen(static_cast<size_t>(levels));
  for (int64_t y = 0; y < p.out_h(); ++y)
    for (int64_t x = 0; x < p.out_w(); ++x)
      for (int64_t o = 0; o < p.out; ++o) {
        const auto code = out_map_.at(0, y, x)[o];
        if (code >= levels)
          return "a code " + std::to_string(code) + " of " + std::to_string(p.activation_bits) + " bits";
        seen[code] = true;
      }
  const auto found = std::count(seen.begin(), seen.end(), true);
  // A small output cannot hold all of many codes.
  const int64_t expected = std::min(levels, p.out_h() * p.out_w() * p.out / 64);
  if (found < expected) return "outputs take " + std::to_string(found) + " of " + std::to_string(levels) + " codes";
  return "";
}

}  // namespace auxbench::bench
