# The framework itself: a test suite that cannot fail proves nothing.

# suite NAME TEXT: a suite of one session, run by another tests/run.
suite() {
  mkdir -p "$T/$1"
  cat >"$T/$1/inner.sh"
}
inner() { SESSIONS="$T/$1" "$TESTS/run"; }

begin 'what is true passes'
suite true <<'END'
begin 'all is well'
  run sh -c 'echo one; echo two; echo three >&2; exit 4'
  exits 4; prints $'one\ntwo'; prints_line two; contains tw; lacks four; says hree
  same a a
  check true
  refuse false
begin 'standard input is empty, or what is fed'
  run cat; prints ''
  feed $'a\nb'; run cat; prints $'a\nb'; quiet
  run cat; prints ''
END
  run inner true
  exits 0
  prints_line 'ok   sessions/inner: all is well'
  prints_line 'ok   sessions/inner: standard input is empty, or what is fed'
  prints_line 'ok   sessions/inner: inner leaves nothing behind'
  same '4 passed, 0 failed, 0 skipped' "$(tail -n 1 <<<"$out")"

begin 'each expectation that is not met fails its test, and says where and what came'
suite false <<'END'
begin 'wrong code';   run sh -c 'echo seen; echo heard >&2; exit 3'; exits 0
begin 'wrong stdout'; run echo a; prints b
begin 'wrong line';   run echo abc; prints_line ab
begin 'wrong part';   run echo abc; contains d
begin 'wrong lack';   run echo abc; lacks b
begin 'wrong stderr'; run echo abc; says abc
begin 'not quiet';    run sh -c 'echo noise >&2'; quiet
begin 'two lines';    run sh -c 'echo mydocker: a >&2; echo b >&2'; one_line
begin 'no prefix';    run sh -c 'echo a >&2'; one_line
begin 'not the same'; same a b 'the letters'
begin 'not true';     check false
begin 'not false';    refuse true
begin 'a good one';   run sh -c 'echo mydocker: a >&2; echo hint: b >&2'; one_line
END
  run inner false
  exits 1
  same 12 "$(grep -c '^FAIL ' "$T/out")" 'the number of failures'
  prints_line 'FAIL sessions/inner: wrong code'
  prints_line '    inner.sh:1: expected exit code 0'
  contains 'stdout: seen'
  contains 'stderr: heard'
  prints_line 'ok   sessions/inner: a good one'
  same '3 passed, 12 failed, 0 skipped' "$(tail -n 1 <<<"$out")"

begin 'a skipped test is counted as skipped and does nothing more'
suite skipping <<'END'
begin 'cannot be done here'
  skip 'for a reason'
  run touch touched
  exits 7
begin 'the next one runs'
  refuse test -e touched
END
  run inner skipping
  exits 0
  prints_line 'SKIP sessions/inner: cannot be done here (for a reason)'
  same '3 passed, 0 failed, 1 skipped' "$(tail -n 1 <<<"$out")"

begin 'what a session leaves is noticed'
suite leaving <<'END'
begin 'a process, a mount and a directory of a container'
  mkdir -p "$T/m" "$MYDOCKER_ROOT/containers/left"
  mount -t tmpfs none "$T/m"
  (sleep 60 >/dev/null 2>&1 &)
END
  run inner leaving
  exits 1
  prints_line 'FAIL sessions/inner: inner leaves nothing behind'
  contains '> process: sleep'
  contains '> container: left'
  contains 'tmpfs'

begin 'a session that stops half way has failed'
suite early <<'END'
begin 'stops'
  exit 0
END
  run inner early
  exits 1
  prints_line 'FAIL sessions/inner: the session ended early'

begin 'a command without an end is ended and fails its test'
suite endless <<'END'
LIMIT=1
begin 'endless'; run sleep 20
END
  run inner endless
  exits 1
  contains 'no end after 1 s'

begin 'with AGAIN a session that fails once and then passes is flaky, not failed; one that fails again has failed'
suite flaky <<'END'
begin 'now and then'
  echo >>"$COUNT"
  check test "$(wc -l <"$COUNT")" -ne "$WRONG"
END
  # again N WRONG: the inner suite with N more tries, whose try WRONG fails.
  again() { rm -f "$T/count"; AGAIN=$1 WRONG=$2 COUNT=$T/count inner flaky; }
  run again 0 1
  exits 1
  run again 3 1
  exits 0
  prints_line 'FAIL sessions/inner: now and then'
  prints_line 'flaky: sessions/inner failed, and then passed 3 times'
  same '3 passed, 0 failed, 0 skipped' "$(tail -n 1 <<<"$out")"
  same 4 "$(wc -l <"$T/count")" 'how often it ran'
suite flaky <<'END'
begin 'more often'
  echo >>"$COUNT"
  refuse test "$(wc -l <"$COUNT")" -eq 1 -o "$(wc -l <"$COUNT")" -eq "$WRONG"
END
  run again 3 4
  exits 1
  lacks flaky:
  same '2 passed, 1 failed, 0 skipped' "$(tail -n 1 <<<"$out")"
  same 4 "$(wc -l <"$T/count")" 'how often it ran'
  run again 3 2
  exits 1
  same 2 "$(wc -l <"$T/count")" 'how often it ran'

begin 'a word chooses the sessions'
suite choice <<'END'
begin 'chosen'
END
  cp "$T/choice/inner.sh" "$T/choice/other.sh"
  run env SESSIONS="$T/choice" "$TESTS/run" oth
  exits 0
  contains 'sessions/other: chosen'
  lacks 'sessions/inner'

begin 'without root it says so and lists what would have run'
  # Its own copy: the checkout may be where only root can go.
  cp -r "$TESTS" "$T/copy"
  chmod -R a+rX "$T/copy"
  run env SESSIONS="$T/choice" setpriv --reuid 65534 --regid 65534 --clear-groups "$T/copy/run"
  exits 1
  contains 'need root'
  contains 'sessions/inner: chosen'
