#include "kernels/requantize/avx512.h"

namespace auxbench::requantize {

Paths avx512_paths() { return {apply<Avx512>, apply_rows<Avx512>}; }

}  // namespace auxbench::requantize
