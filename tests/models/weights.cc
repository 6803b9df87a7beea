#include "models/weights.h"

#include "base/error.h"
#include "base/torch_prelude.h"
#include "models/network.h"
#include "models/plain_names.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

std::unique_ptr<Network> small_network() {
  return make_network({.model = "resnet18", .in_channels = 1, .classes = 10, .stem = "small", .width = 0.0625});
}

// Every tensor of the network, each name changed.
template <typename Rename>
SafeTensors stored(Network& network, const Rename& rename) {
  SafeTensors contents;
  for (const auto& [name, tensor] : named_tensors(network.module()))
    contents.tensors[rename(name)] = to_safetensor(tensor);
  return contents;
}

std::string complaint(const SafeTensors& contents, Network& network) {
  try {
    import_tensors(contents, named_tensors(network.module()), "w.pth");
  } catch (const UserError& error) {
    return error.what();
  }
  return "nothing";
}

bool same_weights(Network& a, Network& b) {
  const auto theirs = named_tensors(b.module());
  for (const auto& [name, tensor] : named_tensors(a.module()))
    if (!tensor.equal(theirs.at(name))) return false;
  return true;
}

}  // namespace

TEST_CASE("names that others' tools put before a network's are taken off", "[models]") {
  const auto from = small_network();
  const std::vector<std::pair<std::string, std::string>> renamed = {
      {"module.conv1.weight", "module."},
      {"_orig_mod.conv1.weight", "_orig_mod."},
      {"module._orig_mod.conv1.weight", "module._orig_mod."},
      {"_orig_mod.module.conv1.weight", "_orig_mod.module."},
      {"model.conv1.weight", "model."},
      {"net.backbone.conv1.weight", "net.backbone."},
      {"model._orig_mod.conv1.weight", "model._orig_mod."},
      {"_fsdp_wrapped_module.conv1.weight", "_fsdp_wrapped_module."}};
  for (const auto& [example, prefix] : renamed) {
    INFO(example);
    const auto to = small_network();
    CHECK(complaint(stored(*from, [&](const auto& name) { return prefix + name; }), *to) == "nothing");
    CHECK(same_weights(*from, *to));
  }
  // A part of a network that was compiled or wrapped by itself.
  const auto to = small_network();
  CHECK(complaint(stored(*from,
                         [](std::string name) {
                           if (name.starts_with("layer2.")) name.insert(name.find('.') + 1, "_orig_mod.");
                           if (name.starts_with("layer3.0.")) name.insert(9, "_checkpoint_wrapped_module.");
                           return name;
                         }),
                  *to) == "nothing");
  CHECK(same_weights(*from, *to));
}

TEST_CASE("a file of another network keeps its names in the complaint", "[models]") {
  SafeTensors other;
  other.tensors["features.0.weight"] = to_safetensor(at::ones({1}));
  other.tensors["features.1.weight"] = to_safetensor(at::ones({1}));
  const auto network = small_network();
  CHECK_THAT(complaint(other, *network), contains_text("features.0.weight: the network has no such tensor"));
  auto twice = stored(*network, [](const auto& name) { return name; });
  twice.tensors["module.fc.bias"] = twice.tensors.at("fc.bias");
  CHECK_THAT(complaint(twice, *network), contains_text("fc.bias is given twice"));
}

TEST_CASE("counters of norms may be missing, or of another type or shape", "[models]") {
  const auto from = small_network();
  auto contents = stored(*from, [](const auto& name) { return name; });
  std::erase_if(contents.tensors,
                [](const auto& item) { return item.first.ends_with("layer1.0.bn1.num_batches_tracked"); });
  contents.tensors["bn1.num_batches_tracked"] = to_safetensor(at::full({}, 7, at::kInt));
  contents.tensors["layer1.0.bn2.num_batches_tracked"] = to_safetensor(at::full({1}, 9.0, at::kFloat));
  const auto to = small_network();
  CHECK(complaint(contents, *to) == "nothing");
  const auto found = named_tensors(to->module());
  CHECK(found.at("bn1.num_batches_tracked").item<int64_t>() == 7);
  CHECK(found.at("layer1.0.bn2.num_batches_tracked").item<int64_t>() == 9);
  CHECK(found.at("layer1.0.bn1.num_batches_tracked").item<int64_t>() == 0);
}

TEST_CASE("numbers of types that nothing computes with are refused by name", "[models]") {
  const auto network = small_network();
  auto contents = stored(*network, [](const auto& name) { return name; });
  auto& weight = contents.tensors.at("fc.bias");
  weight = {.dtype = "F8_E4M3", .shape = weight.shape, .bytes = std::string(weight.bytes.size() / 4, '\0')};
  CHECK(complaint(contents, *network) == "w.pth: fc.bias: numbers of type F8_E4M3 are listed, not computed with");
}
