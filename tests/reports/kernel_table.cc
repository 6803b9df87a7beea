#include "reports/kernel_table.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files/file.h"
#include "reports/kernel_plot.h"
#include "tests/support/catch.h"

using namespace auxbench;
using nlohmann::json;

namespace {

json spread(double low, double median, double high) { return {{"q25", low}, {"median", median}, {"q75", high}}; }

json over(const char* contestant, double low, double median, double high) {
  auto made = spread(low, median, high);
  made["contestant"] = contestant;
  return made;
}

json opponent(const char* library, const char* implementation, double us) {
  return {{"status", "completed"},
          {"library", library},
          {"implementation", implementation},
          {"us", spread(us, us, us)},
          {"macs", 1000},
          {"mac_per_s", 1e9},
          {"gop_per_s", 2}};
}

json layer_row(const std::string& name, const std::string& race, int weight_bits, int activation_bits) {
  return {{"row", name}, {"race", race}, {"weight_bits", weight_bits}, {"activation_bits", activation_bits}};
}

json completed(json row, const std::string& kernel, double us, double percent) {
  row.update({{"status", "completed"},
              {"kernel", kernel},
              {"kernel_reason", "an idea; estimated 1.0 us"},
              {"us", spread(us * 0.99, us, us * 1.01)},
              {"macs", 115605504},
              {"mac_per_s", 115605504 / us * 1e6},
              {"gop_per_s", 2},
              {"bytes", 1000},
              {"bytes_per_s", 1e9},
              {"ratios", {{"onednn2-int8", spread(1, 2, 3)}}},
              {"over", {{"fp32", over("onednn2-fp32", 11.9, 12.04, 12.2)}, {"int8", over("onednn2-int8", 0.99, 2, 3)}}},
              {"peak", {{"name", "int8-dot"}, {"products_per_mac", 1}, {"percent", spread(1, percent, 99)}}}});
  return row;
}

json example() {
  const json first = {
      {"race", "a/1t/hot"},
      {"kind", "layer"},
      {"layer", {{"name", "a"}, {"h", 56}, {"w", 56}, {"c", 64}, {"out", 64}, {"r", 3}, {"stride", 1}, {"pad", 1}}},
      {"threads", 1},
      {"weights", "hot"},
      {"status", "completed"},
      {"opponents",
       {{"onednn2-fp32", opponent("oneDNN 2.6.3", "jit:avx512_core", 1000)},
        {"onednn2-int8", opponent("oneDNN 2.6.3", "brgconv:vnni", 250.04)},
        {"onednn3-int8", {{"status", "skipped"}, {"reason", "libdnnl.so.3: not there"}}}}},
      {"peaks", {{"int8-dot", {{"mix", "vpdpbusd zmm"}, {"mac_per_s", 4.6e11}}}, {"read", {{"bytes_per_s", 2.5e10}}}}}};
  auto second = first;
  second["race"] = "a/2t/cold";
  second["threads"] = 2;
  second["weights"] = "cold";
  const json network = {
      {"race", "resnet18/1t"}, {"kind", "network"},
      {"network", "resnet18"}, {"image", 224},
      {"threads", 1},          {"weights", "hot"},
      {"status", "completed"}, {"opponents", {{"libtorch-fp32", opponent("LibTorch 2.15.0", "modules", 25000)}}}};
  const json skipped = {{"race", "b/64t/hot"}, {"status", "skipped"}, {"reason", "64 threads, and there are 2"}};

  auto wrong = layer_row("a/w4a4/1t/hot/x|y", "a/1t/hot", 4, 4);
  wrong.update({{"status", "failed"}, {"reason", "the sum at row 0, column 0, channel 1 is 3 instead of 4"}});
  auto asked = completed(layer_row("a/w1a2/1t/hot/bit-serial", "a/1t/hot", 1, 2), "bit-serial", 130.4, 71);
  asked["asked_for"] = "bit-serial";
  auto whole = layer_row("resnet18/w2a2/1t", "resnet18/1t", 2, 2);
  whole.update({{"status", "completed"},
                {"us", spread(4900, 5000, 5100)},
                {"macs", 1},
                {"mac_per_s", 3.6e11},
                {"gop_per_s", 2},
                {"ratios", {{"libtorch-fp32", spread(4.9, 5, 5.1)}}},
                {"over", {{"fp32", over("libtorch-fp32", 4.9, 5, 5.1)}}}});
  auto absent = layer_row("b/w1a1/64t/hot", "b/64t/hot", 1, 1);
  absent.update({{"status", "skipped"}, {"reason", "64 threads, and there are 2"}});

  return {
      {"kind", "kernels"},
      {"schema_version", 1},
      {"suite", "example"},
      {"title", "An example"},
      {"command", "auxbench bench suites/example.json"},
      {"repetitions", 15},
      {"cold_bytes", 64 << 20},
      {"started", "2026-01-31T12:00:00Z"},
      {"finished", "2026-01-31T12:10:00Z"},
      {"machine",
       {{"cpu", "A <processor> & more"},
        {"processors", 2},
        {"isa", "avx2 avx512"},
        {"isa_cap", "avx512"},
        {"isa_note", "this processor has AMX, but the system does not let this process use it"},
        {"os", "Linux 6"},
        {"compiler", "gcc 12"},
        {"version", "0.1.0"},
        {"commit", "abc"},
        {"dirty", true},
        {"torch", "2.15.0"},
        {"l2_bytes", 1 << 20},
        {"l3_bytes", 32 << 20},
        {"clock_ghz", 3.688}}},
      {"races", {first, second, network, skipped}},
      {"rows",
       {completed(layer_row("a/w1a2/1t/hot", "a/1t/hot", 1, 2), "lookup", 100, 64.67), asked, wrong,
        completed(layer_row("a/w4a4/2t/cold", "a/2t/cold", 4, 4), "winograd-vnni", 0.5678, 178.2), whole, absent}},
      {"tables",
       {{{"id", "layers"},
         {"title", "Layers"},
         {"note", "A note."},
         {"plot", true},
         {"rows",
          {"a/w1a2/1t/hot", "a/w1a2/1t/hot/bit-serial", "a/w4a4/1t/hot/x|y", "a/w4a4/2t/cold", "b/w1a1/64t/hot",
           "c/w1a1/1t/hot"}}},
        {{"id", "networks"}, {"title", "Networks"}, {"note", ""}, {"plot", true}, {"rows", {"resnet18/w2a2/1t"}}}}}};
}

void compare(const std::string& rendered, const std::string& name) {
  const auto golden = std::string(AUXBENCH_SOURCE_ROOT) + "/tests/golden/" + name;
  if (std::getenv("AUXBENCH_APPROVE") != nullptr) write_file_atomically(golden, rendered);
  CHECK(rendered == read_file(golden));
}

}  // namespace

TEST_CASE("kernels: the tables of an example", "[reports]") { compare(render_kernel_tables(example()), "kernels.md"); }

TEST_CASE("kernels: the picture of an example", "[reports]") { compare(render_kernel_plot(example()), "kernels.svg"); }

TEST_CASE("kernels: a record without rows is a page without tables", "[reports]") {
  auto record = example();
  record["races"] = record["rows"] = json::array();
  record["tables"] = json::array();
  CHECK(render_kernel_tables(record).find("## Machine") != std::string::npos);
  CHECK(render_kernel_plot(record).find("</svg>") != std::string::npos);
}

TEST_CASE("kernels: what is no record of kernels is refused", "[reports]") {
  CHECK_THROWS_AS(render_kernel_tables(json::array()), UserError);
  CHECK_THROWS_AS(render_kernel_plot({{"kind", "cells"}}), UserError);
  auto record = example();
  record["schema_version"] = 99;
  CHECK_THROWS_WITH(render_kernel_tables(record), "record of kernels: schema version 99, this program reads 1");
  record = example();
  record["rows"][0].erase("us");
  CHECK_THROWS_AS(render_kernel_tables(record), UserError);
  record = example();
  record["races"] = json::array();
  CHECK_THROWS_WITH(render_kernel_tables(record), contains_text(std::string("no race named")));
  CHECK_THROWS_WITH(render_kernel_plot(record), contains_text(std::string("no race named")));
}

TEST_CASE("kernels: hostile names stay in their cell and their line", "[reports]") {
  auto record = example();
  record["command"] = "auxbench `x`";
  record["tables"][0]["note"] = "# no heading\n| no | row |";
  record["machine"]["cpu"] = "a|b <script>";
  const auto text = render_kernel_tables(record);
  CHECK(text.find("Made by `` auxbench `x` ``: ") != std::string::npos);
  CHECK(text.find("\n\\# no heading \\| no \\| row \\|\n") != std::string::npos);
  CHECK(text.find("| processor | a\\|b \\<script> |") != std::string::npos);
}
