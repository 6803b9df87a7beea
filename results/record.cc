#include "results/record.h"

#include <array>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "base/error.h"

namespace auxbench {
namespace {

constexpr std::array<std::pair<Status, const char*>, 8> kNames = {{{Status::listed, "listed"},
                                                                   {Status::skipped, "skipped"},
                                                                   {Status::completed, "completed"},
                                                                   {Status::mistrusted, "mistrusted"},
                                                                   {Status::diverged, "diverged"},
                                                                   {Status::failed, "failed"},
                                                                   {Status::timed_out, "timed_out"},
                                                                   {Status::interrupted, "interrupted"}}};

nlohmann::json to_json(const Metric& metric) {
  AUXBENCH_CHECK(std::isfinite(metric.value), "a finite metric " + metric.name);
  return {{"name", metric.name},
          {"value", metric.value},
          {"unit", metric.unit},
          {"higher_is_better", metric.higher_is_better}};
}

nlohmann::json to_json(const Provenance& made) {
  return {{"commit", made.commit},
          {"dirty", made.dirty},
          {"version", made.version},
          {"compiler", made.compiler},
          {"torch", made.torch},
          {"cpu", made.cpu},
          {"gpu", made.gpu},
          {"device", made.device},
          {"os", made.os},
          {"threads", made.threads},
          {"data_manifest", made.data_manifest},
          {"started", made.started},
          {"finished", made.finished}};
}

Provenance provenance_from(const nlohmann::json& json) {
  Provenance made;
  json.at("commit").get_to(made.commit);
  json.at("dirty").get_to(made.dirty);
  json.at("version").get_to(made.version);
  json.at("compiler").get_to(made.compiler);
  json.at("torch").get_to(made.torch);
  json.at("cpu").get_to(made.cpu);
  json.at("gpu").get_to(made.gpu);
  json.at("device").get_to(made.device);
  json.at("os").get_to(made.os);
  json.at("threads").get_to(made.threads);
  json.at("data_manifest").get_to(made.data_manifest);
  json.at("started").get_to(made.started);
  json.at("finished").get_to(made.finished);
  return made;
}

// A curve of a diverged run stops before its first value that JSON cannot hold.
std::vector<double> finite_part(const std::vector<double>& curve) {
  std::vector<double> kept;
  for (const double value : curve) {
    if (!std::isfinite(value)) break;
    kept.push_back(value);
  }
  return kept;
}

}  // namespace

std::string status_name(Status status) {
  for (const auto& [value, name] : kNames)
    if (value == status) return name;
  AUXBENCH_CHECK(false, "a status with a name");
}

Status status_from_name(const std::string& name) {
  for (const auto& [value, known] : kNames)
    if (name == known) return value;
  throw UserError(ExitCode::usage, "status " + name + ": unknown");
}

bool is_final(Status status) {
  return status == Status::completed || status == Status::mistrusted || status == Status::diverged;
}

nlohmann::json record_to_json(const Record& record) {
  nlohmann::json metrics = nlohmann::json::array();
  for (const auto& metric : record.metrics) metrics.push_back(to_json(metric));
  nlohmann::json curves = nlohmann::json::object();
  for (const auto& [name, values] : record.curves) curves[name] = finite_part(values);
  return {{"schema_version", Record::kSchemaVersion},
          {"id", record.id},
          {"slug", record.slug},
          {"status", status_name(record.status)},
          {"reason", record.reason},
          {"spec", record.spec},
          {"metrics", metrics},
          {"curves", curves},
          {"seconds", record.seconds},
          {"facts", record.facts},
          {"provenance", to_json(record.provenance)},
          {"rerun", record.rerun}};
}

Record record_from_json(const nlohmann::json& json, const std::string& place) {
  try {
    if (const int version = json.at("schema_version"); version != Record::kSchemaVersion)
      throw UserError(ExitCode::usage, place + ": record of schema version " + std::to_string(version) +
                                           ", this program reads " + std::to_string(Record::kSchemaVersion));
    Record record;
    json.at("id").get_to(record.id);
    json.at("slug").get_to(record.slug);
    record.status = status_from_name(json.at("status"));
    json.at("reason").get_to(record.reason);
    record.spec = json.at("spec");
    for (const auto& metric : json.at("metrics"))
      record.metrics.push_back({.name = metric.at("name"),
                                .value = metric.at("value"),
                                .unit = metric.at("unit"),
                                .higher_is_better = metric.at("higher_is_better")});
    json.at("curves").get_to(record.curves);
    json.at("seconds").get_to(record.seconds);
    record.facts = json.at("facts").get<std::map<std::string, nlohmann::json>>();
    record.provenance = provenance_from(json.at("provenance"));
    json.at("rerun").get_to(record.rerun);
    return record;
  } catch (const nlohmann::json::exception& error) {
    throw UserError(ExitCode::usage, place + ": not a record: " + error.what());
  }
}

nlohmann::json comparable_part(const Record& record) {
  auto json = record_to_json(record);
  for (const char* key : {"seconds", "provenance", "rerun"}) json.erase(key);
  return json;
}

}  // namespace auxbench
