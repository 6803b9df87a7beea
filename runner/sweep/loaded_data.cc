#include "runner/sweep/loaded_data.h"

#include <map>

namespace auxbench {

const Dataset& loaded_dataset(const std::string& name, const DatasetRequest& request) {
  static std::map<std::string, Dataset> loaded;
  const auto found = loaded.find(name);
  return found != loaded.end() ? found->second : loaded.emplace(name, load_dataset(name, request)).first->second;
}

Dataset cell_data(const CellSpec& cell, const DatasetRequest& request) {
  auto data = loaded_dataset(cell.dataset, request);
  data.train = part_of(std::move(data.train), cell.train_images);
  data.test = part_of(std::move(data.test), cell.test_images);
  return data;
}

}  // namespace auxbench
