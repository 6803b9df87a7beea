#include "datasets/sources/fashion_mnist.h"

namespace auxbench {

std::optional<std::filesystem::path> find_fashion_mnist(const DataRoot& root) {
  for (const auto& place : dataset_places("fashion-mnist", root))
    if (is_idx_folder(place)) return place;
  return std::nullopt;
}

IdxFolder load_fashion_mnist(const DataRoot& root) {
  if (const auto folder = find_fashion_mnist(root)) return load_idx_folder(*folder, kFashionMnistDigests);
  refuse_unfound("fashion-mnist", root,
                 "install the package dataset-fashion-mnist, or give the folder of its four files with --data-root or "
                 "$AUXBENCH_DATA");
}

}  // namespace auxbench
