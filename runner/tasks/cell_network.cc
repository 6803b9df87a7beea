#include "runner/tasks/cell_network.h"

namespace auxbench {

PrecisionPlan precision_of(const CellSpec& cell) {
  return {.quantizer = cell.quantizer,
          .weight_bits = cell.weight_bits,
          .activation_bits = cell.activation_bits,
          .first_last = cell.first_last,
          .settings = cell.quantizer_settings};
}

NetworkOptions network_options(const CellSpec& cell, const DataShape& data, Precision precision) {
  const auto plan = precision == Precision::full ? PrecisionPlan() : precision_of(cell);
  return NetworkOptions{.model = cell.model,
                        .in_channels = data.channels,
                        .classes = data.classes,
                        .skip = cell.skip,
                        .stem = cell.stem,
                        .stem_stride = cell.stem_stride,
                        .width = cell.width,
                        .block = cell.block,
                        .zero_init = cell.zero_init,
                        .bases = cell.bases,
                        .activation = cell.activation,
                        .quantize_at = plan.quantizes() ? cell.quantize_at : "conv-input",
                        .precision = plan};
}

std::unique_ptr<Network> make_cell_network(const CellSpec& cell, const DataShape& data, Precision precision) {
  return make_network(network_options(cell, data, precision));
}

}  // namespace auxbench
