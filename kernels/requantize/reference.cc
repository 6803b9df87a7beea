#include <algorithm>
#include <cmath>

#include "kernels/requantize/paths.h"

namespace auxbench::requantize {
namespace {

struct Place {
  int64_t image = 0, y = 0, x = 0, channel = 0;
};

// Written so that zeros of either sign and NaN pass, which is what torch's relu and clamp do and what one vector
// instruction each can do.
float at_least(float v, float lo) { return v < lo ? lo : v; }
float at_most(float v, float hi) { return v > hi ? hi : v; }

int64_t class_of(const Epilogue& e, const Place& at) {
  const int64_t row = e.row_class == nullptr ? 0 : e.row_class[at.y];
  const int64_t column = e.column_class == nullptr ? 0 : e.column_class[at.x];
  return row * e.column_classes + column;
}

float scaled(const Epilogue& e, int32_t acc, int64_t channel) {
  if (e.scale == nullptr) return static_cast<float>(acc);
  const float scale = e.scale[channel];
  if (e.in_double) return static_cast<float>(static_cast<double>(acc) * static_cast<double>(scale));
  return static_cast<float>(acc) * scale;
}

// The lines before the norm; partial: null, or the number to add to.
float summed(const Epilogue& e, int32_t acc, int64_t channel, int64_t border_class, const float* partial) {
  float v = scaled(e, acc, channel);
  if (partial != nullptr) v = *partial + v;
  if (e.class_terms != nullptr) v = v + e.class_terms[border_class * padded_channels(e.channels) + channel];
  return e.relu_first ? at_least(v, 0) : v;
}

float normed(const Epilogue& e, float v, int64_t channel) {
  if (e.alpha != nullptr) v = v * e.alpha[channel];
  if (e.beta != nullptr) v = v + e.beta[channel];
  return v;
}

float with_residual(const Epilogue& e, float v, const Place& at) {
  if (e.residual.data != nullptr) return v + e.residual.at(at.image, at.y, at.x)[at.channel];
  if (e.residual_codes.data == nullptr) return v;
  float r = e.residual_step * static_cast<float>(e.residual_codes.at(at.image, at.y, at.x)[at.channel]);
  r = r + e.residual_shift;
  r = r * e.residual_scale;
  r = r + e.residual_offset;
  return v + r;
}

float clamped(const Epilogue& e, float v) { return e.clamp ? at_most(at_least(v, e.lo), e.hi) : v; }

int32_t count_thresholds(const Epilogue& e, int32_t acc, int64_t channel) {
  const int32_t x = e.flip == nullptr ? acc : acc ^ e.flip[channel];
  int32_t code = 0;
  for (int64_t j = 0; j < e.count; ++j) code += x >= e.thresholds[j * padded_channels(e.channels) + channel] ? 1 : 0;
  return code;
}

int32_t on_ramp(const Epilogue& e, int32_t acc, int64_t channel) {
  const float v = std::nearbyint(std::fma(static_cast<float>(acc), e.slope[channel], e.offset[channel]));
  return static_cast<int32_t>(at_most(at_least(v, 0), static_cast<float>(e.count)));
}

void put_code(const Epilogue& e, int32_t code, const Place& at) {
  e.codes.at(at.image, at.y, at.x)[at.channel] = static_cast<uint8_t>(code);
}

// The lines from the norm on.
void finish(const Epilogue& e, float v, const Place& at) {
  v = normed(e, v, at.channel);
  v = with_residual(e, v, at);
  v = clamped(e, v);
  if (e.out.data != nullptr) e.out.at(at.image, at.y, at.x)[at.channel] = v;
  if (e.codes.data != nullptr && e.encoder.kind != Encoder::Kind::none) put_code(e, encode(e.encoder, v), at);
}

void apply_one(const Epilogue& e, int32_t acc, const Place& at) {
  if (e.climbs(at.channel) || e.thresholds != nullptr) {
    if (e.codes.data != nullptr) put_code(e, code_of(e, acc, at.channel, 0), at);
    return;
  }
  const float* partial = e.partial.data == nullptr ? nullptr : e.partial.at(at.image, at.y, at.x) + at.channel;
  finish(e, summed(e, acc, at.channel, class_of(e, at), partial), at);
}

}  // namespace

void apply_reference(const Epilogue& e, const Tile& tile) {
  const int64_t channels = std::min(tile.channels, e.channels - tile.channel);
  for (int64_t p = 0; p < tile.pixels; ++p)
    for (int64_t c = 0; c < channels; ++c)
      apply_one(e, tile.acc[p * tile.stride + c], {tile.image, tile.y, tile.x + p, tile.channel + c});
}

void apply_rows_reference(const Epilogue& e, const FloatMap<const float>& in, int64_t first, int64_t last) {
  for (int64_t row = first; row < last; ++row)
    for (int64_t x = 0; x < in.w; ++x)
      for (int64_t c = 0; c < e.channels; ++c) {
        const Place at = {row / in.h, row % in.h, x, c};
        finish(e, in.at(at.image, at.y, x)[c], at);
      }
}

float value_of(const Epilogue& e, int32_t acc, int64_t channel, int64_t border_class) {
  return clamped(e, normed(e, summed(e, acc, channel, border_class, nullptr), channel));
}

int32_t code_of(const Epilogue& e, int32_t acc, int64_t channel, int64_t border_class) {
  if (e.climbs(channel)) return on_ramp(e, acc, channel);
  if (e.thresholds != nullptr) return count_thresholds(e, acc, channel);
  return encode(e.encoder, value_of(e, acc, channel, border_class));
}

int32_t encode(const Encoder& encoder, float v) {
  if (encoder.kind == Encoder::Kind::none) return 0;
  if (encoder.kind == Encoder::Kind::thresholds)
    return static_cast<int32_t>(
        std::count_if(encoder.table, encoder.table + encoder.steps, [v](float t) { return v >= t; }));
  v = v - encoder.subtract;
  v = v / encoder.divide;
  v = at_most(at_least(encoder.lo, v), encoder.hi);  // NaN becomes lo
  return static_cast<int32_t>(std::nearbyint(v * encoder.multiply)) + encoder.add;
}

}  // namespace auxbench::requantize
