// CIFAR-10 and CIFAR-100 (Krizhevsky 2009): 50000 + 10000 coloured images of 32 x 32, ten or a hundred classes; in their
// binary form (cifar_folder.h), as https://www.cs.toronto.edu/~kriz/cifar.html has them:
//
//   cifar-10-binary.tar.gz   MD5 c32a1d4ab5d03f1284b67883e8d87530
//   cifar-100-binary.tar.gz  MD5 03b5dce01913d631647c71ecec9e9cb8
//
// That page publishes no digests of the files in them. What is checked instead: their lengths, their labels, the number
// of images of each class, and the exact sums of the training images' bytes.
#pragma once

#include <array>

#include "datasets/sources/cifar_folder.h"

namespace auxbench {

const CifarFormat& cifar10_format();
const CifarFormat& cifar100_format();

// Of the training images' pixels / 255, to 4 digits. (The deviations .2023, .1994, .2010 that are also met for CIFAR-10
// are means over images of each image's own.)
inline constexpr std::array<float, kCifarColours> kCifar10Mean = {0.4914F, 0.4822F, 0.4465F},
                                                  kCifar10Std = {0.2470F, 0.2435F, 0.2616F};
inline constexpr std::array<float, kCifarColours> kCifar100Mean = {0.5071F, 0.4865F, 0.4409F},
                                                  kCifar100Std = {0.2673F, 0.2564F, 0.2762F};

}  // namespace auxbench
