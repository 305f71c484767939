//! docker's default seccomp profile as a BPF program (seccomp(2), linux/filter.h).
//!
//! The profile is a set of system call numbers, a bit each: `seccomp.list`, made a bitmap by the compiler; the container's
//! capabilities add theirs. The program searches for a number among the places where the set begins and ends, only
//! by jumps that the kernel's own evaluation understands: from Linux 5.11 on it remembers a call that always has the same
//! answer, and does not run the program for it.

use super::security::*;
use crate::sys::call::{Filter, Instruction};
use syscalls::Sysno;

/// The number behind the last known call. From here on the answer is ENOSYS, so that a program falls back to older calls;
/// x32's numbers, which have bit 30 set, are here as well.
const UNKNOWN: u32 = 470;

/// A bit a system call.
type Set = [u64; 8];

macro_rules! calls {
    (every architecture: $($every:ident)*; x86_64: $($x86:ident)*; aarch64: $($arm:ident)*;) => {{
        let mut set: Set = [0; 8];
        $(set = with(set, Sysno::$every);)*
        #[cfg(target_arch = "x86_64")]
        { $(set = with(set, Sysno::$x86);)* }
        #[cfg(target_arch = "aarch64")]
        { $(set = with(set, Sysno::$arm);)* }
        set
    }};
}

static ALLOWED: Set = const { include!("seccomp.list") };

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // by the compiler, which would stop
const fn with(mut set: Set, call: Sysno) -> Set {
    set[call as usize / 64] |= 1 << (call as usize % 64);
    set
}

macro_rules! by_capability {
    ($($capability:ident: $($call:ident)*;)*) => {
        &[$($((Sysno::$call as u16) << 6 | $capability as u16),*),*]
    };
}

/// What a capability allows besides: number << 6 | capability. With SYS_ADMIN there are namespaces, so clone's flags
/// are not looked at.
static BY_CAPABILITY: &[u16] = by_capability! {
    DAC_READ_SEARCH: open_by_handle_at;
    SYS_ADMIN: bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr
        lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd
        setdomainname sethostname setns syslog umount2 unshare;
    SYS_BOOT: reboot;
    SYS_CHROOT: chroot;
    SYS_MODULE: delete_module finit_module init_module;
    SYS_NICE: get_mempolicy mbind set_mempolicy set_mempolicy_home_node;
    SYS_PACCT: acct;
    SYS_PTRACE: kcmp pidfd_getfd process_madvise;
    SYS_TIME: clock_settime settimeofday;
    SYS_TTY_CONFIG: vhangup;
    SYSLOG: syslog;
    BPF: bpf;
    PERFMON: perf_event_open;
};

/// The same, of calls that only x86 has.
#[cfg(target_arch = "x86_64")]
static OF_X86: &[u16] = by_capability! { SYS_RAWIO: ioperm iopl; };
#[cfg(not(target_arch = "x86_64"))]
static OF_X86: &[u16] = &[];

/// Socket families: all below 46 without DECnet, two unused, IRDA, one unused, ISDN, CAIF, ALG (CVE-2026-31431: writes to
/// the page cache of files that other containers share) and VSOCK.
const FAMILIES: u64 =
    ((1 << 46) - 1) & !(1 << 12 | 1 << 19 | 1 << 20 | 1 << 23 | 1 << 25 | 1 << 34 | 1 << 37 | 1 << 38 | 1 << 40);

/// CLONE_NEW* of clone's first argument, NEWTIME excepted, whose bit is part of the exit signal there.
const NAMESPACES: u32 = 0x7e02_0000;
/// PER_LINUX or PER_LINUX32, perhaps with UNAME26; besides these only the question, 0xffffffff.
const PERSONALITIES: u32 = 0x0002_0008;

// linux/bpf_common.h
const LOAD: u16 = 0x20;
const EQUAL: u16 = 0x15;
const AT_LEAST: u16 = 0x35;
const ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;

/// SECCOMP_RET_ERRNO with EPERM.
const REFUSE: u32 = 0x0005_0000 | libc::EPERM as u32;

// offsets in struct seccomp_data
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const FIRST_ARGUMENT: u32 = 16;

#[cfg(target_arch = "x86_64")]
const NATIVE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const NATIVE: u32 = 0xc000_00b7;
#[cfg(target_arch = "riscv64")]
const NATIVE: u32 = 0xc000_00f3;

// Where jumps lead that are not to the next instruction, until all is in its place. No program is that long.
const ALLOW: u8 = 255;
const EPERM: u8 = 254;
const ENOSYS: u8 = 253;
const SOCKET: u8 = 252;
const CLONE: u8 = 251;
const PERSONALITY: u8 = 250;

/// Calls that are not just allowed or refused.
static SPECIAL: [(u16, u8); 4] = [
    (Sysno::socket as u16, SOCKET),
    (Sysno::clone as u16, CLONE),
    // Its flags are in memory, which no filter sees; after ENOSYS a libc takes clone.
    (Sysno::clone3 as u16, ENOSYS),
    (Sysno::personality as u16, PERSONALITY),
];

/// A program and the places of its labels, from 255 down.
struct Program {
    code: Vec<Instruction>,
    places: [usize; 6],
}

impl Program {
    #[inline(never)]
    fn add(&mut self, code: u16, k: u32, jt: u8, jf: u8) {
        self.code.push(Instruction { code, jt, jf, k });
    }

    #[inline(never)]
    fn label(&mut self, label: u8) {
        if let Some(place) = self.places.get_mut(usize::from(!label)) {
            *place = self.code.len();
        }
    }

    /// A part of its own that looks at the first argument. The kernel takes its low 32 bits of these calls.
    fn argument(&mut self, label: u8) {
        self.label(label);
        self.add(LOAD, FIRST_ARGUMENT, 0, 0);
    }

    /// Allows what is in the set and refuses what is not.
    fn set(&mut self, set: &[u64]) {
        let (first, mut allowed) = (contains(set, 0), contains(set, 0));
        let mut ends = Vec::with_capacity(64);
        // Beyond the set's end nothing is allowed.
        for number in 1..=(set.len() as u32).wrapping_mul(64) {
            if contains(set, number) != allowed {
                allowed = !allowed;
                ends.push(number);
            }
        }
        self.search(&ends, first);
    }

    /// A binary search for where between the ends a number is; `allowed` is what is before the first of them. Each
    /// other kind of search makes the kernel's own evaluation longer, which is part of a start (50 us in a row, 34 so).
    /// Returns where a jump to it leads.
    fn search(&mut self, ends: &[u32], allowed: bool) -> u8 {
        let middle = ends.len() / 2;
        let Some((before, [end, after @ ..])) = ends.split_at_checked(middle) else {
            return if allowed { ALLOW } else { EPERM };
        };
        let here = self.code.len();
        self.add(AT_LEAST, *end, 0, 0);
        let below = self.search(before, allowed);
        let between = self.code.len().wrapping_sub(here).wrapping_sub(1) as u8;
        let above = self.search(after, allowed == (middle & 1 != 0));
        if let Some(jump) = self.code.get_mut(here) {
            (jump.jf, jump.jt) = (below, if above == 0 { between } else { above });
        }
        0
    }
}

#[inline(never)]
fn contains(set: &[u64], number: u32) -> bool {
    set.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 != 0)
}

#[inline(never)]
fn insert(set: &mut Set, number: u32) {
    if let Some(word) = set.get_mut(number as usize / 64) {
        *word |= 1 << (number % 64);
    }
}

/// The filter of a container with these capabilities.
pub fn filter(capabilities: u64) -> &'static Filter {
    let mut set = ALLOWED;
    for &entry in BY_CAPABILITY.iter().chain(OF_X86) {
        if capabilities >> (entry & 63) & 1 != 0 {
            insert(&mut set, u32::from(entry >> 6));
        }
    }
    let mut program = Program { code: Vec::with_capacity(128), places: [0; 6] };
    program.add(LOAD, ARCHITECTURE, 0, 0);
    // Another instruction set's calls (i386's by int 0x80): their numbers mean something else, and socketcall would be a
    // way around what is said of sockets.
    program.add(EQUAL, NATIVE, 0, ENOSYS);
    program.add(LOAD, NUMBER, 0, 0);
    program.add(AT_LEAST, UNKNOWN, ENOSYS, 0);
    for &(number, label) in &SPECIAL {
        let number = u32::from(number);
        if !contains(&set, number) {
            program.add(EQUAL, number, label, 0);
            // Spares the two comparisons around it.
            insert(&mut set, number);
        }
    }
    program.set(&set);
    program.argument(SOCKET);
    program.set(&[FAMILIES]);
    program.argument(CLONE);
    program.add(ANY_BIT, NAMESPACES, EPERM, ALLOW);
    program.argument(PERSONALITY);
    program.add(EQUAL, u32::MAX, ALLOW, 0);
    program.add(ANY_BIT, !PERSONALITIES, EPERM, ALLOW);
    for (label, answer) in [(ALLOW, 0x7fff_0000), (EPERM, REFUSE), (ENOSYS, 0x0005_0000 | libc::ENOSYS as u32)] {
        program.label(label);
        program.add(RETURN, answer, 0, 0);
    }
    let Program { mut code, places } = program;
    for (index, instruction) in code.iter_mut().enumerate() {
        for jump in [&mut instruction.jt, &mut instruction.jf] {
            if let Some(&place) = places.get(usize::from(!*jump)) {
                *jump = place.saturating_sub(index).saturating_sub(1) as u8;
            }
        }
    }
    Filter::new(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKERS: u64 = 0xa804_25fb;

    /// What the kernel would make of the program (Documentation/networking/filter.rst), as far as it is used here; -1 for
    /// what is not known.
    #[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that fails
    fn answer(filter: &Filter, architecture: u32, number: u32, argument: u64) -> i32 {
        let code = filter.instructions();
        let (mut at, mut accumulator, mut steps) = (0_usize, 0_u32, 0);
        loop {
            steps += 1;
            assert!(steps < 256, "the kernel refuses loops: jumps are forward only");
            let Instruction { code, jt, jf, k } = code[at];
            let jump = |taken: bool| 1 + usize::from(if taken { jt } else { jf });
            at += match code {
                LOAD => {
                    accumulator = match k {
                        NUMBER => number,
                        ARCHITECTURE => architecture,
                        FIRST_ARGUMENT => argument as u32,
                        _ => return -1,
                    };
                    1
                }
                EQUAL => jump(accumulator == k),
                AT_LEAST => jump(accumulator >= k),
                ANY_BIT => jump(accumulator & k != 0),
                RETURN if k == 0x7fff_0000 => return 0,
                RETURN => return (k & 0xffff) as i32,
                _ => return -1,
            };
        }
    }

    fn names(number: u32) -> Option<&'static str> {
        Sysno::new(number as usize).map(|call| call.name())
    }

    #[test]
    fn what_is_in_the_list_is_allowed_and_nothing_else() {
        let list: Vec<&str> = include_str!("seccomp.list")
            .lines()
            .filter(|line| !line.starts_with("//") && !line.contains(':'))
            .flat_map(|line| line.split(|c: char| c.is_whitespace() || c == ';'))
            .filter(|word| !word.is_empty())
            .collect();
        let filter = filter(DOCKERS);
        let (mut allowed, mut refused) = (0, 0);
        for number in 0..UNKNOWN {
            let Some(name) = names(number) else {
                assert_eq!(answer(filter, NATIVE, number, 0), libc::EPERM, "{number}");
                continue;
            };
            let expected = match name {
                "clone3" => libc::ENOSYS,
                "socket" | "clone" | "personality" | "chroot" => 0,
                _ if list.contains(&name) => 0,
                _ => libc::EPERM,
            };
            assert_eq!(answer(filter, NATIVE, number, 0), expected, "{name}");
            *(if expected == 0 { &mut allowed } else { &mut refused }) += 1;
        }
        // moby/profiles@02e898b on x86_64: 305 with no condition, socket, clone, personality, and chroot.
        #[cfg(target_arch = "x86_64")]
        assert_eq!(allowed, 309);
        assert!(refused > 60, "{refused}");
    }

    #[test]
    fn what_is_unknown_or_of_another_architecture_is_enosys() {
        let filter = filter(DOCKERS);
        for number in [UNKNOWN, 500, 0x4000_0000 | 39, u32::MAX] {
            assert_eq!(answer(filter, NATIVE, number, 0), libc::ENOSYS);
        }
        // i386: getpid, and socketcall.
        for number in [20, 102] {
            assert_eq!(answer(filter, 0x4000_0003, number, 0), libc::ENOSYS);
        }
    }

    #[test]
    fn arguments_are_looked_at() {
        let filter = filter(DOCKERS);
        let call = |call: Sysno, argument: u64| answer(filter, NATIVE, call as u32, argument);
        let denied = [12, 19, 20, 23, 25, 34, 37, 38, 40];
        for family in 0..100 {
            let expected = if family < 46 && !denied.contains(&family) { 0 } else { libc::EPERM };
            assert_eq!(call(Sysno::socket, family), expected, "{family}");
            // The kernel takes an int: what is above its 32 bits changes nothing (flatpak's CVE-2019-10063).
            assert_eq!(call(Sysno::socket, family | 1 << 32), expected);
        }
        for flag in [libc::CLONE_NEWNS, libc::CLONE_NEWUSER, libc::CLONE_NEWPID, libc::CLONE_NEWNET, libc::CLONE_NEWUTS]
        {
            assert_eq!(call(Sysno::clone, flag as u64 | 17), libc::EPERM);
        }
        assert_eq!(call(Sysno::clone, libc::CLONE_NEWCGROUP as u64), libc::EPERM);
        assert_eq!(call(Sysno::clone, libc::CLONE_VM as u64 | libc::CLONE_VFORK as u64 | 17), 0);
        for (persona, expected) in [(0, 0), (8, 0), (0x20000, 0), (0x20008, 0), (0xffff_ffff, 0), (0x40000, 1), (1, 1)]
        {
            assert_eq!(call(Sysno::personality, persona), expected, "{persona:#x}");
        }
    }

    #[test]
    fn capabilities_bring_their_calls() {
        let with = |capability: u32, call: Sysno, argument| {
            answer(filter(DOCKERS | 1 << capability), NATIVE, call as u32, argument)
        };
        assert_eq!(with(SYS_ADMIN, Sysno::mount, 0), 0);
        assert_eq!(with(SYS_ADMIN, Sysno::clone3, 0), 0);
        assert_eq!(with(SYS_ADMIN, Sysno::clone, libc::CLONE_NEWNS as u64), 0);
        assert_eq!(with(SYS_ADMIN, Sysno::socket, 38), libc::EPERM);
        assert_eq!(with(SYS_PTRACE, Sysno::kcmp, 0), 0);
        assert_eq!(with(SYS_TIME, Sysno::settimeofday, 0), 0);
        assert_eq!(with(SYS_NICE, Sysno::mbind, 0), 0);
        assert_eq!(with(SYS_NICE, Sysno::mount, 0), libc::EPERM);
        assert_eq!(answer(filter(0), NATIVE, Sysno::chroot as u32, 0), libc::EPERM);
    }
}
