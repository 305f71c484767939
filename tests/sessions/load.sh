# Many starts in a row and many at a time: all of them right, and the kernel holds nothing more afterwards than before.
#   LOAD_ROW, LOAD_ABREAST  how many (default 30 and 20; `make load`: 1,000 and 200, which prints figures too)
. "$TESTS/tools/host.sh"

row=${LOAD_ROW:-30}
abreast=${LOAD_ABREAST:-20}
mkdir volume
"$MYDOCKER" run busybox true

slabs=(mnt_cache net_namespace pid_namespace user_namespace uts_namespace nsproxy ovl_inode task_struct files_cache signal_cache
  sock_inode_cache proc_inode_cache pid filp mem_cgroup task_group key_jar)
# objects: what the kernel holds of what a container is made of, one kind a line. Names and numbers.
objects() {
  local slab
  for slab in "${slabs[@]}"; do
    # Free objects of a slab that some CPU keeps count as used.
    echo 1 2>/dev/null >"/sys/kernel/slab/$slab/shrink"
    awk -v slab="$slab" '$1 == slab { print "slab-" slab, $2 }' /proc/slabinfo 2>/dev/null
  done
  awk '$1 ~ /^(memory|cpu|pids|devices|cpuset)$/ && $4 { print "cgroups-" $1, $3 }' /proc/cgroups
  awk '/^nr_dying/ { print $1, $2 }' /sys/fs/cgroup/cgroup.stat 2>/dev/null
  echo "mounts $(wc -l </proc/self/mountinfo)"
  echo "files $(cut -f 1 /proc/sys/fs/file-nr)"
  echo "containers $(ls -A "$MYDOCKER_ROOT/containers" | wc -l)"
}

# grown BEFORE RUNS: what has grown by half of what one thing a run would be. Others start and end things meanwhile, and
# the kernel is slow to let go of some: what is not there at one of several looks is not kept. Of few starts not all can be
# told from what others do.
grown() {
  local before=$1 runs=$2 try now left
  for try in {1..20}; do
    now=$(objects | sort)
    left=$(join <(sort <<<"$before") <(echo "$now") | awk -v runs="$runs" '
      (runs >= 200 || $1 == "mounts" || $1 == "containers") && $3 - $2 > (runs >= 200 ? runs / 2 + 30 : 0) { print $1, "from", $2, "to", $3 }')
    [ -n "$left" ] || break
    sleep 1
  done
  join <(sort <<<"$before") <(echo "$now") | awk '{ printf "%s %d→%d, ", $1, $2, $3 }' >"$T/growth"
  echo "$left"
}

# Some caches fill once.
warm() { for i in {1..10}; do "$MYDOCKER" run -v "$T/volume:/v" -m 32m busybox true; done; }
# figures WHAT MS: printed in the long form.
figures() {
  if [ -n "${LOAD_ROW:-}" ]; then
    echo "# $1: $2 ms on $(nproc) CPUs, load $(cut -d ' ' -f 1-3 /proc/loadavg); $(<"$T/growth")"
  fi
}

begin "$row starts in a row, each with a volume and limits"
if active; then
  warm
  before=$(objects)
  clock=$(date +%s%N)
  wrong=0
  for ((i = 1; i <= row; i++)); do
    said=$("$MYDOCKER" run -v "$T/volume:/v" -m 32m --pids-limit 20 --cpus 0.5 busybox sh -c "echo $i >/mine; cat /mine >/v/n; cat /mine" </dev/null 2>&1)
    if [ "$said" != "$i" ] || [ "$(<volume/n)" != "$i" ]; then wrong=$((wrong + 1)); fail "number $i" "$said"; fi
  done
  same 0 "$wrong" 'the number of those that went wrong'
  took=$((($(date +%s%N) - clock) / 1000000))
  same '' "$(grown "$before" "$row")" 'what the kernel holds'
  figures "$row in a row" "$took"
fi

all_at_once() {
  rm -rf codes outs
  mkdir codes outs
  for ((i = 1; i <= abreast; i++)); do
    (
      timeout 300 "$MYDOCKER" run -v "$T/volume:/v" -m 32m --pids-limit 20 --cpus 0.5 busybox sh -c "echo $i >/mine; cat /mine >/v/$i; cat /mine" \
        </dev/null >"outs/$i" 2>&1
      echo $? >"codes/$i"
    ) &
  done
  wait
  same "$abreast" "$(cat codes/* | grep -cx 0)" "those that succeeded ($(cat outs/* | grep mydocker | sort | uniq -c | head -n 3))"
  for ((i = 1; i <= abreast; i++)); do same "$i $i" "$(<"outs/$i") $(<"volume/$i")" "what number $i said and wrote"; done
  # What is cached of a file is charged to the memory cgroup that wrote it, which the kernel keeps for that long.
  rm -f volume/*
}

begin "$abreast starts at a time, each with a volume and limits"
if active; then
  all_at_once
  before=$(objects)
  clock=$(date +%s%N)
  all_at_once
  took=$((($(date +%s%N) - clock) / 1000000))
  same '' "$(grown "$before" "$abreast")" 'what the kernel holds'
  figures "$abreast at a time" "$took"
fi
