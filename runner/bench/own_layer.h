// One convolution of ours, ready to be timed: random codes in, codes of the same bits out.
//
// Weights of one bit are -1 and +1, of more two's complement. What follows the sums is what a network has there: a
// scale, a norm and ReLU, drawn such that outputs spread over all codes, in the form the executor brings them into.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/lowbit_conv/lowbit_conv.h"
#include "runner/bench/kernel_suite.h"

namespace auxbench::bench {

lowbit_conv::Problem problem_of(const ConvLayerSpec& layer, int weight_bits, int activation_bits);

// Data of one problem, for all kernels: codes and what the sums must be at some output pixels.
struct OwnData {
  struct Pixel {
    int64_t y = 0, x = 0;
    std::vector<int64_t> sums;  // of each output channel, by kernels/lowbit_conv/reference.h
  };

  OwnData(const lowbit_conv::Problem& problem, uint64_t seed);

  lowbit_conv::Problem problem;
  std::vector<int8_t> weights;  // codes [out][r][s][c]
  lowbit_conv::Buffer in;       // of `in_map`
  requantize::CodeMap<uint8_t> in_map;
  std::vector<Pixel> pixels;  // the corners and some more

  // Of the epilogue.
  std::vector<float> scale, alpha, beta;
  // What follows the sums, line by line; without a place for the codes.
  [[nodiscard]] requantize::Epilogue chain() const;

 private:
  void sample_sums(uint64_t seed);
  void make_epilogue(uint64_t seed);
};

class OwnLayer {
 public:
  // cold_bytes: as opponents::Conditions. Throws UserError where no such kernel runs here.
  OwnLayer(std::shared_ptr<const OwnData> data, const std::string& kernel, int threads, int64_t cold_bytes,
           const Isa& isa = this_isa());

  // Empty, or how its sums or codes differ from what they must be.
  std::string check();
  void run();

  [[nodiscard]] const lowbit_conv::Plan& plan() const { return plan_; }
  // Weights at their bits, a byte for each code of the input and of the output: what has to be moved at least.
  [[nodiscard]] int64_t compulsory_bytes() const;

 private:
  void execute(lowbit_conv::Sink sink, const requantize::Epilogue& epilogue);
  std::string check_sums();
  std::string check_codes();

  std::shared_ptr<const OwnData> data_;
  Isa isa_;
  lowbit_conv::Plan plan_;
  int threads_;
  std::vector<lowbit_conv::Buffer> packed_;  // copies
  size_t next_ = 0;
  lowbit_conv::Buffer shared_, out_;
  std::vector<lowbit_conv::Buffer> own_;
  requantize::CodeMap<uint8_t> out_map_;
  requantize::Epilogue epilogue_;
  requantize::Simpler simpler_;
};

}  // namespace auxbench::bench
