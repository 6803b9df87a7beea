// One decoded photograph, or a part of one: red, green, blue bytes, row by row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace auxbench {

inline constexpr size_t kColours = 3;

// An allocator whose elements start unset: what is decoded or resized writes every byte, and half a megabyte of zeros a
// photograph first would be for nothing.
template <typename T>
struct UnsetAllocator : std::allocator<T> {
  template <typename U>
  struct rebind {  // NOLINT(readability-identifier-naming): the standard's name
    using other = UnsetAllocator<U>;
  };
  using std::allocator<T>::allocator;
  template <typename U>
  void construct(U* place) {
    ::new (static_cast<void*>(place)) U;
  }
  template <typename U, typename... Arguments>
  void construct(U* place, Arguments&&... arguments) {
    ::new (static_cast<void*>(place)) U(std::forward<Arguments>(arguments)...);
  }
};

struct Raster {
  int64_t width = 0, height = 0;
  std::vector<uint8_t, UnsetAllocator<uint8_t>> rgb;  // height x width x 3

  Raster() = default;
  Raster(int64_t w, int64_t h) : width(w), height(h), rgb(static_cast<size_t>(w * h) * kColours) {}  // unset bytes
  [[nodiscard]] const uint8_t* row(int64_t y) const { return rgb.data() + static_cast<size_t>(y * width) * kColours; }
  [[nodiscard]] uint8_t* row(int64_t y) { return rgb.data() + static_cast<size_t>(y * width) * kColours; }
};

struct Box {
  int64_t left = 0, top = 0, width = 0, height = 0;
  bool operator==(const Box&) const = default;
};

inline Box whole_of(const Raster& raster) { return {.width = raster.width, .height = raster.height}; }

// A box of a photograph whose other pixels were not decoded.
struct PhotoPart {
  Box box;
  Raster pixels;  // box.width x box.height
};

}  // namespace auxbench
