# Many at a time.
. "$TESTS/tools/host.sh"

# all_at_once N ARG...: N times `mydocker run ARG...` at a time, @ being the number; exit codes into codes/, output into outs/.
all_at_once() {
  local n=$1 i
  shift
  rm -rf "$T/codes" "$T/outs"
  mkdir "$T/codes" "$T/outs"
  for ((i = 1; i <= n; i++)); do
    (
      timeout 120 "$MYDOCKER" run "${@//@/$i}" </dev/null >"$T/outs/$i" 2>"$T/outs/$i.err"
      echo $? >"$T/codes/$i"
    ) &
  done
  wait
}
with_code() { cat "$T"/codes/* | grep -cx "$1"; }
complaints() { cat "$T"/outs/*.err | sort | uniq -c | head -n 5; }

begin '20 first runs at a time import the image once, and all succeed'
all_at_once 20 /bin/echo 'hello @'
same 20 "$(with_code 0)" "the number of those that succeeded ($(complaints))"
for i in {1..20}; do same "hello $i" "$(<"$T/outs/$i")" "output $i"; done

begin '50 at a time, each with a volume, limits and a file of its own'
mkdir -p "$T/shared"
all_at_once 50 -v "$T/shared:/shared" -m 32m --pids-limit 20 /bin/sh -c 'echo @ >/mine; cat /mine >/shared/@; cat /mine'
same 50 "$(with_code 0)" "the number of those that succeeded ($(complaints))"
same 50 "$(ls "$T/shared" | wc -l)" 'the number of files in the volume'
for i in {1..50}; do same "$i" "$(<"$T/outs/$i")" "output $i"; done
same '' "$(ls -A "$MYDOCKER_ROOT/containers")" 'containers/'

begin 'of 20 that want the same name at a time exactly one gets it'
# Who has it keeps it until all others have been told.
rm -rf "$T/codes"
mkdir -p "$T/shared"
losers() { [ "$(cat "$T"/codes/* 2>/dev/null | wc -l)" -ge 19 ]; }
(eventually 100 losers; touch "$T/shared/told") &
all_at_once 20 --name twin -v "$T/shared:/shared" /bin/sh -c 'until [ -e /shared/told ]; do sleep 0.05; done; echo won'
same 1 "$(with_code 0)" 'the number of winners'
same 19 "$(with_code 125)" 'the number of losers'
same 1 "$(cat "$T"/outs/* | grep -cx won)" 'the number of those that ran'
same 19 "$(cat "$T"/outs/*.err | grep -c twin)" 'the number of messages that name the name'

begin 'a name is free again when its container has ended'
run mydocker run --name twin /bin/true
exits 0
run mydocker run --name twin /bin/false
exits 1

begin 'a name is free again when mydocker was killed'
start --name twin /bin/sh -c 'echo ready; exec sleep 31430'
ready
if active; then kill -9 "$pid"; fi
finish
run mydocker run --name twin /bin/echo again
exits 0
prints again

begin 'one that ends does not disturb one that runs'
start -v "$T/shared:/tmp" /bin/sh -c 'echo kept >/mark; echo ready; while [ ! -e /tmp/end ]; do sleep 0.05; done; cat /mark; exit 12'
ready
for i in 1 2 3 4 5; do
  run mydocker run /bin/sh -c 'test -e /mark'
  exits 1
done
touch "$T/shared/end"
finish
exits 12
prints $'ready\nkept'

begin 'starts, ends and kills at the same time leave nothing'
if active; then
  for i in {1..15}; do
    (
      "$MYDOCKER" run /bin/sleep 0.2 </dev/null >/dev/null 2>&1 &
      one=$!
      "$MYDOCKER" run /bin/sleep 31431 </dev/null >/dev/null 2>&1 &
      two=$!
      sleep "0.$((RANDOM % 9))"
      kill -9 "$two"
      wait "$one"
      echo $? >"$T/codes/kill.$i"
      wait "$two"
    ) 2>/dev/null &
  done
  wait
  same 15 "$(cat "$T"/codes/kill.* | grep -cx 0)" 'the number of those not killed that succeeded'
  eventually 5 stopped 31431 || fail 'one that was killed lives'
fi
run mydocker run /bin/true
exits 0
same '' "$(ls -A "$MYDOCKER_ROOT/containers")" 'containers/'

begin 'other roots do not see each other'
run mydocker run --root "$T/other" --name twin /bin/echo there
exits 0
prints there
check rm -rf --one-file-system "$T/other"
rm -rf "$T/shared" "$T/codes" "$T/outs"
