# shellcheck shell=bash
# scripts/gpu-check --prepare: a folder with everything that `run` needs on a GPU machine. Sourced after lib.sh.
. "$ROOT/scripts/lib_machine.sh"
. "$ROOT/scripts/lib_packages.sh"
. "$ROOT/scripts/lib_python.sh"
. "$ROOT/scripts/lib_build.sh"

# What the pack is built for: the libraries a program is linked against, nothing of Python.
PACK_TORCH="$(sed -n 's/^torch==\([^ ]*\).*/\1/p' "$ROOT/scripts/wheels/pack.txt")"
# Where it shall run: the newest versions of the C and C++ libraries it may ask for, and its size.
NEWEST_GLIBC=2.39 NEWEST_GLIBCXX=3.4.33
PACK_BYTES=$((${AUXBENCH_PACK_MIB:-50} * 1024 * 1024))
# Compute capabilities: Ampere and Ada (80, also as PTX for what is newer), Hopper. Rates have their own.
PACK_DEVICES=80,90
PACK_PROGRAMS=(runner/app/auxbench runner/app/libauxbench_torch.so runner/bench/rates/rates tests/test-on-cuda tests/test-kernels tests/test-quantizers)
# Libraries every machine that runs PyTorch has, or that torch brings.
COMMON_LIBRARIES='^(linux-vdso|ld-linux|libc|libm|libdl|librt|libpthread|libstdc\+\+|libgcc_s|libgomp|libtorch.*|libc10.*|libcudart|libcupti)[.-]'

# pack_torch: the folder with the wheels, fetched when they are not there.
pack_torch() {
  local folder="$CACHE/torch-${PACK_TORCH%.*}" python
  if [[ ! -e $folder/torch/lib/libtorch_cuda.so || ! -e $folder/nvidia/cu13/lib/libcudart.so.13 ]]; then
    say "fetching torch $PACK_TORCH into $folder"
    make_cache
    need_disk "$CACHE" 2000 "torch $PACK_TORCH" "make room, or name another folder in XDG_CACHE_HOME"
    python="$(find_python)" || die_without_python
    pip_install "$python" "$(wheel_list pack)" --upgrade --target "$folder" >"$folder.log" 2>&1 ||
      die 1 "pip failed: $(pip_reason "$folder.log") (all of it in $folder.log)"
  fi
  printf '%s\n' "$folder/torch"
}

# build_pack: the programs, in a build folder of their own. NINJA, MESON: those of scripts/setup.
build_pack() {
  local torch=$1
  TORCH_ROOT=$torch AUXBENCH_MESON_ARGS="-Dcuda=enabled -Dgpu_devices=$PACK_DEVICES" BUILD="${AUXBENCH_PACK_BUILD:-$ROOT/build-gpu}"
  export TORCH_ROOT AUXBENCH_MESON_ARGS
  if [[ -x $VENV/bin/ninja ]]; then
    MESON="$VENV/bin/meson" NINJA="$VENV/bin/ninja"
  else
    if ! { meson_here && ninja_here; }; then die 2 "no Meson and Ninja: run scripts/setup first"; fi
    MESON="$(command -v meson)" NINJA="$(command -v ninja)"
  fi
  configure
  say "building ${PACK_PROGRAMS[*]##*/}"
  quietly "$BUILD/pack.log" "$NINJA" -C "$BUILD" -j "$(jobs)" "${PACK_PROGRAMS[@]}" || die 1 "the build failed; see $BUILD/pack.log"
}

# check_symbols FILE...: no file asks for more of the C and C++ libraries than the GPU machine has.
check_symbols() {
  local file asked newest=''
  for file in "$@"; do
    while read -r library version symbol; do
      case $library in
        GLIBC) newest=$NEWEST_GLIBC ;;
        GLIBCXX) newest=$NEWEST_GLIBCXX ;;
      esac
      [[ "$(printf '%s\n' "$version" "$newest" | sort -V | tail -n 1)" == "$newest" ]] ||
        die 1 "$(basename "$file") asks for $symbol of ${library}_$version; the pack may ask for $newest at most"
    done < <(objdump -T "$file" | sed -nE 's/.*\*UND\*.*[( ](GLIBC|GLIBCXX)_([0-9.]+)\)? +(.*)/\1 \2 \3/p' | sort -u)
  done
  asked="$(objdump -T "$@" | grep -oE 'GLIBC(XX)?_[0-9.]+' | sort -uV)"
  say "asks for at most $(grep GLIBC_ <<<"$asked" | tail -n 1) and $(grep GLIBCXX_ <<<"$asked" | tail -n 1)"
}

# check_size DIR
check_size() {
  local bytes
  bytes="$(du --bytes --summarize "$1" | cut -f1)"
  [[ $bytes -le $PACK_BYTES ]] || die 1 "the pack in $1 has $bytes bytes, more than the $PACK_BYTES allowed"
  say "the pack in $1 has $bytes bytes (at most $PACK_BYTES)"
}

# libraries_of FILE: paths of those that have to be brought along.
libraries_of() {
  ldd "$1" | awk '$2 == "=>" && $3 ~ /^\// { print $1, $3 }' | grep -vE "$COMMON_LIBRARIES" | cut -d' ' -f2
}

# prepare_pack DIR. AUXBENCH_PACK_BUILT names a build folder that has the programs already: then nothing is built.
prepare_pack() {
  local pack=$1 torch program library dataset commit
  torch="$(pack_torch)"
  dataset="$(find_dataset)" || die 2 "Fashion-MNIST is not here: scripts/setup says how to get it"
  if [[ -z ${AUXBENCH_PACK_BUILT:-} ]]; then build_pack "$torch"; else BUILD=$AUXBENCH_PACK_BUILT; fi
  if [[ -e $pack && ! -e $pack/commit && -n "$(ls -A "$pack")" ]]; then die 2 "$pack is there already and is no pack"; fi
  rm -rf "$pack"
  mkdir -p "$pack"/{bin,lib,scripts,data/fashion-mnist}
  for program in "${PACK_PROGRAMS[@]}"; do
    [[ -x $BUILD/$program ]] || die 1 "$BUILD has no $program: was nvcc found?"
    strip -o "$pack/bin/$(basename "$program")" "$BUILD/$program"
    while read -r library; do cp -L "$library" "$pack/lib/"; done < <(libraries_of "$BUILD/$program")
  done
  python3 -B "$HERE/clear_runpath.py" "$pack"/bin/*
  check_symbols "$pack"/bin/* "$pack"/lib/*
  tar -C "$pack" -czf "$pack/programs.tar.gz" bin lib
  rm -r "${pack:?}/bin" "${pack:?}/lib"
  cp -r "$ROOT/suites" "$pack/"
  cp -L "$dataset"/{train,t10k}-*.gz "$pack/data/fashion-mnist/"
  cp "$HERE"/{lib.sh,lib_gpu.sh,find_torch.py,gpu_check_report.py,reference_training.py,reference_networks.py} "$pack/scripts/"
  cp "$HERE/gpu_pack_run" "$pack/run"
  commit="$(git -C "$ROOT" rev-parse HEAD)"
  if [[ -n "$(git -C "$ROOT" status --porcelain --untracked-files=no)" ]]; then commit+='-dirty'; fi
  printf '%s\n' "$commit" >"$pack/commit"
  printf '%s\n' "$PACK_TORCH" >"$pack/torch"
  check_size "$pack"
  say "on the GPU machine: $pack/run OUT"
}
