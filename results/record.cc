#include "results/record.h"

#include <cmath>

#include "base/check.h"
#include "base/error.h"
#include "base/name_table.h"

namespace auxbench {
namespace {

constexpr NameTable<Status, 8> kNames({{Status::listed, "listed"},
                                       {Status::skipped, "skipped"},
                                       {Status::completed, "completed"},
                                       {Status::mistrusted, "mistrusted"},
                                       {Status::diverged, "diverged"},
                                       {Status::failed, "failed"},
                                       {Status::timed_out, "timed_out"},
                                       {Status::interrupted, "interrupted"}});

// A curve of a diverged run stops before its first value that JSON cannot hold.
std::vector<double> finite_part(const std::vector<double>& curve) {
  std::vector<double> kept;
  for (const double value : curve) {
    if (!std::isfinite(value)) break;
    kept.push_back(value);
  }
  return kept;
}

// A whole number. The library's conversion would take 1e300 for one.
int64_t whole_number(const nlohmann::json& json, const char* key) {
  return json.at(key).get_ref<const nlohmann::json::number_integer_t&>();
}

}  // namespace

// The names of their keys, both ways; a key that is missing when read is an exception of the library.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Metric, name, value, unit, higher_is_better)

void to_json(nlohmann::json& json, const Provenance& made) {
  json = {{"commit", made.commit},
          {"dirty", made.dirty},
          {"version", made.version},
          {"compiler", made.compiler},
          {"torch", made.torch},
          {"cpu", made.cpu},
          {"gpu", made.gpu},
          {"device", made.device},
          {"os", made.os},
          {"threads", made.threads},
          {"started", made.started},
          {"finished", made.finished},
          {"data_manifest", made.data_manifest}};
  if (!made.flags.empty()) json["flags"] = made.flags;
}

void from_json(const nlohmann::json& json, Provenance& made) {
  const auto read = [&](const char* key, auto& value) { json.at(key).get_to(value); };
  read("commit", made.commit), read("dirty", made.dirty), read("version", made.version);
  read("compiler", made.compiler), read("torch", made.torch), read("cpu", made.cpu), read("gpu", made.gpu);
  read("device", made.device), read("os", made.os);
  made.threads = static_cast<int>(whole_number(json, "threads"));
  read("started", made.started), read("finished", made.finished), read("data_manifest", made.data_manifest);
  if (json.contains("flags")) read("flags", made.flags);
}

std::string status_name(Status status) { return kNames.name_of(status); }

Status status_from_name(const std::string& name) {
  if (const auto status = kNames.value_of(name)) return *status;
  throw UserError(ExitCode::usage, "status " + name + ": unknown");
}

bool is_final(Status status) {
  return status == Status::completed || status == Status::mistrusted || status == Status::diverged;
}

nlohmann::json record_to_json(const Record& record) {
  for (const auto& metric : record.metrics)
    AUXBENCH_CHECK(std::isfinite(metric.value), "a finite metric " + metric.name);
  nlohmann::json curves = nlohmann::json::object();
  for (const auto& [name, values] : record.curves) curves[name] = finite_part(values);
  return {{"schema_version", Record::kSchemaVersion},
          {"id", record.id},
          {"slug", record.slug},
          {"status", status_name(record.status)},
          {"reason", record.reason},
          {"spec", record.spec},
          {"metrics", record.metrics},
          {"curves", curves},
          {"seconds", record.seconds},
          {"facts", record.facts},
          {"provenance", record.provenance},
          {"rerun", record.rerun}};
}

Record record_from_json(const nlohmann::json& json, const std::string& place) {
  try {
    if (const auto version = whole_number(json, "schema_version"); version != Record::kSchemaVersion)
      throw UserError(ExitCode::usage, place + ": record of schema version " + std::to_string(version) +
                                           ", this program reads " + std::to_string(Record::kSchemaVersion));
    Record record;
    json.at("id").get_to(record.id);
    json.at("slug").get_to(record.slug);
    try {
      record.status = status_from_name(json.at("status"));
    } catch (const UserError& error) {
      throw UserError(ExitCode::usage, place + ": " + error.what());
    }
    json.at("reason").get_to(record.reason);
    record.spec = json.at("spec");
    json.at("metrics").get_to(record.metrics);
    json.at("curves").get_to(record.curves);
    json.at("seconds").get_to(record.seconds);
    record.facts = json.at("facts").get<std::map<std::string, nlohmann::json>>();
    json.at("provenance").get_to(record.provenance);
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
