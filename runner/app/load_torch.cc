#include <dlfcn.h>

#include <filesystem>

#include "runner/app/torch_border.h"
#include "runner/app/torch_verbs.h"

namespace auxbench {
namespace {

using Path = std::filesystem::path;

[[noreturn]] void refuse(const std::string& what) {
  throw UserError(ExitCode::usage, what + " (this verb needs LibTorch; scripts/setup builds both halves)");
}

// The program's own folder, links followed.
Path program_folder() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) refuse("/proc/self/exe: " + error.message());
  return program.parent_path();
}

Path find_library() {
  const auto folder = program_folder();
  std::error_code ignored;
  for (const auto& place : {folder, (folder / kInstalledLibraries).lexically_normal()})
    if (std::filesystem::exists(place / kTorchLibrary, ignored)) return place / kTorchLibrary;
  refuse((folder / kTorchLibrary).string() + ": not found");
}

template <class Function>
Function* symbol(void* library, const char* name, const Path& path) {
  auto* found = dlsym(library, name);
  if (found == nullptr) refuse(path.string() + ": has no " + name);
  return reinterpret_cast<Function*>(found);
}

// Everything in it becomes visible to what is loaded later: LibTorch's CUDA half must meet the same objects as ours.
TorchVerbs& load() {
  const auto path = find_library();
  auto* library = dlopen(path.c_str(), RTLD_LAZY | RTLD_GLOBAL);
  if (library == nullptr) {
    const char* why = dlerror();
    refuse(why == nullptr ? path.string() + ": cannot be loaded" : why);
  }
  const std::string border = symbol<const char*()>(library, kTorchBorderSymbol, path)();
  if (border != kTorchBorder)
    refuse(path.string() + ": of another build: " + border + ", this program is of " + kTorchBorder);
  return *symbol<TorchVerbs*()>(library, kTorchVerbsSymbol, path)();
}

}  // namespace

void find_torch_library() { find_library(); }

TorchVerbs& torch_verbs() {
  static TorchVerbs& verbs = load();
  return verbs;
}

}  // namespace auxbench
