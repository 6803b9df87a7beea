// Codes that kernels make of sums themselves, where the sink is requantize's: those of the reference's epilogue.
#include "tests/kernels/conv_problems.h"

using namespace auxbench;
using namespace auxbench::lowbit_conv;
using requantize::Epilogue;

namespace {

// An epilogue whose numbers fit the sums: codes are of all sizes.
struct Made {
  std::vector<float> slope, offset, scale, alpha, beta;
  std::vector<int32_t> thresholds;
  std::vector<uint8_t> ramped;
  Epilogue epilogue;
};

enum class Way { ramp, chain, thresholds };

Made some_epilogue(const Problem& p, const std::vector<int64_t>& sums, Way way, Generator& generator) {
  Made made;
  auto& e = made.epilogue;
  e.channels = p.out;
  const auto padded = static_cast<size_t>(requantize::padded_channels(p.out));
  const int64_t steps = between(generator, 1, way == Way::thresholds ? 15 : 255);
  const auto [least, most] = std::minmax_element(sums.begin(), sums.end());
  const auto width = static_cast<float>(*most - *least + 1);
  for (size_t c = 0; c < padded; ++c) {
    const auto draw = static_cast<float>(between(generator, 50, 150)) / 100;
    const float slope = draw * static_cast<float>(steps) / width * (between(generator, 0, 5) == 0 ? -1.0F : 1.0F);
    const float offset = static_cast<float>(steps) / 2 - slope * static_cast<float>(*least + *most) / 2;
    made.slope.push_back(slope);
    made.offset.push_back(offset);
    made.scale.push_back(0.01F * draw);
    made.alpha.push_back(slope / static_cast<float>(steps) / made.scale.back());
    made.beta.push_back(offset / static_cast<float>(steps));
  }
  if (way != Way::thresholds) {
    e.scale = made.scale.data();
    e.alpha = made.alpha.data();
    e.beta = made.beta.data();
    e.clamp = between(generator, 0, 1) == 1;
    e.encoder = {.kind = requantize::Encoder::Kind::affine,
                 .steps = static_cast<int32_t>(steps),
                 .multiply = static_cast<float>(steps)};
  }
  if (way == Way::ramp) {
    e.slope = made.slope.data();
    e.offset = made.offset.data();
    e.count = static_cast<int32_t>(steps);
    // Some blocks walk the chain.
    for (size_t block = 0; block < padded / requantize::kChannelBlock; ++block)
      made.ramped.push_back(between(generator, 0, 7) == 0 ? 0 : 1);
    if (between(generator, 0, 1) == 1) e.ramped = made.ramped.data();
  } else if (way == Way::thresholds) {
    for (int64_t j = 0; j < steps; ++j)
      for (size_t c = 0; c < padded; ++c)
        made.thresholds.push_back(static_cast<int32_t>(*least + (*most - *least) * (j + 1) / (steps + 1)));
    e.thresholds = made.thresholds.data();
    e.count = static_cast<int32_t>(steps);
  }
  return made;
}

// All bytes of the map of codes: borders and channels that do not exist, too.
std::vector<uint8_t> codes_of(const Plan& plan, const std::vector<int8_t>& weights, const std::vector<uint8_t>& codes,
                              Generator generator, Sink sink, Epilogue epilogue, int64_t pixel) {
  const auto& p = plan.problem();
  epilogue.codes = {.h = p.out_h(), .w = p.out_w(), .border = 1, .pixel = pixel};
  const auto bytes = static_cast<size_t>(p.n * epilogue.codes.image());
  const Guarded memory(bytes);
  epilogue.codes.data = memory.data();
  std::memset(memory.data(), 0xa5, bytes);
  execute(plan, weights, codes, generator, sink, epilogue);
  return {memory.data(), memory.data() + bytes};
}

}  // namespace

TEST_CASE("codes that kernels make of their sums are those of the reference", "[lowbit_conv]") {
  Generator generator(20260102);
  for (int tried = 0; tried < 150;) {
    auto p = some_problem(generator);
    p.out = 64 * between(generator, 1, 3) + (between(generator, 0, 2) == 0 ? between(generator, 1, 70) : 0);
    if (!why_not(p).empty()) continue;
    const auto weights = some_weights(p, generator, Fill::random);
    const auto codes = some_codes(p, generator, Fill::random);
    const auto way = static_cast<Way>(tried % 3);
    const auto made = some_epilogue(p, reference(p, weights, codes), way, generator);
    const int64_t pixel = (p.out + 3) / 4 * 4 + 4 * between(generator, 0, 2);
    const auto expected = codes_of(make_plan(p, detect_isa("generic"), "generic"), weights, codes, generator,
                                   requantize::apply_reference, made.epilogue, pixel);
    for (const char* cap : {"avx2", "avx512", "amx"}) {
      const auto isa = detect_isa(cap);
      for (const auto& kernel : kernels_for(p, isa)) {
        INFO(cap << " " << kernel << ", way " << tried % 3 << ": " << text_of(p));
        const auto found = codes_of(make_plan(p, isa, kernel), weights, codes, generator, requantize::apply_for(isa),
                                    made.epilogue, pixel);
        REQUIRE((found == expected));
      }
    }
    ++tried;
  }
}
