# What docker answered to some 350 commands (tests/expected/differential.docker), and what mydocker answers to them.

begin "mydocker answers as docker does, but where the table says otherwise and why"
  run "$TESTS/differential/run" --recorded
  exits 0
  if active && [ "$code" != 0 ]; then fail 'these rows differ:' "$(grep -A 12 '^FAIL' "$T/out")"; fi

# The comparison itself: with a program that is wrong somewhere it must say so.
wrapped() { MYDOCKER=$T/wrong "$TESTS/differential/run" --recorded "$@"; }
wrong() {
  printf '#!/bin/bash\n%s\nexec %q "$@"\n' "$1" "$MYDOCKER" >"$T/wrong"
  chmod 755 "$T/wrong"
}

begin "a wrong exit code is noticed"
  wrong 'if [ "$1" = kill ]; then "'"$MYDOCKER"'" "$@"; exit 3; fi'
  run wrapped 'kill: SIGKILL' 'kill: no such'
  exits 1
  contains 'FAIL kill: no such container'

begin "another word on stdout is noticed"
  wrong 'if [ "$1" = stop ]; then "'"$MYDOCKER"'" "$@" | sed s/bird/fish/; exit; fi'
  run wrapped 'stop: two'
  exits 1
  contains 'FAIL stop: two'

begin "another message is noticed"
  wrong 'if [ "$1" = rename ]; then "'"$MYDOCKER"'" "$@" 2>/dev/null; exit; fi'
  run wrapped 'rename: no such'
  exits 1
  contains 'FAIL rename: no such container'

begin "a container that is left behind is noticed"
  wrong 'if [ "$1" = rm ]; then exit; fi'
  run wrapped 'create: no command'
  exits 1
  contains 'mydocker left'
