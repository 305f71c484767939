//! The rows, in the order of `mydocker --help`: containers, what is in them, images, volumes, mydocker itself.

use super::{ANY, Act, Command, help};
use crate::cli::{CREATE, RUN};
use crate::control::{self, prune, update};
use crate::sys::name::t;
use crate::{
    attach, check, commit, completion, cp, detach, diff, exec, export, images, inspect, load, logs, ps, run, save,
    stats, system, top, volumes,
};

/// The commands.
pub static COMMANDS: &[Command] = &[
    Command { name: "run", flags: "", words: (0, ANY), help: RUN, act: Act::Own(run::run) },
    Command { name: "create", flags: "", words: (0, ANY), help: CREATE, act: Act::Own(detach::create) },
    Command {
        name: "start",
        flags: "attach|a interactive|i detach-keys= all supervise=",
        words: (0, ANY),
        help: text!(
            "\
mydocker start [-a] [-i] CONTAINER...
start containers that were created or have ended

  -a, --attach        show its output, pass signals, exit with its code
  -i, --interactive   pass standard input too
      --detach-keys KEYS
      --all           what is to be restarted (--restart always, unless-stopped): for the host's boot
"
        ),
        act: Act::Given(detach::start),
    },
    Command {
        name: "exec",
        flags: "+ interactive|i tty|t detach|d env|e= env-file= workdir|w= user|u= privileged detach-keys= explain",
        words: (2, ANY),
        help: text!(
            "\
mydocker exec [FLAGS] CONTAINER COMMAND [ARG...]
run a command in a container that runs

  -i, --interactive       pass standard input
  -t, --tty               a terminal of its own
  -d, --detach            do not wait for it
  -e, --env NAME[=VALUE]  a variable, over those of the container
      --env-file FILE     a variable a line
  -w, --workdir DIR       its working directory; by default the container's
  -u, --user USER[:GROUP] who runs it, by the container's own /etc/passwd; by default the container's
      --privileged        with all capabilities
      --detach-keys KEYS  what leaves the terminal, and the command running: ctrl-p,ctrl-q
      --explain           print what would be done

Exit codes: the command's; 126 it cannot be executed, 127 it was not found, 128+N it was killed by signal N, 1 mydocker failed.
"
        ),
        act: Act::Given(exec::exec),
    },
    Command {
        name: "attach",
        flags: "no-stdin sig-proxy detach-keys=",
        words: (1, 1),
        help: text!(
            "\
mydocker attach [--no-stdin] [--sig-proxy=false] [--detach-keys KEYS] CONTAINER
be at a running container's terminal or streams, until it ends or ctrl-p ctrl-q is typed

      --no-stdin          only look
      --sig-proxy=false   signals end this command, not the container
      --detach-keys KEYS  letters, or ctrl- and a letter, with commas between
"
        ),
        act: Act::Given(attach::attach),
    },
    Command {
        name: "logs",
        flags: "follow|f tail|n= since= until= timestamps|t details",
        words: (1, 1),
        help: text!(
            "\
mydocker logs [-f] [-t] [-n N] [--since TIME] [--until TIME] CONTAINER
what a container has written to its standard output and error

  -f, --follow        go on until it ends
  -n, --tail N        the last N lines (all)
  -t, --timestamps    each line with its time
      --since TIME    2026-11-24T07:00:00 (UTC, or with a zone), seconds since 1970,
      --until TIME    or a duration before now such as 10m or 1h30m
"
        ),
        act: Act::Given(logs::logs),
    },
    Command {
        name: "stop",
        flags: "signal|s= timeout|t= time=",
        words: (1, ANY),
        help: text!(
            "\
mydocker stop [-t SECONDS] [-s SIGNAL] CONTAINER...
ask containers to end, and kill those that have not after a while

  -s, --signal SIGNAL     instead of SIGTERM, or what --stop-signal or the image says
  -t, --timeout SECONDS   before SIGKILL: 10, or what --stop-timeout says; -1 is never
"
        ),
        act: Act::Given(control::stop),
    },
    Command {
        name: "restart",
        flags: "signal|s= timeout|t= time=",
        words: (1, ANY),
        help: text!(
            "\
mydocker restart [-t SECONDS] [-s SIGNAL] CONTAINER...
stop containers, and start them again

  -s, --signal SIGNAL     as for stop
  -t, --timeout SECONDS
"
        ),
        act: Act::Given(control::restart),
    },
    Command {
        name: "kill",
        flags: "signal|s=",
        words: (1, ANY),
        help: text!(
            "\
mydocker kill [-s SIGNAL] CONTAINER...
kill containers, or send them another signal
"
        ),
        act: Act::Given(control::kill),
    },
    Command {
        name: "wait",
        flags: "",
        words: (1, ANY),
        help: text!(
            "\
mydocker wait CONTAINER...
wait until containers have ended, and print their exit codes
"
        ),
        act: Act::Given(control::wait),
    },
    Command {
        name: "pause",
        flags: "",
        words: (1, ANY),
        help: text!(
            "\
mydocker pause CONTAINER...
freeze all that runs in containers
"
        ),
        act: Act::Given(control::pause),
    },
    Command {
        name: "unpause",
        flags: "",
        words: (1, ANY),
        help: text!(
            "\
mydocker unpause CONTAINER...
let what was paused go on
"
        ),
        act: Act::Given(control::unpause),
    },
    Command {
        name: "rename",
        flags: "",
        words: (2, 2),
        help: text!(
            "\
mydocker rename CONTAINER NAME
give a container another name
"
        ),
        act: Act::Given(control::rename),
    },
    Command {
        name: "update",
        flags: "memory|m= memory-swap= cpus= cpu-shares|c= cpuset-cpus= cpuset-mems= pids-limit= restart=",
        words: (1, ANY),
        help: text!(
            "\
mydocker update [FLAGS] CONTAINER...
change the limits of containers, running or not

  -m, --memory SIZE          --memory-swap SIZE|-1
      --cpus N               -c, --cpu-shares N
      --cpuset-cpus LIST     --cpuset-mems LIST
      --pids-limit N         --restart POLICY
"
        ),
        act: Act::Given(update::update),
    },
    Command {
        name: "rm",
        flags: "force|f volumes|v",
        words: (1, ANY),
        help: text!(
            "\
mydocker rm [-f] [-v] CONTAINER...
remove containers

  -f, --force     kill those that run
  -v, --volumes   and their anonymous volumes
"
        ),
        act: Act::Given(control::rm),
    },
    Command {
        name: "ps",
        flags: "all|a quiet|q last|n= latest|l size|s no-trunc filter|f= format=",
        words: (0, 0),
        help: text!(
            "\
mydocker ps [FLAGS]
list the containers

  -a, --all             those that have ended too
  -q, --quiet           their ids
  -n, --last N          the last N that were made; -l, --latest the last one
  -s, --size            how much they have written
      --no-trunc        whole ids and commands
  -f, --filter NAME=VALUE   ancestor, before, exited, id, label, name, network, since,
                        status or volume
      --format TEMPLATE     json, 'table {{.ID}}\\t{{.Names}}', '{{.Names}}: {{.Status}}'
"
        ),
        act: Act::Given(ps::ps),
    },
    Command {
        name: "inspect",
        flags: "format|f= size|s type=",
        words: (1, ANY),
        help: text!(
            "\
mydocker inspect [-f TEMPLATE] [-s] [--type container|image|volume] NAME...
print all that is known of containers, images and volumes, as JSON

  -f, --format TEMPLATE   such as '{{.State.Status}}' or '{{json .Config.Env}}'
  -s, --size              how much a container has written
      --type              what it is that has this name
"
        ),
        act: Act::Given(inspect::inspect),
    },
    Command {
        name: "container inspect",
        flags: "format|f= size|s",
        words: (1, ANY),
        help: text!(
            "\
mydocker container inspect [-f TEMPLATE] [-s] CONTAINER...
print all that is known of containers, as JSON
"
        ),
        act: Act::Given(|given| inspect::objects(given, t(c"container"))),
    },
    Command {
        name: "top",
        flags: "+",
        words: (1, ANY),
        help: text!(
            "\
mydocker top CONTAINER [-ef | aux | -o COLUMN,...]
the processes of a container, with their pids on the host

  -o    %cpu %mem args c cmd comm ni nlwp pgid pid ppid rss s sid start stat stime
        time tty uid user vsz
"
        ),
        act: Act::Given(top::top),
    },
    Command {
        name: "stats",
        flags: "all|a no-stream no-trunc format=",
        words: (0, ANY),
        help: text!(
            "\
mydocker stats [-a] [--no-stream] [--no-trunc] [--format TEMPLATE] [CONTAINER...]
what containers use: processor, memory, network, disk

  -a, --all         those that do not run too
      --no-stream   once, instead of each second
"
        ),
        act: Act::Given(stats::stats),
    },
    Command {
        name: "diff",
        flags: "",
        words: (1, 1),
        help: text!(
            "\
mydocker diff CONTAINER
list what a container has added (A), changed (C) and deleted (D)
"
        ),
        act: Act::Given(diff::diff),
    },
    Command {
        name: "cp",
        flags: "archive|a follow-link|L quiet|q",
        words: (2, 2),
        help: text!(
            "\
mydocker cp [-a] [-L] CONTAINER:PATH PATH|-, mydocker cp [-a] [-L] PATH|- CONTAINER:PATH
copy files out of a container or into it; - is a tar archive on a standard stream

  -a, --archive       owners are kept, which into a container they always are
  -L, --follow-link   what a symbolic link leads to, not the link
  -q, --quiet
"
        ),
        act: Act::Given(cp::cp),
    },
    Command {
        name: "export",
        flags: "output|o=",
        words: (1, 1),
        help: text!(
            "\
mydocker export [-o FILE] CONTAINER
write a container's root as a tar archive

  -o, --output FILE   instead of to standard output
"
        ),
        act: Act::Given(export::export),
    },
    Command {
        name: "commit",
        flags: "author|a= change|c= message|m= pause|p",
        words: (1, 2),
        help: text!(
            "\
mydocker commit [FLAGS] CONTAINER [REPOSITORY[:TAG]]
make an image of what a container has written; prints its id

  -a, --author NAME           -m, --message TEXT
  -c, --change INSTRUCTION    as in a Dockerfile: 'CMD [\"sh\"]', 'ENV NAME=value'
  -p, --pause=false           do not let the container stand still meanwhile
"
        ),
        act: Act::Given(commit::commit),
    },
    Command {
        name: "container prune",
        flags: "force|f filter=",
        words: (0, 0),
        help: text!(
            "\
mydocker container prune [-f] [--filter until=TIME|label[!]=NAME[=VALUE]]
remove all containers that do not run

  -f, --force   do not ask
"
        ),
        act: Act::Given(prune::containers),
    },
    Command {
        name: "images",
        flags: "all|a quiet|q no-trunc digests filter|f= format=",
        words: (0, 1),
        help: text!(
            "\
mydocker images [FLAGS] [NAME[:TAG]]
list images

  -a, --all             those without a name are always shown
  -q, --quiet           ids only
      --no-trunc        whole ids
      --digests         a column more
  -f, --filter F        reference=PATTERN, dangling=true, label=NAME[=VALUE], before=IMAGE, since=IMAGE
      --format F        json, or a template such as '{{.Repository}}:{{.Tag}}\\t{{.Size}}'
"
        ),
        act: Act::Given(images::list),
    },
    Command {
        name: "import",
        flags: "change|c= message|m= platform=",
        words: (1, 2),
        help: text!(
            "\
mydocker import [FLAGS] FILE|- [NAME[:TAG]]
make an image of a root file system in a tar archive (plain or gzip); prints its id

  -c, --change C     CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, USER, VOLUME, WORKDIR as in a Dockerfile
  -m, --message M    the image's comment
"
        ),
        act: Act::Given(images::import),
    },
    Command {
        name: "load",
        flags: "input|i= quiet|q",
        words: (0, 0),
        help: text!(
            "\
mydocker load [-i FILE] [-q]
take images from an archive, as docker save and skopeo write it (docker-archive, oci-archive)

  -i, --input FILE   instead of standard input
  -q, --quiet        no progress
"
        ),
        act: Act::Given(load::load),
    },
    Command {
        name: "save",
        flags: "output|o=",
        words: (1, ANY),
        help: text!(
            "\
mydocker save [-o FILE] IMAGE...
write images as an archive, for load, docker load and skopeo (docker-archive, oci-archive)

  -o, --output FILE   instead of to standard output
"
        ),
        act: Act::Given(save::save),
    },
    Command {
        name: "tag",
        flags: "",
        words: (2, 2),
        help: text!(
            "\
mydocker tag IMAGE NAME[:TAG]
give an image another name
"
        ),
        act: Act::Given(images::tag),
    },
    Command {
        name: "rmi",
        flags: "force|f no-prune platform=",
        words: (1, ANY),
        help: text!(
            "\
mydocker rmi [-f] IMAGE...
take an image's name away; with the last one remove the image

  -f, --force    though it has several names, or containers that have ended
"
        ),
        act: Act::Given(images::remove),
    },
    Command {
        name: "history",
        flags: "human|H no-trunc quiet|q format= platform=",
        words: (1, 1),
        help: text!(
            "\
mydocker history [FLAGS] IMAGE
show how an image was made

  -q, --quiet       ids only
      --no-trunc    whole
      --format F    json, or a template
"
        ),
        act: Act::Given(images::history),
    },
    Command {
        name: "image inspect",
        flags: "format|f=",
        words: (1, ANY),
        help: text!(
            "\
mydocker image inspect [-f TEMPLATE] IMAGE...
print all that is known of images, as JSON
"
        ),
        act: Act::Given(|given| inspect::objects(given, t(c"image"))),
    },
    Command {
        name: "image prune",
        flags: "all|a force|f filter=",
        words: (0, 0),
        help: text!(
            "\
mydocker image prune [-a] [-f]
remove images without a name

  -a, --all         all that no container has
  -f, --force       without a question
      --filter F    label=NAME[=VALUE]
"
        ),
        act: Act::Given(images::prune_command),
    },
    Command {
        name: "volume create",
        flags: "label= driver|d=",
        words: (0, 1),
        help: text!(
            "\
mydocker volume create [--label NAME[=VALUE]]... [NAME]
make a volume
"
        ),
        act: Act::Given(volumes::create),
    },
    Command {
        name: "volume ls",
        flags: "quiet|q filter|f= format=",
        words: (0, 0),
        help: text!(
            "\
mydocker volume ls [-q] [-f NAME=VALUE] [--format TEMPLATE]
list the volumes

  -f, --filter NAME=VALUE   dangling=true (in no container), driver, label or name
"
        ),
        act: Act::Given(volumes::list),
    },
    Command {
        name: "volume inspect",
        flags: "format|f=",
        words: (1, ANY),
        help: text!(
            "\
mydocker volume inspect [-f TEMPLATE] VOLUME...
print all that is known of volumes, as JSON
"
        ),
        act: Act::Given(volumes::inspect),
    },
    Command {
        name: "volume rm",
        flags: "force|f",
        words: (1, ANY),
        help: text!(
            "\
mydocker volume rm [-f] VOLUME...
remove volumes that no container was made with; with -f one may be missing
"
        ),
        act: Act::Given(volumes::remove),
    },
    Command {
        name: "volume prune",
        flags: "all|a force|f filter=",
        words: (0, 0),
        help: text!(
            "\
mydocker volume prune [-a] [-f] [--filter label=NAME[=VALUE]]
remove the volumes that no container was made with

  -a, --all     those with a name too
  -f, --force   do not ask
"
        ),
        act: Act::Given(volumes::prune_command),
    },
    Command {
        name: "check",
        flags: "",
        words: (0, 0),
        help: text!(
            "\
mydocker check [--root DIR]
try what a container needs: a line for each, ok, or no and the way out

Exit codes: 0 `run` works here, 1 it does not, 125 mydocker failed.
"
        ),
        act: Act::Given(check::check),
    },
    Command {
        name: "info",
        flags: "format|f=",
        words: (0, 0),
        help: text!(
            "\
mydocker info [-f TEMPLATE]
what there is in the store, and on what host
"
        ),
        act: Act::Given(system::info),
    },
    Command {
        name: "system df",
        flags: "verbose|v format=",
        words: (0, 0),
        help: text!(
            "\
mydocker system df [-v] [--format TEMPLATE]
how much images, containers and volumes take, and what of it nobody uses

  -v, --verbose   each of them
"
        ),
        act: Act::Given(system::df),
    },
    Command {
        name: "system prune",
        flags: "all|a force|f volumes filter=",
        words: (0, 0),
        help: text!(
            "\
mydocker system prune [-a] [-f] [--volumes] [--filter until=TIME|label=NAME[=VALUE]]
remove containers that have ended and images without a name

  -a, --all       all images that no container has
  -f, --force     do not ask
      --volumes   anonymous volumes too that no container was made with
"
        ),
        act: Act::Given(prune::system),
    },
    Command {
        name: "completion",
        flags: "",
        words: (1, 1),
        help: text!(
            "\
mydocker completion bash|zsh|fish
print what the shell needs to complete mydocker's commands, flags, containers and images

  source <(mydocker completion bash)           in ~/.bashrc
  mydocker completion fish | source            in ~/.config/fish/config.fish
"
        ),
        act: Act::Given(completion::completion),
    },
    Command {
        name: "version",
        flags: "format|f=",
        words: (0, 0),
        help: text!(
            "\
mydocker version [-f TEMPLATE]
print the version
"
        ),
        act: Act::Given(system::version),
    },
    Command {
        name: "help",
        flags: "",
        words: (0, 2),
        help: text!(
            "\
mydocker help [COMMAND]
print this text, or a command's
"
        ),
        act: Act::Given(help),
    },
];
