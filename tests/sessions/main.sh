# The session of the README, word for word, at its literal places: /root/volume and the default store.

# A mount namespace in which those places are empty and nobody's.
mkfifo gate
unshare -m --propagation private /bin/bash -c '
  for at in /root /var/lib /run; do mount -t tmpfs -o mode=755 none "$at" || exit 1; done
  echo up; exec sleep 300' >gate &
holder=$!
read -r up <gate
machine() { env -u MYDOCKER_ROOT HOME=/root nsenter --mount="/proc/$holder/ns/mnt" --wd="$T" -- "$@"; }
ln -s "$MYDOCKER" mydocker
# What a terminal showed, without carriage returns and the escapes of the shell and of ls.
shown() { tr -d '\r' <"$T/out" | sed 's/\x1b\[[0-9;]*[A-Za-z]//g'; }
mounts() { machine perl -ne 's/^\d+ \d+ //; print' /proc/self/mountinfo; }
mounts_before=$(mounts)

begin 'a shell with a volume that does not exist yet'
  need_pty
  refuse machine test -e /root/volume
  feed 'expect / # 
send echo KubeExplorer > tmp/hello.txt ; ls /tmp ; cat /tmp/hello.txt ; exit\r
expect exit
wait
'
  run machine "$PTY" -- ./mydocker run -it -v /root/volume:/tmp /bin/sh
  exits 0
  same $'hello.txt\nKubeExplorer' "$(shown | tail -n 2)" 'the last lines shown'
  run machine cat /root/volume/hello.txt
  prints KubeExplorer

begin 'the volume keeps what a second container finds and changes'
  need_pty
  feed 'expect / # 
send cat /tmp/hello.txt ; echo KubeExplorer222 > /tmp/hello.txt ; exit\r
expect exit
wait
'
  run machine "$PTY" -- ./mydocker run -it -v /root/volume:/tmp /bin/sh
  exits 0
  same KubeExplorer "$(shown | tail -n 1)" 'the last line shown'
  run machine cat /root/volume/hello.txt
  prints KubeExplorer222

begin 'of the containers nothing is left, of the volume its file'
  need_pty
  same "$mounts_before" "$(mounts)" 'the mounts'
  run machine find /root/volume -type f
  prints /root/volume/hello.txt
  run machine ls -A /var/lib/mydocker/containers
  prints ''
  run machine find /run -mindepth 1 -not -path '/run/mydocker'
  prints ''

begin "ls shows a busybox root without the host's files"
  need_pty
  feed 'wait
'
  run machine "$PTY" -w 200x24 -- ./mydocker run -it /bin/ls
  exits 0
  same 'bin dev etc home proc root sys tmp var' \
    "$(shown | tr -s ' \n' '\n\n' | grep . | sort | paste -sd ' ')" 'the names in /'

begin 'without a terminal the same works with -i'
  feed 'echo one > /tmp/one; cat /tmp/one; ls /'
  run machine ./mydocker run -i -v /root/volume:/tmp /bin/sh
  exits 0; quiet
  prints $'one\nbin\ndev\netc\nhome\nproc\nroot\nsys\ntmp\nvar'
  run machine cat /root/volume/one
  prints one

begin "a container's writes do not reach the image"
  run machine ./mydocker run busybox sh -c 'echo hi > /etc/mark; cat /etc/mark'
  exits 0; prints hi
  run machine ./mydocker run busybox cat /etc/mark
  exits 1; says 'No such file or directory'

kill "$holder"
wait "$holder" 2>/dev/null
