//! Which devices a container may use: the rules, and the program that enforces them on cgroup v2.
//!
//! A rule is text as docker and the v1 controller have it, `c 1:3 rwm`: what is in no rule is denied. On v1 each is
//! written to devices.allow. On v2 there is no such file but a program that the kernel asks.

use crate::error::{Error, Result};
use crate::spec::{Devices, Spec, Text};
use crate::sys::name::t;
use crate::sys::{Errno, OwnedFd, fs};
use crate::text::{Line, Push, filled, has, is, keep, number, split, split_once};
use std::os::fd::AsFd;

/// docker's default, but for two that it allows and nothing needs: c 5:1 is the host's console, c 10:200 makes
/// network interfaces. Any node may be made (`m`), since making one opens nothing.
pub const DEFAULT: &str =
    "c *:* m,b *:* m,c 1:3 rwm,c 1:5 rwm,c 1:7 rwm,c 1:8 rwm,c 1:9 rwm,c 5:0 rwm,c 5:2 rwm,c 136:* rwm";

/// How many these are.
pub const DEFAULT_RULES: usize = 10;

/// A rule taken apart: bits as the program compares them.
struct Rule {
    /// BPF_DEVCG_DEV_BLOCK or _CHAR.
    kind: u32,
    /// What is not allowed of BPF_DEVCG_ACC_*, and the bits of the kind: these have to agree.
    care: u32,
    /// Major and minor number as one.
    device: u32,
    /// Which bits of it have to agree.
    mask: u32,
}

const MAJOR: u32 = 0xfff0_0000;
const MINOR: u32 = 0x000f_ffff;

/// A number or `*`: its value, and whether it is a number. The kernel has 12 bits for a major and 20 for a minor.
fn part(text: &[u8], most: u32) -> Option<(u32, bool)> {
    if text == b"*" {
        return Some((0, false));
    }
    u32::try_from(number(text)?).ok().filter(|&number| number <= most).map(|number| (number, true))
}

/// What --device and rules allow: read, write, make.
fn is_access(word: &[u8]) -> bool {
    matches!(word.len(), 1..=3) && word.iter().all(|&letter| has(b"rwm", letter))
}

/// --device: what it names is looked at later.
pub fn add_node(devices: &mut Devices, value: Text) -> Result<()> {
    devices.nodes.push(value);
    Ok(())
}

/// --device-cgroup-rule: `a` is for both kinds.
pub fn add_rule(devices: &mut Devices, value: Text) -> Result<()> {
    let rule = value.to_bytes();
    let kinds = if rule.starts_with(b"a ") { b"bc" } else { rule.get(..1).unwrap_or_default() };
    for &kind in kinds {
        let rule = [&[kind], rule.get(1..).unwrap_or_default()].concat();
        if parse(&rule).is_none() {
            break;
        }
        devices.rules.push(keep(&rule));
    }
    match devices.rules.last() {
        Some(last) if last.to_bytes().get(1..) == rule.get(1..) => Ok(()),
        _ => Err(Error::new(
            text!("--device-cgroup-rule %: is a, b or c, MAJOR:MINOR, and rwm, such as c 10:200 rwm"),
            &[value],
        )),
    }
}

/// A device of the host that the container gets.
pub struct Node {
    /// Where on the host.
    pub source: Text,
    /// Where in the container.
    pub target: Text,
    /// Type and permissions.
    pub mode: u32,
    /// The number as mknod(2) takes it.
    pub device: u32,
    /// User and group.
    pub owner: (u32, u32),
    /// The rule that allows it.
    pub rule: Text,
}

/// Finds what --device names, and for --privileged all that the host has.
pub fn look(spec: &Spec) -> Result<Vec<Node>> {
    let mut nodes = Vec::new();
    if spec.security.privileged {
        find(&mut nodes, fs::open(fs::CWD, t(c"/dev"), libc::O_PATH, 0), t(c"/dev"), t(c"/dev"), b"rwm");
    }
    for &typed in &spec.devices.nodes {
        let (parts, access): (_, &[u8]) = match split(typed.to_bytes(), b':') {
            [parts @ .., access] if !parts.is_empty() && is_access(access) => (parts, access),
            parts => (parts, b"rwm"),
        };
        let (source, target) = match *parts {
            [source] => (source, source),
            [source, target] => (source, target),
            _ => (b"".as_slice(), b"".as_slice()),
        };
        if !target.starts_with(b"/") {
            return Err(Error::new(text!("--device %: is SOURCE[:/TARGET][:rwm]"), &[typed]));
        }
        let (source, before) = (keep(source), nodes.len());
        let opened = fs::open_follow(fs::CWD, source, libc::O_PATH, 0);
        find(&mut nodes, opened, source, keep(&crate::cli::clean(target)), access);
        if nodes.len() == before {
            return Err(Error::new(text!("--device %: there is no device at %"), &[typed, source]));
        }
    }
    Ok(nodes)
}

type Opened = core::result::Result<OwnedFd, Errno>;

/// A device, or all below a directory, but for links, which may lead anywhere. What cannot be looked at is none.
fn find(nodes: &mut Vec<Node>, opened: Opened, source: Text, target: Text, access: &[u8]) {
    let Ok((stat, opened)) = opened.and_then(|fd| Ok((fs::fstat(fd.as_fd())?, fd))) else { return };
    let device = stat.st_rdev as u32;
    let kind = match fs::kind(&stat) {
        libc::S_IFBLK => b"b ",
        libc::S_IFCHR => b"c ",
        // So deep nobody keeps devices, and each level is some of the stack.
        libc::S_IFDIR if source.to_bytes().len() < 1024 => {
            let Ok(dir) = fs::open(opened.as_fd(), t(c"."), libc::O_RDONLY | libc::O_DIRECTORY, 0) else { return };
            let _ = fs::each_entry(dir.as_fd(), &mut |name, _| {
                // Other containers', others' terminals, the host's console.
                if !is(name.to_bytes(), "pts shm fd mqueue console .lxc .lxd-mounts .udev") {
                    let opened = fs::open(dir.as_fd(), name, libc::O_PATH, 0);
                    find(nodes, opened, filled("%/%", &[source, name]), filled("%/%", &[target, name]), access);
                }
            });
            return;
        }
        _ => return,
    };
    let mut rule = Line::new();
    let (major, minor) = (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xfff00);
    rule.put(kind).dec(u64::from(major)).put(b":").dec(u64::from(minor)).put(b" ").put(access);
    nodes.push(Node {
        source,
        target,
        mode: stat.st_mode,
        device,
        owner: (stat.st_uid, stat.st_gid),
        rule: keep(&rule),
    });
}

fn parse(rule: &[u8]) -> Option<Rule> {
    let [kind, device, access] = split(rule, b' ') else { return None };
    let kind = match *kind {
        b"b" => 1,
        b"c" => 2,
        _ => return None,
    };
    let (major, minor) = split_once(device, b':')?;
    let ((major, has_major), (minor, has_minor)) = (part(major, MAJOR >> 20)?, part(minor, MINOR)?);
    if !is_access(access) {
        return None;
    }
    let denied = |letter, bit| if has(access, letter) { 0 } else { bit };
    Some(Rule {
        kind,
        care: 3 | denied(b'm', 1 << 16) | denied(b'r', 2 << 16) | denied(b'w', 4 << 16),
        device: major << 20 | minor,
        mask: if has_major { MAJOR } else { 0 } | if has_minor { MINOR } else { 0 },
    })
}

// struct bpf_insn: code, registers, offset, immediate. Names as in the kernel's Documentation/bpf/standardization.
const fn instruction(code: u8, to: u8, from: u8, offset: u16) -> u64 {
    code as u64 | ((to | from << 4) as u64) << 8 | (offset as u64) << 16
}

const MOV32: u8 = 0xbc;
const XOR32: u8 = 0xa4;
const AND32: u8 = 0x54;
const OR: u8 = 0x4f;
const MOV: u8 = 0xb7;
const ADD: u8 = 0x07;
const LSH: u8 = 0x67;
const RSH: u8 = 0x77;
const LOAD32: u8 = 0x61;
const EXIT: u8 = 0x95;

/// r2 = struct bpf_cgroup_dev_ctx.access_type, which is the access << 16 | the kind; r3 = major << 20 | minor; r1 = 0.
const BEGIN: [u64; 6] = [
    instruction(LOAD32, 2, 1, 0),
    instruction(LOAD32, 3, 1, 4),
    instruction(LOAD32, 4, 1, 8),
    instruction(LSH, 3, 0, 0) | 20 << 32,
    instruction(OR, 3, 4, 0),
    instruction(MOV, 1, 0, 0),
];
/// r0 = the bits in which what is asked for differs from the rule; r1's highest bit is set if there are none. It needs
/// the rule's numbers as immediates.
const RULE: [u64; 9] = [
    instruction(MOV32, 0, 2, 0),
    instruction(XOR32, 0, 0, 0),
    instruction(AND32, 0, 0, 0),
    instruction(MOV32, 5, 3, 0),
    instruction(XOR32, 5, 0, 0),
    instruction(AND32, 5, 0, 0),
    instruction(OR, 0, 5, 0),
    instruction(ADD, 0, 0, 0) | 0xffff_ffff << 32,
    instruction(OR, 1, 0, 0),
];
/// Return r1's highest bit.
const END: [u64; 3] = [instruction(0xbf, 0, 1, 0), instruction(RSH, 0, 0, 0) | 63 << 32, instruction(EXIT, 0, 0, 0)];

/// The program for a list of rules. Without a branch: the kernel's verifier takes 60 µs for it, and 220 µs for one that
/// jumps from rule to rule.
pub fn program(rules: &[u8]) -> Vec<u64> {
    let mut program = BEGIN.to_vec();
    for rule in split(rules, b',').iter().filter_map(|rule| parse(rule)) {
        let immediates = [0, rule.kind, rule.care, 0, rule.device, rule.mask, 0, 0, 0];
        program.extend(RULE.iter().zip(immediates).map(|(&code, immediate)| code | u64::from(immediate) << 32));
    }
    program.extend_from_slice(&END);
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel's interpreter would do with the instructions that there are.
    #[allow(clippy::indexing_slicing)]
    fn run(program: &[u64], access: u32, kind: u32, major: u32, minor: u32) -> u64 {
        let context = [access << 16 | kind, major, minor];
        // What the kernel has not set may not be read: the verifier refuses that.
        let mut registers: [Option<u64>; 11] = [None; 11];
        for &instruction in program {
            let [code, which, offset, high, ..] = instruction.to_le_bytes();
            assert_eq!(high, 0);
            let (to, from) = (usize::from(which & 15), usize::from(which >> 4));
            let immediate = (instruction >> 32) as u32;
            let signed = i64::from(immediate as i32) as u64;
            let (a, b) = (registers[to], registers[from]);
            let set = |value: Option<u64>| value.unwrap_or_else(|| unreachable!("an empty register is read"));
            registers[to] = Some(match code {
                LOAD32 => u64::from(context[usize::from(offset) / 4]),
                0xbc => set(b) & 0xffff_ffff,
                0xbf => set(b),
                0xb7 => signed,
                0xa4 => u64::from(set(a) as u32 ^ immediate),
                0x54 => u64::from(set(a) as u32 & immediate),
                0x4f => set(a) | set(b),
                0x07 => set(a).wrapping_add(signed),
                0x67 => set(a) << immediate,
                0x77 => set(a) >> immediate,
                0x95 => return set(registers[0]),
                _ => unreachable!("code {code:#x}"),
            });
        }
        unreachable!("no exit")
    }

    /// A rule read a second time, in the plainest way.
    fn allows(rule: &[&str], access: u32, kind: u32, major: u32, minor: u32) -> bool {
        let is = |word: &str, value: u32| word == "*" || word.parse() == Ok(value);
        let [letter, of, which, allowed] = rule else { unreachable!("{rule:?}") };
        *letter == if kind == 1 { "b" } else { "c" }
            && is(of, major)
            && is(which, minor)
            && [("m", 1), ("r", 2), ("w", 4)].iter().all(|(letter, bit)| access & bit == 0 || allowed.contains(letter))
    }

    /// Every access to devices of both kinds with the numbers that there are in practice, and those at the limits.
    fn compare(text: &str) {
        let program = program(text.as_bytes());
        let rules: Vec<Vec<&str>> = text.split(',').map(|rule| rule.split([' ', ':']).collect()).collect();
        for kind in [1, 2] {
            for major in (0..16).chain(130..140).chain([200, 254, 255, 2047, 2048, 4094, 4095]) {
                for minor in (0..256).chain([0x7_ffff, 0x8_0000, 0xf_fffe, 0xf_ffff]) {
                    for access in 1..8 {
                        let wanted = rules.iter().any(|rule| allows(rule, access, kind, major, minor));
                        let result = run(&program, access, kind, major, minor);
                        assert_eq!(result, u64::from(wanted), "{text}: {kind} {major}:{minor} {access}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_program_decides_as_the_rules_say() {
        compare(DEFAULT);
        compare("b 8:0 r,b 8:1 rw,b 8:* m,c *:7 w,c 4095:1048575 rwm,b 2048:524288 r");
        compare("c *:* rwm,b *:* rwm");
    }

    #[test]
    fn the_defaults_are_counted() {
        assert_eq!(DEFAULT.split(',').count(), DEFAULT_RULES);
    }

    #[test]
    fn without_a_rule_nothing_is_allowed() {
        assert_eq!(run(&program(b""), 1, 2, 1, 3), 0);
    }

    #[test]
    fn the_hosts_disks_and_console_are_not_in_the_default() {
        let program = program(DEFAULT.as_bytes());
        for (kind, major, minor) in [(1, 8, 0), (1, 254, 0), (2, 1, 1), (2, 5, 1), (2, 10, 200), (2, 10, 229)] {
            assert_eq!(run(&program, 1, kind, major, minor), 1);
            for access in 2..8 {
                assert_eq!(run(&program, access, kind, major, minor), 0);
            }
        }
    }
}
