// Version 2: descriptors are structures that the caller provides, scales are constants that multiply the output.
#include <cstddef>

#include "runner/bench/opponents/onednn.h"

namespace auxbench::opponents::onednn {
namespace {

// Room for the structures, which only the library reads: 696 and 5976 bytes in 2.6.3.
struct alignas(64) DescriptorRoom {
  std::byte bytes[4096] = {};
};
struct alignas(64) ConvolutionRoom {
  std::byte bytes[32768] = {};
};

class Library2 final : public Library {
 public:
  Library2(void* handle, const Functions& functions) : Library(functions) {
    find(handle, "dnnl_memory_desc_init_by_tag", by_tag_);
    find(handle, "dnnl_memory_desc_init_by_strides", by_strides_);
    find(handle, "dnnl_post_ops_append_eltwise", append_eltwise_);
    find(handle, "dnnl_primitive_attr_set_output_scales", set_output_scales_);
    find(handle, "dnnl_convolution_forward_desc_init", convolution_init_);
    find(handle, "dnnl_primitive_desc_create", primitive_desc_create_);
  }

  [[nodiscard]] std::shared_ptr<const Descriptor> describe(Type type, size_t rank, const Dims& dims,
                                                           const Dims* strides) const override {
    const auto room = std::make_shared<DescriptorRoom>();
    const auto ndims = static_cast<int>(rank);
    auto* made = reinterpret_cast<Descriptor*>(room.get());
    const Status status = strides == nullptr
                              ? by_tag_(made, ndims, dims.data(), static_cast<int>(type), kAnyLayout)
                              : by_strides_(made, ndims, dims.data(), static_cast<int>(type), strides->data());
    expect_success(*this, status, "to describe a tensor");
    return {room, made};
  }

  [[nodiscard]] bool scales_are_weights() const override { return false; }

 protected:
  Status append_relu(PostOps* post_ops) const override {
    constexpr int kRelu = 0x1f;
    return append_eltwise_(post_ops, 1.0F, kRelu, 0.0F, 0.0F);
  }

  Status set_scales(Attributes* attributes, std::span<const float> scales) const override {
    constexpr int kEachChannel = 1 << 1;  // of the output
    return set_output_scales_(attributes, static_cast<int64_t>(scales.size()), kEachChannel, scales.data());
  }

  Status create(PrimitiveDesc** made, Engine* engine, const Operation& operation, const Dims& strides, const Dims& pads,
                const Attributes* attributes) const override {
    ConvolutionRoom room;
    const Status status =
        convolution_init_(&room, kInference, operation.algorithm, operation.source.get(), operation.weights.get(),
                          operation.bias.get(), operation.destination.get(), strides.data(), pads.data(), pads.data());
    return status != 0 ? status : primitive_desc_create_(made, &room, attributes, engine, nullptr);
  }

 private:
  Status (*by_tag_)(Descriptor*, int ndims, const int64_t* dims, int type, int tag) = nullptr;
  Status (*by_strides_)(Descriptor*, int ndims, const int64_t* dims, int type, const int64_t* strides) = nullptr;
  Status (*append_eltwise_)(PostOps*, float scale, int kind, float alpha, float beta) = nullptr;
  Status (*set_output_scales_)(Attributes*, int64_t count, int mask, const float* scales) = nullptr;
  Status (*convolution_init_)(void* made, int propagation, int algorithm, const Descriptor* source,
                              const Descriptor* weights, const Descriptor* bias, const Descriptor* destination,
                              const int64_t* strides, const int64_t* before, const int64_t* behind) = nullptr;
  Status (*primitive_desc_create_)(PrimitiveDesc**, const void* operation, const Attributes*, Engine*,
                                   const PrimitiveDesc* hint) = nullptr;
};

}  // namespace

std::unique_ptr<Library> make_library2(void* handle, const Functions& functions) {
  return std::make_unique<Library2>(handle, functions);
}

}  // namespace auxbench::opponents::onednn
