// The executor beyond one image size and one output: sizes at run time, named outputs, memory used again.
#include "deploy/executor.h"

#include <algorithm>

#include "base/error.h"
#include "base/random.h"
#include "deploy/integer_file.h"
#include "deploy/onnx.h"
#include "deploy/synthetic.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

using Kind = IntegerStep::Kind;

std::vector<float> some_images(int64_t count, uint64_t seed = 9) {
  RandomStream random(seed);
  std::vector<float> images(static_cast<size_t>(count));
  for (auto& pixel : images) pixel = static_cast<float>(random.uniform());
  return images;
}

std::vector<float> copied(std::span<const float> numbers) { return {numbers.begin(), numbers.end()}; }

// Two levels as a pyramid has them: codes of the image, convolved, pooled, convolved again; both levels are outputs.
IntegerNetwork pyramid() {
  IntegerNetwork network = {.channels = 3, .height = 12, .width = 20};
  const CodeMeaning codes = {.largest = 3};
  const auto floats = [&](int64_t channels) {
    network.values.push_back({.channels = channels});
    return network.values.size() - 1;
  };
  const auto coded = [&](int64_t channels) {
    network.values.push_back({.type = IntegerValue::Type::codes, .channels = channels, .codes = codes});
    return network.values.size() - 1;
  };
  const FrozenEncoder table = {.kind = "thresholds", .table = {0.5F, 1.5F, 2.5F}};
  RandomStream random(4);
  const auto convolution = [&](const std::string& name, size_t in) {
    IntegerStep step = {
        .kind = Kind::convolution, .name = name, .inputs = {in}, .out = 16, .r = 3, .s = 3, .pad = 1, .weight_bits = 2};
    for (int64_t i = 0; i < 16 * 9 * network.values[in].channels; ++i)
      step.weights.push_back(static_cast<int8_t>(static_cast<int>(random.below(4)) - 2));
    step.scale.assign(16, 0.05F);
    step.beta.assign(16, 1.0F);
    step.alpha.assign(16, 1.0F);
    return step;
  };
  const auto image = floats(3), pixels = coded(3);
  network.steps.push_back({.kind = Kind::image, .name = "image", .out_floats = image});
  network.steps.push_back(
      {.kind = Kind::elementwise, .name = "pixels", .inputs = {image}, .encoder = table, .out_codes = pixels});
  auto fine = convolution("fine", pixels);
  fine.encoder = table;
  fine.out_floats = floats(16);
  fine.out_codes = coded(16);
  const auto fine_floats = fine.out_floats, fine_codes = fine.out_codes;
  network.steps.push_back(std::move(fine));
  const auto pooled = coded(16);
  network.steps.push_back({.kind = Kind::max_pool, .name = "pool", .inputs = {fine_codes}, .out_codes = pooled});
  auto coarse = convolution("coarse", pooled);
  coarse.out_floats = floats(16);
  network.outputs = {{"coarse", coarse.out_floats}, {"fine", fine_floats}};
  network.steps.push_back(std::move(coarse));
  return network;
}

}  // namespace

TEST_CASE("an executor runs images of any size, as one of that size would, and packs weights once", "[executor]") {
  const auto network = synthetic_resnet("resnet18", 2, 2, 64);
  Executor engine(network, {.most_sizes = 2});
  const size_t packed = engine.packed_weights();
  CHECK(packed == 21);
  for (const auto& [h, w] : {std::pair<int64_t, int64_t>(64, 64), {64, 96}, {96, 64}, {64, 64}, {64, 96}}) {
    CAPTURE(h, w);
    const auto images = some_images(3 * h * w);
    auto fixed = network;
    fixed.height = h;
    fixed.width = w;
    Executor alone(fixed, {});
    CHECK(copied(engine.run(images, {h, w})) == copied(alone.run(images)));
    CHECK(engine.map_bytes() == alone.map_bytes());
  }
  // With one kernel for all sizes, no weights are packed twice.
  Executor fresh(network, {}, detect_isa("generic"));
  fresh.run(some_images(3 * 64 * 96), {64, 96});
  fresh.run(some_images(3 * 32 * 64), {32, 64});
  CHECK(fresh.packed_weights() == packed);
}

TEST_CASE("a size that a network cannot be run at is refused and leaves the executor as it was", "[executor]") {
  const auto network = pyramid();
  Executor engine(network, {});
  const auto images = some_images(3 * 12 * 20);
  const auto before = copied(engine.run(images));
  CHECK_THROWS_AS(engine.run(some_images(0), {0, 20}), UserError);
  CHECK_THROWS_AS(engine.run(some_images(0), {1 << 20, 20}), UserError);
  CHECK(copied(engine.run(images)) == before);
}

TEST_CASE("outputs come by name, each with its shape, the first of them from run()", "[executor]") {
  const auto network = pyramid();
  Executor engine(network, {.batch = 2}), keeping(network, {.batch = 2, .keep_values = true});
  for (const auto& [h, w] : {std::pair<int64_t, int64_t>(12, 20), {7, 9}}) {
    CAPTURE(h, w);
    const auto images = some_images(2 * 3 * h * w);
    const auto first = copied(engine.run(images, {h, w}));
    keeping.run(images, {h, w});
    const auto coarse = engine.output("coarse"), fine = engine.output("fine");
    CHECK(copied(coarse.numbers) == first);
    CHECK((coarse.h == (h + 1) / 2 && coarse.w == (w + 1) / 2 && coarse.channels == 16));
    CHECK((fine.h == h && fine.w == w && fine.channels == 16));
    CHECK(copied(coarse.numbers) == keeping.value(network.outputs[0].value));
    CHECK(copied(fine.numbers) == keeping.value(network.outputs[1].value));
    CHECK(std::any_of(first.begin(), first.end(), [&](float v) { return v != first.front(); }));
  }
}

TEST_CASE("files keep several outputs, and a classifier's file says logits as before", "[executor]") {
  const auto network = pyramid();
  const auto bytes = dump_integer_network(network);
  const auto back = parse_integer_network(bytes, "memory");
  CHECK(back.outputs == network.outputs);
  CHECK(dump_integer_network(back) == bytes);
  const auto classifier = dump_integer_network(synthetic_resnet("resnet18", 2, 2, 32));
  CHECK(classifier.find("\\\"logits\\\":") != std::string::npos);
  CHECK(classifier.find("\\\"outputs\\\"") == std::string::npos);
  CHECK(to_onnx(network).find("Identity") != std::string::npos);
}

TEST_CASE("outputs that nobody could read are refused", "[executor]") {
  const auto refused = [](const auto& change, const std::string& what) {
    auto network = pyramid();
    change(network);
    CHECK_THROWS_WITH(value_sizes(network), contains_text(what));
  };
  CHECK_NOTHROW(value_sizes(pyramid()));
  refused([](auto& n) { n.outputs.clear(); }, "no outputs");
  refused([](auto& n) { n.outputs[1].name = "coarse"; }, "without a name of their own");
  refused([](auto& n) { n.outputs[1].name.clear(); }, "without a name of their own");
  refused([](auto& n) { n.outputs[1].value = n.steps[1].out_codes; }, "the output fine is no float value");
  refused([](auto& n) { n.outputs[1].value = n.values.size(); }, "the output fine is no float value");
  refused([](auto& n) { n.outputs[0].name = kLogits; }, "does not end in one number per class");
  refused([](auto& n) { n.classes = 2; }, "classes without logits");
  refused([](auto& n) { n.steps[3].factors = {1.0F}; }, "step pool: arrays that are not for the operation max-pool");
}

TEST_CASE("memory is used again between maps of all sizes, and borders stay what padding means", "[executor]") {
  for (const int bits : {1, 2}) {
    const auto network = synthetic_resnet("resnet18", bits, bits, 64);
    Executor engine(network, {.batch = 2, .threads = 2}), keeping(network, {.batch = 2, .keep_values = true});
    CHECK(engine.map_bytes() < keeping.map_bytes() / 2);
    // Several runs: what one leaves in memory must not be seen by the next.
    for (const uint64_t seed : {1U, 2U, 3U}) {
      const auto images = some_images(2 * 3 * 64 * 64, seed);
      CHECK(copied(engine.run(images)) == copied(keeping.run(images)));
    }
  }
}
