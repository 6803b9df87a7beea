#include "datasets/sources/photo_folder.h"

#include <utility>

#include "base/error.h"
#include "base/files/file.h"
#include "datasets/image/transforms.h"

namespace auxbench {
namespace {

class PhotoFolder final : public ImageSource {
 public:
  explicit PhotoFolder(PhotoIndex index) : index_(std::move(index)) {}

  [[nodiscard]] int64_t count() const override { return index_.count(); }
  [[nodiscard]] int64_t classes() const override { return std::ssize(index_.classes); }
  [[nodiscard]] ImageShape shape() const override { return {.channels = 3, .height = kPhotoSide, .width = kPhotoSide}; }
  [[nodiscard]] int64_t label(size_t index) const override { return index_.photo(index).label; }
  [[nodiscard]] bool by_class() const override { return true; }

  void check_augmentation(const Augmentation& augmentation) const override { check_photo_augmentation(augmentation); }

  void write(size_t index, const Augmentation& augmentation, RandomStream& stream, bool channels_last,
             std::span<float> out) const override {
    write_normalised(augmented(index, augmentation, stream), out, channels_last);
  }

  [[nodiscard]] Raster picture(size_t index) const override {
    RandomStream no_chance(0);
    return augmented(index, {}, no_chance);
  }

 private:
  [[nodiscard]] Raster augmented(size_t index, const Augmentation& augmentation, RandomStream& stream) const {
    const auto path = index_.folder / index_.relative(index);
    const auto bytes = read_file(path);
    if (const auto photo = index_.photo(index); bytes.size() != photo.bytes)
      refuse_data(path.string(), "has " + std::to_string(bytes.size()) + " bytes, but had " +
                                     std::to_string(photo.bytes) + " when the folder was indexed");
    return see_photo(bytes, path.string(), augmentation, stream);
  }

  PhotoIndex index_;
};

}  // namespace

Images photo_folder(PhotoIndex index) { return std::make_shared<PhotoFolder>(std::move(index)); }

}  // namespace auxbench
