// A network's weights as kernels read them, packed once and shared by all image sizes. Torch-free.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "deploy/integer_network.h"
#include "kernels/float_conv/float_conv.h"
#include "kernels/lowbit_conv/lowbit_conv.h"

namespace auxbench {

class PackedWeights {
 public:
  // Of the step that holds them, for the kernel of the plan. Valid as long as this is.
  const std::byte* codes(const IntegerStep& step, const lowbit_conv::Plan& plan);
  const float* floats(const IntegerStep& step, const float_conv::Shape& shape);
  // How many were packed: a step's weights once for each kernel that it got.
  [[nodiscard]] size_t count() const { return codes_.size() + floats_.size(); }

 private:
  std::map<std::pair<const IntegerStep*, std::string>, lowbit_conv::Buffer> codes_;
  std::map<const IntegerStep*, std::vector<float>> floats_;
};

}  // namespace auxbench
