# What the table's readers share: rows, their answers as text, and what is made the same before it is compared.
package Differential;
use strict;
use warnings;

# table FILE: its rows in order. A row is `== NAME`, lines of bash, and lines `! KEY exit|out|err|left ANSWER`: there mydocker
# answers otherwise than docker, for the reason that docs/docker-differences.md gives under KEY.
sub table {
    my ($file) = @_;
    open my $in, '<', $file or die "$file: $!";
    my (@rows, %seen);
    while (<$in>) {
        next if /^#/ || (!@rows && /^$/);
        if (/^== (.*)$/) {
            die "$file:$.: two rows are called $1\n" if $seen{$1}++;
            push @rows, { name => $1, line => $., script => '', marks => [] };
        }
        elsif (/^! (\S+) (exit|out|err)(?: (.*))?$/) { push @{ $rows[-1]{marks} }, [$1, $2, $3 // ''] }
        elsif (/^!/) { die "$file:$.: not a mark: $_" }
        elsif (!/^$/) { $rows[-1]{script} .= $_ }
    }
    for my $row (@rows) { $row->{sum} = sum($row->{script}) }
    return @rows;
}

# A row that was changed must be recorded again: eight digits of its script (FNV-1a).
sub sum {
    my $sum = 0x811c9dc5;
    for (unpack 'C*', $_[0]) { $sum = (($sum ^ $_) * 0x01000193) & 0xffffffff }
    return sprintf '%08x', $sum;
}

# entry ROW CODE OUT ERR LEFT…: an answer as the record has it.
sub entry {
    my ($row, $code, $out, $err, @left) = @_;
    my $text = "== $row->{name}\nrow $row->{sum}\nexit $code\n";
    for (split /\n/, $out) { $text .= "out $_\n" }
    for (split /\n/, $err) { $text .= "err $_\n" }
    for (@left) { $text .= "left $_\n" }
    return $text;
}

# answers FILE: name => { row => SUM, exit => CODE, out => [lines], err => [lines], left => [...] }, and the lines of its head.
sub answers {
    my ($file) = @_;
    my (%all, $now, @head);
    return ({}, []) unless defined $file;
    open my $in, '<', $file or return ({}, []);
    while (<$in>) {
        chomp;
        if (/^== (.*)/) { $now = $all{$1} = { out => [], err => [], left => [] } }
        elsif (!$now) { push @head, $_ }
        elsif (/^(row|exit) (.*)/) { $now->{$1} = $2 }
        elsif (/^(out|err|left)(?: (.*))?$/) { push @{ $now->{$1} }, $2 // '' }
    }
    return (\%all, \@head);
}

# What differs from one run to the next, and what is one program's name: made the same on both sides.
sub normal {
    my ($text, $here, $errors) = @_;
    for ($text) {
        s/\r$//mg;
        s/\Q$here\E/HERE/g;
        # Ids, times, ages.
        s/\b[0-9a-f]{64}\b/ID/g;
        s/\b(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{12}\b/ID/g;
        s/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/TIME/g;
        s/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [+-]\d{4} [A-Z]+/TIME/g;
        s/\b(?:Less than a second|About a minute|About an hour|\d+ seconds?|\d+ minutes?)( ago)?\b/AGE@{[$1 \/\/ '']}/g;
        # Columns are as wide as what is in them.
        s/ {3,}/   /g;
        s/ +$//mg;
        # Who speaks, where help is to be had, and whether the first letter is a capital.
        s/^(?:docker|mydocker): //mg;
        s/^Error response from daemon: //mg;
        s/^(?:Error|ERROR): //mg;
        s/^hint: .*\n//mg;
        s/^failed to (?:start containers:|rename container named) .*\n//mg if $errors;
        s/^(?:See|Run|For more help on how to use Docker, head to) .*--help.*\n//mg;
        s/^\n*Usage: +(?:my)?docker .*\n(?:\n?[^\n]+\n)*//mg;
        s/\n{2,}/\n/g if /\bunknown|requires\b/;
        s/^([A-Z])(?=[a-z' ])/lc $1/meg if $errors;
        s/^\n+//;
        s/\n+$/\n/;
    }
    return $text;
}

1;
