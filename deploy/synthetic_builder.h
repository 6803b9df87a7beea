// Steps with random numbers, from which deploy/synthetic.h's networks are put together. For .cc files of this room.
#pragma once

#include <string>

#include "base/random.h"
#include "deploy/integer_network.h"

namespace auxbench {

class SyntheticBuilder {
 public:
  static constexpr int kEndBits = 8;  // of the layers that read the image, and of the last ones

  struct Layer {
    std::string name;
    size_t in = 0;  // a value of codes
    int64_t out = 0, kernel = 1, stride = 1;
    int bits = 0;  // of its weights
    size_t residual = kNoValue;
    bool activation = true;  // a ReLU; codes follow, unless `floats`
    bool floats = false;
    int code_bits = 0;         // of the codes it makes; 0: the network's
    bool both = false;         // floats as well as codes, without a ReLU
    size_t shares = kNoValue;  // a step whose weights, scales and norm this one has too
  };

  SyntheticBuilder(const IntegerNetwork& empty, int weight_bits, int activation_bits, int64_t seed);

  [[nodiscard]] IntegerNetwork& network() { return network_; }
  [[nodiscard]] int weight_bits() const { return weight_bits_; }
  [[nodiscard]] const IntegerStep& last_step() const { return network_.steps.back(); }
  [[nodiscard]] int64_t channels(size_t value) const { return network_.values[value].channels; }

  // Each returns the value it makes: codes, or floats where there are no codes.
  size_t pixels();                                              // the image as codes of kEndBits
  size_t convolution(const Layer& layer);                       // and a norm
  size_t max_pool(size_t in);                                   // of codes
  size_t upsample(size_t in, size_t like);                      // of floats
  size_t mean(size_t in);                                       // of floats
  size_t encoded(const std::string& name, size_t in, int bits,  // of floats
                 bool relu = false);
  // A residual block of a ResNet; `floats`: its output.
  size_t block(const std::string& name, size_t x, int64_t width, int64_t stride, bool bottleneck, bool floats);

 private:
  size_t new_value(IntegerValue::Type type, int64_t channels, int bits = 0);
  void encode(IntegerStep& step, int64_t channels, int bits);
  void draw(IntegerStep& step, const IntegerValue& in);
  float uniform(double lowest, double highest);

  int weight_bits_, activation_bits_;
  RandomStream random_;
  IntegerNetwork network_;
};

}  // namespace auxbench
