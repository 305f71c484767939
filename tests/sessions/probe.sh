# What a container's root may do, tried by tests/tools/probe.c, against what docker's may: tests/expected/probe.runc is docker's
# newest default on this kernel, recorded by tests/tools/probe-record (its first lines say of what). An answer that differs is
# either stricter and listed in tests/expected/probe.mydocker with the reason, or a failure.
. "$TESTS/tools/host.sh"

expected=$TESTS/expected
tool probe && probe=$tool_path
mkdir -p tree/{bin,etc,root,tmp} && chmod 1777 tree/tmp && chmod 700 tree/root
printf 'root:x:0:0:root:/root:/bin/sh\n' >tree/etc/passwd
printf 'root:x:0:\n' >tree/etc/group
if [ -n "$probe" ]; then cp "$probe" tree/bin/probe; fi
host=("$$" "$(hostname)")
for name in mnt pid uts ipc net cgroup user time; do host+=("$(readlink "/proc/self/ns/$name")"); done

# probe FLAG...: the probe in a container with these flags. A descriptor of the caller is open, as when it was recorded.
probe() { LIMIT=120 run sh -c 'exec 9<"$HOME"; exec "$@"' sh "$MYDOCKER" run "$@" ./tree /bin/probe "${host[@]}"; }
answer() { sed -n "s/^$1: //p" "$T/out"; }
is() { same "$2" "$(answer "$1")" "the answer to $1"; }

begin "the default is nowhere looser than docker's"
  tool probe
  probe
  exits 0; quiet
  if [ "$(answer '02 Seccomp')" = 0 ]; then skip 'the system call filter is not written yet'; fi
  same '' "$("$expected/../tools/probe-compare" "$expected/probe.runc" "$expected/probe.mydocker" <"$T/out")" 'what differs'

begin "the probe itself: on a host without a barrier it gets through"
  tool probe
  # With no container at all: were its answers the same here, the test above could not fail.
  run unshare -m --propagation private "$probe" "${host[@]}"
  exits 0
  "$expected/../tools/probe-compare" "$expected/probe.runc" "$expected/probe.mydocker" <"$T/out" >"$T/through"
  if active && [ "$(wc -l <"$T/through")" -lt 100 ]; then fail "only $(wc -l <"$T/through") of its lines differ" "$(<"$T/through")"; fi
