#include "base/files/whole_safetensors.h"

#include <string>

#include "base/files/file.h"
#include "base/files/safetensors.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;

TEST_CASE("a file of tensors is whole when it is as long as its header says", "[base]") {
  const test::TempFolder folder;
  const auto file = folder.path() / "weights.safetensors";
  CHECK_FALSE(is_whole_safetensors(file));
  CHECK_FALSE(is_whole_safetensors(folder.path()));
  SafeTensors contents;
  write_safetensors(file, contents);
  CHECK(is_whole_safetensors(file));
  contents.metadata["a"] = "b";
  contents.tensors["x"] = {.dtype = "F32", .shape = {2}, .bytes = std::string(8, '\1')};
  contents.tensors["y"] = {.dtype = "U8", .shape = {3}, .bytes = "abc"};
  const auto bytes = dump_safetensors(contents);
  write_file_atomically(file, bytes);
  CHECK(is_whole_safetensors(file));
  for (const size_t kept : {size_t{0}, size_t{7}, size_t{8}, size_t{20}, bytes.size() - 11, bytes.size() - 1}) {
    write_file_atomically(file, bytes.substr(0, kept));
    CHECK_FALSE(is_whole_safetensors(file));
  }
  for (const auto& other :
       {bytes + "x", std::string(100, '\0'), std::string(100, '\xff'), std::string("no tensors at all")}) {
    write_file_atomically(file, other);
    CHECK_FALSE(is_whole_safetensors(file));
  }
}
