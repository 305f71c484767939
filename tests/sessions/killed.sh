# Commands for containers that stay, each killed at every system call from its first change on: a name is one container's or nobody's, a
# container is whole or gone, and nothing has to be tidied up by hand.
. "$TESTS/tools/host.sh"
need strace

# calls ARG...: the system calls of that command from the first on that changes anything, and which of its kind each is: CALL NTH.
calls() {
  strace -qq -o "$T/calls" "$MYDOCKER" "$@" >/dev/null 2>&1
  sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' "$T/calls" | awk '{ seen[$1]++ } /^(mkdirat|symlinkat|unlinkat|renameat2)$/ { on = 1 } on { print $1, seen[$1] }'
}
# killed CALL NTH ARG...: mydocker is killed as it makes that call. strace counts each call by itself.
killed() { { timeout 30 strace -qq -o /dev/null -e "trace=$1" -e "inject=$1:signal=SIGKILL:when=$2" "$MYDOCKER" "${@:3}" >/dev/null; } 2>/dev/null; }
of() { "$MYDOCKER" inspect --format "$1" "$2" 2>/dev/null; }
clear_all() { "$MYDOCKER" rm -f $("$MYDOCKER" ps -aq) >/dev/null 2>&1; }
nothing_left() { same '' "$(ls -A "$MYDOCKER_ROOT/containers" "$MYDOCKER_ROOT/names" | grep -v :)" 'containers/ and names/'; }
# The names here are not of hex digits: `inspect aa` finds the container whose id begins with aa, one of 256.
# free_or_whole WHERE: the name wren is free, or its container whole, which it returns with 0. It is removed.
free_or_whole() {
  local whole=1
  if "$MYDOCKER" create --name wren busybox true >/dev/null 2>"$T/said"; then
    same 1 "$("$MYDOCKER" ps -aq | wc -l)" "$1: how many containers there are"
  else
    whole=0
    same 'it ran' "$("$MYDOCKER" start -a wren 2>&1)" "$1: what it says"
  fi
  "$MYDOCKER" rm wren >/dev/null || fail "$1: rm"
  nothing_left
  return "$whole"
}

begin 'rename is killed at each of its calls: it has one name, and the other is free'
if active; then
  "$MYDOCKER" create --name wren busybox true >id
  list=$(calls rename wren rook)
  "$MYDOCKER" rename rook wren
  count=0 renamed=0
  while read -r call nth; do
    killed "$call" "$nth" rename wren rook
    where="killed at $call $nth"
    name=$("$MYDOCKER" ps -a --format '{{.Names}}')
    case $name in
      wren) other=rook ;;
      rook) other=wren renamed=$((renamed + 1)) ;;
      *) fail "$where: it is called '$name'"; break ;;
    esac
    same "$(<id)" "$(of '{{.Id}}' "$name")" "$where: whose name $name is"
    same '' "$(of '{{.Id}}' "$other")" "$where: whose name $other is"
    "$MYDOCKER" create --name "$other" busybox true >/dev/null 2>"$T/said" || fail "$where: the name $other is taken" "$(<"$T/said")"
    "$MYDOCKER" rm "$other" >/dev/null || fail "$where: rm $other"
    "$MYDOCKER" rename "$name" kite 2>"$T/said" && "$MYDOCKER" rename kite wren || fail "$where: it cannot be renamed" "$(<"$T/said")"
    count=$((count + 1))
    if [ "$test_state" = failing ]; then break; fi
  done <<<"$list"
  # The last calls are after the deed.
  if active && { [ "$count" -lt 6 ] || [ "$renamed" = 0 ] || [ "$renamed" = "$count" ]; }; then fail "of $count times it was renamed $renamed times"; fi
fi
clear_all
nothing_left

begin 'create is killed at each of its calls: the name is free, or the container whole'
if active; then
  list=$(calls create --name wren busybox echo it ran)
  clear_all
  count=0 made=0
  while read -r call nth; do
    killed "$call" "$nth" create --name wren busybox echo it ran
    free_or_whole "killed at $call $nth" && made=$((made + 1))
    count=$((count + 1))
    if [ "$test_state" = failing ]; then break; fi
  done <<<"$list"
  if active && { [ "$count" -lt 12 ] || [ "$made" = 0 ] || [ "$made" = "$count" ]; }; then fail "of $count times it was made $made times"; fi
fi

begin 'rm is killed at each of its calls: the name is free, or the container whole'
if active; then
  "$MYDOCKER" create --name wren busybox echo it ran >/dev/null
  list=$(calls rm wren)
  count=0 kept=0
  while read -r call nth; do
    "$MYDOCKER" create --name wren busybox echo it ran >/dev/null || fail "create before $call $nth"
    killed "$call" "$nth" rm wren
    free_or_whole "killed at $call $nth" && kept=$((kept + 1))
    count=$((count + 1))
    if [ "$test_state" = failing ]; then break; fi
  done <<<"$list"
  if active && { [ "$count" -lt 20 ] || [ "$kept" = 0 ] || [ "$kept" = "$count" ]; }; then fail "of $count times it was kept $kept times"; fi
fi

begin 'run -d is killed at each of its calls: the name is free, or the container can be stopped, started and removed'
if active; then
  list=$(calls run -d --name wren busybox sleep 31870)
  clear_all
  count=0
  while read -r call nth; do
    killed "$call" "$nth" run -d --name wren busybox sleep 31870
    where="killed at $call $nth"
    if ! "$MYDOCKER" create --name wren busybox sleep 31870 >/dev/null 2>&1; then
      "$MYDOCKER" stop -t 0 wren >/dev/null 2>"$T/said" || fail "$where: stop" "$(<"$T/said")"
      "$MYDOCKER" start wren >/dev/null 2>"$T/said" || fail "$where: start" "$(<"$T/said")"
    fi
    "$MYDOCKER" rm -f wren >/dev/null 2>"$T/said" || fail "$where: rm" "$(<"$T/said")"
    nothing_left
    count=$((count + 1))
    if [ "$test_state" = failing ]; then break; fi
  done <<<"$list"
  if active && [ "$count" -lt 20 ]; then fail "only $count calls"; fi
fi

begin 'rm was killed when the name was left, and nobody can sweep just now: who wants the name waits for it'
if active; then
  "$MYDOCKER" create --name wren busybox true >/dev/null
  strace -qq -o "$T/calls" -e trace=unlinkat "$MYDOCKER" rm wren >/dev/null
  last=$(grep -n '"wren"' "$T/calls" | cut -d : -f 1)
  for how in create rename run; do
    "$MYDOCKER" create --name wren busybox true >/dev/null
    if [ $how = rename ]; then "$MYDOCKER" create --name rook busybox true >/dev/null; fi
    killed unlinkat "$last" rm wren
    # As one who makes a container.
    flock -s "$MYDOCKER_ROOT/containers" sleep 0.5 &
    eventually 5 sh -c "! flock -n '$MYDOCKER_ROOT/containers' true" || fail 'no lock'
    case $how in
      create) run mydocker create --name wren busybox true ;;
      rename) run mydocker rename rook wren ;;
      run) run mydocker run --rm --name wren busybox true ;;
    esac
    exits 0; quiet
    wait
    clear_all
  done
fi
nothing_left

begin 'rm of a container that is just being swept'
if active; then
  id=$("$MYDOCKER" run -d --rm --name wren busybox sleep 31871)
  kill -9 "$(perl -e 'print((split / /, readlink($ARGV[0]))[2])' "$MYDOCKER_ROOT/containers/$id/state")"
  eventually 5 stopped 31871
  strace -f -qq -o "$T/trace" -e trace=unlinkat -e inject=unlinkat:delay_enter=100000 "$MYDOCKER" ps >/dev/null &
  eventually 5 grep -qs unlinkat "$T/trace"
  # Beside it, and a moment later.
  run strace -qq -o /dev/null -e trace=unlinkat -e inject=unlinkat:delay_enter=100000 "$MYDOCKER" rm wren
  wait
  # On a machine that is busy it may be gone before rm has begun.
  if active && [ "$code" != 0 ]; then says 'no such container: wren'; fi
fi
nothing_left

begin 'commit is killed at each of its calls while the container stands still: it goes on'
if active; then
  id=$("$MYDOCKER" run -d --name wren busybox sleep 31872)
  list=$(calls commit wren image)
  list=$(sed -n '/^socketpair /,$p' <<<"$list")
  goes_on() { [ "$(of '{{.State.Status}}' wren)" = running ]; }
  count=0
  while read -r call nth; do
    killed "$call" "$nth" commit wren image
    eventually 5 goes_on || fail "killed at $call $nth: it is $(of '{{.State.Status}}' wren)"
    count=$((count + 1))
    if [ "$test_state" = failing ]; then break; fi
  done <<<"$list"
  if active && [ "$count" -lt 40 ]; then fail "only $count calls"; fi
  same '' "$(ls -d /sys/fs/cgroup/freezer/mydocker-"$id" 2>/dev/null)" 'the cgroup of the freezer'
fi
run mydocker commit wren image
exits 0; quiet
run mydocker rm -f wren
exits 0
run mydocker rmi image
exits 0
