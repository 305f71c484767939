# Random commands, several at a time, some of them killed, against a model of what must hold: `make model` is more of it.

begin "whatever is typed, whoever is killed: what must hold holds"
  need rustc
  LIMIT=300 run "$TESTS/model/run" --steps "${MODEL_STEPS:-300}" --seed "${MODEL_SEED:-31}"
  if active && [ "$code" != 0 ]; then fail 'it did not hold:' "$(head -n 60 "$T/out")"; fi
  contains 'all that must hold held'

# The model itself: a program that is wrong sometimes must be found out, and a short script must be what comes. Nobody is killed,
# so that nothing else can be what is found, and what can be known of an exit code is known.
wrong() {
  printf '#!/bin/bash\n%s\nexec %q "$@"\n' "$1" "$MYDOCKER" >"$T/mydocker"
  chmod 755 "$T/mydocker"
}
wrapped() { MYDOCKER=$T/mydocker "$TESTS/model/run" --seed 7 --steps 2000 --shrink 40 --kills 0; }

begin "a stop that did not stop is found, and shrunk"
  need rustc
  wrong 'if [ "$1" = stop ] && [ $(($$ % 3)) = 0 ]; then echo "${@: -1}"; exit 0; fi'
  LIMIT=300 run wrapped
  exits 1
  contains 'It fails with these'
  contains 'mydocker stop -t 1'
  if active && [ "$(grep -c '^mydocker' "$T/out")" -gt 12 ]; then fail 'expected a short script' "$(sed -n '/It fails/,$p' "$T/out")"; fi

begin "an exit code that is not kept is found"
  need rustc
  wrong 'if [ "$1" = inspect ]; then "'"$MYDOCKER"'" "$@" | sed "s/exited 137/exited 0/"; exit "${PIPESTATUS[0]}"; fi'
  LIMIT=300 run wrapped
  exits 1
  contains 'exited 137'
