#include "runner/jobs/messages.h"

#include <cmath>

#include "base/error.h"
#include "base/name_table.h"
#include "runner/plan/plan_file.h"

namespace auxbench {
namespace {

using nlohmann::json;
using Kind = WorkerMessage::Kind;

constexpr NameTable<Kind, 10> kNames({{Kind::ready, "ready"},
                                      {Kind::alive, "alive"},
                                      {Kind::started, "started"},
                                      {Kind::step, "step"},
                                      {Kind::saved, "saved"},
                                      {Kind::cached, "cached"},
                                      {Kind::busy, "busy"},
                                      {Kind::interrupted, "interrupted"},
                                      {Kind::lost, "lost"},
                                      {Kind::fatal, "fatal"}});

Kind kind_of(const std::string& name) {
  if (const auto kind = kNames.value_of(name)) return *kind;
  throw UserError(ExitCode::usage, "a worker says " + name + ": unknown");
}

// What a message may say may come from anywhere, and names of files are no UTF-8 by law.
std::string one_line(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

json parse(const std::string& line) {
  auto value = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!value.is_object()) throw UserError(ExitCode::usage, "a worker says what is no message: " + line.substr(0, 200));
  return value;
}

}  // namespace

std::string line_of(const WorkerMessage& message) {
  json out = {{"say", kNames.name_of(message.kind)}};
  const auto put = [&](const char* key, const auto& value) {
    if (value != std::remove_cvref_t<decltype(value)>()) out[key] = value;
  };
  put("cell", message.cell), put("work", message.work), put("done", message.done), put("total", message.total);
  if (std::isfinite(message.loss)) put("loss", message.loss);
  put("seconds", message.seconds), put("code", message.code), put("text", message.text), put("detail", message.detail);
  return one_line(out);
}

WorkerMessage message_of(const std::string& line) {
  const auto value = parse(line);
  try {
    WorkerMessage message = {.kind = kind_of(value.at("say"))};
    const auto read = [&](const char* key, auto& member) {
      if (value.contains(key)) value.at(key).get_to(member);
    };
    read("cell", message.cell), read("work", message.work), read("done", message.done), read("total", message.total);
    read("loss", message.loss), read("seconds", message.seconds), read("code", message.code);
    read("text", message.text), read("detail", message.detail);
    return message;
  } catch (const json::exception& error) {
    throw UserError(ExitCode::usage, "a worker says what is no message: " + line.substr(0, 200) + ": " + error.what());
  }
}

std::string line_of(const PlannedCell& cell) { return one_line(planned_cell_to_json(cell)); }

PlannedCell cell_of(const std::string& line) { return planned_cell_from_json(parse(line), "a cell to compute"); }

}  // namespace auxbench
