#include "runner/plan/tiers.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "runner/plan/axes.h"
#include "runner/plan/expand.h"
#include "runner/plan/language.h"

namespace auxbench {
namespace {

using nlohmann::json;

void check_tier(const LocatedJson& suite, const std::string& name, const json& tier) {
  const auto pointer = child_pointer("/tiers", name);
  check_folder_name(suite, pointer, name);
  check_object(suite, pointer, "tier");
  if (tier.contains("rules"))
    for (size_t i = 0; i < tier.at("rules").size(); ++i)
      if (tier.at("rules")[i].contains("where")) check_match(suite, child_pointer(pointer + "/rules", i) + "/where");
  if (tier.contains("only"))
    for (size_t i = 0; i < tier.at("only").size(); ++i) check_match(suite, child_pointer(pointer + "/only", i));
}

std::vector<std::string> names_of(const json& tiers) {
  std::vector<std::string> names;
  for (const auto& [name, tier] : tiers.items()) names.push_back(name);
  return names;
}

constexpr std::array<const char*, 2> kStages = {"pretrain", "finetune"};

json over(json base, json own) {
  auto rules = base.value("rules", json::array());
  for (auto& rule : own.value("rules", json::array())) rules.push_back(std::move(rule));
  const auto own_set = own.value("set", json::object());
  auto set = base.value("set", json::object());
  merge_axes(set, own_set);
  for (const char* stage : kStages)
    if (own_set.contains(stage) && own_set.at(stage).is_null()) set[stage] = nullptr;
  for (const char* key : {"extends", "rules", "set"}) own.erase(key);
  base.merge_patch(own);
  if (!set.empty()) base["set"] = std::move(set);
  if (!rules.empty()) base["rules"] = std::move(rules);
  return base;
}

// What follows a tier's name in a pointer, "/rules"; empty for what is no part of a tier.
std::string part_of_tier(const std::string& pointer) {
  constexpr std::string_view kTiers = "/tiers/";
  if (!pointer.starts_with(kTiers)) return {};
  return pointer.substr(std::min(pointer.find('/', kTiers.size()), pointer.size()));
}

constexpr size_t kLongestChain = 16;  // of tiers that extend one another

// `chain`: the tiers that led here, to name a circle.
json resolved(const LocatedJson& suite, const json& tiers, const std::string& name, std::vector<std::string> chain) {
  const auto& own = tiers.at(name);
  if (!own.contains("extends")) return own;
  const auto pointer = child_pointer("/tiers", name) + "/extends";
  chain.push_back(name);
  const auto base = own.at("extends").get<std::string>();
  if (!tiers.contains(base)) refuse_at(suite, pointer, "no tier " + base + suggestion(base, names_of(tiers)));
  if (std::find(chain.begin(), chain.end(), base) != chain.end())
    refuse_at(suite, pointer, "the tier extends itself in a circle");
  if (chain.size() > kLongestChain)
    refuse_at(suite, pointer, "more than " + std::to_string(kLongestChain) + " tiers extend one another");
  return over(resolved(suite, tiers, base, chain), own);
}

}  // namespace

bool is_null_of_tier(const std::string& pointer) {
  const auto part = part_of_tier(pointer);
  return std::any_of(kStages.begin(), kStages.end(),
                     [&](const char* stage) { return part == std::string("/set/") + stage; });
}

bool are_rules_of_tier(const std::string& pointer) { return part_of_tier(pointer) == "/rules"; }

void resolve_tiers(LocatedJson& suite) {
  if (suite.value.value("tiers", json::object()).empty()) suite.value["tiers"][kAsWritten] = json::object();
  const json tiers = suite.value.at("tiers");
  for (const auto& [name, tier] : tiers.items()) check_tier(suite, name, tier);
  for (const auto& name : names_of(tiers)) suite.value["tiers"][name] = resolved(suite, tiers, name, {});
  if (!suite.value.contains("default_tier")) return;
  const auto chosen = suite.value.at("default_tier").get<std::string>();
  if (!tiers.contains(chosen))
    refuse_at(suite, "/default_tier", "no tier " + chosen + suggestion(chosen, names_of(tiers)));
}

}  // namespace auxbench
