#!/bin/bash
# Writes docs/mydocker-commands.1 from what `mydocker help COMMAND` prints: `docs/commands.sh > docs/mydocker-commands.1`.
# The suite fails where the page is not what this prints.
export LC_ALL=C
mydocker=${MYDOCKER:-$(dirname "$0")/../mydocker}

roff() { sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\\([.']\\)/\\\\\&\\1/"; }

cat <<'PAGE'
.\" Made by docs/commands.sh from the texts of `mydocker help`.
.TH MYDOCKER-COMMANDS 1 2026-11-26 "mydocker 0.1.0"
.SH NAME
mydocker\-commands \- containers that stay, images and volumes
.SH SYNOPSIS
.B mydocker
.I COMMAND
.RI [ FLAGS ]
.RI [ ARG ...]
.SH DESCRIPTION
The commands of
.BR mydocker (1)
but
.BR run ,
whose flags are in that page; those of
.B create
are the same.
A container is named by its name, its id, or the beginning of its id that is no other's.
Flags may stand behind words, except in
.BR run ", " create " and " exec ,
where they end at the first.
Each command has
.B \-\-help
and
.BR \-\-root .
.SH COMMANDS
PAGE
"$mydocker" help | sed -n '/^Commands:/,$p' | sed -n 's/^  \([a-z]\+\( [a-z]\+\)\?\)  .*/\1/p' | while read -r command; do
  [ "$command" = run ] && continue
  # Two words or one, as it is typed.
  # shellcheck disable=SC2086
  text=$("$mydocker" help $command)
  printf '.SS "%s"\n' "$(head -n 1 <<<"$text" | roff)"
  sed -n 2p <<<"$text" | roff
  if [ "$(wc -l <<<"$text")" -gt 2 ]; then
    printf '.PP\n.nf\n%s\n.fi\n' "$(tail -n +4 <<<"$text" | roff)"
  fi
done
cat <<'PAGE'
.SH EXIT STATUS
0, or 1 where a command has failed for one of the things that it was given, as docker has it;
125 for wrong flags and where mydocker itself has failed.
.BR start " \-a, " attach " and " exec
exit with the command's code.
.SH SEE ALSO
.BR mydocker (1)
PAGE
