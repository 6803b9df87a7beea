#include "runner/sweep/loaded_data.h"

#include <map>
#include <utility>

namespace auxbench {

const Dataset& loaded_dataset(const std::string& name, const DatasetRequest& request) {
  static std::map<std::pair<std::string, int64_t>, Dataset> loaded;  // by name and size
  const std::pair key(name, request.image_size);
  const auto found = loaded.find(key);
  return found != loaded.end() ? found->second : loaded.emplace(key, load_dataset(name, request)).first->second;
}

Dataset cell_data(const CellSpec& cell, DatasetRequest request) {
  request.image_size = cell.image_size;
  auto data = loaded_dataset(cell.dataset, request);
  data.train = part_of(std::move(data.train), cell.train_images);
  data.test = part_of(std::move(data.test), cell.test_images);
  return data;
}

}  // namespace auxbench
