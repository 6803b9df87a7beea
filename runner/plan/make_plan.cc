#include "runner/plan/make_plan.h"

#include <algorithm>
#include <map>

#include "base/check.h"
#include "models/list/models.h"
#include "quantizers/methods/methods.h"
#include "runner/plan/code_epochs.h"

namespace auxbench {
namespace {

// Answers that are asked for once and kept.
template <typename Answer>
class Once {
 public:
  explicit Once(const std::function<Answer(const std::string&)>& ask) : ask_(ask) {}
  const Answer& operator()(const std::string& name) {
    const auto found = known_.find(name);
    return found != known_.end() ? found->second : known_.emplace(name, ask_(name)).first->second;
  }

 private:
  const std::function<Answer(const std::string&)>& ask_;
  std::map<std::string, Answer> known_;
};

int64_t part(int64_t wanted, int64_t there) { return wanted == 0 ? there : std::min(wanted, there); }

class Planner {
 public:
  Planner(const SuiteSpec& suite, const PlanInputs& inputs)
      : suite_(suite), inputs_(inputs), data_(inputs.data), digest_(inputs.weights_digest), prices_(inputs.history) {
    AUXBENCH_CHECK(inputs.data && inputs.weights_digest, "inputs that answer");
  }

  Plan plan() {
    plan_.version = inputs_.version;
    plan_.suite = suite_.name;
    plan_.title = suite_.title;
    plan_.tier = suite_.tier;
    plan_.proxy = suite_.proxy;
    plan_.proxy_reason = suite_.proxy_reason;
    plan_.command = inputs_.command;
    plan_.device_class = inputs_.device_class;
    for (const auto& listed : suite_.cells) add(listed);
    plan_.tables = suite_.tables;
    for (auto& table : plan_.tables)
      for (auto& row : table.rows)
        for (auto& entry : row.entries) entry.cells = ids_of(entry.cells);
    plan_.claims = suite_.claims;
    return std::move(plan_);
  }

 private:
  void add(const ListedCell& listed) {
    const auto& data = data_(listed.spec.dataset);
    auto id = identify(listed.spec, data);
    const auto [known, is_new] = ids_.try_emplace(listed.key, id);
    AUXBENCH_CHECK(is_new, "each cell listed once");
    // Two files of weights may hold the same: then two listed cells are one.
    if (const auto twin = indices_.find(id); twin != indices_.end()) return unite(listed, plan_.cells[twin->second]);
    indices_[id] = plan_.cells.size();
    plan_.cells.push_back({.spec = listed.spec,
                           .id = std::move(id),
                           .slug = cell_slug(listed.spec),
                           .data_manifest = data.manifest.value_or(""),
                           .needs = ids_of(listed.needs),
                           .groups = listed.groups,
                           .implied = listed.implied,
                           .selected = listed.selected,
                           .unsupported = why_not_implemented(listed.spec, data.implemented),
                           .missing = {}});
    auto& cell = plan_.cells.back();
    if (data.implemented && !data.manifest) cell.missing = "needs " + cell.spec.dataset + ", which was not found";
    if (cell.unsupported.empty()) price(data, cell);
  }

  static void unite(const ListedCell& listed, PlannedCell& cell) {
    for (const auto& group : listed.groups)
      if (std::find(cell.groups.begin(), cell.groups.end(), group) == cell.groups.end()) cell.groups.push_back(group);
    cell.implied = cell.implied && listed.implied;
    cell.selected = cell.selected || listed.selected;
  }

  // Without its data a cell has no digest; its name is told apart by a number where it must be.
  std::string identify(const CellSpec& cell, const DataFacts& data) {
    if (!data.implemented || data.manifest)
      return cell_id(cell, {.data_manifest = data.manifest.value_or(""),
                            .weights = cell.weights.empty() ? "" : digest_(cell.weights),
                            .device_class = inputs_.device_class,
                            .code_epochs = code_epochs(cell)});
    const auto slug = cell_slug(cell);
    auto name = slug;
    for (int n = 2; indices_.contains(name); ++n) name = slug + "-" + std::to_string(n);
    return name;
  }

  void price(const DataFacts& data, PlannedCell& cell) const {
    const auto cost = prices_.estimate(cell.spec, inputs_.device_class, part(cell.spec.train_images, data.train_images),
                                       part(cell.spec.test_images, data.test_images));
    cell.estimated_seconds = cost.seconds;
    cell.estimate_from_history = cost.from_history;
  }

  [[nodiscard]] std::vector<std::string> ids_of(const std::vector<std::string>& keys) const {
    std::vector<std::string> ids;
    for (const auto& key : keys) {
      const auto& id = ids_.at(key);
      if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
    }
    return ids;
  }

  const SuiteSpec& suite_;
  const PlanInputs& inputs_;
  Once<DataFacts> data_;
  Once<std::string> digest_;
  Prices prices_;
  std::map<std::string, std::string> ids_;  // by key
  std::map<std::string, size_t> indices_;   // in the plan, by id
  Plan plan_;
};

}  // namespace

Plan make_plan(const SuiteSpec& suite, const PlanInputs& inputs) { return Planner(suite, inputs).plan(); }

std::string why_not_implemented(const CellSpec& cell, bool dataset_implemented) {
  const std::string prefix = "not implemented yet: ";
  const auto* model = find_model(cell.model);
  if (model == nullptr || !model->exists) return prefix + "model " + cell.model;
  if (!cell.full_precision() && find_quantizer(cell.quantizer) == nullptr)
    return prefix + "quantizer " + cell.quantizer;
  if (!dataset_implemented) return prefix + "dataset " + cell.dataset;
  return {};
}

}  // namespace auxbench
