#include "runner/inspect/torch/probe_files.h"

namespace auxbench {

using std::to_string;

void refuse_probe(const std::string& what) { throw UserError(ExitCode::usage, what); }

std::string shape_text(at::IntArrayRef shape) {
  std::string text;
  for (const auto extent : shape) text += (text.empty() ? "" : ", ") + to_string(extent);
  return "[" + text + "]";
}

at::Tensor required_tensor(const SafeTensors& file, const std::string& name, const std::string& flag) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end()) refuse_probe(flag + ": no tensor named " + name);
  return from_safetensor(found->second, flag + ": " + name);
}

at::Tensor required_images(const SafeTensors& in, int64_t channels) {
  auto images = required_tensor(in, "input", "--input");
  const auto found = "--input: input has shape " + shape_text(images.sizes());
  if (images.dim() != 4) refuse_probe(found + ", expected [N, C, H, W]");
  if (images.numel() == 0) refuse_probe(found + ", which holds no pixels");
  if (images.size(1) != channels)
    refuse_probe(found + ", " + to_string(images.size(1)) + " channels; the weights take " + to_string(channels));
  return images;
}

at::Tensor checked_classes(const at::Tensor& values, int64_t count, int64_t classes, const ClassWords& words) {
  if (at::isFloatingType(values.scalar_type()) || values.scalar_type() == at::kBool)
    refuse_probe(words.place + words.all + " are no whole numbers");
  if (values.dim() != 1 || values.size(0) != count)
    refuse_probe(words.place + words.all + " have shape " + shape_text(values.sizes()) + ", expected [" +
                 to_string(count) + "], one for each " + words.of);
  const auto whole = values.to(at::kLong).contiguous();
  for (int64_t i = 0; i < count; ++i)
    if (const auto value = whole.const_data_ptr<int64_t>()[i]; value < 0 || value >= classes)
      refuse_probe(words.place + words.one + " " + to_string(value) + " of " + words.of + " " + to_string(i) +
                   ", the weights have classes 0 to " + to_string(classes - 1));
  return whole;
}

int64_t weight_dimension(const SafeTensors& weights, const std::string& name, size_t axis, size_t rank) {
  const auto found = weights.tensors.find(name);
  if (found == weights.tensors.end())
    throw UserError(ExitCode::data_missing,
                    "--weights: no tensor named " + name + " (torchvision's names are expected)");
  const auto& shape = found->second.shape;
  if (shape.size() != rank || shape[axis] < 1)
    throw UserError(ExitCode::data_missing, "--weights: " + name + " has shape " + shape_text(shape) + ", expected " +
                                                to_string(rank) + " dimensions, none of them 0");
  return shape[axis];
}

SafeTensors file_of(const NamedTensors& tensors) {
  SafeTensors file;
  store_tensors(tensors, file);
  return file;
}

}  // namespace auxbench
