#include "kernels/isa/isa.h"

#include <cstdlib>

#include "base/error.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace auxbench {
namespace {

#if defined(__x86_64__) && defined(__linux__)

// Linux lends the tile registers only to a process that asks (ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA); sandboxes
// refuse.
bool tiles_permitted() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

bool processor_has_amx_int8() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & (1U << 24)) != 0 && (d & (1U << 25)) != 0;
}

#endif

}  // namespace

Isa detect_isa(const std::string& cap) {
  const std::string caps[] = {"generic", "avx2", "avx512", "amx"};
  size_t highest = std::size(caps) - 1;
  if (!cap.empty()) {
    highest = 0;
    while (highest < std::size(caps) && caps[highest] != cap) ++highest;
    if (highest == std::size(caps))
      throw UserError(ExitCode::usage, "AUXBENCH_ISA is '" + cap + "', expected one of " + kIsaCaps);
  }
  Isa isa;
#if defined(__x86_64__) && defined(__linux__)
  // __builtin_cpu_supports also asks whether the system saves the registers.
  __builtin_cpu_init();
  isa.avx2 = highest >= 1 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  isa.avx512 = highest >= 2 && isa.avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  isa.vnni = isa.avx512 && __builtin_cpu_supports("avx512vnni");
  isa.vbmi = isa.avx512 && __builtin_cpu_supports("avx512vbmi");
  isa.vpopcntdq = isa.avx512 && __builtin_cpu_supports("avx512vpopcntdq");
  if (highest >= 3 && isa.vnni && processor_has_amx_int8()) {
    isa.amx_int8 = tiles_permitted();
    if (!isa.amx_int8) isa.note = "this processor has AMX, but the system does not let this process use it";
  }
#endif
  return isa;
}

const Isa& this_isa() {
  static const Isa isa = [] {
    const char* cap = std::getenv("AUXBENCH_ISA");
    return detect_isa(cap == nullptr ? "" : cap);
  }();
  return isa;
}

std::string Isa::name() const {
  std::string text;
  const auto add = [&](bool has, const char* word) {
    if (has) text += (text.empty() ? "" : " ") + std::string(word);
  };
  add(avx2, "avx2");
  add(avx512, "avx512");
  add(vnni, "vnni");
  add(vbmi, "vbmi");
  add(vpopcntdq, "vpopcntdq");
  add(amx_int8, "amx-int8");
  return text.empty() ? "generic" : text;
}

}  // namespace auxbench
