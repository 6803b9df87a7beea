// One gzip member from memory to memory. Hostile input safe: never more than `limit` bytes are unpacked.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace auxbench {

struct Gunzipped {
  std::string bytes;
  bool complete = false;  // the stream's end and its checksum were seen; otherwise the input was cut
};

bool is_gzip(std::string_view bytes);

// Throws UserError(data_missing) "PLACE: ..." for damaged data, more than `limit` bytes, or bytes after the stream's
// end.
Gunzipped gunzip(std::string_view packed, size_t limit, const std::string& place);

}  // namespace auxbench
