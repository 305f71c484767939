# What the sessions are written in. tests/run starts `bash tests/lib.sh SESSION` for each of them.
# A session reads as one: `begin` names a behaviour, `run` types a command, the rest says what must come.

# --- a test ---------------------------------------------------------------------------------------------------

# begin NAME: the test before is over, this one starts.
begin() {
  end_test
  test_name=$1
  test_state=running
  : >"$T/report"
  rm -f "$T/in"
}

# skip WHY: this test says so and counts as skipped; `run` and the expectations up to the next begin do nothing.
skip() {
  if [ "$test_state" != running ]; then return 0; fi
  test_state=skipped
  skip_reason=$1
}

# need PROGRAM...: skip where one of them is not installed.
need() {
  local program
  for program; do
    command -v "$program" >/dev/null || { skip "$program is not installed"; return 1; }
  done
}

# need_pty: skip where the pty tool could not be built; $PTY is its path.
need_pty() {
  if [ ! -x "$PTY" ]; then skip 'no C compiler or no tests/tools/pty.c'; return 1; fi
}

active() { [ "$test_state" = running ] || [ "$test_state" = failing ]; }

end_test() {
  case $test_state in
    running) printf 'ok   %s: %s\n' "$session" "$test_name"; echo passed >>"$T_ALL/tally" ;;
    skipped) printf 'SKIP %s: %s (%s)\n' "$session" "$test_name" "$skip_reason"; echo skipped >>"$T_ALL/tally" ;;
    failing)
      printf 'FAIL %s: %s\n' "$session" "$test_name"
      sed 's/^/    /' "$T/report"
      echo failed >>"$T_ALL/tally"
      ;;
  esac
  test_state=none
}

# fail WHAT...: this test fails, for that reason; said with the line of the session it comes from.
fail() {
  local frame=0 line
  case $test_state in running | failing) ;; *) return 1 ;; esac
  test_state=failing
  while [ "${BASH_SOURCE[frame]}" = "$lib" ] && [ "$frame" -lt 20 ]; do frame=$((frame + 1)); done
  line=${BASH_LINENO[frame - 1]}
  {
    printf '%s:%s: %s\n' "$(basename "${BASH_SOURCE[frame]:-session}")" "$line" "$1"
    shift
    for line; do printf '%s\n' "$line" | head -n 12 | cut -c 1-400 | sed 's/^/  /'; done
  } >>"$T/report"
  return 1
}

# What the last `run` did, for a report.
came() {
  printf 'command: %s\nexit code: %s\nstdout: %s\nstderr: %s\n' "$typed" "$code" \
    "$(head -c 600 <<<"$out" | head -n 6)" "$(head -c 1200 <<<"$err" | head -n 6)"
}

# --- typing -----------------------------------------------------------------------------------------------------

# The program under test. (A background `mydocker … &` is a subshell: write "$MYDOCKER" … & to have its pid in $!.)
mydocker() { "$MYDOCKER" "$@"; }

# feed TEXT, feed_file FILE: the standard input of the next `run`; else it is /dev/null.
feed() { printf '%s' "$1" >"$T/in"; }
feed_file() { cp "$1" "$T/in"; }

# run COMMAND ARG…: $out, $err and $code are what came (whole in $T/out and $T/err). More than $LIMIT seconds is a failure.
run() {
  if ! active; then return 0; fi
  local input=/dev/null start=$SECONDS command=$1
  typed=$(printf '%q ' "$@")
  typed=${typed//"$MYDOCKER"/mydocker}
  if [ -e "$T/in" ]; then mv "$T/in" "$T/in.now"; input=$T/in.now; fi
  shift
  if [ "$command" = mydocker ]; then command=$MYDOCKER; fi
  if declare -F "$command" >/dev/null; then
    ("$command" "$@") <"$input" >"$T/out" 2>"$T/err"
    code=$?
  else
    timeout -k 5 "${LIMIT:-30}" "$command" "$@" <"$input" >"$T/out" 2>"$T/err"
    code=$?
    if [ "$code" = 124 ] || [ "$code" = 137 ]; then
      if [ $((SECONDS - start)) -ge "${LIMIT:-30}" ]; then fail "no end after ${LIMIT:-30} s" "$typed"; fi
    fi
  fi
  { out=$(<"$T/out"); err=$(<"$T/err"); } 2>/dev/null
  rm -f "$T/in.now"
}

# --- what must come ---------------------------------------------------------------------------------------------

exits() { if active && [ "$code" != "$1" ]; then fail "expected exit code $1" "$(came)"; fi; }
prints() { if active && [ "$out" != "$1" ]; then fail 'expected on stdout:' "$1" "$(came)"; fi; }
prints_line() {
  if active && ! grep -qxF -e "$1" "$T/out"; then fail 'expected a line of stdout to be:' "$1" "$(came)"; fi
}
contains() {
  if active && [[ $out != *"$1"* ]]; then fail 'expected somewhere on stdout:' "$1" "$(came)"; fi
}
lacks() {
  if active && [[ $out == *"$1"* ]]; then fail 'expected nowhere on stdout:' "$1" "$(came)"; fi
}
says() { if active && [[ $err != *"$1"* ]]; then fail 'expected on stderr:' "$1" "$(came)"; fi; }
quiet() { if active && [ -n "$err" ]; then fail 'expected nothing on stderr' "$(came)"; fi; }

# one_line: one message, prefixed with our name, and at most one hint after it.
one_line() {
  if ! active; then return 0; fi
  local lines
  mapfile -t lines <<<"$err"
  case ${#lines[@]} in
    1) ;;
    2) [[ ${lines[1]} == 'hint: '* ]] || { fail 'expected one line on stderr, or one and a hint' "$(came)"; return 1; } ;;
    *) fail 'expected one line on stderr' "$(came)"; return 1 ;;
  esac
  [[ ${lines[0]} == 'mydocker: '* ]] || fail 'expected the line on stderr to start with "mydocker: "' "$(came)"
}

# same A B [WHAT]
same() {
  if ! active || [ "$1" = "$2" ]; then return 0; fi
  fail "expected ${3:-these} to be the same:" "$1" 'and it came:' "$2"
}

# check COMMAND…: it exits with 0; refuse COMMAND…: it does not.
check() {
  if ! active; then return 0; fi
  local said
  said=$("$@" 2>&1 </dev/null) || fail "expected this to succeed: $*" "$said"
}
refuse() {
  if ! active; then return 0; fi
  local said
  if said=$("$@" 2>&1 </dev/null); then fail "expected this to fail: $*" "$said"; fi
}

# --- leftovers --------------------------------------------------------------------------------------------------

# snapshot: what a container could have left on this machine, one thing a line.
snapshot() {
  local cgroup ours theirs pid
  perl -ne 'my ($left, $right) = split / - /; my (undef, undef, undef, $root, $at, $how) = split / /, $left;
      chomp $right; $right =~ s/,?\b(size|nr_inodes)=\w+//g; print "mount: $at $root $how $right\n"' /proc/self/mountinfo
  # A cgroup with nobody in it, or with a process of ours: others may run containers on this machine meanwhile.
  ours=" $(strays | cut -d ' ' -f 1 | paste -sd ' ') "
  for cgroup in /sys/fs/cgroup/{,*/,*/*/,*/*/*/}*mydocker*; do
    if [ -d "$cgroup" ]; then
      theirs=
      while read -r pid; do if [[ $ours != *" $pid "* ]]; then theirs=1; fi; done < <(cat "$cgroup/cgroup.procs" 2>/dev/null)
      if [ -z "$theirs" ]; then echo "cgroup: $cgroup"; fi
    fi
  done
  # Processes: those that run the binary, and all that a session started and left.
  perl -e 'for my $exe (glob "/proc/[0-9]*/exe") {
        my $file = readlink($exe) // next; $file =~ s/ \(deleted\)$//;
        print "process: runs $file\n" if $file eq $ARGV[0];
      }' "$MYDOCKER"
  strays | sed 's/^[0-9]* /process: /'
  echo "net namespaces: $(strays | while read -r pid _; do readlink "/proc/$pid/ns/net"; done |
    grep -vxF "$(readlink /proc/self/ns/net)" | sort -u | wc -l)"
  ls -A "$MYDOCKER_ROOT/containers" 2>/dev/null | sed 's/^/container: /'
}

# strays: pid and name of each process below this session (a subreaper; see tests/run), but for those that list them.
strays() {
  perl -e 'my ($root) = @ARGV; my (%parent, %name);
      for my $dir (glob "/proc/[0-9]*") {
        open my $stat, "<", "$dir/stat" or next;
        my $line = <$stat> // next;
        $line =~ /^(\d+) \((.*)\) \S (\d+)/s or next;
        ($name{$1}, $parent{$1}) = ($2, $3);
      }
      my %mine; my $up = $$;
      while ($up && $up != $root) { $mine{$up} = 1; $up = $parent{$up} }
      PID: for my $pid (sort { $a <=> $b } keys %parent) {
        my $up = $pid;
        while ($up && $up != $root) { next PID if $mine{$up}; $up = $parent{$up} }
        print "$pid $name{$pid}\n" if $up && $pid != $root;
      }' "$$"
}

# difference BEFORE COMMAND…: what COMMAND prints now and did not print BEFORE (>), and the reverse (<), for as long as
# ten seconds: the kernel takes namespaces apart a little after their last process, and others come and go. A mount is gone
# from all namespaces with the directory that it is on, which is its owner's to remove.
difference() {
  local before=$1 left now try
  shift
  for try in {1..30}; do
    now=$(diff <(echo "$before") <("$@") | grep '^[<>]' | grep -v '^< cgroup: ' | sort | while read -r line; do
      at=${line#< mount: }
      if [ "$at" = "$line" ] || [[ $at == "$T"* ]] || [ -e "$(printf %b "${at%% *}")" ]; then printf '%s\n' "$line"; fi
    done)
    if [ "$try" = 1 ]; then left=$now; else left=$(comm -12 <(echo "$left") <(echo "$now")); fi
    if [ -z "$left" ]; then return 0; fi
    sleep 0.3
  done
  echo "$left"
}

# What is left when a session is over.
leaves_nothing() {
  local left pid
  test_name="$(basename "$session") leaves nothing behind"
  test_state=running
  : >"$T/report"
  left=$(difference "$snapshot_before" snapshot)
  if [ -n "$left" ]; then
    fail 'expected nothing new (>) and nothing gone (<):' "$left"
    # Not to be found again by those who run after us.
    left=$(strays)
    while read -r pid _; do if [ -n "$pid" ]; then kill -9 "$pid" 2>/dev/null; fi; done <<<"$left"
  fi
  end_test
}

# --- a session --------------------------------------------------------------------------------------------------

lib=${BASH_SOURCE[0]}
test_state=none
if [ "$0" = "$lib" ]; then
  export LC_ALL=C
  session=sessions/$(basename "$1" .sh)
  export MYDOCKER_ROOT=$T/root
  export HOME=$T
  PTY=$T_ALL/pty
  WITHOUT=$T_ALL/without
  cd "$T" || exit 1
  ln "$TAR" busybox.tar || exit 1
  snapshot_before=$(snapshot)
  . "$1"
  end_test
  leaves_nothing
  : >"$T/finished"
fi
