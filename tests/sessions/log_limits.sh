# What a log may cost: disk, memory, time; and what it must not: lines, order, the container.
#   LOG_SECONDS  for how long 10 MiB a second are written (default 3; `make loglines`: 60, which prints figures)
. "$TESTS/tools/host.sh"

forget() { "$MYDOCKER" rm -f "$@" >/dev/null 2>&1; }
dir() { echo "$MYDOCKER_ROOT/containers/$(readlink "$MYDOCKER_ROOT/names/$1")"; }
state() { readlink "$(dir "$1")/state"; }
ended() { [[ $(state "$1") == exited* ]]; }
supervisor() { state "$1" | cut -d ' ' -f 3; }
# memory PID: what is its own and in memory, in kB.
memory() { awk '/^Private_Dirty/ { print $2 }' "/proc/$1/smaps_rollup"; }
# What stands behind each number that seq writes, so that a line has 103 to 109 bytes.
separator=$(printf ' %0100d' 0)
separator+=$'\n'
# in_order FROM TO: the lines on standard input are these, in that order; else the first that is not.
in_order() {
  awk -v from="$1" -v to="$2" -v tail="$(printf '%0100d' 0)" '
    BEGIN { want = from }
    { if ($1 != want || (NF > 1 && $2 != tail)) { print "line " NR ": " $0; exit } want++ }
    END { if (want != to + 1) print "the next would be " want }'
}

begin 'a log is rotated at its size, and the oldest file goes'
"$MYDOCKER" create --name bird --log-opt max-size=100k --log-opt max-file=3 busybox seq 1 30000 >/dev/null
"$MYDOCKER" start -a bird >/dev/null
if active; then
  same 'log log.1 log.2' "$(cd "$(dir bird)" && echo log*)" 'the files'
  for file in "$(dir bird)"/log*; do
    [ "$(stat -c %s "$file")" -le 102400 ] || fail 'expected at most 100 kB' "$(stat -c '%s %n' "$file")"
  done
  for file in "$(dir bird)"/log.[12]; do
    [ "$(stat -c %s "$file")" -gt 102000 ] || fail 'expected it to be full' "$(stat -c '%s %n' "$file")"
  done
  same 30000 "$("$MYDOCKER" logs -n 1 bird)" 'the last line'
  first=$("$MYDOCKER" logs bird | head -n 1)
  same "$(seq "$first" 30000 | sha256sum)" "$("$MYDOCKER" logs bird | sha256sum)" 'what is left'
fi
forget bird

begin 'one file alone begins anew'
"$MYDOCKER" create --name bird --log-opt max-size=10k --log-opt max-file=1 busybox seq 1 3000 >/dev/null
"$MYDOCKER" start -a bird >/dev/null
if active; then
  same log "$(cd "$(dir bird)" && echo log*)" 'the files'
  [ "$(stat -c %s "$(dir bird)/log")" -le 10240 ] || fail 'expected at most 10 kB'
  same 3000 "$("$MYDOCKER" logs -n 1 bird)" 'the last line'
fi
forget bird

begin 'the last words of a container are in its log'
"$MYDOCKER" create --name bird busybox sh -c 'seq 1 8000; printf end' >/dev/null
for _ in 1 2 3 4 5 6 7 8; do
  "$MYDOCKER" start bird >/dev/null
  eventually 20 ended bird
done
same "$(for _ in 1 2 3 4 5 6 7; do seq 1 8000; printf end; done | sha256sum)" \
  "$("$MYDOCKER" logs bird | head -c "$( (seq 1 8000; printf end) | wc -c | awk '{ print $1 * 7 }')" | sha256sum)" 'seven runs'
same end "$("$MYDOCKER" logs -n 1 bird)" 'the last line'
forget bird

begin '50 MiB as fast as they come: nothing lost, the order kept'
"$MYDOCKER" create --name bird --log-opt max-size=20m --log-opt max-file=10 busybox seq -s "$separator" 1 490000 >/dev/null
"$MYDOCKER" start bird >/dev/null
eventually 60 ended bird || fail 'it did not end'
same '' "$("$MYDOCKER" logs bird | in_order 1 490000)" 'what is wrong with the lines'
forget bird

seconds=${LOG_SECONDS:-3}
begin "10 MiB a second for $seconds s: nothing lost, the order kept, the supervisor's memory flat"
if active; then
  # A tenth of a second's lines at a time.
  "$MYDOCKER" run -d --name bird --log-opt max-size=100m --log-opt max-file=100 -e "separator=$separator" -e "tenths=$((seconds * 10))" busybox sh -c '
    i=0
    begin=$(date +%s)
    while [ $i -lt $tenths ]; do
      seq -s "$separator" $((i * 9800 + 1)) $((i * 9800 + 9800))
      i=$((i + 1))
      while [ $((i / 10)) -gt $(($(date +%s) - begin)) ]; do sleep 0.02; done
    done' >/dev/null
  pid=$(supervisor bird)
  clock=$(date +%s%N)
  sleep 1
  at_first=$(memory "$pid")
  most=$at_first
  until ended bird; do
    now=$(memory "$pid" 2>/dev/null) && [ "${now:-0}" -gt "$most" ] && most=$now
    time=$(awk '{ print $14 + $15 }' "/proc/$pid/stat" 2>/dev/null) && ticks=${time:-$ticks}
    sleep 0.2
  done
  took=$((($(date +%s%N) - clock) / 1000000))
  [ "$most" -le 200 ] || fail 'expected at most 200 kB of memory of its own' "$most"
  [ "$most" -le $((at_first + 12)) ] || fail 'expected no more memory than in the first second' "$at_first kB, then $most kB"
  same '' "$("$MYDOCKER" logs bird | in_order 1 $((seconds * 98000)))" 'what is wrong with the lines'
  if [ -n "${LOG_SECONDS:-}" ]; then
    echo "# $((seconds * 98000)) lines, $("$MYDOCKER" logs bird | wc -c) bytes in $took ms; supervisor: $at_first kB after a second, at most $most kB, $ticks ticks of CPU time; load $(cut -d ' ' -f 1-3 /proc/loadavg)"
  fi
fi
forget bird

# As many files as hold it all: what is lost is not for having been slow.
begin '-f follows through rotation without a line lost or doubled'
"$MYDOCKER" run -d --name bird --log-opt max-size=10k --log-opt max-file=60 busybox sh -c 'for i in $(seq 0 199); do seq $((i * 50 + 1)) $((i * 50 + 50)); sleep 0.01; done' >/dev/null
run mydocker logs -f bird
exits 0
same "$(seq 1 10000 | sha256sum)" "$(sha256sum <"$T/out")" 'the lines'
check test -e "$(dir bird)/log.30"
forget bird

begin 'a reader that stands still keeps nothing back'
"$MYDOCKER" run -d --name bird busybox sh -c 'sleep 0.5; seq 1 300000' >/dev/null
mkfifo pipe
"$MYDOCKER" logs -f bird >pipe 2>/dev/null &
follower=$!
exec 8<pipe
eventually 20 ended bird || fail 'it did not end'
check grep -q . /proc/$follower/stat
cat <&8 >late
exec 8<&-
wait $follower
same "$(seq 1 300000 | sha256sum)" "$(sha256sum <late)" 'what came late'
forget bird

begin 'a full disk loses lines and says so once; the container goes on'
if active; then
  outer=$MYDOCKER_ROOT
  mkdir small signs
  mount -t tmpfs -o size=12m small small
  export MYDOCKER_ROOT=$T/small/root
  "$MYDOCKER" run busybox true
  head -c 2m /dev/zero >small/filler
  "$MYDOCKER" run -d --name bird --log-opt max-size=50m -v "$T/signs:/signs" busybox sh -c '
    seq 1 1000000
    echo $? >/signs/written
    until [ -e /signs/go ]; do sleep 0.05; done
    echo after; sleep 0.2; echo again >&2; sleep 0.2; echo end; exit 5' >/dev/null
  eventually 60 test -s signs/written || fail 'the container did not write all'
  same 0 "$(<signs/written)" "seq's exit code"
  log=$(dir bird)/log
  last=$(tail -n 1 "$log" | cut -d ' ' -f 4)
  same "$(seq 1 "$last" | sha256sum)" "$(cut -d ' ' -f 4 "$log" | sha256sum)" 'what found room'
  rm small/filler
  touch signs/go
  eventually 20 ended bird
  same 5 "$(state bird | cut -d ' ' -f 6)" 'its exit code'
  same 1 "$(grep -c 'lines are missing here: ENOSPC' "$log")" 'how often it is said'
  same $'after\nagain\nend' "$("$MYDOCKER" logs -n 3 bird 2>&1)" 'what came when there was room'
  same '' "$(grep -vE '^20[-0-9T:.]{27}Z std(out|err) [FP] ' "$log")" 'what is no line'
  forget bird
  export MYDOCKER_ROOT=$outer
  umount small
fi

begin 'a disk that is full from the beginning'
if active; then
  mount -t tmpfs -o size=12m small small
  export MYDOCKER_ROOT=$T/small/root
  "$MYDOCKER" run busybox true
  "$MYDOCKER" create --name bird -v "$T/signs:/signs" busybox sh -c 'seq 1 1000; echo "done" >/signs/done; exit 6' >/dev/null
  cat /dev/zero >small/filler 2>/dev/null
  run mydocker start -a bird
  exits 6
  same "$(seq 1 1000 | sha256sum)" "$(sha256sum <"$T/out")" 'what was attached'
  same 'done' "$(cat signs/done)" 'what it did'
  rm small/filler
  forget bird
  export MYDOCKER_ROOT=$outer
  umount small
fi

begin "a log's file that cannot be written to is no end"
"$MYDOCKER" create --name bird busybox sh -c 'echo one; exit 3' >/dev/null
mkdir "$(dir bird)/log"
run mydocker start -a bird
exits 3
prints one
rmdir "$(dir bird)/log"
forget bird

begin "a limit of the caller's for the size of files is the log's too, and loses lines"
if active && ! setpriv --reuid 54321 --regid 54321 --clear-groups unshare -Ur true 2>/dev/null; then
  skip 'ordinary users may not make user namespaces here'
fi
if active; then
  mkdir home && ln busybox.tar home/busybox.tar && chown 54321:54321 home
  cat >home/typed <<'END'
cd "$HOME" && "$MYDOCKER" run busybox true || exit
ulimit -f 200
"$MYDOCKER" run -d --name bird busybox sh -c 'seq 1 100000; exit 3' >/dev/null
"$MYDOCKER" wait bird
"$MYDOCKER" logs bird | tail -n 1
stat -c %s .local/share/mydocker/containers/*/log
"$MYDOCKER" rm bird >/dev/null
END
  run setpriv --reuid 54321 --regid 54321 --clear-groups env -u MYDOCKER_ROOT -u XDG_DATA_HOME HOME="$T/home" bash home/typed
  if [[ $out =~ ^3$'\n'4[0-9]+$'\n'(204[0-9]+)$ ]] && [ "${BASH_REMATCH[1]}" -le 204800 ]; then :; else
    fail "expected the exit code, a line's number, and the log's size" "$(came)"
  fi
fi
