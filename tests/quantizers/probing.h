// Runs one quantizer on the oracle's vectors in float64, through the same probe that users have. For .cc files.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/torch_prelude.h"
#include "models/weights.h"
#include "quantizers/quantizer.h"
#include "runner/inspect/torch/probes.h"

namespace auxbench::test {

inline const std::vector<double> kX = {-1.7, -.9, -.35, -.05, 0, .12, .4, .75, 1.3, 2.6};
inline const std::vector<double> kG = {.3, -.2, .5, -.1, .4, -.6, .2, .7, -.3, .1};

using Numbers = std::map<std::string, std::vector<double>>;

inline std::vector<double> numbers(const at::Tensor& tensor) {
  const auto flat = tensor.to(at::kDouble).contiguous();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

// Everything the probe returns, by name: values, codes, scale, input_grad, PARAMETER, PARAMETER_grad, state.NAME ...
inline Numbers probe(const std::string& method, Role role, int bits, const QuantizerSettings& settings = {},
                     const std::vector<double>& x = kX, const std::vector<double>& g = kG) {
  SafeTensors in;
  store_tensors({{"input", at::tensor(x, at::kDouble)}, {"grad", at::tensor(g, at::kDouble)}}, in);
  Numbers out;
  for (const auto& [name, tensor] : probe_quantizer(method, role, bits, settings, in).tensors)
    out[name] = numbers(from_safetensor(tensor, name));
  return out;
}

}  // namespace auxbench::test
