// Fashion-MNIST (Xiao, Rasul, Vollgraf 2017): 60000 + 10000 grey images of 28 x 28, ten classes.
//
// Looked for as places.h says; the first place that holds all four files is taken.
#pragma once

#include "datasets/places.h"
#include "datasets/sources/idx_folder.h"

namespace auxbench {

// Of the unpacked content: upstream's and Debian's gzip files differ in their headers, not in what they hold.
inline constexpr IdxDigests kFashionMnistDigests = {
    .train_images = "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    .train_labels = "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    .test_images = "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    .test_labels = "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"};

// Of the training images' pixels / 255, to 4 digits.
inline constexpr float kFashionMnistMean = 0.2860F, kFashionMnistStd = 0.3530F;

// Throws UserError(data_missing): not found (the places and the package to install), or not the published files.
IdxFolder load_fashion_mnist(const DataRoot& root);

}  // namespace auxbench
