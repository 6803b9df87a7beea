// What the processor can do, asked once: cpuid, the operating system's word on registers, the permission for AMX.
//
// AUXBENCH_ISA = generic | avx2 | avx512 | amx caps it (for tests, valgrind and comparisons): nothing above the cap is
// reported. An unknown word is a UserError.
#pragma once

#include <string>

namespace auxbench {

struct Isa {
  bool avx2 = false;       // with FMA
  bool avx512 = false;     // F, BW, DQ, VL
  bool vnni = false;       // AVX-512 VNNI
  bool vbmi = false;       // AVX-512 VBMI: vpermb
  bool vpopcntdq = false;  // AVX-512 VPOPCNTDQ
  bool amx_int8 = false;   // tiles, and the system lets this process use them
  std::string note;        // why something the processor has is not used; else empty

  [[nodiscard]] std::string name() const;  // the words, e.g. "avx2 avx512 vnni vbmi vpopcntdq"
};

// The caps' names, lowest first, as a message lists them.
inline constexpr const char* kIsaCaps = "generic, avx2, avx512, amx";

Isa detect_isa(const std::string& cap);  // "": no cap

// detect_isa of the environment's cap, the first time; afterwards the same.
const Isa& this_isa();

}  // namespace auxbench
