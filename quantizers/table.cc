// The list of methods. A new quantizer is a pair of files and one line here.
#include "quantizers/dorefa.h"
#include "quantizers/quantizer.h"

namespace auxbench {

const std::vector<QuantizerMethod>& quantizer_table() {
  static const std::vector<QuantizerMethod> kTable = {
      {"dorefa", kDorefaPaper, "relu", "conv-input", 8, &make_dorefa},
      {"dorefa-relu6-official", kDorefaPaper, "relu6", "block-output", 8, &make_dorefa_relu6_official},
      {"dorefa-relu6-true", kDorefaPaper, "relu6", "block-output", 8, &make_dorefa_relu6_true},
  };
  return kTable;
}

const QuantizerMethod* find_quantizer(const std::string& name) {
  for (const auto& method : quantizer_table())
    if (method.name == name) return &method;
  return nullptr;
}

int real_bits(int64_t levels) {
  int bits = 0;
  while ((int64_t{1} << bits) < levels) ++bits;
  return bits;
}

}  // namespace auxbench
