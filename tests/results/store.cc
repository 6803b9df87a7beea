#include "results/store.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <fstream>
#include <limits>

#include "base/check.h"
#include "base/error.h"
#include "base/files/file.h"
#include "base/files/safetensors.h"
#include "results/history.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;

// In place of the system's: a file system that does not know it answers so.
static bool flock_works = true;
extern "C" int flock(int descriptor, int operation) {
  if (flock_works) return static_cast<int>(syscall(SYS_flock, descriptor, operation));
  errno = ENOLCK;
  return -1;
}

namespace {

Record made_up(const std::string& id, double top1 = 80, int seed = 0) {
  Record record;
  record.id = id;
  record.slug = id;
  record.status = Status::completed;
  record.spec = {{"seed", seed}};
  record.metrics = {{.name = "top1", .value = top1, .unit = "%"}};
  record.curves["top1"] = {70, top1};
  record.seconds["total"] = 1.5;
  return record;
}

void append_raw(const std::filesystem::path& folder, const std::string& text) {
  std::ofstream(folder / "records.jsonl", std::ios::app) << text;
}

}  // namespace

TEST_CASE("a saved record is read back whole, the last of an id counts", "[results]") {
  const test::TempFolder folder;
  {
    Store store(folder.path());
    store.save(made_up("a", 80));
    store.save(made_up("b", 60));
    store.save(made_up("a", 81));
  }
  const auto stored = read_records(folder.path());
  CHECK(stored.by_id.size() == 2);
  CHECK(record_to_json(stored.by_id.at("a")) == record_to_json(made_up("a", 81)));
  CHECK(std::filesystem::exists(folder.path() / "cells" / "a" / "record.json"));
}

TEST_CASE("a record keeps the flags of its GPU, and a record without any is read", "[results]") {
  auto record = made_up("a");
  CHECK_FALSE(record_to_json(record)["provenance"].contains("flags"));
  CHECK(record_from_json(record_to_json(record), "here").provenance.flags.empty());
  record.provenance.flags = "cudnn deterministic";
  CHECK(record_from_json(record_to_json(record), "here").provenance.flags == "cudnn deterministic");
}

TEST_CASE("a line cut in half by a crash costs that line and nothing else", "[results]") {
  const test::TempFolder folder;
  {
    Store store(folder.path());
    store.save(made_up("a"));
  }
  append_raw(folder.path(), record_to_json(made_up("b")).dump().substr(0, 40));
  CHECK(read_records(folder.path()).by_id.size() == 1);
  {
    Store store(folder.path());
    CHECK(store.warnings().size() == 1);
    store.save(made_up("c"));
  }
  const auto stored = read_records(folder.path());
  CHECK(stored.by_id.contains("a"));
  CHECK(stored.by_id.contains("c"));
  REQUIRE(stored.warnings.size() == 1);
  CHECK(stored.warnings[0].find("records.jsonl:2: half a line") != std::string::npos);
}

TEST_CASE("JSON that is no record is an error with file and line", "[results]") {
  const test::TempFolder folder;
  append_raw(folder.path(), "{\"id\": 3}\n");
  CHECK_THROWS_WITH(read_records(folder.path()), contains_text("records.jsonl:1: not a record"));
}

TEST_CASE("a record of another schema version is named", "[results]") {
  auto json = record_to_json(made_up("a"));
  json["schema_version"] = 99;
  CHECK_THROWS_WITH(record_from_json(json, "x:1"), "x:1: record of schema version 99, this program reads 1");
  json["schema_version"] = 1e300;
  CHECK_THROWS_WITH(record_from_json(json, "x:1"), Catch::Matchers::StartsWith("x:1: not a record: "));
  json["schema_version"] = 1;
  json["provenance"]["threads"] = -1e300;
  CHECK_THROWS_WITH(record_from_json(json, "x:1"), Catch::Matchers::StartsWith("x:1: not a record: "));
}

TEST_CASE("a line nested without end is refused before it is read", "[results]") {
  const test::TempFolder folder;
  append_raw(folder.path(), "{\"schema_version\": 1, \"spec\": " + std::string(200'000, '[') + "\n");
  CHECK_THROWS_WITH(read_records(folder.path()), contains_text("records.jsonl:1: not a record: nested"));
}

TEST_CASE("records of other versions are named and stop nothing", "[results]") {
  const test::TempFolder folder;
  auto future = record_to_json(made_up("b")), unknown = record_to_json(made_up("c"));
  future["schema_version"] = 99;
  unknown["status"] = "pondering";
  append_raw(folder.path(), record_to_json(made_up("a")).dump() + "\n" + future.dump() + "\n" + unknown.dump() + "\n");
  append_raw(folder.path(), "{\"schema_version\": 0}\n");
  const auto stored = read_records(folder.path());
  REQUIRE(stored.by_id.size() == 1);
  CHECK(stored.by_id.contains("a"));
  REQUIRE(stored.foreign.size() == 3);
  CHECK(stored.foreign[0].id == "b");
  CHECK(stored.foreign[0].why == "record of schema version 99, this program reads 1");
  CHECK(stored.foreign[1].why == "status pondering: unknown");
  CHECK(stored.foreign[2].id == "?");
  const auto file = (folder.path() / "records.jsonl").string();
  REQUIRE(stored.warnings.size() == 3);
  CHECK(stored.warnings[0] ==
        file + ":2: b is of another version and left out: record of schema version 99, this program reads 1");
}

TEST_CASE("the last line of an id counts, whichever version wrote it", "[results]") {
  const test::TempFolder folder;
  auto future = record_to_json(made_up("a"));
  future["schema_version"] = 99;
  const auto own = record_to_json(made_up("a")).dump() + "\n";
  append_raw(folder.path(), own + future.dump() + "\n");
  CHECK(read_records(folder.path()).by_id.empty());
  append_raw(folder.path(), own);
  CHECK(read_records(folder.path()).by_id.size() == 1);
  CHECK(read_records(folder.path()).foreign.empty());
}

TEST_CASE("the price is told of completed cells whose spec can be read", "[results]") {
  StoredRecords stored;
  auto& good = stored.by_id["good"] = made_up("good");
  good.spec = {{"dataset", "fashion-mnist"}, {"model", "resnet18"}, {"pretrain", {{"epochs", 1}, {"lr", 0.1}}}};
  good.facts = {{"train_images", 100}, {"test_images", 10}};
  good.provenance.device = "cuda:1";
  good.provenance.threads = 8;
  stored.by_id["other"] = good;
  stored.by_id["other"].spec["colour"] = "red";
  stored.by_id["failed"] = good;
  stored.by_id["failed"].status = Status::failed;
  stored.by_id["no images"] = made_up("no images");
  const auto history = history_of(stored);
  REQUIRE(history.runs.size() == 1);
  CHECK(history.runs[0].device_class == "cuda");
  CHECK(history.runs[0].train_images == 100);
  CHECK(history.runs[0].seconds == 1.5);
  CHECK(history.runs[0].threads == 8);
  CHECK(history.warnings ==
        std::vector<std::string>{"other/colour: unknown key: a record of another version, no help for the price"});
}

TEST_CASE("many processes append to one folder and no record is lost, with flock and without", "[results]") {
  for (const bool with_flock : {true, false}) {
    flock_works = with_flock;
    const test::TempFolder folder;
    std::vector<pid_t> children;
    for (int child = 0; child < 4; ++child) {
      children.push_back(fork());
      if (children.back() != 0) continue;
      const RecordFolder own(folder.path());
      for (int i = 0; i < 10; ++i) own.save(made_up(std::to_string(child) + "-" + std::to_string(i)));
      _exit(0);
    }
    for (const auto child : children) waitpid(child, nullptr, 0);
    CHECK(read_records(folder.path()).by_id.size() == 40);
    if (with_flock) CHECK(read_records(folder.path()).behind.empty());
  }
  flock_works = true;
}

TEST_CASE("a cell's own file decides over the line, and the line is mended by who writes", "[results]") {
  const test::TempFolder folder;
  Store(folder.path()).save(made_up("a", 80));
  write_file_atomically(folder.path() / "cells" / "a" / "record.json", record_to_json(made_up("a", 81)).dump(4));
  auto stored = read_records(folder.path());
  CHECK(stored.by_id.at("a").metrics[0].value == 81);
  CHECK(stored.behind == std::vector<std::string>{"a"});
  CHECK(Store(folder.path()).find("a")->metrics[0].value == 81);
  stored = read_records(folder.path());
  CHECK(stored.behind.empty());
  std::filesystem::remove_all(folder.path() / "cells");
  CHECK(read_records(folder.path()).by_id.at("a").metrics[0].value == 81);
}

TEST_CASE("lost lines are written again from the cells' own files", "[results]") {
  const test::TempFolder folder;
  {
    Store store(folder.path());
    auto strange = made_up("b");
    strange.reason = "a \"quoted\\\" reason,  with\tblanks and \xff";
    store.save(made_up("a"));
    store.save(strange);
  }
  const auto lines = read_file(folder.path() / "records.jsonl");
  CHECK(read_records(folder.path()).behind.empty());
  std::filesystem::remove(folder.path() / "records.jsonl");
  CHECK(read_records(folder.path()).by_id.size() == 2);
  const Store again(folder.path());
  CHECK(read_file(folder.path() / "records.jsonl") == lines);
}

TEST_CASE("a cell whose weights are cut or gone is not finished, nor one without its auxiliary module", "[results]") {
  const test::TempFolder folder;
  Store store(folder.path());
  SafeTensors contents;
  contents.tensors["x"] = {.dtype = "F32", .shape = {2}, .bytes = std::string(8, '\1')};
  const auto bytes = dump_safetensors(contents);
  auto record = made_up("a");
  store.save(record);
  const auto weights = store.cell_folder("a") / kWeightsFile;
  CHECK_FALSE(store.is_finished(record));
  write_file_atomically(weights, bytes);
  CHECK(store.is_finished(record));
  write_file_atomically(weights, bytes.substr(0, bytes.size() - 1));
  CHECK_FALSE(store.is_finished(record));
  write_file_atomically(weights, bytes);
  record.spec["aid"] = {"auxi", "kd"};
  CHECK_FALSE(store.is_finished(record));
  write_file_atomically(store.cell_folder("a") / kAuxiliaryFile, bytes);
  CHECK(store.is_finished(record));
  record.status = Status::failed;
  CHECK_FALSE(store.is_finished(record));
}

TEST_CASE("a cell's file that is no JSON is named and stops nothing", "[results]") {
  const test::TempFolder folder;
  Store(folder.path()).save(made_up("a"));
  const auto file = folder.path() / "cells" / "a" / "record.json";
  write_file_atomically(file, "{\"id\": ");
  const auto stored = read_records(folder.path());
  CHECK(stored.by_id.contains("a"));
  CHECK(stored.warnings == std::vector<std::string>{file.string() + ": no JSON, left out"});
}

TEST_CASE("ten thousand records are read in two seconds of processor time", "[results]") {
  const test::TempFolder folder;
  std::string lines;
  for (int i = 0; i < 10'000; ++i) {
    auto record = made_up("cell-" + std::to_string(i));
    for (const char* curve : {"epoch", "train_loss", "top1", "top5"}) record.curves[curve] = {1.5, 2.25, 3.125, 4.0625};
    const auto json = record_to_json(record);
    const auto cell = folder.path() / "cells" / record.id;
    std::filesystem::create_directories(cell);
    std::ofstream(cell / "record.json") << json.dump(2) << "\n";
    lines += json.dump() + "\n";
  }
  append_raw(folder.path(), lines);
  const auto begin = std::clock();
  const auto stored = read_records(folder.path());
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  CHECK(stored.by_id.size() == 10'000);
  CHECK(stored.behind.empty());
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CHECK(seconds < 2);
#endif
  WARN("10,000 records: " << seconds << " s");
}

TEST_CASE("a folder that cannot be made or written is one line with its path", "[results]") {
  const test::TempFolder folder;
  std::ofstream(folder.path() / "file") << "x";
  CHECK_THROWS_AS(Store(folder.path() / "file" / "below"), UserError);
  if (std::filesystem::exists("/dev/full"))
    CHECK_THROWS_WITH(append_lines("/dev/full", "x"), contains_text("/dev/full: cannot be written"));
}

TEST_CASE("an interrupted replacement leaves the old file", "[results]") {
  const test::TempFolder folder;
  write_file_atomically(folder.path() / "f", "old");
  std::filesystem::create_directory(folder.path() / "g");
  CHECK_THROWS_AS(write_file_atomically(folder.path() / "g", "new"), UserError);
  CHECK(read_file(folder.path() / "f") == "old");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 2);
}

TEST_CASE("a metric is finite, and a curve ends before it stops being so", "[results]") {
  auto record = made_up("a");
  record.curves["loss"] = {1, std::numeric_limits<double>::infinity(), 2};
  CHECK(record_to_json(record)["curves"]["loss"] == nlohmann::json({1.0}));
  record.metrics[0].value = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(record_to_json(record), LogicFault);
}

TEST_CASE("times, machine and command are no part of what two runs must agree on", "[results]") {
  auto a = made_up("a"), b = made_up("a");
  b.seconds["total"] = 99;
  b.provenance.cpu = "another";
  b.rerun = "elsewhere";
  CHECK(comparable_part(a) == comparable_part(b));
  b.metrics[0].value = 80.01;
  CHECK_FALSE(comparable_part(a) == comparable_part(b));
}

TEST_CASE("every status has a name that is read back", "[results]") {
  for (const auto status : {Status::listed, Status::skipped, Status::completed, Status::mistrusted, Status::diverged,
                            Status::failed, Status::timed_out, Status::interrupted})
    CHECK(status_from_name(status_name(status)) == status);
  CHECK_THROWS_AS(status_from_name("fine"), UserError);
}
