#!/usr/bin/perl
# tarmake.pl <DESCRIPTION >TAR: writes the archive that no tar program would write.
#
# One member a line:  TYPE NAME [KEY=VALUE]...
#   TYPE     file dir sym hard chr blk fifo, or type:X for any type byte
#   NAME     and each VALUE: \n \t \s (space) \\ \xHH; "-" alone is the empty name
#   to=      the link's target              text=   the content      zeros=  so many zero bytes, or from= a host file's
#   mode= (octal) uid= gid= mtime= user= group= dev=MAJOR:MINOR prefix= magic=ustar|gnu|v7
#   size=    what the header claims (the content stays)   rawsize= its 12 bytes as given
#   sum=bad  a checksum off by one          body=N  so many content bytes are really written
#   gnu=1    long names as GNU's L and K members (the default for > 100 bytes is a pax record)
#   raw=1    a long name is cut at 100 bytes, without any record
#   pax.KEY=VALUE  a record of the member's own; paxraw= the records' bytes as given
# and the directives:
#   global KEY=VALUE...      records for all that follows (type g)
#   repeat N MEMBER          N members, %d in them counting from 1
#   deep N NAME              directories NAME, NAME/NAME, ... N levels
#   bytes TEXT               these bytes, as they are        cut N   keep the first N bytes of all
#   noend                    no zero blocks at the end
# perl-base is enough: no module is loaded but pragmas.
use strict;
use warnings;
binmode STDIN;
binmode STDOUT;

my %TYPE = (file => '0', hard => '1', sym => '2', chr => '3', blk => '4', dir => '5', fifo => '6');
my ($out, $end, $cut) = ('', 1, undef);

sub plain {
    my ($text) = @_;
    $text =~ s/\\(x([0-9a-fA-F]{2})|.)/
        defined $2 ? chr hex $2 : $1 eq 'n' ? "\n" : $1 eq 't' ? "\t" : $1 eq 's' ? ' ' : $1/ges;
    return $text;
}

sub padded { my ($data) = @_; return $data . "\0" x (-length($data) % 512) }

sub number {
    my ($n, $width) = @_;
    my $digits = $width - 1;
    return sprintf("%0${digits}o", $n) . "\0" if $n >= 0 && $n < 8**$digits;
    my $bytes = '';
    for (1 .. $width) { $bytes = chr($n & 255) . $bytes; $n >>= 8 }    # base 256
    substr($bytes, 0, 1) = "\x80";
    return $bytes;
}

sub header {
    my (%m) = @_;
    my $magic = { ustar => "ustar\x0000", gnu => "ustar  \0", v7 => "\0" x 8 }->{ $m{magic} // 'ustar' };
    my ($major, $minor) = split /:/, $m{dev} // '0:0';
    my $size = $m{rawsize} // number($m{size} // 0, 12);
    my $h = pack 'a100 a8 a8 a8 a12 a12 a8 a1 a100 a8 a32 a32 a8 a8 a155 a12',
        $m{name}, number(oct($m{mode} // '644'), 8), number($m{uid} // 0, 8), number($m{gid} // 0, 8), $size,
        number(int($m{mtime} // 1000000000), 12), ' ' x 8, $m{type}, $m{to} // '', $magic, $m{user} // '',
        $m{group} // '', number($major, 8), number($minor, 8), $m{prefix} // '', '';
    my $sum = unpack '%32C*', $h;
    $sum++ if ($m{sum} // '') eq 'bad';
    substr($h, 148, 8) = sprintf "%06o\0 ", $sum;
    return $h;
}

sub extra { my ($type, $data) = @_; return header(name => 'extra', type => $type, size => length $data) . padded($data) }

# "LENGTH key=value\n", where LENGTH counts its own digits.
sub record {
    my ($key, $value) = @_;
    my $rest = " $key=$value\n";
    my $len = length $rest;
    $len++ until length($len) + length($rest) == $len;
    return $len . $rest;
}

sub contents {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "tarmake: $path: $!\n";
    local $/;
    return <$file>;
}

sub member {
    my ($words) = @_;
    my @words = @$words;
    my %m = (type => shift @words, name => shift @words);
    $m{type} = $m{type} =~ /^type:(.+)/ ? plain($1) : $TYPE{ $m{type} } // die "tarmake: no type $m{type}\n";
    $m{name} = $m{name} eq '-' ? '' : plain($m{name});
    $m{mode} = '755' if $m{type} eq '5';
    my $pax = '';
    for (@words) {
        my ($key, $value) = /^([^=]+)=(.*)$/s or die "tarmake: not KEY=VALUE: $_\n";
        $value = plain($value);
        if ($key =~ /^pax\.(.+)/) { $pax .= record(plain($1), $value) }
        else { $m{$key} = $value }
    }
    my $data = defined $m{from} ? contents($m{from}) : $m{text} // "\0" x ($m{zeros} // 0);
    $m{size} //= length $data;
    $data = substr $data, 0, $m{body} if defined $m{body};
    for ([ 'name', 'path', 'L' ], [ 'to', 'linkpath', 'K' ]) {
        my ($field, $key, $letter) = @$_;
        next if length($m{$field} // '') <= 100 || $m{raw};
        if ($m{gnu}) { $out .= extra($letter, "$m{$field}\0") }
        else { $pax .= record($key, $m{$field}) }
    }
    $pax = $m{paxraw} if defined $m{paxraw};
    $out .= extra('x', $pax) if length $pax;
    $out .= header(%m) . padded($data);
}

while (my $line = <STDIN>) {
    chomp $line;
    next if $line =~ /^\s*(#|$)/;
    my ($word, @rest) = split ' ', $line;
    if ($word eq 'global') { $out .= extra('g', join '', map { record(plain($1), plain($2)) if /^([^=]+)=(.*)$/s } @rest) }
    elsif ($word eq 'repeat') {
        my $n = shift @rest;
        for my $i (1 .. $n) { member([ map { s/%d/$i/gr } @rest ]) }
    }
    elsif ($word eq 'deep') { my $path = ''; for (1 .. $rest[0]) { $path .= "$rest[1]/"; member([ 'dir', $path ]) } }
    elsif ($word eq 'bytes') { $out .= plain($rest[0]) }
    elsif ($word eq 'cut') { $cut = $rest[0] }
    elsif ($word eq 'noend') { $end = 0 }
    else { member([ $word, @rest ]) }
}
$out .= "\0" x 1024 if $end;
$out = substr $out, 0, $cut if defined $cut;
print $out;
