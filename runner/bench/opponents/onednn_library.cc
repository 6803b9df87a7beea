// Finding and opening oneDNN.
#include <dlfcn.h>

#include <map>
#include <mutex>

#include "runner/bench/opponents/onednn.h"

#if defined(__has_feature)
#define AUXBENCH_HAS_FEATURE(name) __has_feature(name)
#else
#define AUXBENCH_HAS_FEATURE(name) 0
#endif

namespace auxbench::opponents::onednn {
namespace {

// DEEPBIND: a library's calls of its own functions reach its own, even where the process is linked with another oneDNN,
// as some builds of LibTorch are. The sanitizers' runtimes refuse it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || AUXBENCH_HAS_FEATURE(address_sanitizer) || \
    AUXBENCH_HAS_FEATURE(thread_sanitizer) || AUXBENCH_HAS_FEATURE(memory_sanitizer) || !defined(RTLD_DEEPBIND)
constexpr int kOwnFirst = 0;
#else
constexpr int kOwnFirst = RTLD_DEEPBIND;
#endif

Functions find_functions(void* handle) {
  Functions f{};
  find(handle, "dnnl_version", f.version);
  find(handle, "dnnl_engine_create", f.engine_create);
  find(handle, "dnnl_engine_destroy", f.engine_destroy);
  find(handle, "dnnl_stream_create", f.stream_create);
  find(handle, "dnnl_stream_wait", f.stream_wait);
  find(handle, "dnnl_stream_destroy", f.stream_destroy);
  find(handle, "dnnl_memory_desc_get_size", f.memory_desc_get_size);
  find(handle, "dnnl_memory_create", f.memory_create);
  find(handle, "dnnl_memory_destroy", f.memory_destroy);
  find(handle, "dnnl_primitive_attr_create", f.primitive_attr_create);
  find(handle, "dnnl_primitive_attr_destroy", f.primitive_attr_destroy);
  find(handle, "dnnl_primitive_attr_set_fpmath_mode", f.primitive_attr_set_fpmath_mode);
  find(handle, "dnnl_primitive_attr_set_post_ops", f.primitive_attr_set_post_ops);
  find(handle, "dnnl_post_ops_create", f.post_ops_create);
  find(handle, "dnnl_post_ops_destroy", f.post_ops_destroy);
  find(handle, "dnnl_reorder_primitive_desc_create", f.reorder_primitive_desc_create);
  find(handle, "dnnl_primitive_desc_query", f.primitive_desc_query);
  find(handle, "dnnl_primitive_desc_query_md", f.primitive_desc_query_md);
  find(handle, "dnnl_primitive_desc_destroy", f.primitive_desc_destroy);
  find(handle, "dnnl_primitive_create", f.primitive_create);
  find(handle, "dnnl_primitive_execute", f.primitive_execute);
  find(handle, "dnnl_primitive_destroy", f.primitive_destroy);
  find(handle, "omp_get_max_threads", f.omp_get_max_threads);
  find(handle, "omp_set_num_threads", f.omp_set_num_threads);
  find(handle, "omp_get_thread_num", f.omp_get_thread_num);
  find(handle, "GOMP_parallel", f.parallel);
  return f;
}

std::string name_of(const Version& version) {
  return "oneDNN " + std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
         std::to_string(version.patch);
}

std::unique_ptr<Library> open_anew(const std::string& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | kOwnFirst);
  if (handle == nullptr) {
    const char* error = dlerror();
    throw Unavailable(error == nullptr ? path + ": cannot be loaded" : error);
  }
  const Version* (*ask)() = nullptr;
  find(handle, "dnnl_version", ask);
  const Version& version = *ask();
  if (version.cpu_runtime != kOpenMp) throw Unavailable(path + ": " + name_of(version) + " is not built for OpenMP");
  if (version.major == 2) return make_library2(handle, find_functions(handle));
  if (version.major == 3) return make_library3(handle, find_functions(handle));
  throw Unavailable(path + ": " + name_of(version) + " is neither version 2 nor version 3");
}

}  // namespace

void* find(void* handle, const std::string& name) {
  if (void* address = dlsym(handle, name.c_str())) return address;
  const char* error = dlerror();
  throw Unavailable(error == nullptr ? name + " is missing" : error);
}

Library::Library(const Functions& functions) : f(functions), name(name_of(*functions.version())) {}

Owned<PrimitiveDesc> Library::convolution(Engine* engine, const Operation& operation) const {
  Attributes* attributes = nullptr;
  expect_success(*this, f.primitive_attr_create(&attributes), "to make attributes");
  const Owned<Attributes> owned_attributes(attributes, f.primitive_attr_destroy);
  // Whatever the environment says: fp32 is fp32.
  expect_success(*this, f.primitive_attr_set_fpmath_mode(attributes, kStrict), "to keep fp32");
  PostOps* post_ops = nullptr;
  expect_success(*this, f.post_ops_create(&post_ops), "to make post-ops");
  const Owned<PostOps> owned_post_ops(post_ops, f.post_ops_destroy);
  expect_success(*this, append_relu(post_ops), "to append a ReLU");
  expect_success(*this, f.primitive_attr_set_post_ops(attributes, post_ops), "to set post-ops");
  if (!operation.scales.empty()) expect_success(*this, set_scales(attributes, operation.scales), "to set scales");

  const Dims strides = {operation.stride, operation.stride}, pads = {operation.pad, operation.pad};
  PrimitiveDesc* made = nullptr;
  expect_success(*this, create(&made, engine, operation, strides, pads, attributes), "to choose a convolution");
  return {made, f.primitive_desc_destroy};
}

void expect_success(const Library& library, Status status, const char* what) {
  constexpr Status kUnimplemented = 3;
  if (status == 0) return;
  throw Unavailable(library.name + " failed " + what + ": " +
                    (status == kUnimplemented ? "not implemented here" : "status " + std::to_string(status)));
}

const Library& open_library(const std::string& path) {
  static std::mutex mutex;
  // Never closed: its threads and thread-local memory outlive every opponent.
  static auto& opened = *new std::map<std::string, std::unique_ptr<Library>>;
  const std::lock_guard lock(mutex);
  auto& library = opened[path];
  if (library == nullptr) library = open_anew(path);
  return *library;
}

}  // namespace auxbench::opponents::onednn
