# Hosts with other cgroups than this one, for sessions: . "$TESTS/tools/cgroup_hosts.sh"

# Hosts that there are, each the rest of this machine seen otherwise. `on HOST COMMAND…` types the command on one.
on() {
  local host=$1
  shift
  case $host in
    v1 | v2) unshare -m --propagation private sh -c "$(way "$host"); exec \"\$@\"" sh "$@" ;;
    *) unshare -m --propagation private sh -c 'umount -l /sys/fs/cgroup; exec "$@"' sh "$@" ;;
  esac
}
# way VERSION: how a mount namespace has only that version of cgroups.
way() {
  local at type=cgroup options=devices
  if [ "$1" = v2 ]; then type=cgroup2 options=rw; fi
  at=$(awk -v t="$type" -v c="$options" '{ for (i = 7; $i != "-"; i++); if ($(i+1) == t && ("," $(i+3) ",") ~ "," c ",") { print $5; exit } }' /proc/self/mountinfo)
  if [ -z "$at" ]; then echo 'exit 77'; return 0; fi
  if [ "$1" = v2 ]; then echo "mount --rbind $at /sys/fs/cgroup"; else echo :; fi
}
# has HOST: skips the test where this machine cannot be such a host.
has() {
  if active && ! "$MYDOCKER" version >/dev/null; then fail 'no mydocker'; fi
  on "$1" true || skip "no cgroup $1 with devices here"
}
