#include "datasets/sources/image_set.h"

#include <algorithm>

#include "base/check.h"

namespace auxbench {

void check_image_set(const ImageSet& images) {
  const auto count = static_cast<size_t>(images.count);
  AUXBENCH_CHECK(images.channels > 0 && images.height > 0 && images.width > 0, "a shape of images");
  AUXBENCH_CHECK(images.labels.size() == count, "one label for each image");
  AUXBENCH_CHECK(images.pixels.size() == count * images.image_size(), "pixels of all images");
  const auto in_range = [&](int64_t label) { return label >= 0 && label < images.classes; };
  AUXBENCH_CHECK(std::all_of(images.labels.begin(), images.labels.end(), in_range), "labels that are classes");
}

}  // namespace auxbench
