#include "runner/plan/tiers.h"

#include <algorithm>
#include <string>
#include <vector>

#include "runner/plan/expand.h"
#include "runner/plan/language.h"

namespace auxbench {
namespace {

using nlohmann::json;

void check_tier(const LocatedJson& suite, const std::string& pointer, const json& tier) {
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

json over(json base, json own) {
  auto rules = base.value("rules", json::array());
  for (auto& rule : own.value("rules", json::array())) rules.push_back(std::move(rule));
  own.erase("extends");
  own.erase("rules");
  base.merge_patch(own);
  if (!rules.empty()) base["rules"] = std::move(rules);
  return base;
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

void resolve_tiers(LocatedJson& suite) {
  if (!suite.value.contains("tiers") || suite.value.at("tiers").empty()) refuse_at(suite, "", "the suite has no tiers");
  const json tiers = suite.value.at("tiers");
  for (const auto& [name, tier] : tiers.items()) check_tier(suite, child_pointer("/tiers", name), tier);
  for (const auto& name : names_of(tiers)) suite.value["tiers"][name] = resolved(suite, tiers, name, {});
}

}  // namespace auxbench
