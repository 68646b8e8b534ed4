# Files, processes, signals, sockets.
use strict; use warnings; use POSIX qw(:sys_wait_h); use Fcntl qw(:flock SEEK_SET); use Socket; use IO::Socket::INET;
$| = 1;
my %count; $count{$_}++ for split //, "hello world"; print join(",", map { "$_=$count{$_}" } sort keys %count), "\n";
open(my $f, '>', 'file') or die; print $f "line $_\n" for 1..5; close $f;
open($f, '+<', 'file'); flock($f, LOCK_EX) or die; my @lines = <$f>; print scalar(@lines), "\n"; close $f;
my $pid = fork(); if (!$pid) { exit 6 } waitpid($pid, 0); print $? >> 8, "\n";
print `echo backquotes`; print system("exit 2") >> 8, "\n";
pipe(my $r, my $w); if (!fork()) { close $r; print $w "from child\n"; exit 0 } close $w; print <$r>; wait;
local $SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; select(undef, undef, undef, 5); }; print $@;
my $server = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "$!";
if (!fork()) { my $c = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $server->sockport) or die; print $c "tcp\n"; exit 0 }
my $c = $server->accept; print scalar <$c>; wait;
mkdir 'd'; symlink 'd', 'l'; rename 'file', 'd/f'; print join(' ', glob('*')), ' ', readlink('l'), ' ', -s 'd/f', "\n";
print "$0 ", (stat('d/f'))[7], ' ', ($! = 2), "\n"; printf "%s\n", join ' ', sort { $b <=> $a } (3, 10, 2);
kill 'USR1', $$ if $SIG{USR1} = sub { print "caught\n" }; exit 4;
