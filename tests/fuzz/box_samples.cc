// Samples of boxes: what was read is written, reads back as the same, and can be drawn.
#include "datasets/box_samples.h"

#include "datasets/box_grid.h"
#include "tests/fuzz/target.h"

using namespace auxbench;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::may_refuse(ExitCode::data_missing, [&] {
    const auto samples = parse_box_samples(fuzz::text_of(data, size), "input");
    AUXBENCH_CHECK(!samples.images.empty() && std::ssize(samples.images) <= kMostSamples, "some images");
    const auto written = dump_box_samples(samples);
    AUXBENCH_CHECK(dump_box_samples(parse_box_samples(written, "again")) == written, "the samples that were written");
    const auto grid = draw_box_grid("input", std::vector<BoxColumn>(2, {"column", samples}));
    AUXBENCH_CHECK(grid.width > 0 && grid.height > 0, "a picture");
  });
  return 0;
}
