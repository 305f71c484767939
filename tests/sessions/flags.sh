# The flags that have no session of their own. (Limits, signals and terminals have.)

"$MYDOCKER" run busybox true

# --- -i, -t, --rm ---------------------------------------------------------------------------------------------------

begin '-i hands standard input and its end to the command'
  feed $'line one\nline two'
  run mydocker run -i busybox cat
  exits 0; quiet; prints $'line one\nline two'
  feed 'exit 7'
  run mydocker run --interactive busybox sh
  exits 7

begin 'without -i standard input is /dev/null'
  feed 'not seen'
  run mydocker run busybox sh -c 'cat; readlink /proc/self/fd/0'
  exits 0; prints /dev/null

begin "and that is the container's own /dev/null"
  run mydocker run busybox sh -c '[ /proc/self/fd/0 -ef /dev/null ] && echo same'
  prints same

begin '-t without a terminal on standard input is refused, as docker does'
  run mydocker run -it busybox true
  exits 125; one_line; says 'the input device is not a TTY'

begin 'output is not changed and nothing is added: a megabyte of bytes'
  head -c 1048576 /dev/urandom >bytes
  feed_file bytes
  run mydocker run -i busybox cat
  exits 0; quiet
  check cmp bytes "$T/out"

begin 'standard error is its own'
  run mydocker run busybox sh -c 'echo to out; echo to err >&2'
  prints 'to out'; same 'to err' "$err"

begin '--rm is taken; containers are removed with it and without'
  run mydocker run --rm busybox true; exits 0; quiet
  run mydocker run busybox true; exits 0; quiet
  same '' "$(ls -A "$MYDOCKER_ROOT/containers")" 'the containers'

# --- --name, --hostname ---------------------------------------------------------------------------------------------

for name in ab a.b_c-d 0x "$(printf 'n%.0s' {1..60})"; do
  begin "--name $name"
    run mydocker run --name "$name" busybox true
    exits 0; quiet
done
for name in .a -a _a a/b ../a . .. 'a b' a: $'a\nb' $'a\xff' "$(printf 'n%.0s' {1..4096})"; do
  begin "--name '${name:0:20}' is refused"
    run mydocker run "--name=$name" busybox true
    exits 125; one_line
    # A name as long as that, or of such bytes, may be shown in part.
    if [ "${#name}" -lt 10 ] && [[ $name != *[$'\n\xff']* ]]; then says "$name"; fi
    same '' "$(ls -A "$MYDOCKER_ROOT/containers" "$MYDOCKER_ROOT/names" 2>/dev/null | grep -v :)"
done

begin 'a name in use is refused, and free again after'
  rm -f go; mkfifo go
  "$MYDOCKER" run -i --name taken busybox sh -c 'echo up; read x' <go >up &
  pid=$!
  exec 9>go
  for _ in $(seq 100); do if [ -s up ]; then break; fi; sleep 0.05; done
  run mydocker run --name taken busybox true
  exits 125; one_line; says taken
  exec 9>&-
  wait "$pid"
  run mydocker run --name taken busybox true
  exits 0; quiet

begin '--hostname'
  run mydocker run --hostname box.example busybox sh -c 'hostname; cat /etc/hostname; echo $HOSTNAME; cat /proc/sys/kernel/hostname'
  exits 0; quiet; prints $'box.example\nbox.example\nbox.example\nbox.example'
  run mydocker run -h box busybox hostname; exits 0; prints box

begin 'without it the name is an id of twelve hexadecimal digits'
  run mydocker run busybox hostname
  exits 0
  if active && ! [[ $out =~ ^[0-9a-f]{12}$ ]]; then fail 'it is not' "$(came)"; fi

begin '--hostname of more than 64 bytes is refused (sethostname(2))'
  run mydocker run --hostname "$(printf 'h%.0s' {1..65})" busybox hostname
  exits 125; one_line
  run mydocker run --hostname "$(printf 'h%.0s' {1..64})" busybox hostname
  exits 0; prints "$(printf 'h%.0s' {1..64})"

# --- --entrypoint, --init -------------------------------------------------------------------------------------------

begin '--entrypoint takes the place of the command, whose words are its arguments'
  run mydocker run --entrypoint /bin/echo busybox a b; exits 0; prints 'a b'
  run mydocker run --entrypoint echo busybox a b; exits 0; prints 'a b'
  run mydocker run --entrypoint /bin/hostname --hostname e busybox; exits 0; prints e
  run mydocker run --entrypoint '' busybox echo x; exits 0; prints x

begin '--entrypoint is one word, as in docker'
  run mydocker run --entrypoint 'echo a' busybox b
  exits 127; one_line; says 'echo a'

begin '--init: pid 1 is an init, the command its child'
  run mydocker run --init busybox sh -c 'echo $$ $PPID'
  exits 0; quiet
  if active && [[ $out == '1 '* || $out != *' 1' ]]; then fail 'expected: not 1, child of 1' "$(came)"; fi

begin '--init reaps what nobody waits for'
  run mydocker run --init busybox sh -c '(sh -c "sleep 0.1 & exec sleep 0.05" &); (true &); zombies() { cat /proc/[0-9]*/stat | cut -d " " -f 3 | grep -c Z; }
    sleep 0.4; for try in $(seq 50); do [ "$(zombies)" != 0 ] || break; sleep 0.1; done; zombies'
  prints 0

begin '--init hands on the exit code and the signal'
  run mydocker run --init busybox sh -c 'exit 42'; exits 42
  run mydocker run --init busybox sh -c 'kill -9 $$'; exits 137
  run mydocker run --init busybox sh -c 'kill -TERM $$'; exits 143
  run mydocker run --init busybox sh -c 'kill -SEGV $$'; exits 139

begin '--init of what cannot be executed'
  run mydocker run --init busybox nosuch; exits 127; one_line; says nosuch
  run mydocker run --init busybox /etc; exits 126; one_line; says /etc
  run mydocker run --init busybox /etc/passwd; exits 126; one_line; says /etc/passwd

begin '--init ends with its command, whatever else runs'
  run mydocker run --init busybox sh -c 'sleep 100 & exit 5'
  exits 5

# --- --ulimit -------------------------------------------------------------------------------------------------------

# limit ARGUMENT NAME SOFT HARD: as /proc/self/limits has it.
limit() {
  begin "--ulimit $1"
    # To raise a hard limit needs CAP_SYS_RESOURCE, which some machines keep from root.
    if ! grep -q unlimited <<<"$(prlimit --memlock=unlimited sh -c 'ulimit -l' 2>/dev/null)"; then
      case $1 in memlock=-1* | nice=* | rtprio=*) skip 'there is no CAP_SYS_RESOURCE here' ;; esac
    fi
    run mydocker run --ulimit "$1" busybox sh -c "grep '^$2 ' /proc/self/limits"
    exits 0; quiet
    same "$3 $4" "$(sed -E "s/^$2 +([^ ]+) +([^ ]+).*/\1 \2/" <<<"$out")" 'soft and hard'
}
limit nofile=100 'Max open files' 100 100
limit nofile=100:200 'Max open files' 100 200
limit core=0 'Max core file size' 0 0
limit core=-1 'Max core file size' unlimited unlimited
limit cpu=100:200 'Max cpu time' 100 200
limit data=1000000000 'Max data size' 1000000000 1000000000
limit fsize=5000:6000 'Max file size' 5000 6000
limit locks=7 'Max file locks' 7 7
limit memlock=4096:8192 'Max locked memory' 4096 8192
limit memlock=-1:-1 'Max locked memory' unlimited unlimited
limit msgqueue=1000 'Max msgqueue size' 1000 1000
limit nice=10 'Max nice priority' 10 10
limit nproc=50:60 'Max processes' 50 60
limit rss=1000000 'Max resident set' 1000000 1000000
limit rtprio=5 'Max realtime priority' 5 5
limit rttime=5000 'Max realtime timeout' 5000 5000
limit sigpending=9 'Max pending signals' 9 9
limit stack=1000000:2000000 'Max stack size' 1000000 2000000

begin 'several of them'
  run mydocker run --ulimit nofile=100 --ulimit core=0 busybox sh -c 'ulimit -n; ulimit -c'
  exits 0; prints $'100\n0'

begin "without it the limits are the caller's"
  run sh -c "ulimit -n 321; ulimit -c 0; \"$MYDOCKER\" run busybox sh -c 'ulimit -n; ulimit -Hn; ulimit -c'"
  prints $'321\n321\n0'

begin 'they hold for the command, not for mydocker: a small fsize, nofile, nproc'
  run mydocker run --ulimit nofile=4 --ulimit fsize=0 --ulimit nproc=1 busybox true
  exits 0; quiet

for bad in nofile=200:100 nofile nofile= nofile=a wrong=1 nofile=1:2:3 nofile=1: =5 '' nofile=-2 nofile=99999999999999999999; do
  begin "--ulimit '$bad' is refused"
    run mydocker run --ulimit "$bad" busybox true
    exits 125; one_line; says "$bad"
done

begin '--ulimit above what the kernel allows is an error that names it (fs.nr_open)'
  run mydocker run --ulimit nofile=-1 busybox true
  exits 125; one_line; says nofile; says EPERM

# --- the rest -------------------------------------------------------------------------------------------------------

for signal in TERM SIGTERM 15 sigint SIGRTMIN+3; do
  begin "--stop-signal $signal"
    run mydocker run --stop-signal "$signal" busybox true
    exits 0; quiet
done
for bad in WRONG 0 65 -1 ''; do
  begin "--stop-signal '$bad' is refused"
    run mydocker run --stop-signal "$bad" busybox true
    exits 125; one_line; says "$bad"
done

begin '--log-level info writes JSON lines with level, msg and time to standard error'
  run mydocker run --log-level info -v ./vol:/mnt busybox echo out
  exits 0; prints out
  if active; then
    if [ -z "$err" ]; then fail 'nothing was logged'; fi
    odd=$(grep -vE '^\{"level":"info","msg":"([^"\\]|\\.)+","time":"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"\}$' "$T/err")
    same '' "$odd" 'lines that are no such JSON'
  fi

begin '--log-level error, and none, write nothing'
  run mydocker run --log-level error busybox true; exits 0; quiet
  run mydocker run busybox true; exits 0; quiet

begin '--log-level that is none is refused'
  run mydocker run --log-level loud busybox true
  exits 125; one_line; says loud

begin "what a user typed cannot break the log's lines"
  mkdir -p "$T/"$'q"uote\nnew\\'
  run mydocker run --log-level info -v "$T/"$'q"uote\nnew\\:/mnt' busybox true
  exits 0
  same '' "$(grep -vE '^\{"level":"info","msg":"([^"\\]|\\.)+","time":"[^"]+"\}$' "$T/err")" 'lines that are no such JSON'

begin '--trace-startup prints the time of each step at the end'
  run mydocker run --trace-startup busybox sh -c 'echo out; exit 3'
  exits 3; prints out
  for step in clone mount pivot_root sethostname execve; do says "$step"; done
  if active && ! grep -qE '[0-9]+(\.[0-9]+)? ?(µs|us)' "$T/err"; then fail 'there are no times in µs' "$(came)"; fi

begin '--explain makes nothing at all'
  before=$(find "$T" -not -name out -not -name err -not -name report -printf '%p %T@\n' | sort)
  run mydocker run --explain -v ./explained:/mnt -v named:/data -m 64m --name explained busybox true
  exits 0; quiet; contains pivot_root
  same "$before" "$(find "$T" -not -name out -not -name err -not -name report -printf '%p %T@\n' | sort)" 'the files'
