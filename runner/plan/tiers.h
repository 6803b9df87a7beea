// The tiers of a suite: sizes of the same cells, of which one may extend another.
#pragma once

#include "runner/plan/located_json.h"

namespace auxbench {

// Checks every tier, then puts into the place of each that `extends` another what it comes to: the other, with its own
// keys merged over it (RFC 7386) and its own `rules` behind the other's. Throws UserError(invalid_suite) in its place
// where there are no tiers, where a tier extends none of the suite's, itself in a circle, or 16 others in a row.
void resolve_tiers(LocatedJson& suite);

}  // namespace auxbench
