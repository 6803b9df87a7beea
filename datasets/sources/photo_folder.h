// A folder of class folders (photo_index.h) as a source of 3 x 224 x 224 images.
//
// Without augmentation an image is `imagenet-eval`; with random-resized-crop or square-crop it is what transforms.h
// says of them, mirrored one in two with flip; flip alone mirrors `imagenet-eval`. pad-crop is refused. A file is read
// when its image is asked for; one that cannot be decoded, or whose size is not the index's, is refused by name.
#pragma once

#include "datasets/sources/image_source.h"
#include "datasets/sources/photo_index.h"

namespace auxbench {

Images photo_folder(PhotoIndex index);

}  // namespace auxbench
