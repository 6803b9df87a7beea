// One convolution layer as a vendor's library runs it: whom our kernels are measured against, in the same process.
//
//   y[n, i, j, o] = relu(scale[o] * sum over r, s, c of w[o, r, s, c] x[n, i stride + r - pad, j stride + s - pad, c]
//                        + bias[o])
// int8 computes it on the codes x and w and gives y as u8, rounded half to even and at most 255; x and y are NHWC. fp32
// and bf16 take x and scale * w as their numbers, in the layouts the library likes best. Everything a fair opponent
// does beforehand is done beforehand: weights are packed, layouts made, memory allocated.
//
// Libraries are loaded at run time and stay loaded: nothing of them is needed to build, and one that is not there is a
// reason, not an error.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace auxbench::opponents {

struct ConvShape {
  int64_t n = 1, h = 0, w = 0, c = 0;
  int64_t out = 0, r = 1, s = 1, stride = 1, pad = 0;

  [[nodiscard]] int64_t out_h() const { return (h + 2 * pad - r) / stride + 1; }
  [[nodiscard]] int64_t out_w() const { return (w + 2 * pad - s) / stride + 1; }
  [[nodiscard]] int64_t macs() const { return n * out_h() * out_w() * out * r * s * c; }
  bool operator==(const ConvShape&) const = default;
};

struct Layer {
  ConvShape shape;
  std::vector<uint8_t> x;          // [n][h][w][c]
  std::vector<int8_t> w;           // [out][r][s][c]
  std::vector<float> scale, bias;  // [out]; scale is not 0
};

// x uniform over 0 .. x_max, w over -w_max .. w_max; scale and bias such that most of y stays inside 0 .. 255. With
// w_max <= 64 a processor without VNNI saturates no pair of products, so that int8 is the same everywhere.
Layer random_layer(const ConvShape& shape, uint64_t seed, int x_max = 255, int w_max = 63);

// y by plain loops, before it is rounded and before it is cut at 255.
std::vector<double> reference(const Layer& layer);

enum class Arithmetic { fp32, bf16, int8 };
const char* name_of(Arithmetic arithmetic);

struct Conditions {
  int threads = 1;
  // The processor of each thread; none: wherever the system puts them, two on the same one for seconds if it so falls
  // out. The first thread is the one that calls, and stays as it is: binding it is its owner's business.
  std::vector<int> processors;
  // 0: the weights are where the last run left them. Else run() takes one of so many copies in turn that they fill this
  // many bytes: more than the last-level cache, and each run finds its weights in memory.
  int64_t cold_bytes = 0;
};

// Opponents made by one thread may share memory for intermediate results: run one at a time.
class Opponent {
 public:
  Opponent() = default;
  Opponent(const Opponent&) = delete;
  Opponent& operator=(const Opponent&) = delete;
  virtual ~Opponent() = default;

  virtual void run() = 0;                                        // one pass, finished when it returns
  [[nodiscard]] virtual std::string library() const = 0;         // "oneDNN 2.6.3", as it says itself
  [[nodiscard]] virtual std::string implementation() const = 0;  // what runs, in the library's words
  virtual std::vector<float> output() = 0;                       // y of the last run, [n][out_h][out_w][out]; slow
};

struct Made {
  std::unique_ptr<Opponent> opponent;
  std::string reason;  // why there is none; else empty
};

// oneDNN 2 or 3, built for OpenMP. `library`: a path, or a name for the dynamic linker such as libdnnl.so.2. Both may
// be open at once. Threads are OpenMP's, of the team of the thread that calls; run() sets their number and puts it
// back. Between opponents of 1 and of N threads the team stays; one of another number ends it, and new threads are not
// bound. Behind a run they wait busily for some milliseconds before they sleep, on processors that whoever is timed
// next may want.
Made make_onednn(const std::string& library, const Layer& layer, Arithmetic arithmetic, const Conditions& conditions);

}  // namespace auxbench::opponents
