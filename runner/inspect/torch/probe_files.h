// What the probes read from files and write to them; messages name the flag and the tensor. For .cc files of this folder.
#pragma once

#include <new>

#include "base/error.h"
#include "base/files/safetensors.h"
#include "base/torch_prelude.h"
#include "models/weights.h"
#include "runner/training/error_text.h"

namespace auxbench {

// Throws UserError(usage).
[[noreturn]] void refuse_probe(const std::string& what);

// "[2, 3, 64, 64]"
std::string shape_text(at::IntArrayRef shape);

// flag: what gives the file, for messages.
at::Tensor required_tensor(const SafeTensors& file, const std::string& name, const std::string& flag);

// "input" [N, C, H, W] with as many channels as the weights take.
at::Tensor required_images(const SafeTensors& in, int64_t channels);

// What a list of classes is called in messages: {"--labels: ", "labels", "label", "image"}.
struct ClassWords {
  std::string place, all, one, of;
};

// [count] int64: `values`, where they are whole numbers in [0, classes).
at::Tensor checked_classes(const at::Tensor& values, int64_t count, int64_t classes, const ClassWords& words);

// The extent of an axis of a weight. rank: of the tensor, which torchvision's network gives it.
int64_t weight_dimension(const SafeTensors& weights, const std::string& name, size_t axis, size_t rank);

SafeTensors file_of(const NamedTensors& tensors);

// Runs body; memory that was refused and shapes that LibTorch refuses are the user's to mend.
template <typename Body>
SafeTensors in_words(const Body& body) {
  try {
    return body();
  } catch (const UserError&) {
    throw;
  } catch (const c10::Error& error) {
    refuse_probe("--input, --weights: " + error_text(error));
  } catch (const std::bad_alloc& error) {
    refuse_probe(error_text(error));
  }
}

}  // namespace auxbench
