# shellcheck shell=bash
# What of this machine a build may take: processors, memory, disk. Control groups count, as they do in the program
# (base/machine.h). Sourced after lib.sh.

# Where the limits are read from; tests name folders of their own.
PROC="${AUXBENCH_PROC:-/proc}" CGROUP="${AUXBENCH_CGROUP:-/sys/fs/cgroup}"

# groups CONTROLLER: the folders of this process's control group and of all above it; '' is version 2. A container often
# sees its own group as the root, while its path is told from outside: folders that are not there are passed over.
groups() {
  local root=$CGROUP${1:+/$1} names path
  while IFS=: read -r _ names path; do
    if [[ ,$names, != *",$1,"* || (-z $1 && -n $names) ]]; then continue; fi
    while [[ $path == /?* ]]; do
      echo "$root$path"
      path=${path%/*}
    done
  done < <(cat "$PROC/self/cgroup" 2>/dev/null)
  echo "$root"
}

# number_in FILE: a whole number, or nothing where the file is missing or says `max`.
number_in() {
  local number=''
  { read -r number <"$1"; } 2>/dev/null || [[ -n $number ]] || return 0
  if [[ $number =~ ^[0-9]{1,18}$ ]]; then echo "$number"; fi
}

# processors: those this process may run on, and no more than the tightest quota holds; part of one counts as one.
processors() {
  local count group quota period
  count="$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)"
  while read -r group; do
    quota='' period=''
    { read -r quota period <"$group/cpu.max"; } 2>/dev/null || true
    if [[ ! $quota =~ ^[0-9]+$ ]]; then
      quota="$(number_in "$group/cpu.cfs_quota_us")" period="$(number_in "$group/cpu.cfs_period_us")"
    fi
    if [[ ! $quota =~ ^[1-9][0-9]*$ || ! $period =~ ^[1-9][0-9]*$ ]]; then continue; fi
    quota=$(((quota + period - 1) / period))
    if [[ $quota -lt $count ]]; then count=$quota; fi
  done < <(groups '' && groups cpu)
  echo "$count"
}

# memory_left GROUP LIMIT USED INACTIVE: MB that the group still may take; nothing without a limit. Pages of files that
# nobody uses are given back before anyone is refused. Version 1 says "no limit" by a huge number.
memory_left() {
  local limit used inactive
  limit="$(number_in "$1/$2")" used="$(number_in "$1/$3")"
  if [[ -z $limit || -z $used || $limit -gt $((1 << 59)) ]]; then return 0; fi
  inactive="$(awk -v name="$4" '$1 == name { print $2 }' "$1/memory.stat" 2>/dev/null || true)"
  echo $(((limit - used + ${inactive:-0}) / 1000000))
}

# free_memory: MB that this process and its children can still take.
free_memory() {
  local least group left
  least="$(awk '/^MemAvailable:/ { print int($2 * 1.024 / 1000) }' "$PROC/meminfo" 2>/dev/null || true)"
  least="${least:-1000000}"
  while read -r left; do
    if [[ $left -lt $least ]]; then least=$left; fi
  done < <(
    while read -r group; do memory_left "$group" memory.max memory.current inactive_file; done < <(groups '')
    while read -r group; do memory_left "$group" memory.limit_in_bytes memory.usage_in_bytes total_inactive_file; done < <(groups memory)
  )
  echo "$least"
}

# free_disk FOLDER: MB that an ordinary user may still write there, or where it is going to be; nothing where unknown.
free_disk() {
  local folder=$1
  while [[ ! -e $folder && $folder == /?* ]]; do folder="${folder%/*}"; done
  df -Pk -- "${folder:-/}" 2>/dev/null | awk 'NR == 2 && $4 ~ /^[0-9]+$/ { print int($4 * 1.024 / 1000) }'
}

# need_disk FOLDER MB WHAT HINT: stops with one line before something that would not fit.
need_disk() {
  local left
  left="$(free_disk "$1")"
  if [[ -n $left && $left -lt $2 ]]; then die 2 "$3 needs $2 MB in $1, and $left MB are free there: $4"; fi
}
