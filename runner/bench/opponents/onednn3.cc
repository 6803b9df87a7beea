// Version 3: descriptors are the library's own objects, scales multiply the weights and are an argument of each run.
#include "runner/bench/opponents/onednn.h"

namespace auxbench::opponents::onednn {
namespace {

class Library3 final : public Library {
 public:
  Library3(void* handle, const Functions& functions) : Library(functions) {
    find(handle, "dnnl_memory_desc_create_with_tag", with_tag_);
    find(handle, "dnnl_memory_desc_create_with_strides", with_strides_);
    find(handle, "dnnl_memory_desc_destroy", descriptor_destroy_);
    find(handle, "dnnl_post_ops_append_eltwise", append_eltwise_);
    find(handle, "dnnl_primitive_attr_set_scales_mask", set_scales_mask_);
    find(handle, "dnnl_convolution_forward_primitive_desc_create", convolution_create_);
  }

  [[nodiscard]] std::shared_ptr<const Descriptor> describe(Type type, size_t rank, const Dims& dims,
                                                           const Dims* strides) const override {
    const auto ndims = static_cast<int>(rank);
    Descriptor* made = nullptr;
    const Status status = strides == nullptr
                              ? with_tag_(&made, ndims, dims.data(), static_cast<int>(type), kAnyLayout)
                              : with_strides_(&made, ndims, dims.data(), static_cast<int>(type), strides->data());
    expect_success(*this, status, "to describe a tensor");
    return {made, descriptor_destroy_};
  }

  [[nodiscard]] bool scales_are_weights() const override { return true; }

 protected:
  Status append_relu(PostOps* post_ops) const override {
    constexpr int kRelu = 0x20;
    return append_eltwise_(post_ops, kRelu, 0.0F, 0.0F);
  }

  Status set_scales(Attributes* attributes, std::span<const float> /*scales*/) const override {
    constexpr int kEachChannel = 1 << 0;  // of the weights
    return set_scales_mask_(attributes, kWeights, kEachChannel);
  }

  Status create(PrimitiveDesc** made, Engine* engine, const Operation& operation, const Dims& strides, const Dims& pads,
                const Attributes* attributes) const override {
    const Dims no_dilation = {};
    return convolution_create_(made, engine, kInference, operation.algorithm, operation.source.get(),
                               operation.weights.get(), operation.bias.get(), operation.destination.get(),
                               strides.data(), no_dilation.data(), pads.data(), pads.data(), attributes);
  }

 private:
  Status (*with_tag_)(Descriptor**, int ndims, const int64_t* dims, int type, int tag) = nullptr;
  Status (*with_strides_)(Descriptor**, int ndims, const int64_t* dims, int type, const int64_t* strides) = nullptr;
  Status (*descriptor_destroy_)(Descriptor*) = nullptr;
  Status (*append_eltwise_)(PostOps*, int kind, float alpha, float beta) = nullptr;
  Status (*set_scales_mask_)(Attributes*, int argument, int mask) = nullptr;
  Status (*convolution_create_)(PrimitiveDesc**, Engine*, int propagation, int algorithm, const Descriptor* source,
                                const Descriptor* weights, const Descriptor* bias, const Descriptor* destination,
                                const int64_t* strides, const int64_t* dilations, const int64_t* before,
                                const int64_t* behind, const Attributes*) = nullptr;
};

}  // namespace

std::unique_ptr<Library> make_library3(void* handle, const Functions& functions) {
  return std::make_unique<Library3>(handle, functions);
}

}  // namespace auxbench::opponents::onednn
