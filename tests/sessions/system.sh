# stats, top, info, version, system df. The reference is docker (20.10 and 28).

"$MYDOCKER" run -d --name bird -m 64m busybox sh -c 'while :; do :; done & exec sleep 60' >/dev/null
"$MYDOCKER" create --name fish busybox true >/dev/null

for _ in {1..100}; do if "$MYDOCKER" top bird -o pid,args | grep -q 'sleep 60'; then break; fi; sleep 0.1; done

. "$TESTS/tools/host.sh"

begin 'top: the processes with their pids on the host'
  run mydocker top bird
  exits 0; quiet
  same 'UID PID PPID C STIME TTY TIME CMD' "$(head -n 1 "$T/out" | tr -s ' ')"
  pid=$("$MYDOCKER" inspect -f '{{.State.Pid}}' bird)
  same "root sleep 60" "$(awk -v pid="$pid" '$2 == pid { print $1, $8, $9 }' "$T/out")"
  same 2 "$(grep -c . <(tail -n +2 "$T/out"))" 'how many processes'

begin 'top: columns of its own'
  run mydocker top bird -o pid,ppid,comm; exits 0
  same "$pid sleep" "$(awk -v pid="$pid" '$1 == pid { print $1, $3 }' "$T/out")"
  run mydocker top bird -eo pid,args=WHAT; exits 0; contains WHAT
  run mydocker top bird aux; exits 0; contains '%CPU'
  run mydocker top bird -o comm; exits 1; says "Couldn't find PID field in ps output"
  run mydocker top bird -o pid,nosuch; exits 1; one_line
  run mydocker top bird --nosuch; exits 1; one_line

begin 'top: what does not run'
  run mydocker top fish; exits 1; says 'is not running'
  run mydocker top nobody; exits 1; says 'no such container: nobody'

begin 'stats: once'
  run mydocker stats --no-stream
  exits 0; quiet
  same 'CONTAINER ID NAME CPU % MEM USAGE / LIMIT MEM % NET I/O BLOCK I/O PIDS' "$(head -n 1 "$T/out" | tr -s ' ')"
  same 2 "$(wc -l <"$T/out")"
  run mydocker stats --no-stream --format '{{.Name}} {{.MemUsage}} {{.PIDs}} {{.NetIO}}' bird
  exits 0
  if active && ! [[ $out =~ ^'bird '[0-9.]+[KM]iB' / 64MiB 2 0B / 0B'$ ]]; then fail 'expected its memory, limit and processes' "$(came)"; fi
  # It turns round and round: most of a CPU, or what others have left of it.
  run mydocker stats --no-stream --format '{{.CPUPerc}}' bird
  if active && ! [[ $out =~ ^[1-9][0-9]*\.[0-9][0-9]%$ ]]; then fail 'expected more than a percent of a CPU' "$(came)"; fi

begin 'stats: one that does not run, and one that is none'
  run mydocker stats --no-stream --format '{{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.PIDs}}' fish
  exits 0; prints 'fish 0.00% 0B / 0B 0'
  run mydocker stats --no-stream -a --format '{{.Name}}'; exits 0; prints $'fish\nbird'
  run mydocker stats --no-stream nobody; exits 1; says 'no such container: nobody'

begin 'stats: goes on'
  run sh -c 'timeout 4 "$0" stats --format "{{.Name}}" bird' "$MYDOCKER"
  if active && [ "$(grep -cx bird "$T/out")" -lt 2 ]; then fail 'expected it again each second' "$(came)"; fi

begin 'stats: what it has looked at does not stay in memory'
  if active; then
    "$MYDOCKER" stats >"$T/out" 2>"$T/err" </dev/null & pid=$!
    lines() { [ "$(grep -c bird "$T/out")" -ge "$1" ]; }
    dirty() { awk '/^Private_Dirty/ { print $2 }' "/proc/$pid/smaps_rollup"; }
    eventually 10 lines 1; early=$(dirty)
    eventually 10 lines 4; late=$(dirty)
    kill "$pid"; wait "$pid"
    if [ $((late - early)) -gt 16 ]; then fail "$early kB, then $late kB"; fi
  fi

begin 'version'
  run mydocker version; exits 0; quiet
  same "$("$MYDOCKER" --version | head -n 1)" "$(head -n 1 "$T/out")"
  run mydocker version --format '{{.Client.Os}} {{.Server.Version}}'; exits 0
  same "mydocker ${out#linux }" "$("$MYDOCKER" --version | head -n 1)"
  run mydocker version -f json; exits 0
  check perl -MJSON::PP -e 'decode_json(do { local $/; open my $in, "<", $ARGV[0]; <$in> })' "$T/out"

begin 'info'
  run mydocker info; exits 0; quiet
  prints_line 'Containers: 2'; prints_line ' Running: 1'; prints_line ' Stopped: 1'; prints_line "Docker Root Dir: $MYDOCKER_ROOT"
  run mydocker info --format '{{.Containers}} {{.ContainersRunning}} {{.ContainersStopped}} {{.ContainersPaused}} {{.Images}} {{.OSType}}'
  exits 0; prints '2 1 1 0 1 linux'
  run mydocker info -f '{{.NCPU}} {{.KernelVersion}}'; prints "$(nproc --all) $(uname -r)"

begin 'system df'
  "$MYDOCKER" run --name writes --keep -v pile:/pile busybox sh -c 'head -c 3000 /dev/zero >/f; head -c 2000 /dev/zero >/pile/f'
  run mydocker system df; exits 0; quiet
  same 'TYPE TOTAL ACTIVE SIZE RECLAIMABLE' "$(head -n 1 "$T/out" | tr -s ' ' | sed 's/ $//')"
  same 'Containers 3 1 3kB 3kB (100%)' "$(grep ^Containers "$T/out" | tr -s ' ')"
  same 'Local Volumes 1 1 2kB 0B (0%)' "$(grep ^Local "$T/out" | tr -s ' ')"
  run mydocker system df --format '{{.Type}}: {{.TotalCount}}'; exits 0; prints_line 'Images: 1'
  run mydocker system df -v; exits 0; contains pile; contains busybox:latest; contains writes

"$MYDOCKER" rm -f bird fish writes >/dev/null
