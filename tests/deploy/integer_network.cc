// Integer networks without torch: every instruction set says the same, files are kept and refused.
#include "deploy/integer_network.h"

#include <algorithm>

#include "base/error.h"
#include "base/files/safetensors.h"
#include "base/files/sha256.h"
#include "base/random.h"
#include "deploy/executor.h"
#include "deploy/integer_file.h"
#include "deploy/synthetic.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

std::vector<float> some_images(int64_t count) {
  RandomStream random(9);
  std::vector<float> images(static_cast<size_t>(count));
  for (auto& pixel : images) pixel = static_cast<float>(random.uniform());
  return images;
}

std::vector<float> logits_of(const IntegerNetwork& network, const std::vector<float>& images,
                             const ExecutorOptions& options, const Isa& isa) {
  Executor engine(network, options, isa);
  const auto logits = engine.run(images);
  return {logits.begin(), logits.end()};
}

}  // namespace

TEST_CASE("a whole network is the same on every instruction set, batch and number of threads", "[deploy]") {
  for (const auto& [weight_bits, activation_bits] :
       {std::pair(1, 1), std::pair(1, 2), std::pair(2, 2), std::pair(4, 4), std::pair(8, 8)}) {
    const auto network = synthetic_resnet("resnet18", weight_bits, activation_bits, 32);
    const auto images = some_images(2 * 3 * 32 * 32);
    const auto expected = logits_of(network, images, {.batch = 2}, detect_isa("generic"));
    CHECK(std::any_of(expected.begin(), expected.end(), [&](float v) { return v != expected.front(); }));
    for (const char* cap : {"avx2", "avx512", "amx"}) {
      CAPTURE(weight_bits, activation_bits, cap);
      CHECK(logits_of(network, images, {.batch = 2}, detect_isa(cap)) == expected);
      CHECK(logits_of(network, images, {.batch = 2, .threads = 2, .keep_values = true}, detect_isa(cap)) == expected);
    }
    const std::vector<float> second(images.begin() + 3 * 32 * 32, images.end());
    const auto alone = logits_of(network, second, {}, this_isa());
    CHECK(std::equal(alone.begin(), alone.end(), expected.begin() + 1000));
  }
}

TEST_CASE("the codes of a seeded network are the same everywhere", "[deploy]") {
  // Logits of ResNet-18 at two bits as bytes: what another machine, or a GPU, must find as well.
  const auto logits = logits_of(synthetic_resnet("resnet18", 2, 2, 64), some_images(3 * 64 * 64), {}, this_isa());
  CHECK(sha256_hex({reinterpret_cast<const char*>(logits.data()), logits.size() * sizeof(float)}) ==
        "ef129ceb0ddff609099bea86d1cf8b4b6a2545316160974364efa55aea8d2f70");
}

TEST_CASE("files of integer networks come back, and damaged ones are refused", "[deploy]") {
  const auto network = synthetic_resnet("resnet18", 3, 2, 32);
  const auto bytes = dump_integer_network(network);
  const auto back = parse_integer_network(bytes, "memory");
  CHECK(dump_integer_network(back) == bytes);
  const auto images = some_images(3 * 32 * 32);
  CHECK(logits_of(back, images, {}, this_isa()) == logits_of(network, images, {}, this_isa()));
  RandomStream random(11);
  for (int i = 0; i < 60; ++i) {
    auto damaged = bytes;
    const auto where = random.below(damaged.size());
    if (i % 2 == 0)
      damaged.resize(where);
    else
      damaged[where] = static_cast<char>(damaged[where] ^ 0x10);
    CAPTURE(i, where);
    CHECK_THROWS_AS(parse_integer_network(damaged, "memory"), UserError);
  }
  auto wrong = network;
  wrong.steps[5].out += 1;
  CHECK_THROWS_WITH(parse_integer_network(dump_integer_network(wrong), "memory"),
                    contains_text(std::string(wrong.steps[5].name)));
}

TEST_CASE("steps that would read what is not there are refused", "[deploy]") {
  const auto network = synthetic_resnet("resnet18", 2, 2, 32);
  const auto refused = [&](const auto& change, const std::string& reason) {
    auto wrong = network;
    change(wrong);
    CHECK_THROWS_WITH(value_sizes(wrong), contains_text(reason));
  };
  REQUIRE(network.steps[0].kind == IntegerStep::Kind::image);
  refused(
      [](auto& wrong) {
        wrong.steps[0].out_floats = kNoValue;
        wrong.steps[0].out_codes = wrong.steps[1].out_codes;
        wrong.steps[0].encoder = wrong.steps[1].encoder;
      },
      "image: makes floats alone");
  refused([](auto& wrong) { wrong.steps[1].inputs = {wrong.values.size()}; }, "a value that does not exist");
  refused([](auto& wrong) { wrong.steps[4].out_codes = wrong.steps[4].inputs[0]; },
          "a value that an earlier step makes");
  refused(
      [](auto& wrong) {
        REQUIRE(wrong.steps[3].kind == IntegerStep::Kind::max_pool);
        wrong.values[wrong.steps[3].out_codes].codes.largest = 1;
      },
      "pools codes into codes of another meaning");
}

TEST_CASE("synthetic networks are those there are", "[deploy]") {
  CHECK_THROWS_WITH(synthetic_resnet("resnet19", 2, 2, 32),
                    "no network resnet19, only resnet18, resnet34, resnet50, resnet101");
}

namespace {

// Image, encoder, convolution of 2 bits, codes pooled, classifier: tiny, and fit to be spoiled.
IntegerNetwork small_network() {
  IntegerNetwork network = {.channels = 1, .height = 3, .width = 3, .classes = 2};
  const CodeMeaning codes = {.largest = 3};
  network.values = {{.type = IntegerValue::Type::floats, .channels = 1},
                    {.type = IntegerValue::Type::codes, .channels = 1, .codes = codes},
                    {.type = IntegerValue::Type::codes, .channels = 2, .codes = codes},
                    {.type = IntegerValue::Type::codes, .channels = 2, .codes = codes},
                    {.type = IntegerValue::Type::floats, .channels = 2}};
  using Kind = IntegerStep::Kind;
  const FrozenEncoder affine = {.kind = "affine", .lo = 0, .hi = 1, .multiply = 3};
  const FrozenEncoder table = {.kind = "thresholds", .table = {0.5F, 1.5F, 2.5F}};
  network.steps = {{.kind = Kind::image, .name = "image", .out_floats = 0},
                   {.kind = Kind::elementwise, .name = "pixels", .inputs = {0}, .encoder = affine, .out_codes = 1},
                   {.kind = Kind::convolution,
                    .name = "conv",
                    .inputs = {1},
                    .out = 2,
                    .stride = 2,
                    .weight_bits = 2,
                    .weights = {1, -2},
                    .scale = {1, 1},
                    .encoder = table,
                    .out_codes = 2},
                   {.kind = Kind::max_pool, .name = "pool", .inputs = {2}, .out_codes = 3},
                   {.kind = Kind::convolution,
                    .name = "fc",
                    .inputs = {3},
                    .out = 2,
                    .weight_bits = 2,
                    .weights = {1, 0, -1, 1},
                    .scale = {1, 1},
                    .out_floats = 4}};
  network.outputs = {{kLogits, 4}};
  return network;
}

// The file with `from` in its graph replaced, and the right checksum.
std::string spoiled(const std::string& bytes, const std::string& from, const std::string& to) {
  auto contents = parse_safetensors(bytes, "memory");
  auto& graph = contents.metadata["graph"];
  REQUIRE(graph.find(from) != std::string::npos);
  graph.replace(graph.find(from), from.size(), to);
  contents.metadata["sha256"] = integer_file_digest(contents);
  return dump_safetensors(contents);
}

}  // namespace

TEST_CASE("networks that memory would not hold or that kernels could not run are refused", "[deploy]") {
  const auto refused = [](const auto& spoil, const std::string& what) {
    auto network = small_network();
    spoil(network);
    CHECK_THROWS_WITH(value_sizes(network), contains_text(what));
  };
  CHECK_NOTHROW(value_sizes(small_network()));
  refused([](auto& n) { n.steps[1].encoder.multiply = 4; }, "step pixels: an encoder of codes beyond the largest");
  refused([](auto& n) { n.steps[1].encoder.lo = -1; }, "step pixels: an encoder of codes beyond the largest");
  refused([](auto& n) { n.steps[1].encoder.hi = std::numeric_limits<float>::infinity(); }, "codes beyond the largest");
  refused([](auto& n) { std::swap(n.steps[2].encoder.table[0], n.steps[2].encoder.table[2]); }, "do not rise");
  refused([](auto& n) { n.height = n.width = 1 << 14; }, "a map of 4294967296 numbers");
  refused([](auto& n) { n.values.resize(kMostSteps + 1); }, "more than 10000 steps or values");
}

TEST_CASE("numbers of an integer network's file that would be cut are refused with their place", "[deploy]") {
  const auto bytes = dump_integer_network(small_network());
  const auto refused = [&](const std::string& from, const std::string& to, const std::string& what) {
    CAPTURE(from, to);
    CHECK_THROWS_WITH(parse_integer_network(spoiled(bytes, from, to), "memory"), contains_text(what));
  };
  CHECK_NOTHROW(parse_integer_network(spoiled(bytes, "\"in_double\":false", "\"in_double\":true"), "memory"));
  refused("\"largest\":3", "\"largest\":4294967299", "value 1: largest is no whole number that 32 bits hold");
  refused("\"stride\":2", "\"stride\":1e300", "step 2: stride is no whole number that 32 bits hold");
  refused("\"lo\":0", "\"lo\":1e300", "lo is no float");
  refused("\"hi\":\"inf\"", "\"hi\":\"nan\"", "step 0: hi is no float");
  refused("\"type\":\"codes\"", "\"type\":\"code\"", "value 1: of unknown type");
}
