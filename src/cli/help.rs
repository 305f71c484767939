//! The usage texts.

use crate::text::Message;

/// `mydocker --help`.
pub const MAIN: Message = text!(
    "\
mydocker runs a command in a container made of system calls.

  mydocker run -it /bin/sh                       a shell in the default image
  mydocker run -it -v /root/volume:/tmp /bin/sh  with a directory of the host on /tmp
  mydocker run --explain /bin/sh                 what it would do, call by call

Commands:
"
);

/// `mydocker run --help`.
pub const RUN: Message = text!(
    "\
mydocker run [FLAGS] [IMAGE] COMMAND [ARG...]
run a command in a new container

IMAGE is an imported name, a .tar or .tar.gz of a root file system, or a directory
written ./DIR. Without one it is `busybox`, imported from ./busybox.tar or
$HOME/busybox.tar. Flags end at the first word; -flag and --flag are the same.

  mydocker run -it -v /root/volume:/tmp /bin/sh
  mydocker run -m 64m --cpus 0.5 --pids-limit 50 ./app.tar /bin/app --verbose
  echo hello | mydocker run -i --read-only -u nobody cat

Streams and terminal
  -i, --interactive          pass standard input (otherwise it is /dev/null)
  -t, --tty                  a terminal of its own; -it for a shell
Mounts
  -v, --volume [SRC:]DST[:OPTIONS]   ro, rw, z, Z, nocopy, [r]private, [r]shared, [r]slave
      --mount type=bind|volume|tmpfs,src=SRC,dst=DST[,ro]
      --tmpfs DST[:size=64m,mode=1777,exec]
      --read-only            the root itself; volumes stay writable
      --shm-size SIZE        of /dev/shm (64m)
      --rootfs DIR           a directory as image
Command
  -e, --env NAME[=VALUE]     --env-file FILE
  -u, --user USER[:GROUP]    names of the image, or numbers
      --group-add GROUP      one more
  -w, --workdir DIR          made where it is missing
      --entrypoint COMMAND   --init (PID 1 reaps)   --stop-signal SIGNAL
      --ulimit NAME=SOFT[:HARD]   --oom-score-adj -1000..1000
      --sysctl KEY=VALUE     of a namespace: net.*, fs.mqueue.*, kernel.msg*, .sem, .shm*
  -h, --hostname NAME        --name NAME            --rm (in the foreground always)
Containers that stay
  -d, --detach               in the background; prints the id
      --keep                 in the foreground, and not removed at its end
      --restart no|on-failure[:N]|always|unless-stopped
      --label NAME[=VALUE]   --label-file FILE      --cidfile FILE
      --stop-timeout SECONDS --log-driver none      --log-opt max-size=10m|max-file=3
Limits
  -m, --memory SIZE          --memory-swap SIZE|-1
      --cpus N               -cpu PERCENT of one    --cpu-shares N
      --cpuset-cpus LIST     --cpuset-mems LIST     --pids-limit N
Security (docker's default: 14 capabilities, a seccomp filter, /proc masked)
      --cap-add CAP          --cap-drop CAP (or ALL)   --privileged
      --device SRC[:DST][:rwm]   --device-cgroup-rule 'c 10:200 rwm'
      --security-opt no-new-privileges|seccomp=unconfined|systempaths=unconfined
                     |apparmor=PROFILE|label=user:U|role:R|type:T|level:L
Namespaces shared with the host
      --net host|none        --pid host   --uts host   --ipc host
      --userns host|UID:GID:SIZE|USER|auto   or one of its own, with the ids of
                             a range, or of USER's in /etc/subuid and /etc/subgid
mydocker
      --root DIR             the store (/var/lib/mydocker, or MYDOCKER_ROOT)
      --explain              print each system call of the start, and do nothing
      --trace-startup        print how long each of them took
      --timeout TIME         ended after 1.5s, 2m or 1h30m: exit code 124
      --stats                print time and memory that were used
      --log-level LEVEL      info: each step as a line of JSON on stderr

Exit codes: the command's own; 125 mydocker failed, 126 the command cannot be
invoked, 127 it was not found, 128+N it died of signal N.
"
);

/// `mydocker create --help`.
pub const CREATE: Message = text!(
    "\
mydocker create [FLAGS] [IMAGE] COMMAND [ARG...]
make a container that `start` starts; its flags are those of `run`
"
);
