# --explain against what strace sees a real run do: the same calls, in the same order, and nothing else.
#
# Compared are all calls that mount or unmount, change the root, make or enter namespaces, set the host name, write to
# cgroup files, make directories outside, remove anything, and take privileges away. Descriptors are numbers in one and names in the other,
# ids differ from run to run: both are made alike.

mkdir -p h/dir tree
echo in a file >h/file
tar -C tree -xf busybox.tar
# A tree in which every mount point is there, so that the container's upper directory stays empty.
mkdir -p tree/proc tree/sys tree/dev tree/mnt tree/data tree/work
touch tree/etc/hosts tree/etc/hostname tree/etc/resolv.conf tree/etc/motd
"$MYDOCKER" run busybox true

# The calls that are compared, one a line, as WHERE CALL: of strace's files (one a process), or of an explanation.
cat >calls.pl <<'END'
use strict;
my ($kind, @files) = @ARGV;
my $family = qr/^(mount|umount2?|pivot_root|chroot|fsopen|fspick|fsconfig|fsmount|open_tree|move_mount|mount_setattr|
  clone3?|v?fork|unshare|setns|sethostname|setdomainname|unlink|unlinkat|rmdir|rename|renameat2?|mkdir|mkdirat|write|prctl|seccomp|capset|setgroups|setresgid|setresuid|bpf)\(/x;
sub alike {
  my ($call) = @_;
  $call =~ s/ \/\* [^*]*\*\///g;                       # strace's remarks
  $call =~ s/AT_FDCWD<[^>]*>/AT_FDCWD/g;
  $call =~ s/([(, =\[])\d+<[^>]*>/$1\{}/g;             # a descriptor of strace -y
  $call =~ s/\{[a-z]+[0-9]*(_[rw])?\}/{}/g;            # a descriptor's name
  $call =~ s/\{procs\d\}/{}/g;
  $call =~ s/\b([0-9a-f]{12}|[0-9a-f]{64})\b/ID/g;
  $call =~ s/\) += .*$/)/;
  $call =~ s/^(seccomp|capset|bpf\(\w+|prctl\(PR_SET_MM, \w+).*/$1/;                  # strace shows what is in the memory
  if ($call =~ /^clone/) {
    my ($flags) = $call =~ /flags=([A-Z_|0-9a-fx]+)/;
    $flags = join '|', sort grep { $_ ne 'SIGCHLD' } split /\|/, $flags;
    $call = "clone $flags";
  }
  return $call;
}
sub show {
  my ($where, $call) = @_;
  # What is made in the container's own root is said by the explanation as "made where it is missing".
  return if $where eq 'inside' && $call =~ /^mkdir/;
  print "$where ", alike($call), "\n";
}
if ($kind eq 'explained') {
  my $where = 'outside';
  open my $in, '<', $files[0] or die; 
  while (my $line = <$in>) {
    chomp $line;
    if ($line =~ /^# (inside|outside, when)/) { $where = $1 eq 'inside' ? 'inside' : 'after'; next }
    next if $line =~ /^#/;
    $line =~ s/  # .*$//;
    if ($line =~ /^openat\((\{cgroup\d\}|AT_FDCWD), "([^"]*)".*; write\((?:…|\.\.\.), (".*"), \d+\)$/) {
      my ($dir, $file, $value) = ($1, $2, $3);
      next if $dir eq 'AT_FDCWD' && $file !~ m{^/sys/fs/cgroup|cgroup\.};
      $file =~ s{.*/}{};
      print "$where cgroup $file $value\n";
    } elsif ($line =~ /^write\(\{copy\}, ("[bc] .*"), \d+\)/) {
      print "$where cgroup devices.allow $1\n";
    } elsif ($line =~ /^write\(\{procs\d\}, (".*"), \d+\)/) {
      print "$where join $1\n";
    } else {
      show($where, $_) for grep { $_ =~ $family && !/^write/ } split /; /, $line;
    }
  }
} else {
  my (%calls, $parent, $child);
  for my $file (@files) {
    open my $in, '<', $file or die;
    my @lines = <$in>;
    chomp @lines;
    $parent = $file if $lines[0] =~ /^execve\(/ && !defined $parent;
    # What has made us an ordinary user first.
    if ($lines[0] =~ /setpriv/) { shift @lines; shift @lines until $lines[0] =~ /^execve\(.* = 0$/ && $lines[0] =~ /mydocker/ }
    $calls{$file} = \@lines;
    $child = $file if grep { /^pivot_root\(/ } @lines;
  }
  my $where = 'outside';
  my $each = sub {
    my ($line) = @_;
    return unless $line =~ $family && $line !~ /PR_SET_MM_MAP_SIZE/; # a question
    if ($line =~ /^write\(/) {
      # Some mount cgroups elsewhere: a file of them is known by its name.
      return unless $line =~ m{^write\(\d+<[^>]*/((?:memory|cpu|cpuset|pids|cgroup|devices)\.[a-z_.]+|tasks)>, (".*"), \d+\)};
      my ($file, $value) = ($1, $2);
      print $file =~ /^(tasks|cgroup\.procs)$/ ? "$where join $value\n" : "$where cgroup $file $value\n";
      return;
    }
    show($where, $line);
  };
  for my $line (@{ $calls{$parent} }) {
    # What is done beside the child is still outside; after its end the first thing is to remove something.
    if ($where eq 'outside' && $line =~ /^(unlink|unlinkat|rmdir)\(/) {
      $where = 'inside';
      for my $below (@{ $calls{$child} }) { last if $below =~ /^execve\(/ && $below =~ / = 0$/; $each->($below) }
      $where = 'after';
    }
    $each->($line);
  }
}
END

person=()
# compared [FLAG...] -- : the explanation of a run of /bin/true, and the run itself.
compared() {
  local flags=$*
  begin "as explained: ${person:+as an ordinary user: }run ${flags//$T/DIR}"
    need strace || return 0
    if ! active; then return 0; fi
    "${person[@]}" "$MYDOCKER" run --explain "$@" /bin/true >explanation 2>err.txt </dev/null
    if [ -s err.txt ] || [ ! -s explanation ]; then fail 'no explanation' "$(head -n 3 err.txt)"; return 0; fi
    rm -f trace.*
    strace -ff -y -s 500 -o trace "${person[@]}" "$MYDOCKER" run "$@" /bin/true >/dev/null 2>err.txt </dev/null || fail 'the run failed' "$(tail -n 3 err.txt)"
    perl calls.pl explained explanation >explained.calls
    perl calls.pl traced trace.* >traced.calls
    if [ ! -s traced.calls ]; then fail 'nothing was traced'; return 0; fi
    if ! cmp -s explained.calls traced.calls; then
      fail 'explained (<) and done (>) differ:' "$(diff explained.calls traced.calls | grep '^[<>]')"
    fi
}
compared ./tree
compared busybox
compared -v "$T/h/dir:/mnt" ./tree
compared -v "$T/h/dir:/mnt:ro" -v "$T/h/file:/etc/motd" ./tree
compared -v "$T/h/made/deep:/mnt" ./tree
compared -v named:/data ./tree
compared -v named:/data:ro ./tree
compared -v /data ./tree
compared -v "$T/h/dir:/mnt:rslave" -v "$T/h/dir:/data:rshared,ro" ./tree
# A target that the image lacks is made in the upper layer, and what is in there is removed with it: the explanation
# says that this happens, but not each of its calls, since nobody knows before what a container will write.
compared --mount "type=bind,src=$T/h/dir,dst=/mnt,ro" --mount type=tmpfs,dst=/data,tmpfs-size=1m ./tree
compared --tmpfs /mnt:size=1m,mode=700 ./tree
compared --read-only ./tree
compared -m 64m ./tree
compared -m 64m --memory-swap 128m --cpus 0.5 --cpu-shares 512 --cpuset-cpus 0 --cpuset-mems 0 --pids-limit 50 ./tree
compared --name explained --hostname explained ./tree
compared -u 1000:1000 -w /work --ulimit nofile=100 ./tree
compared --shm-size 1m ./tree
compared --pid host --uts host --ipc host --net host ./tree
compared --ipc host ./tree
compared -i ./tree
compared --userns 300000:300000:65536 -v "$T/h/dir:/mnt" -v "$T/h/file:/etc/motd:ro" --tmpfs /data ./tree
compared --userns 300000:300000:65536 --net host --pid host -u 5:6 ./tree

mkdir home; chown 54321:54321 home
person=(setpriv --reuid 54321 --regid 54321 --clear-groups env -u MYDOCKER_ROOT HOME="$T/home")
if "${person[@]}" "$MYDOCKER" run ./tree /bin/true 2>/dev/null; then
  compared ./tree
  compared --net host --pid host -v "$T/home/volume:/mnt" -v "$T/h/file:/etc/motd:ro" --tmpfs /data ./tree
fi

begin 'it says each kind of step, with the system calls'"'"' own names, and nothing on standard error'
  run mydocker run --explain -v ./h/dir:/mnt -m 64m -u app --hostname box --name one busybox cat /etc/hosts
  exits 0; quiet
  for call in mkdirat pivot_root umount2 sethostname setsid execve; do contains "$call("; done
  # clone3, or clone where the kernel has only that.
  contains $'\nclone'
  contains '"cat", "/etc/hosts"'
  contains 67108864
  contains '"box"'

begin 'the explanation is the same twice, but for the id'
  run mydocker run --explain -v ./h/dir:/mnt -m 64m ./tree true
  first=$(sed -E 's/\b([0-9a-f]{12}|[0-9a-f]{64})\b/ID/g' "$T/out")
  run mydocker run --explain -v ./h/dir:/mnt -m 64m ./tree true
  same "$first" "$(sed -E 's/\b([0-9a-f]{12}|[0-9a-f]{64})\b/ID/g' "$T/out")" 'the explanations'

begin 'what would be refused is refused when explained, too'
  run mydocker run --explain -v a:b:c:d busybox true; exits 125; one_line; prints ''
  run mydocker run --explain -u nosuch busybox true; exits 125; one_line; prints ''
  run mydocker run --explain -v ./h/dir:/etc/passwd busybox true; exits 125; one_line; prints ''
