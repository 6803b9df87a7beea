#include "runner/inspect/conv_probe.h"

#include <cstring>

#include "base/error.h"
#include "base/parallel.h"

namespace auxbench {
namespace {

using lowbit_conv::Buffer;
using lowbit_conv::Problem;

const SafeTensor& tensor_of(const SafeTensors& in, const std::string& name, const std::string& dtype,
                            const std::vector<int64_t>& shape) {
  const auto found = in.tensors.find(name);
  if (found == in.tensors.end()) throw UserError(ExitCode::data_missing, "no tensor named " + name);
  if (found->second.dtype != dtype || found->second.shape != shape) {
    std::string expected;
    for (const auto size : shape) expected += (expected.empty() ? "" : ",") + std::to_string(size);
    throw UserError(ExitCode::data_missing, name + ": expected " + dtype + " [" + expected + "]");
  }
  return found->second;
}

// Input codes with the border the kernel wants.
requantize::CodeMap<uint8_t> bordered(const Problem& p, const std::string& codes, Buffer& memory) {
  requantize::CodeMap<uint8_t> map = {.h = p.h, .w = p.w, .border = p.pad, .pixel = lowbit_conv::usual_pixel(p.c)};
  memory = Buffer(static_cast<size_t>(p.n * map.image() + requantize::kSlack));
  map.data = reinterpret_cast<uint8_t*>(memory.data());
  std::memset(map.data, p.border_code(), memory.size());
  const auto* from = reinterpret_cast<const uint8_t*>(codes.data());
  for (int64_t n = 0; n < p.n; ++n)
    for (int64_t y = 0; y < p.h; ++y)
      for (int64_t x = 0; x < p.w; ++x, from += p.c) {
        for (int64_t c = 0; c < p.c; ++c)
          if (from[c] >> p.activation_bits != 0)
            throw UserError(ExitCode::data_missing, "codes: " + std::to_string(from[c]) + " does not fit in " +
                                                        std::to_string(p.activation_bits) + " bits");
        std::memcpy(map.at(n, y, x), from, static_cast<size_t>(p.c));
      }
  return map;
}

struct Run {
  const lowbit_conv::Plan& plan;
  requantize::CodeMap<uint8_t> in;
  const std::byte* packed;
  int threads;

  void operator()(lowbit_conv::Sink sink, const requantize::Epilogue& epilogue) const {
    Buffer shared(plan.shared_bytes());
    for (int phase = 0; phase < plan.phases(); ++phase) {
      const auto tasks = static_cast<size_t>(plan.tasks(phase));
      parallel_for(tasks, threads, [&](size_t task) {
        Buffer own(plan.own_bytes());
        const auto first = static_cast<int64_t>(task);
        plan.execute(phase, first, first + 1,
                     {.in = {.data = in.data, .h = in.h, .w = in.w, .border = in.border, .pixel = in.pixel},
                      .packed = packed,
                      .shared = shared.data(),
                      .own = own.data(),
                      .sink = sink,
                      .epilogue = &epilogue});
      });
    }
  }
};

}  // namespace

SafeTensors probe_conv(const ConvProbe& probe, const SafeTensors& in) {
  auto p = probe.problem;
  p.threads = probe.threads;
  const auto isa = probe.isa.empty() ? this_isa() : detect_isa(probe.isa);
  const auto plan = lowbit_conv::make_plan(p, isa, probe.kernel);
  Buffer map_memory;
  const auto map = bordered(p, tensor_of(in, "codes", "U8", {p.n, p.h, p.w, p.c}).bytes, map_memory);
  const auto& weights = tensor_of(in, "weights", "I8", {p.out, p.r, p.s, p.c}).bytes;
  const auto blob = plan.pack({reinterpret_cast<const int8_t*>(weights.data()), weights.size()});
  Buffer packed(blob.size());
  std::memcpy(packed.data(), blob.data(), blob.size());
  if (const auto fault = plan.check({packed.data(), packed.size()}); !fault.empty())
    throw UserError(ExitCode::data_missing, fault);
  const Run run = {.plan = plan, .in = map, .packed = packed.data(), .threads = probe.threads};

  const std::vector<int64_t> shape = {p.n, p.out_h(), p.out_w(), p.out};
  const int64_t pixels = p.n * p.out_h() * p.out_w(), padded = requantize::padded_channels(p.out);
  SafeTensors out;
  out.metadata = {{"kernel", plan.kernel()}, {"reason", plan.reason()}, {"isa", isa.name()}};
  Buffer sums(static_cast<size_t>(pixels * padded) * sizeof(int32_t));
  requantize::Epilogue epilogue = {.channels = p.out};
  epilogue.out = requantize::sums_map(reinterpret_cast<int32_t*>(sums.data()), p.out_h(), p.out_w(), padded);
  run(requantize::keep_sums, epilogue);
  std::string accumulators;
  const auto row = static_cast<size_t>(p.out) * sizeof(int32_t);
  for (int64_t i = 0; i < pixels; ++i)
    accumulators.append(reinterpret_cast<const char*>(epilogue.out.data + i * padded), row);
  out.tensors["accumulators"] = {.dtype = "I32", .shape = shape, .bytes = std::move(accumulators)};

  const auto found = in.tensors.find("thresholds");
  if (found == in.tensors.end()) return out;
  const int64_t count = found->second.shape.size() == 2 ? found->second.shape[0] : 0;
  const auto& bytes = tensor_of(in, "thresholds", "I32", {count, p.out}).bytes;
  if (count < 1 || count > 255) throw UserError(ExitCode::data_missing, "thresholds: expected 1 to 255 for a channel");
  std::vector<int32_t> thresholds(static_cast<size_t>(count * padded)), flip(static_cast<size_t>(padded));
  for (int64_t j = 0; j < count; ++j)
    std::memcpy(&thresholds[static_cast<size_t>(j * padded)], bytes.data() + static_cast<size_t>(j) * row, row);
  std::string codes(static_cast<size_t>(pixels * p.out), '\0');
  // The map's pixels are as far apart as the tensor's; writers write real channels only.
  requantize::Epilogue encoding = {.channels = p.out, .thresholds = thresholds.data(), .flip = flip.data()};
  encoding.count = static_cast<int32_t>(count);
  encoding.codes = {.data = reinterpret_cast<uint8_t*>(codes.data()), .h = p.out_h(), .w = p.out_w(), .pixel = p.out};
  run(requantize::apply_for(isa), encoding);
  out.tensors["requantized"] = {.dtype = "U8", .shape = shape, .bytes = std::move(codes)};
  return out;
}

}  // namespace auxbench
