# Each system call of a start fails in turn, or is the last: a sample of tests/faults/run, which `make faults` runs whole.
# SEED=N repeats a sample (as far as the time goes, FAULTS_SECONDS); its cases are in the order that the seed gives.

seed=${SEED:-$(($(date +%s) % 1000000 + 1))}
seconds=${FAULTS_SECONDS:-60}

begin "a system call that fails, or the last before SIGKILL, leaves nothing and confines no less: $seconds s of seed $seed"
if [ "$(uname -m)" != x86_64 ]; then skip 'the tracer knows x86_64 only'; fi
if active; then command -v musl-gcc >/dev/null || need cc; fi
# In the background of others a case takes longer, and so does the last one.
FAULTS_DIR=$T LIMIT=$((seconds + 90)) run "$TESTS/faults/run" -j 2 -s "$seed" -t "$seconds"
if active && [ "$code" != 0 ]; then fail "SEED=$seed shows it again" "$(grep -E '^[a-z]+	' "$T/out" | head -n 10)" "$(tail -n 3 "$T/out")" "$(tail -n 3 "$T/err")"; fi
if active; then sed -n '/cases in/s/^/# /p' "$T/out"; fi

begin 'what it finds with strace as the injector is the same'
need strace
if [ "$(uname -m)" != x86_64 ]; then skip 'the tracer knows x86_64 only'; fi
FAULTS_DIR=$T LIMIT=60 run "$TESTS/faults/run" -v piped -s "$seed" -n 40 -S
exits 0
