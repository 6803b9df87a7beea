// What is computed on codes, and box NMS, on a CUDA device against the CPU. Exit code 77, which Meson calls skipped, where there is no
// device.
//
// Quantizers: codes are equal bit for bit once the parameters, fitted on the CPU, are the same. Gradients of elements to
// 1e-12, those of parameters, which are sums in another order, to 1e-10. Moments, convolutions of codes and sums of
// products of whole numbers: equal bit for bit, with TF32 allowed wherever LibTorch would use it by itself. Box NMS: the
// same boxes in the same order.
#include <algorithm>
#include <cstdio>
#include <string>

#include "base/error.h"
#include "base/torch_prelude.h"
#include "kernels/box_nms/cuda.h"
#include "kernels/box_nms/reference.h"
#include "quantizers/code_conv.h"
#include "quantizers/exact_conv.h"
#include "quantizers/moments.h"
#include "quantizers/quantizer.h"
#include "runner/training/device.h"

using namespace auxbench;

namespace {

struct Pass {
  at::Tensor codes, gradient;
  std::map<std::string, at::Tensor> parameter_gradients;
};

Pass run(Quantizer& quantizer, const at::Tensor& input, const at::Tensor& gradient) {
  const auto x = input.clone().requires_grad_(true);
  const auto coded = quantizer.encode(x);
  decode(coded).backward(gradient);
  Pass pass = {coded.codes.detach().cpu(), x.grad().cpu(), {}};
  for (auto& [name, parameter] : quantizer.parameters()) {
    if (!parameter.grad().defined()) continue;
    pass.parameter_gradients[name] = parameter.grad().cpu().clone();
    parameter.mutable_grad().reset();
  }
  return pass;
}

double difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

int failures = 0;

void compare(const QuantizerMethod& method, Role role, int bits, at::ScalarType type, const c10::Device& device) {
  const auto x = at::randn({64, 33, 3, 3}, at::kDouble).mul_(2).to(type);
  const auto g = at::randn_like(x);
  const auto quantizer = make_quantizer(method.name, role, bits);
  const auto here = run(*quantizer, x, g);
  const auto there = run(*quantizer, x.to(device), g.to(device));
  const double codes = difference(here.codes, there.codes), gradient = difference(here.gradient, there.gradient);
  double parameters = 0;
  for (const auto& [name, found] : here.parameter_gradients)
    parameters = std::max(parameters, difference(found, there.parameter_gradients.at(name)) /
                                          std::max(1.0, found.abs().max().item<double>()));
  const bool in_double = type == at::kDouble;
  const bool passed = codes == 0 && gradient <= (in_double ? 1e-12 : 1e-5) && parameters <= (in_double ? 1e-10 : 1e-4);
  failures += passed ? 0 : 1;
  std::printf("%s %s, %s, %d bits, %s: codes differ by %g, gradients by %g, parameters' by %g\n",
              passed ? "pass" : "FAIL", method.name.c_str(), role == Role::weight ? "weights" : "activations", bits,
              toString(type), codes, gradient, parameters);
}

void report(bool passed, const std::string& what) {
  failures += passed ? 0 : 1;
  std::printf("%s %s\n", passed ? "pass" : "FAIL", what.c_str());
}

// How many numbers differ; a NaN equals a NaN.
int64_t differing(const at::Tensor& there, const at::Tensor& here) {
  const auto a = there.cpu(), b = here.to(a.scalar_type());
  return a.numel() - a.eq(b).logical_or(a.isnan().logical_and(b.isnan())).sum().item<int64_t>();
}

struct Layer {
  int64_t in, out, kernel, stride, groups, side;
  [[nodiscard]] ConvGeometry geometry() const { return {stride, kernel / 2, groups}; }
  [[nodiscard]] std::string name() const {
    return std::to_string(in) + "-" + std::to_string(out) + " " + std::to_string(kernel) + "x" +
           std::to_string(kernel) + " / " + std::to_string(stride) +
           (groups > 1 ? ", " + std::to_string(groups) + " groups" : "");
  }
};

constexpr Layer kLayers[] = {{512, 64, 3, 1, 1, 7},  {512, 64, 3, 2, 1, 14}, {512, 64, 1, 1, 1, 14},
                             {512, 64, 1, 2, 1, 14}, {64, 64, 3, 1, 1, 56},  {64, 64, 3, 1, 4, 14},
                             {16, 32, 5, 1, 1, 14},  {3, 64, 7, 2, 1, 56}};

// Whole numbers up to `largest`, of which one in four is the largest.
at::Tensor whole_numbers(at::IntArrayRef sizes, int64_t largest) {
  const auto numbers = at::randint(-largest, largest + 1, sizes, at::kDouble);
  return at::where(at::rand(sizes, at::kDouble).lt(0.25), at::full_like(numbers, static_cast<double>(largest)),
                   numbers);
}

// Sums that nearly fill float32 against float64 on the CPU, where they are exact. Says what cuDNN does by itself, too.
void compare_sums(const Layer& layer, const c10::Device& device) {
  const auto taps = static_cast<double>(layer.in / layer.groups * layer.kernel * layer.kernel);
  const auto largest = std::min<int64_t>(2049, static_cast<int64_t>(kExactInFloat / taps));  // 2049: twelve bits
  const auto a = whole_numbers({2, layer.in, layer.side, layer.side}, largest);
  const auto w = whole_numbers({layer.out, layer.in / layer.groups, layer.kernel, layer.kernel}, 1);
  const auto [stride, padding, groups] = layer.geometry();
  const auto exact = at::conv2d(a, w, {}, stride, padding, 1, groups);
  for (const auto format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
    const auto a_there = a.to(at::kFloat).to(device).contiguous(format);
    const auto w_there = w.to(at::kFloat).to(device).contiguous(format);
    const auto wrong = differing(conv_of_whole_numbers(a_there, w_there, stride, padding, groups), exact);
    const auto by_itself = differing(at::conv2d(a_there, w_there, {}, stride, padding, 1, groups), exact);
    report(wrong == 0, "sums of " + layer.name() + (format == at::MemoryFormat::Contiguous ? "" : ", channels last") +
                           ", numbers up to " + std::to_string(largest) + ": " + std::to_string(wrong) +
                           " differ; of LibTorch's own convolution " + std::to_string(by_itself));
  }
}

Codes on_device(Codes coded, const c10::Device& device) {
  for (auto* part : {&coded.codes, &coded.scale, &coded.offset, &coded.basis})
    if (part->defined()) *part = part->to(device);
  return coded;
}

void compare_convolutions(const QuantizerMethod& method, int bits, const Layer& layer, const c10::Device& device) {
  const auto a = make_quantizer(method.name, Role::activation, bits)
                     ->encode(at::randn({2, layer.in, layer.side, layer.side}).abs_());
  const auto w = make_quantizer(method.name, Role::weight, bits)
                     ->encode(at::randn({layer.out, layer.in / layer.groups, layer.kernel, layer.kernel}).mul_(0.1));
  const at::NoGradGuard no_gradient;
  const auto here = conv_on_codes(a, w, layer.geometry());
  const auto wrong = differing(conv_on_codes(on_device(a, device), on_device(w, device), layer.geometry()), here);
  report(wrong == 0, "convolution of codes, " + method.name + ", " + std::to_string(bits) + " bits, " + layer.name() +
                         ": " + std::to_string(wrong) + " differ");
}

void compare_moments(int64_t numbers, at::ScalarType type, bool with_nan, const c10::Device& device) {
  auto x = at::randn({numbers}, at::kDouble).mul_(3).add_(1).to(type);
  if (with_nan) x[numbers / 2] = std::numeric_limits<double>::quiet_NaN();
  const auto here = moments_of(x), there = moments_of(x.to(device));
  const auto wrong = differing(there.all, here.all) + differing(there.largest, here.largest);
  report(wrong == 0, "moments of " + std::to_string(numbers) + " " + toString(type) + (with_nan ? ", one NaN" : "") +
                         ": " + std::to_string(wrong) + " differ");
}

// Work queued before on the same stream is waited for, and the thread's device stays.
void encode_on_another_stream(const c10::Device& device) {
  const c10::impl::VirtualGuardImpl cuda(c10::kCUDA);
  const auto before = cuda.exchangeStream(cuda.getStreamFromGlobalPool(device));
  auto product = at::eye(4096, at::TensorOptions(device));
  const auto x = at::randn({4096, 4096}, at::TensorOptions(device));
  auto y = x;
  for (int i = 0; i < 20; ++i) y = at::matmul(product, y);  // some milliseconds after which y equals x
  const auto quantizer = make_quantizer("dorefa", Role::activation, 2);
  const auto there = quantizer->encode(y).codes.cpu();
  cuda.exchangeStream(before);
  const auto wrong = differing(there, quantizer->encode(y.cpu()).codes);
  report(wrong == 0, "codes on a stream behind the work that makes their input: " + std::to_string(wrong) + " differ");
  report(cuda.getDevice() == device, "the current device after kernels is the one before");
}

template <typename T>
std::span<const T> span_of(const at::Tensor& numbers) {
  return {numbers.const_data_ptr<T>(), static_cast<size_t>(numbers.numel())};
}

// Crowded boxes with whole corners and few scores, so that ties and overlaps of exactly the threshold occur; some are
// dropped.
void compare_boxes(int64_t boxes, int64_t classes, int64_t most, const c10::Device& device) {
  const auto corner = at::randint(0, 60, {boxes, 2}, at::kFloat), size = at::randint(-1, 30, {boxes, 2}, at::kFloat);
  auto corners = at::cat({corner, corner + size}, 1).contiguous(), scores = at::randint(-20, 20, {boxes}, at::kFloat);
  if (boxes > 10) {
    scores[3] = std::numeric_limits<double>::quiet_NaN();
    corners[5][2] = std::numeric_limits<double>::infinity();
  }
  const auto labels = classes > 0 ? at::randint(-classes, classes, {boxes}, at::kInt) : at::empty({0}, at::kInt);
  const auto here = box_nms::reference({span_of<float>(corners), span_of<float>(scores), span_of<int32_t>(labels)},
                                       0.5F, static_cast<size_t>(most));
  const auto there_corners = corners.to(device), there_scores = scores.to(device), there_labels = labels.to(device);
  const auto bytes = box_nms::cuda::workspace_bytes(static_cast<size_t>(boxes));
  const auto in_words = at::TensorOptions(device).dtype(at::kInt);
  auto workspace = at::empty({static_cast<int64_t>(bytes)}, in_words.dtype(at::kByte));
  auto kept = at::empty({most}, in_words), count = at::empty({1}, in_words);
  const c10::impl::VirtualGuardImpl cuda(c10::kCUDA);
  box_nms::cuda::nms({span_of<float>(there_corners), span_of<float>(there_scores), span_of<int32_t>(there_labels)},
                     0.5F, {static_cast<std::byte*>(workspace.data_ptr()), bytes},
                     {static_cast<uint32_t*>(kept.data_ptr()), static_cast<size_t>(most)},
                     {static_cast<uint32_t*>(count.data_ptr()), 1},
                     {device.index(), cuda.getStream(device).native_handle()});
  const auto found = kept.cpu().slice(0, 0, count.item<int64_t>()).contiguous();
  const auto indices = span_of<int32_t>(found);
  report(std::equal(indices.begin(), indices.end(), here.begin(), here.end(),
                    [](int32_t a, uint32_t b) { return a == static_cast<int64_t>(b); }),
         "NMS of " + std::to_string(boxes) + " boxes of " + std::to_string(2 * classes) + " classes, the best " +
             std::to_string(most) + ": " + std::to_string(here.size()) + " kept");
}

void restore_switches() {
  auto& context = at::globalContext();
  const bool tf32 = context.allowTF32CuDNN(), deterministic = context.deterministicCuDNN();
  bool inside = true;
  {
    const ExactConvolutions exact;
    inside = context.allowTF32CuDNN() || context.allowTF32CuBLAS();
  }
  report(!inside, "TF32 is off while ExactConvolutions lives");
  report(context.allowTF32CuDNN() == tf32 && context.deterministicCuDNN() == deterministic,
         "ExactConvolutions puts LibTorch's switches back");
}

void compare_exactness(const c10::Device& device) {
  at::globalContext().setAllowTF32CuDNN(true);  // LibTorch's default, and for products what a user may have chosen
  at::globalContext().setAllowTF32CuBLAS(true);
  restore_switches();
  for (const auto& layer : kLayers) compare_sums(layer, device);
  for (const auto& method : quantizer_methods())
    for (int bits = 1; bits <= 8; ++bits)
      if (method.weight_bits.has(bits) && method.activation_bits.has(bits))
        for (const auto& layer : {kLayers[0], kLayers[1], kLayers[4]})
          compare_convolutions(method, bits, layer, device);
  compare_moments(20000001, at::kFloat, false, device);
  encode_on_another_stream(device);
}

}  // namespace

// Everything, or for --quick (under compute-sanitizer) only our own kernels, at two bits.
int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::string(argv[1]) == "--quick";
  c10::Device device{c10::kCPU};
  try {
    device = open_device("cuda");
  } catch (const UserError& error) {
    std::printf("skipped: %s\n", error.what());
    return 77;
  }
  std::printf("%s; %s\n", gpu_name(device).c_str(), device_flags(device).c_str());
  report(!gpu_name(device).starts_with("unknown"), "the card has a name");
  at::manual_seed(0);
  if (!quick) compare_exactness(device);
  for (const int64_t numbers : {1, 4096, 4097, 1000003})
    for (const auto type : {at::kFloat, at::kDouble}) compare_moments(numbers, type, false, device);
  compare_moments(1000003, at::kFloat, true, device);
  for (const int64_t boxes : {0, 1, 64, 65, 3000})
    for (const int64_t classes : {0, 1, 40})
      for (const int64_t most : {int64_t{1}, int64_t{100}, boxes + 1}) compare_boxes(boxes, classes, most, device);
  for (const auto& method : quantizer_methods()) {
    for (int bits = quick ? 2 : 1; bits <= (quick ? 2 : 8); ++bits) {
      if (method.weight_bits.has(bits)) compare(method, Role::weight, bits, at::kDouble, device);
      if (!method.activation_bits.has(bits)) continue;
      compare(method, Role::activation, bits, at::kDouble, device);
      compare(method, Role::activation, bits, at::kFloat, device);
    }
  }
  return failures == 0 ? 0 : 1;
}
