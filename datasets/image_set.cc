#include "datasets/image_set.h"

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

ImageSet take_first(ImageSet images, int64_t count) {
  AUXBENCH_CHECK(count >= 0, "a number of images");
  if (count == 0 || count >= images.count) return images;
  images.count = count;
  images.labels.resize(static_cast<size_t>(count));
  images.pixels.resize(static_cast<size_t>(count) * images.image_size());
  images.labels.shrink_to_fit();
  images.pixels.shrink_to_fit();
  return images;
}

}  // namespace auxbench
