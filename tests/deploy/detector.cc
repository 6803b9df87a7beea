// A detector as integers, without torch: outputs of all levels, weights that steps share, maps of several sizes.
#include <algorithm>

#include "base/error.h"
#include "base/files/file.h"
#include "base/files/safetensors.h"
#include "base/random.h"
#include "deploy/executor.h"
#include "deploy/integer_file.h"
#include "deploy/onnx.h"
#include "deploy/synthetic.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

using Kind = IntegerStep::Kind;

SyntheticDetector small(bool shared_heads, int bits = 4) {
  return {.weight_bits = bits,
          .activation_bits = bits,
          .height = 64,
          .width = 96,
          .classes = 5,
          .anchors = 3,
          .channels = 32,
          .tower = 2,
          .shared_heads = shared_heads};
}

std::vector<float> some_images(int64_t count, uint64_t seed = 3) {
  RandomStream random(seed);
  std::vector<float> images(static_cast<size_t>(count));
  for (auto& pixel : images) pixel = static_cast<float>(random.uniform());
  return images;
}

// All outputs, one after another.
std::vector<float> outputs_of(const IntegerNetwork& network, const Executor& engine) {
  std::vector<float> all;
  for (const auto& output : network.outputs) {
    const auto found = engine.output(output.name).numbers;
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

std::vector<float> outputs_of(const IntegerNetwork& network, const std::vector<float>& images, ValueSize size,
                              const ExecutorOptions& options, const Isa& isa) {
  Executor engine(network, options, isa);
  engine.run(images, size);
  return outputs_of(network, engine);
}

// The same network, each step with weights of its own.
IntegerNetwork with_own_weights(IntegerNetwork network) {
  for (auto& step : network.steps) {
    if (step.shares == kNoValue) continue;
    step.weights = network.steps[step.shares].weights;
    step.float_weights = network.steps[step.shares].float_weights;
    step.shares = kNoValue;
  }
  return network;
}

IntegerStep& step_of(IntegerNetwork& network, const std::string& name) {
  const auto found =
      std::find_if(network.steps.begin(), network.steps.end(), [&](const auto& step) { return step.name == name; });
  REQUIRE(found != network.steps.end());
  return *found;
}

const char* const kSharing = "head.classification_head.conv.0.0@4";

// Codes of the image, halved, and brought back to the image's size: as codes, and as floats they were made of.
IntegerNetwork up_and_down() {
  using Type = IntegerValue::Type;
  const CodeMeaning codes = {.largest = 3};
  const FrozenEncoder table = {.kind = "thresholds", .table = {0.2F, 0.4F, 0.8F}};
  IntegerNetwork network = {.channels = 3, .height = 6, .width = 8};
  network.values = {{.type = Type::floats, .channels = 3},
                    {.type = Type::floats, .channels = 3},
                    {.type = Type::codes, .channels = 3, .codes = codes},
                    {.type = Type::codes, .channels = 3, .codes = codes},
                    {.type = Type::floats, .channels = 3},
                    {.type = Type::codes, .channels = 3, .codes = codes},
                    {.type = Type::floats, .channels = 2}};
  network.steps = {{.kind = Kind::image, .name = "image", .out_floats = 0},
                   {.kind = Kind::max_pool, .name = "pool", .inputs = {0}, .out_floats = 1},
                   {.kind = Kind::elementwise, .name = "code", .inputs = {1}, .encoder = table, .out_codes = 2},
                   {.kind = Kind::upsample, .name = "up.codes", .inputs = {2, 0}, .out_codes = 3},
                   {.kind = Kind::upsample, .name = "up.floats", .inputs = {1, 3}, .out_floats = 4},
                   {.kind = Kind::elementwise, .name = "code.again", .inputs = {4}, .encoder = table, .out_codes = 5},
                   {.kind = Kind::convolution,
                    .name = "conv",
                    .inputs = {3},
                    .out = 2,
                    .r = 3,
                    .s = 3,
                    .pad = 1,
                    .weight_bits = 2,
                    .weights = std::vector<int8_t>(54, 1),
                    .scale = {1, 1},
                    .out_floats = 6}};
  network.outputs = {{"map", 6}};
  return network;
}

}  // namespace

TEST_CASE("a detector is the same on every instruction set, batch and number of threads", "[detector]") {
  for (const bool shared : {true, false})
    for (const int bits : {1, 2, 4}) {
      const auto network = synthetic_retinanet(small(shared, bits));
      // Beside its own size one that 32 does not divide.
      for (const auto size : {ValueSize{64, 96}, ValueSize{81, 67}}) {
        const auto images = some_images(2 * 3 * size.h * size.w);
        const auto expected = outputs_of(network, images, size, {.batch = 2}, detect_isa("generic"));
        CHECK(std::any_of(expected.begin(), expected.end(), [&](float v) { return v != expected.front(); }));
        for (const char* cap : {"avx2", "avx512", "amx"}) {
          CAPTURE(shared, bits, cap, size.h, size.w);
          CHECK(outputs_of(network, images, size, {.batch = 2}, detect_isa(cap)) == expected);
          CHECK(outputs_of(network, images, size, {.batch = 2, .threads = 2, .keep_values = true}, detect_isa(cap)) ==
                expected);
        }
      }
    }
}

TEST_CASE("a detector's outputs are named by level, each half the size of the one before", "[detector]") {
  const auto network = synthetic_retinanet(small(true));
  CHECK(network.classes == 0);
  CHECK(network.outputs.size() == 10);
  Executor engine(network, {.batch = 2});
  for (const auto size : {ValueSize{64, 96}, ValueSize{97, 65}}) {
    const auto images = some_images(2 * 3 * size.h * size.w);
    engine.run(images, size);
    int64_t h = size.h, w = size.w;
    for (int64_t level = 0; level <= 7; ++level, h = (h + 1) / 2, w = (w + 1) / 2) {
      if (level < 3) continue;
      const auto classes = engine.output("classes." + std::to_string(level));
      const auto boxes = engine.output("boxes." + std::to_string(level));
      CHECK((classes.h == h && classes.w == w && classes.channels == 3 * 5));
      CHECK((boxes.h == h && boxes.w == w && boxes.channels == 4 * 3));
      CHECK(std::ssize(boxes.numbers) == 2 * h * w * boxes.channels);
    }
  }
}

TEST_CASE("weights that levels share are stored and packed once, and say what copies of them say", "[detector]") {
  const auto network = synthetic_retinanet(small(true)), apart = with_own_weights(network);
  const auto images = some_images(3 * 64 * 96);
  Executor engine(network, {}, detect_isa("generic")), copies(apart, {}, detect_isa("generic"));
  engine.run(images);
  copies.run(images);
  CHECK(outputs_of(network, engine) == outputs_of(apart, copies));
  // Two heads of three layers on four more levels.
  constexpr size_t kSpared = 2 * 3 * 4;
  CHECK(engine.packed_weights() == copies.packed_weights() - kSpared);
  int64_t bits = 0;
  for (size_t i = 0; i < network.steps.size(); ++i)
    bits += (std::ssize(apart.steps[i].weights) - std::ssize(network.steps[i].weights)) * network.steps[i].weight_bits;
  CHECK(bits > 0);
  CHECK(network.bytes() == apart.bytes() - bits / 8);
  CHECK(network.macs() == apart.macs());
  CHECK(network.macs() == network.integer_macs());
  CHECK(dump_integer_network(network).size() + static_cast<size_t>(bits / 8) < dump_integer_network(apart).size());
  // A second size packs nothing anew where the kernel is the same.
  const auto packed = engine.packed_weights();
  engine.run(some_images(3 * 96 * 64), {96, 64});
  CHECK(engine.packed_weights() == packed);
  // Without sharing the towers are as many as levels; the last layers stay shared.
  CHECK(synthetic_retinanet(small(false)).bytes() > network.bytes());
}

TEST_CASE("detectors' files come back, and those of networks that share nothing are what they were", "[detector]") {
  const auto network = synthetic_retinanet(small(true));
  const auto bytes = dump_integer_network(network);
  const auto back = parse_integer_network(bytes, "memory");
  CHECK(dump_integer_network(back) == bytes);
  CHECK(back.outputs == network.outputs);
  CHECK(back.detector == IntegerDetector{.kind = "retinanet", .flavour = "detectron2", .image_size = 64});
  const auto images = some_images(3 * 64 * 96);
  CHECK(outputs_of(back, images, {64, 96}, {}, this_isa()) == outputs_of(network, images, {64, 96}, {}, this_isa()));
  // Files from before steps could share weights read and write as they are.
  for (const char* name : {"codes", "digits", "floats"}) {
    const auto old =
        read_file(std::string(AUXBENCH_SOURCE_ROOT "/tests/fuzz/seeds/integer_file/") + name + ".safetensors");
    CAPTURE(name);
    CHECK(old.find("shares") == std::string::npos);
    CHECK(old.find("detector") == std::string::npos);
    CHECK(dump_integer_network(parse_integer_network(old, name)) == old);
  }
  const auto shared = read_file(AUXBENCH_SOURCE_ROOT "/tests/fuzz/seeds/integer_file/pyramid.safetensors");
  CHECK(shared.find("shares") != std::string::npos);
  CHECK(dump_integer_network(parse_integer_network(shared, "pyramid")) == shared);
}

TEST_CASE("steps that share weights with what is no such convolution are refused", "[detector]") {
  const auto network = synthetic_retinanet(small(true));
  const auto refused = [&](const auto& change, const std::string& reason) {
    auto wrong = network;
    change(wrong);
    CHECK_THROWS_WITH(value_sizes(wrong), contains_text(reason));
    CHECK_THROWS_WITH(parse_integer_network(dump_integer_network(wrong), "memory"), contains_text(reason));
  };
  refused([](auto& n) { step_of(n, kSharing).shares = n.steps.size() - 1; }, "a step that is not before it");
  refused([](auto& n) { step_of(n, kSharing).shares = 1U << 20; }, "a step that is not before it");
  refused([](auto& n) { step_of(n, kSharing).shares = 0; }, "shares weights with another convolution");
  refused([](auto& n) { step_of(n, kSharing).shares = 2; }, "shares weights with another convolution");
  refused([](auto& n) { step_of(n, kSharing).weight_bits = 3; }, "shares weights with another convolution");
  refused([](auto& n) { step_of(n, kSharing).stride = 2; }, "shares weights with another convolution");
  refused([](auto& n) { step_of(n, kSharing).weights.assign(9, 1); }, "a step that has none, or has its own");
  refused([](auto& n) { step_of(n, "head.classification_head.conv.0.0@5").shares = n.steps.size(); },
          "a step that is not before it");
  refused(
      [](auto& n) {
        const auto& steps = n.steps;
        const auto first = std::find_if(steps.begin(), steps.end(), [](const auto& s) { return s.name == kSharing; });
        step_of(n, "head.classification_head.conv.0.0@5").shares = static_cast<size_t>(first - steps.begin());
      },
      "a step that has none, or has its own");
  refused([](auto& n) { n.steps[1].shares = 0; }, "step pixels: has no weights to share");
}

TEST_CASE("upsampled codes stay codes, and are those of the upsampled floats", "[detector]") {
  const auto network = up_and_down();
  for (const auto size : {ValueSize{6, 8}, ValueSize{7, 5}, ValueSize{1, 1}}) {
    CAPTURE(size.h, size.w);
    Executor engine(network, {.batch = 2, .keep_values = true}), lean(network, {.batch = 2, .threads = 2});
    const auto images = some_images(2 * 3 * size.h * size.w);
    engine.run(images, size);
    lean.run(images, size);
    const auto codes = engine.value(3);
    CHECK(codes == engine.value(5));
    CHECK(codes.size() == engine.value(0).size());
    CHECK(outputs_of(network, lean) == engine.value(6));
  }
  const auto refused = [&](const auto& change, const std::string& reason) {
    auto wrong = network;
    change(wrong.steps[3]);
    CHECK_THROWS_WITH(value_sizes(wrong), contains_text(reason));
  };
  refused([](auto& step) { step.inputs = {2}; }, "step up.codes: the wrong number of inputs");
  refused([](auto& step) { step.inputs = {2, 6}; }, "step up.codes: the size of a value that no earlier step makes");
  refused([](auto& step) { step.inputs = {2, 99}; }, "step up.codes: a value that does not exist");
  refused([](auto& step) { step.inputs = {6, 0}; }, "step up.codes: an input that no earlier step makes");
  refused([](auto& step) { step.out_floats = 4; }, "step up.codes: makes codes alone");
}

TEST_CASE("a detector's memory is used again, and what one run leaves is not seen by the next", "[detector]") {
  const auto network = synthetic_retinanet(small(true, 2));
  Executor engine(network, {.batch = 2, .threads = 2}), keeping(network, {.batch = 2, .keep_values = true});
  CHECK(engine.map_bytes() < keeping.map_bytes() / 2);
  for (const uint64_t seed : {1U, 2U, 3U}) {
    const auto images = some_images(2 * 3 * 64 * 96, seed);
    engine.run(images);
    keeping.run(images);
    CHECK(outputs_of(network, engine) == outputs_of(network, keeping));
    for (const auto& [name, value] : network.outputs) {
      const auto numbers = engine.output(name).numbers;
      CHECK(std::vector<float>(numbers.begin(), numbers.end()) == keeping.value(value));
    }
  }
}

TEST_CASE("a detector of full size fits its numbers", "[detector]") {
  const auto network = synthetic_retinanet({});
  // 4 bits a weight of the backbone, the pyramid and the towers, 8 of the last layers.
  CHECK(network.bytes() > 9'000'000);
  CHECK(network.bytes() < 14'000'000);
  CHECK(network.macs() > 100'000'000'000);
  const auto sizes = value_sizes(network);
  CHECK(sizes[network.outputs.front().value] == ValueSize{100, 168});
  CHECK(sizes[network.outputs.back().value] == ValueSize{7, 11});
}

TEST_CASE("what no detector is made of is refused", "[detector]") {
  auto options = small(true);
  options.backbone = "resnet19";
  CHECK_THROWS_WITH(synthetic_retinanet(options), contains_text("no network resnet19"));
  options = small(true);
  options.weight_bits = 5;
  CHECK_THROWS_WITH(synthetic_retinanet(options), contains_text("weights of 1, 2, 3, 4 or 8 bits"));
  options = small(true);
  options.height = 32;
  CHECK_THROWS_WITH(synthetic_retinanet(options), contains_text("at least 64 pixels"));
}
