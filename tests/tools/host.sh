# What several sessions need on the host's side. Sourced after lib.sh: . "$TESTS/tools/host.sh"

# Jobs that are killed on purpose are no news, but all else on stderr is.
exec 3>&2 2>"$T/noise"
trap 'grep -vE "line [0-9]+: +[0-9]+ (Killed|Terminated) " "$T/noise" >&3' EXIT

# tool NAME: compiles tests/tools/NAME.c once a suite and puts its path into $tool_path; skips the test where that cannot be.
tool() {
  tool_path=$T_ALL/tool-$1
  [ -x "$tool_path" ] || cc -O1 -static -o "$tool_path" "$TESTS/tools/$1.c" 2>/dev/null || { skip "tests/tools/$1.c does not compile here"; return 1; }
}

# eventually SECONDS COMMAND...: waits until the command succeeds; on a machine that does other things too, thrice as long.
eventually() {
  local end=$(($(date +%s) + 3 * $1))
  shift
  until "$@"; do
    [ "$(date +%s)" -lt "$end" ] || return 1
    sleep 0.05
  done
}

# start ARG...: `mydocker run ARG...` in the background; its pid is $pid. finish: its $code, $out and $err, as after run.
start() {
  if ! active; then return 0; fi
  started="mydocker run $*"
  : >"$T/started.out"
  : >"$T/started.err"
  "$MYDOCKER" run "$@" </dev/null >"$T/started.out" 2>"$T/started.err" &
  pid=$!
}
finish() {
  if ! active; then return 0; fi
  eventually "${1:-30}" gone "$pid" || { fail "no end after ${1:-30} s" "$started"; kill -9 "$pid"; }
  wait "$pid" 2>/dev/null
  code=$?
  typed=$started
  mv "$T/started.out" "$T/out"
  mv "$T/started.err" "$T/err"
  { out=$(<"$T/out"); err=$(<"$T/err"); } 2>/dev/null
}
# A child that has ended is a zombie until the shell waits for it.
gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }
# polls PID: it is in poll(2) or ppoll(2): a mydocker that others tell what comes has done by then all that it does first.
polls() {
  local calls
  case $(uname -m) in x86_64) calls='7|271' ;; arm*) calls='168|336' ;; *) calls=73 ;; esac
  grep -qE "^($calls) " "/proc/$1/syscall" 2>/dev/null
}
# polls_in FILE: and so does the one whose pid is in the file.
polls_in() { [ -s "$1" ] && polls "$(cat "$1")"; }
said() { grep -qF -e "$1" "$T/started.out"; }
# ready: the container has printed that word.
ready() { active && { eventually 20 said ready || fail 'the container never printed "ready"' "$started" "$(<"$T/started.err")"; }; }

# host_pid WORD...: the pids of processes with exactly these as an argument, but for mydocker's own. A container's
# process is found by a number that nobody else has in its command line.
host_pid() {
  perl -e 'for my $dir (glob "/proc/[0-9]*") {
      my ($pid) = $dir =~ /(\d+)/; next if $pid == $$;
      open my $file, "<", "$dir/cmdline" or next; local $/; my @words = split /\0/, <$file> // "";
      next if (readlink("$dir/exe") // "") eq $ENV{MYDOCKER};
      for my $word (@ARGV) { if (grep { $_ eq $word } @words) { print "$pid\n"; last } }
    }' "$@"
}
running() { [ -n "$(host_pid "$1")" ]; }
stopped() { [ -z "$(host_pid "$1")" ]; }

# tree DIR: all that can be told about a tree by looking, one entry a line.
tree() {
  (cd "$1" && find . -printf '%p %y %m %U %G %s %T@ %n %l\n' | sed -E 's/^([^ ]+ d [0-9]+ [0-9]+ [0-9]+) [0-9]+/\1 -/' | sort &&
    find . -type f -print0 | sort -z | xargs -0r sha256sum)
}
