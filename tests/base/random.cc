#include "base/random.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>

#include "base/check.h"
#include "tests/support/catch.h"

using namespace auxbench;

TEST_CASE("the generator gives the published numbers of SplitMix64", "[base]") {
  RandomStream stream(1234567);
  const std::array<uint64_t, 5> published = {6457827717110365317U, 3203168211198807973U, 9817491932198370423U,
                                             4593380528125082431U, 16408922859458223821U};
  for (const auto wanted : published) CHECK(stream.next() == wanted);
}

TEST_CASE("the seed of a named stream is the head of a SHA-256", "[base]") {
  // printf '7 3 11 shuffle' | sha256sum | cut -c1-16
  CHECK(stream_seed(7, "shuffle", 3, 11) == 0x728C6EBD1349ABB7U);
  CHECK(stream_seed(-1, "", 0, 0) == 0x80703BA594077891U);
}

TEST_CASE("seed, name and indices all matter", "[base]") {
  const std::set<uint64_t> seeds = {stream_seed(0, "a"),      stream_seed(1, "a"),      stream_seed(-1, "a"),
                                    stream_seed(0, "b"),      stream_seed(0, "a", 1),   stream_seed(0, "a", 0, 1),
                                    stream_seed(0, "0 a", 0), stream_seed(0, "a", 1, 1)};
  CHECK(seeds.size() == 8);
}

TEST_CASE("permutations and uniform numbers are pinned", "[base]") {
  CHECK(permutation(10, 42) == std::vector<uint32_t>{0, 9, 5, 8, 6, 4, 7, 2, 1, 3});
  RandomStream stream(0);
  CHECK(stream.uniform() == 0x1C4415072F63B9p-53);
}

TEST_CASE("a permutation holds every number once", "[base]") {
  for (const uint32_t count : {0U, 1U, 2U, 1000U}) {
    auto order = permutation(count, 5);
    REQUIRE(order.size() == count);
    std::sort(order.begin(), order.end());
    for (uint32_t i = 0; i < count; ++i) CHECK(order[i] == i);
  }
  CHECK(permutation(1000, 5) != permutation(1000, 6));
}

TEST_CASE("numbers below a bound are even, also where 2^64 is no multiple of it", "[base]") {
  constexpr uint64_t kThird = 0x5555555555555555U;
  RandomStream stream(9);
  std::array<int, 3> small{}, large{};
  for (int i = 0; i < 30000; ++i) {
    ++small.at(stream.below(3));
    // Of bound 2 * (2^64 / 3) each half has the same chance; a plain remainder would favour the lower half two to one.
    ++large.at(stream.below(2 * kThird) / kThird);
  }
  for (const int count : small) CHECK(std::abs(count - 10000) < 400);
  CHECK(std::abs(large[0] - 15000) < 500);
  CHECK(large[2] == 0);
}

TEST_CASE("uniform numbers stay in [0, 1) and average one half", "[base]") {
  RandomStream stream(3);
  double sum = 0, least = 1, most = 0;
  for (int i = 0; i < 100000; ++i) {
    const double value = stream.uniform();
    sum += value;
    least = std::min(least, value);
    most = std::max(most, value);
  }
  CHECK(least >= 0);
  CHECK(most < 1);
  CHECK(sum / 100000 == Approx(0.5).margin(0.005));
}

TEST_CASE("nothing is below zero", "[base]") { CHECK_THROWS_AS(RandomStream(0).below(0), LogicFault); }
