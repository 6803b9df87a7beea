// Canonical JSON (RFC 8785): one text per value, whatever the key order, white space or number spelling
// of its source. Keys are sorted by UTF-16 code units, numbers are printed as ECMAScript prints doubles.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace auxbench {

// Throws LogicFault for values JSON cannot hold (NaN, infinities, integers beyond 2^53).
std::string canonical_json(const nlohmann::json& value);

}  // namespace auxbench
