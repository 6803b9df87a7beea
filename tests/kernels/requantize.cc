#include "kernels/requantize/requantize.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "base/check.h"
#include "base/files/sha256.h"
#include "base/random.h"
#include "tests/support/catch.h"

using namespace auxbench;
using namespace auxbench::requantize;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr int32_t kLowest = std::numeric_limits<int32_t>::min(), kHighest = std::numeric_limits<int32_t>::max();
constexpr uint8_t kPoison = 0xA5;

// Memory with a page behind it that may not be touched. Each array that is asked for ends right before such a page.
class Arena {
 public:
  void reset() { used_ = 0; }

  template <typename T>
  T* take(int64_t count) {
    if (used_ == regions_.size()) regions_.push_back(std::make_unique<Region>());
    const auto bytes = static_cast<size_t>(count) * sizeof(T);
    AUXBENCH_CHECK(bytes <= Region::kBytes, "an array that fits");
    std::byte* start = regions_[used_++]->end - bytes;
    std::memset(start, kPoison, bytes);
    return reinterpret_cast<T*>(start);
  }

 private:
  struct Region {
    static constexpr size_t kBytes = size_t{1} << 18;
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    void* const start = mmap(nullptr, kBytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::byte* const end = static_cast<std::byte*>(start) + kBytes;

    Region() { AUXBENCH_CHECK(start != MAP_FAILED && mprotect(end, page, PROT_NONE) == 0, "a page that guards"); }
    ~Region() { munmap(start, kBytes + page); }
    Region(const Region&) = delete;
    Region& operator=(const Region&) = delete;
  };

  std::vector<std::unique_ptr<Region>> regions_;
  size_t used_ = 0;
};

class Random {
 public:
  explicit Random(std::string_view name) : stream_(stream_seed(1, name)) {}

  int64_t between(int64_t lo, int64_t hi) {
    return lo + static_cast<int64_t>(stream_.below(static_cast<uint64_t>(hi - lo + 1)));
  }
  bool chance() { return stream_.below(2) == 0; }
  // Multiples of 1/64, where sums meet halves and zeros exactly, or any number.
  float within(double lo, double hi) {
    const double value = std::fma(hi - lo, stream_.uniform(), lo);  // said, so that it is fused on every machine
    return static_cast<float>(coarse_ ? std::round(value * 64) / 64 : value);
  }
  void next_case() { coarse_ = chance(); }

  int32_t accumulator() {
    const int32_t extremes[] = {kLowest, kHighest, 0, -1, 1, (1 << 24) + 1, 32767, 32768, -32768, -32769, kLowest + 1};
    if (stream_.below(8) == 0) return extremes[stream_.below(std::size(extremes))];
    return static_cast<int32_t>(stream_.below(16) == 0 ? between(kLowest, kHighest) : between(-3000, 3000));
  }

 private:
  RandomStream stream_;
  bool coarse_ = false;
};

// One call: what is read lies in `in`, what is written in `written`.
struct Case {
  Arena in, written;
  Epilogue epilogue;
  Tile tile;
  int32_t* accumulators = nullptr;
  int64_t images = 2, h = 1, w = 1, padded = 16;
  size_t code_bytes = 0, out_floats = 0;

  float* floats(Random& random, int64_t count, double lo, double hi) {
    auto* made = in.take<float>(count);
    for (int64_t i = 0; i < count; ++i) made[i] = random.within(lo, hi);
    return made;
  }

  // infinities: of how many numbers one is infinite; 0: of none
  FloatMap<const float> float_map(Random& random, int64_t infinities = 0) {
    const int64_t pixel = padded + kChannelBlock * random.between(0, 1), count = images * h * w * pixel;
    auto* made = floats(random, count, -2, 2);
    for (int64_t i = 0; infinities > 0 && i < count; i += random.between(1, infinities))
      made[i] = random.chance() ? kInfinity : -kInfinity;
    return {made, h, w, pixel};
  }

  int64_t code_pixel(Random& random) const { return (epilogue.channels + 3) / 4 * 4 + 4 * random.between(0, 2); }

  void start(Random& random) {
    in.reset();
    random.next_case();
    epilogue = {.channels = random.between(1, 200)};
    padded = padded_channels(epilogue.channels);
    h = random.between(1, 3);
    w = random.between(1, 12);
    tile.channel = kChannelBlock * random.between(0, padded / kChannelBlock - 1);
    tile.channels =
        random.chance() ? epilogue.channels - tile.channel : random.between(1, epilogue.channels - tile.channel);
    tile.image = random.between(0, images - 1);
    tile.y = random.between(0, h - 1);
    tile.pixels = random.between(1, std::min<int64_t>(w, 9));
    tile.x = random.between(0, w - tile.pixels);
    const int64_t block = padded_channels(tile.channels);
    tile.stride = block + random.between(0, 20);
    const int64_t numbers = (tile.pixels - 1) * tile.stride + block;
    accumulators = in.take<int32_t>(numbers);
    for (int64_t i = 0; i < numbers; ++i) accumulators[i] = random.accumulator();
    tile.acc = accumulators;
    epilogue.codes = {nullptr, h, w, random.between(0, 2), code_pixel(random)};
    code_bytes = static_cast<size_t>(images * epilogue.codes.image());
  }

  void want_codes() { epilogue.codes.data = written.take<uint8_t>(static_cast<int64_t>(code_bytes)); }

  void want_out(Random& random) {
    epilogue.out = {nullptr, h, w, padded + kChannelBlock * random.between(0, 1)};
    out_floats = static_cast<size_t>(images * h * w * epilogue.out.pixel);
  }

  void residual_codes(Random& random) {
    CodeMap<const uint8_t> map = {nullptr, h, w, random.between(0, 2), code_pixel(random)};
    auto* made = in.take<uint8_t>(images * map.image() + kSlack);
    for (int64_t i = 0; i < images * map.image(); ++i) made[i] = static_cast<uint8_t>(random.between(0, 255));
    map.data = made;
    epilogue.residual_codes = map;
    epilogue.residual_step = static_cast<float>(random.between(1, 2));
    epilogue.residual_shift = random.within(-3, 3);
    epilogue.residual_scale = random.within(-0.1, 0.1);
    epilogue.residual_offset = random.within(-1, 1);
  }

  void classes(Random& random) {
    epilogue.column_classes = 3;
    epilogue.class_terms = floats(random, 9 * padded, -1, 1);
    auto* rows_of = in.take<uint8_t>(h);
    auto* columns_of = in.take<uint8_t>(w);
    for (int64_t y = 0; y < h; ++y) rows_of[y] = static_cast<uint8_t>(random.between(0, 2));
    for (int64_t x = 0; x < w; ++x) columns_of[x] = static_cast<uint8_t>(random.between(0, 2));
    if (random.chance()) epilogue.row_class = rows_of;
    if (random.chance()) epilogue.column_class = columns_of;
  }

  const float* rising_table(Random& random, int32_t steps) {
    auto* made = in.take<float>((steps + 15) / 16 * 16);
    std::fill(made, made + (steps + 15) / 16 * 16, kInfinity);
    for (int32_t j = 0; j < steps; ++j) made[j] = random.within(-2, 2);
    if (random.chance()) made[0] = -kInfinity;
    if (random.chance()) made[steps - 1] = kInfinity;
    std::sort(made, made + steps);
    return made;
  }

  // kind 0: none, 1 .. 3: affine, with nothing, additions, a division too, 4: a short table, 5: a long one
  void encoder(Random& random, int64_t kind) {
    Encoder& e = epilogue.encoder;
    if (kind == 0) return;
    if (kind >= 4) {
      const auto steps = static_cast<int32_t>(kind == 4 ? random.between(1, 15) : random.between(16, 255));
      e = {.kind = Encoder::Kind::thresholds, .steps = steps, .table = rising_table(random, steps)};
      return;
    }
    e = {.kind = Encoder::Kind::affine, .steps = static_cast<int32_t>(random.between(1, 255))};
    e.multiply = static_cast<float>(e.steps);
    if (kind == 1) return;
    e.subtract = random.within(-1, 1);
    e.lo = -1;
    e.add = e.steps / 2;
    e.multiply = static_cast<float>(e.add);
    if (kind == 3) e.divide = random.within(0.1, 3);
  }

  // Near zero, near the ends of int16, anywhere: and some accumulators where a count changes.
  void thresholds(Random& random, int32_t count) {
    auto* values = in.take<int32_t>(count * padded);
    auto* flip = in.take<int32_t>(padded);
    const bool flips = random.chance();
    const int64_t range = random.between(0, 2);
    const auto edge = static_cast<int32_t>(random.between(32766, 32768));
    for (int64_t c = 0; c < padded; ++c) {
      std::vector<int32_t> rising;
      for (int32_t j = 0; j < count; ++j)
        rising.push_back(static_cast<int32_t>(range == 2 ? random.accumulator() : random.between(-3000, 3000)));
      if (range == 1 && count > 0) rising[0] = random.chance() ? edge : -edge;
      std::sort(rising.begin(), rising.end());
      for (int32_t j = 0; j < count; ++j) values[j * padded + c] = rising[static_cast<size_t>(j)];
      flip[c] = flips && random.chance() ? -1 : 0;
    }
    for (int64_t i = 0; count > 0 && i < tile.pixels * tile.channels; ++i) {
      if (random.chance()) continue;
      const int64_t c = i % tile.channels, t = values[random.between(0, count - 1) * padded + tile.channel + c];
      const auto near = static_cast<int32_t>(std::max<int64_t>(t - random.between(0, 1), kLowest));
      accumulators[i / tile.channels * tile.stride + c] = near ^ flip[tile.channel + c];
    }
    epilogue.thresholds = values;
    epilogue.count = count;
    if (flips) epilogue.flip = flip;
  }
};

struct Written {
  std::vector<uint8_t> codes;
  std::vector<uint32_t> out;  // bits: zeros of either sign differ
};

// What a whole map holds after a call on poisoned memory. Floats beyond the last channel may be anything.
template <typename Call>
Written outcome(Case& c, bool codes, const Call& call) {
  c.written.reset();
  c.epilogue.codes.data = nullptr;
  if (codes) c.want_codes();
  if (c.out_floats > 0) c.epilogue.out.data = c.written.take<float>(static_cast<int64_t>(c.out_floats));
  call(c.epilogue);
  Written made;
  if (codes) made.codes.assign(c.epilogue.codes.data, c.epilogue.codes.data + c.code_bytes);
  made.out.resize(c.out_floats);
  if (c.out_floats > 0) std::memcpy(made.out.data(), c.epilogue.out.data, c.out_floats * sizeof(float));
  return made;
}

void forget_floats(const Epilogue& e, int64_t pixel, int64_t last_channel, std::vector<uint32_t>& out) {
  if (out.empty()) return;
  for (int64_t c = last_channel; c < padded_channels(last_channel); ++c)
    out[static_cast<size_t>(pixel * e.out.pixel + c)] = 0;
}

std::vector<std::pair<std::string, Isa>> isas() {
  std::vector<std::pair<std::string, Isa>> found;
  for (const char* cap : {"generic", "avx2", "avx512"})
    if (const auto isa = detect_isa(cap); found.empty() || isa.name() != found.back().second.name())
      found.emplace_back(cap, isa);
  return found;
}

void check_tile(Case& c, bool codes = true) {
  const auto of = [&](Apply apply) {
    auto made = outcome(c, codes, [&](const Epilogue& e) { apply(e, c.tile); });
    for (int64_t p = 0; p < c.tile.pixels; ++p)
      forget_floats(c.epilogue, (c.tile.image * c.h + c.tile.y) * c.w + c.tile.x + p, c.tile.channel + c.tile.channels,
                    made.out);
    return made;
  };
  const auto slow = of(apply_reference);
  for (const auto& [name, isa] : isas()) {
    INFO(name << ": channels " << c.tile.channel << " + " << c.tile.channels << " of " << c.epilogue.channels << ", "
              << c.tile.pixels << " pixels from " << c.tile.x);
    const auto fast = of(apply_for(isa));
    REQUIRE((fast.codes == slow.codes));
    REQUIRE((fast.out == slow.out));
  }
}

// Lines behind the accumulator's, where the bit is set.
void add_ends(Case& c, Random& random, int64_t bits, int64_t residual, int64_t encoder) {
  Epilogue& e = c.epilogue;
  c.out_floats = 0;
  if ((bits & 1) != 0) e.alpha = c.floats(random, c.padded, -1.5, 1.5);
  if ((bits & 2) != 0) e.beta = c.floats(random, c.padded, -1, 1);
  if ((bits & 4) != 0) {
    e.clamp = true;
    e.lo = random.chance() ? 0 : random.within(-1, 0);
    e.hi = random.chance() ? kInfinity : random.within(0, 3);
  }
  if ((bits & 8) != 0) c.want_out(random);
  if (residual == 1) e.residual = c.float_map(random, 50);
  if (residual == 2) c.residual_codes(random);
  c.encoder(random, encoder);
}

}  // namespace

TEST_CASE("a chain: every instruction set writes the reference's bytes, and no others, for all lines", "[kernels]") {
  Random random("chains");
  Case c;
  for (int64_t bits = 0; bits < 512; ++bits)
    for (int64_t residual = 0; residual < 3; ++residual)
      for (int64_t encoder = 0; encoder < 6; ++encoder) {
        INFO("lines " << bits << ", residual " << residual << ", encoder " << encoder);
        c.start(random);
        Epilogue& e = c.epilogue;
        if ((bits & 16) != 0) e.scale = c.floats(random, c.padded, -0.03, 0.03);
        e.in_double = (bits & 32) != 0;
        if ((bits & 64) != 0) e.partial = c.float_map(random);
        if ((bits & 128) != 0) c.classes(random);
        e.relu_first = (bits & 256) != 0;
        add_ends(c, random, bits, residual, encoder);
        check_tile(c, encoder == 0 || random.between(0, 9) > 0);
      }
}

TEST_CASE("thresholds: every instruction set counts as the reference does, near, far, extreme and any number of them",
          "[kernels]") {
  Random random("thresholds");
  Case c;
  for (int i = 0; i < 6000; ++i) {
    c.start(random);
    c.thresholds(random, static_cast<int32_t>(i % 20 == 19 ? 255 : i % 20));
    INFO("case " << i << ", " << c.epilogue.count << " thresholds");
    check_tile(c);
  }
}

TEST_CASE("ramps: every instruction set writes the reference's bytes, steep, flat, falling and far off", "[kernels]") {
  Random random("ramps");
  Case c;
  for (int i = 0; i < 3000; ++i) {
    c.start(random);
    auto& e = c.epilogue;
    e.count = static_cast<int32_t>(i % 3 == 0 ? random.between(0, 255) : random.between(1, 15));
    const double steepness = i % 2 == 0 ? 0.4 : 0.01;
    e.slope = c.floats(random, c.padded, -steepness, steepness);
    e.offset = c.floats(random, c.padded, -40, 40);
    if (random.chance()) {  // some blocks walk a chain
      auto* ramped = c.in.take<uint8_t>(c.padded / kChannelBlock);
      for (int64_t b = 0; b < c.padded / kChannelBlock; ++b) ramped[b] = random.chance() ? 1 : 0;
      e.ramped = ramped;
      e.scale = c.floats(random, c.padded, -0.03, 0.03);
      c.encoder(random, random.between(1, 5));
    }
    INFO("case " << i << ", codes to " << e.count);
    check_tile(c);
  }
}

TEST_CASE("rows of floats: every instruction set writes the reference's bytes, and no others", "[kernels]") {
  Random random("rows");
  Case c;
  for (int64_t i = 0; i < 16 * 3 * 6 * 8; ++i) {
    INFO("case " << i);
    c.start(random);
    c.epilogue.relu_first = true;  // not looked at
    add_ends(c, random, i % 16, i / 16 % 3, i / 48 % 6);
    const auto in = c.float_map(random);
    const int64_t first = random.between(0, c.images * c.h), last = random.between(first, c.images * c.h);
    const auto of = [&](ApplyRows apply) {
      auto made = outcome(c, true, [&](const Epilogue& e) { apply(e, in, first, last); });
      for (int64_t pixel = first * c.w; pixel < last * c.w; ++pixel)
        forget_floats(c.epilogue, pixel, c.epilogue.channels, made.out);
      return made;
    };
    const auto slow = of(apply_rows_reference);
    for (const auto& [name, isa] : isas()) {
      INFO(name << ", rows " << first << " to " << last);
      const auto fast = of(apply_rows_for(isa));
      REQUIRE((fast.codes == slow.codes));
      REQUIRE((fast.out == slow.out));
    }
  }
}

namespace {

void check_thresholds(const Epilogue& chain, const Thresholds& found, int32_t acc, int64_t border_class) {
  Epilogue counted = {
      .channels = chain.channels, .thresholds = found.values.data(), .flip = found.flip.data(), .count = found.count};
  for (int64_t c = 0; c < chain.channels; ++c)
    if (code_of(counted, acc, c, 0) != code_of(chain, acc, c, border_class)) {
      INFO("acc " << acc << ", channel " << c);
      REQUIRE(code_of(counted, acc, c, 0) == code_of(chain, acc, c, border_class));
    }
}

// A chain that thresholds can stand for; its second channel is constant.
void add_chain(Case& c, Random& random, int64_t i) {
  c.start(random);
  add_ends(c, random, 3 + 4 * (i % 2), 0, 1 + i % 5);
  Epilogue& e = c.epilogue;
  auto* alpha = c.floats(random, c.padded, -1.5, 1.5);
  if (e.channels > 1) alpha[1] = 0;
  e.alpha = alpha;
  const double coarseness = i % 3 == 0 ? 1.0 : 0.01;  // of whole units, codes are skipped
  e.scale = c.floats(random, c.padded, -coarseness, coarseness);
  e.in_double = random.chance();
  e.relu_first = random.chance();
}

}  // namespace

TEST_CASE("thresholds found give the chain's codes for all accumulators within the bound", "[kernels]") {
  Random random("find");
  Case c;
  for (int64_t i = 0; i < 120; ++i) {
    add_chain(c, random, i);
    Thresholds found;
    REQUIRE(find_thresholds(c.epilogue, 300, found));
    REQUIRE(found.count == c.epilogue.encoder.steps);
    for (int32_t acc = -300; acc <= 300; ++acc) check_thresholds(c.epilogue, found, acc, 0);
    if (!find_thresholds(c.epilogue, kHighest, found)) continue;  // a channel that never gets to the last code
    for (const int32_t acc : {kHighest, -kHighest}) check_thresholds(c.epilogue, found, acc, 0);
    for (int j = 0; j < 50; ++j) check_thresholds(c.epilogue, found, std::max(random.accumulator(), -kHighest), 0);
  }
}

TEST_CASE("a ramp found gives its thresholds' codes for all accumulators within the bound", "[kernels]") {
  Random random("ramp");
  Case c;
  int found_ramps = 0, tried = 0;
  for (int64_t i = 0; i < 400; ++i) {
    add_chain(c, random, i - i % 5);  // affine, as uniform quantizers are; some skip codes
    auto& encoder = c.epilogue.encoder;
    encoder.steps = static_cast<int32_t>(random.between(1, 15));
    encoder.multiply = static_cast<float>(encoder.steps);
    const auto bound = static_cast<int32_t>(random.chance() ? random.between(0, 300) : random.between(0, 3000));
    Thresholds thresholds;
    REQUIRE(find_thresholds(c.epilogue, bound, thresholds));
    Ramp ramp;
    ++tried;
    if (!find_ramp(thresholds, c.epilogue.channels, bound, ramp)) continue;
    ++found_ramps;
    Epilogue climbed = c.epilogue;
    climbed.count = thresholds.count;
    climbed.slope = ramp.slope.data();
    climbed.offset = ramp.offset.data();
    climbed.ramped = ramp.ramped.data();
    for (int32_t acc = -bound; acc <= bound; ++acc)
      for (int64_t channel = 0; channel < climbed.channels; ++channel)
        if (code_of(climbed, acc, channel, 0) != code_of(c.epilogue, acc, channel, 0)) {
          INFO("acc " << acc << ", channel " << channel);
          REQUIRE(code_of(climbed, acc, channel, 0) == code_of(c.epilogue, acc, channel, 0));
        }
  }
  CHECK(found_ramps > tried / 2);
}

TEST_CASE("seeded chains and thresholds give the same codes on every machine", "[kernels]") {
  for (const auto& [name, isa] : isas()) {
    INFO(name);
    Random random("golden");
    Case c;
    Sha256 digest;
    for (int64_t i = 0; i < 300; ++i) {
      c.start(random);
      if (i % 3 == 0)
        c.thresholds(random, static_cast<int32_t>(random.between(1, 15)));
      else
        c.epilogue.scale = c.floats(random, c.padded, -0.03, 0.03);
      add_ends(c, random, i % 16, i % 7 % 3, 1 + i % 5);
      const auto made = outcome(c, true, [&, &in = isa](const Epilogue& e) { apply_for(in)(e, c.tile); });
      digest.add({reinterpret_cast<const char*>(made.codes.data()), made.codes.size()});
    }
    CHECK(digest.hex() == "9f2e361c6613b326fec54c9acfb3b63219f698869404b18f19c6d5001a02d6a3");
  }
}
