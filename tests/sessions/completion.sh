# Shell completions: what a user is offered when he types TAB.

mkdir "$T/bin" && ln -s "$MYDOCKER" "$T/bin/mydocker"
export MYDOCKER_ROOT=$T/root

# offered WORD...: what bash offers behind these words, one a line.
offered() {
  PATH=$T/bin:$PATH bash -c 'source <(mydocker completion bash) || exit 1
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mydocker; printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
}

# same WHAT WANTED GOT
same() { if [ "$2" != "$3" ]; then fail "$1" "wanted: $2" "got: $3"; fi; }

begin 'bash is offered the commands'
same 'those that begin with st' "$(printf 'start\nstats\nstop\n')" "$(offered mydocker st | sort)"
same 'those of a group' "$(printf 'create\ninspect\nls\nprune\nrm\n')" "$(offered mydocker volume '' | sort)"

begin 'bash is offered the flags of a command'
same 'ps --f' "$(printf -- '--filter\n--format\n')" "$(offered mydocker ps --f | sort)"
same 'run --memory' "$(printf -- '--memory\n--memory-swap\n')" "$(offered mydocker run --memory | sort)"
same 'volume ls -q' "$(printf -- '-q\n')" "$(offered mydocker volume ls -q)"

begin 'what is offered is taken: no flag of any command is unknown'
for command in $(offered mydocker '' | sort -u); do
  for flag in $(offered mydocker "$command" --); do
    run mydocker "$command" "$flag" --no-such-flag --help
    case $err in *"unknown flag: $flag"*) fail "$command $flag is offered and unknown" "$err" ;; esac
  done
done

begin 'bash is offered containers, images and volumes by name'
run mydocker create --name a-container "$TAR" true
same 'start a-' a-container "$(offered mydocker start a-)"
run mydocker volume create a-volume
same 'volume rm' a-volume "$(offered mydocker volume rm '')"
run mydocker import "$TAR" an-image:one
same 'history an' an-image:one "$(offered mydocker history an)"

begin 'fish is offered the same'
if need fish; then
  fish_offers() { HOME=$T PATH=$T/bin:$PATH fish -c 'mydocker completion fish | source; complete -C "$argv[1]"' "$1" | cut -f1 | sort; }
  same 'ps --f' "$(printf -- '--filter\n--format\n')" "$(fish_offers 'mydocker ps --f')"
  same 'start a-' a-container "$(fish_offers 'mydocker start a-')"
  same 'st' "$(printf 'start\nstats\nstop\n')" "$(fish_offers 'mydocker st')"
fi

begin 'zsh takes the script'
if need zsh; then
  run env HOME="$T" PATH="$T/bin:$PATH" zsh -f -c \
    'source <(mydocker completion zsh) && whence -w _mydocker && print -r -- $_comps[mydocker]'
  same 'the function, and what it completes' "$(printf '_mydocker: function\n_bash_complete -o default -F _mydocker')" "$out"
  same 'nothing is wrong' '' "$err"
fi

begin 'another shell is an error that names the three'
run mydocker completion tcsh
same 'exit code' 1 "$code"
same 'message' 'mydocker: completion: bash, zsh or fish, not tcsh' "$err"

run mydocker rm a-container

begin 'the page of the commands is what help prints'
same 'docs/commands.sh and docs/mydocker-commands.1 differ' '' \
  "$(diff <("$TESTS/../docs/commands.sh") "$TESTS/../docs/mydocker-commands.1" | head -n 5)"
