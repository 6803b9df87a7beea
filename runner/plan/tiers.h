// The tiers of a suite: sizes of the same cells, of which one may extend another.
#pragma once

#include <string>

#include "base/files/located_json.h"

namespace auxbench {

// The tier of a suite that names none: its cells as they are written.
inline constexpr const char* kAsWritten = "as-written";

// Whether a null at this pointer of a suite's file says something to a later merge: a tier's `set` takes a stage from the
// cells with it. Other nulls take from the file that is extended, and are done with then.
bool is_null_of_tier(const std::string& pointer);

// Whether this pointer of a suite's file is a tier's list of rules: those of a file come behind those of the file that it
// extends, as those of a tier come behind those of the tier that it extends.
bool are_rules_of_tier(const std::string& pointer);

// Checks every tier, then puts into the place of each that `extends` another what it comes to: the other, with its own
// keys merged over it (RFC 7386; a null for a stage in `set` stays) and its own `rules` behind the other's. A suite without
// tiers gets the one tier kAsWritten, which is empty. Throws UserError(invalid_suite) in its place where a tier's name
// cannot be part of a folder's, where a tier extends none of the suite's, itself in a circle, or 16 others in a row, and
// where `default_tier` is none of them.
void resolve_tiers(LocatedJson& suite);

}  // namespace auxbench
