# The story of the original tool's later sessions, told with its commands: a container in the background, what one does with it,
# an image of it; two at once from one image; a variable that exec sees.
. "$TESTS/tools/host.sh"
has() { [ -n "$(mydocker ps "$@")" ]; }

begin 'run -d -name bird: the id at once, and the container stays'
  run mydocker run -d -name bird busybox top
  exits 0; quiet
  id=$out
  if active && ! [[ $id =~ ^[0-9a-f]{64}$ ]]; then fail 'expected an id' "$(came)"; fi

begin 'ps shows it'
  run mydocker ps
  exits 0; quiet; contains "${id:0:12}"; contains bird; contains top
  run mydocker ps -q --no-trunc
  prints "$id"

begin 'logs: what it has written'
  run mydocker run -d -name talker busybox sh -c 'echo hello; echo oh >&2; exec sleep 1000'
  exits 0
  # The container has written it when its supervisor may not have read it yet.
  logged() { [ "$(mydocker logs talker 2>/dev/null)" = hello ] && [ "$(mydocker logs talker 2>&1 >/dev/null)" = oh ]; }
  eventually 5 logged || fail 'the log' "$(mydocker logs talker 2>&1)"
  run mydocker logs -n 1 talker
  exits 0

begin 'exec into it: its processes, its files'
  run mydocker exec bird ps -o pid,args
  exits 0; quiet; contains '1 top'; contains 'ps -o pid,args'
  run mydocker exec bird sh -c 'echo nest >/root/mark; hostname'
  exits 0; prints "${id:0:12}"
  if need_pty; then
    feed $'expect #\nsend ls /root\\n\nexpect mark\nsend exit 3\\n\nwait\n'
    run "$PTY" "$MYDOCKER" exec -it bird sh
    exits 3
  fi

begin 'commit: an image of it, and a run of that'
  run mydocker commit bird nest
  exits 0; quiet
  run mydocker images
  contains nest
  run mydocker run nest cat /root/mark
  exits 0; prints nest
  run mydocker run busybox cat /root/mark
  exits 1

begin 'stop, and ps no longer shows it, but ps -a does'
  started=$SECONDS
  run mydocker stop -t 1 bird
  exits 0; prints bird
  run mydocker ps
  lacks bird
  run mydocker ps -a
  contains bird; contains Exited
  run mydocker exec bird true
  exits 1; one_line; says 'container bird is not running'
  stopped top || fail 'it is still there'

begin 'rm: nothing is left'
  run mydocker rm bird
  exits 0; prints bird
  run mydocker rm talker
  exits 1; one_line; says running
  run mydocker rm -f talker
  exits 0
  run mydocker ps -aq
  prints ''
  same '' "$(ls -A "$MYDOCKER_ROOT/containers"; ls -A "$MYDOCKER_ROOT/names")" 'what is left in the store'

begin 'two at once from one image, each with its own root'
  for name in one two; do
    run mydocker run -d -name $name busybox top
    exits 0
  done
  for name in one two; do
    run mydocker exec $name sh -c "echo $name >/tmp/mine; rm /bin/vi"
    exits 0
  done
  run mydocker exec one cat /tmp/mine; prints one
  run mydocker exec two cat /tmp/mine; prints two
  run mydocker exec one touch /only-here; exits 0
  run mydocker exec two ls /only-here; exits 1
  run mydocker run busybox ls /bin/vi; exits 0
  run mydocker ps -q
  same 2 "$(wc -l <"$T/out")" 'containers that run'
  run mydocker rm -f one two
  exits 0

begin '-e: exec sees the variable'
  run mydocker run -d -name env -e bird=123 -e luck=bird busybox top
  exits 0
  run mydocker exec env sh -c 'echo $bird $luck'
  exits 0; prints '123 bird'
  run mydocker exec env env
  contains bird=123; contains luck=bird; lacks MYDOCKER_ROOT
  run mydocker rm -f env
  exits 0

begin 'the images can go too'
  run mydocker rmi nest
  exits 0
  run mydocker images
  lacks nest
