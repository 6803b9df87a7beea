#include "models/detector_weights.h"

#include "base/error.h"
#include "base/torch_prelude.h"
#include "models/detector.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

std::unique_ptr<Network> detector_with(const char* kind, const char* heads, const char* norm) {
  DetectorOptions options;
  options.backbone.width = 0.125;
  options.kind = kind;
  options.classes = 2;
  options.channels = 16;
  options.tower = 2;
  options.heads = heads;
  options.norm = norm;
  return make_detector(options);
}

SafeTensors file_of_network(Network& network, const std::string& prefix = "") {
  SafeTensors file;
  store_tensors(named_tensors(network.module(), prefix), file);
  return file;
}

void start_from(Network& network, SafeTensors file) {
  const auto targets = named_tensors(network.module());
  import_tensors(as_detector_weights(std::move(file), targets, "w"), targets, "w");
}

// Norms and biases of every level differ from the start's and from one another.
void disturb(Network& network) {
  const at::NoGradGuard no_gradient;
  for (const auto& item : network.module().named_parameters())
    if (item.value().dim() == 1) item.value().add_(at::randn_like(item.value()) * 0.3);
}

void expect_same_answers(Network& a, Network& b) {
  const at::NoGradGuard no_gradient;
  const auto x = at::rand({1, 3, 64, 64});
  a.module().eval();
  b.module().eval();
  const auto first = a.forward(x), second = b.forward(x);
  for (size_t i = 0; i < first.levels.size(); ++i) {
    CHECK(first.levels[i].classes.equal(second.levels[i].classes));
    CHECK(first.levels[i].boxes.equal(second.levels[i].boxes));
  }
}

}  // namespace

TEST_CASE("heads and norms of each level start as those that all levels shared", "[models]") {
  at::manual_seed(1);
  for (const char* kind : {"retinanet", "fcos"})
    for (const auto& [norm, own_norm] : {std::pair("batch", "batch"),
                                         {"batch", "per-level"},
                                         {"per-level", "per-level"},
                                         {"per-level", "batch"},
                                         {"none", "none"}})
      for (const char* heads : {"shared", "unshared"}) {
        // Private norms have no shared one to go into.
        if (norm == std::string("per-level") && own_norm != std::string(norm) && heads == std::string("shared"))
          continue;
        INFO(kind << ": " << norm << " to " << own_norm << ", " << heads);
        const auto trained = detector_with(kind, "shared", norm), started = detector_with(kind, heads, own_norm);
        disturb(*trained);
        start_from(*started, file_of_network(*trained));
        expect_same_answers(*trained, *started);
      }
}

TEST_CASE("unshared heads are no start for shared ones", "[models]") {
  const auto trained = detector_with("retinanet", "unshared", "batch"),
             other = detector_with("retinanet", "shared", "batch");
  CHECK_THROWS_AS(start_from(*other, file_of_network(*trained)), UserError);
}

TEST_CASE("a classifier's weights start a detector's backbone", "[models]") {
  at::manual_seed(2);
  const auto classifier = make_network({.width = 0.125});
  disturb(*classifier);
  for (const char* prefix : {"", "module.", "net."}) {
    INFO(prefix);
    const auto network = detector_with("retinanet", "shared", "batch");
    std::map<std::string, at::Tensor> before;
    for (const auto& [name, tensor] : named_tensors(network->module())) before[name] = tensor.clone();
    start_from(*network, file_of_network(*classifier, prefix));
    const auto given = named_tensors(classifier->module());
    for (const auto& [name, tensor] : named_tensors(network->module())) {
      INFO(name);
      const bool body = name.starts_with("backbone.body.");
      CHECK(tensor.equal(body ? given.at(name.substr(14)) : before.at(name)));
    }
  }
  auto deeper = make_network({.model = "resnet34", .width = 0.125});
  const auto network = detector_with("retinanet", "shared", "batch");
  CHECK_THROWS_WITH(start_from(*network, file_of_network(*deeper)),
                    contains_text("layer1.2.bn1.bias: the network has no such tensor"));
}

TEST_CASE("weights that fit, and weights of classifiers, stay as they are", "[models]") {
  const auto network = detector_with("fcos", "unshared", "per-level");
  const auto file = file_of_network(*network);
  const auto same = as_detector_weights(file, named_tensors(network->module()), "w");
  CHECK(same.tensors.size() == file.tensors.size());
  const auto classifier = make_network({.width = 0.125});
  const auto own = file_of_network(*classifier);
  CHECK(as_detector_weights(own, named_tensors(classifier->module()), "w").tensors.size() == own.tensors.size());
}
