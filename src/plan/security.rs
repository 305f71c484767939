//! What the container's processes may do: capabilities, no_new_privs, the seccomp filter.
//!
//! The order: what is dropped from the bounding set needs CAP_SETPCAP; the filter, without no_new_privs, CAP_SYS_ADMIN;
//! changing the user CAP_SETUID. So the sets themselves are the last. Each call that fails ends the start.

use super::seccomp;
use super::{Builder, Step};
use crate::error::{Error, Result};
use crate::spec::{Security, Text};
use crate::sys::call::CAPABILITIES;
use crate::text::{is, keep, split, split_once};

pub const DAC_READ_SEARCH: u32 = 2;
pub const SYS_MODULE: u32 = 16;
pub const SYS_RAWIO: u32 = 17;
pub const SYS_CHROOT: u32 = 18;
pub const SYS_PTRACE: u32 = 19;
pub const SYS_PACCT: u32 = 20;
pub const SYS_ADMIN: u32 = 21;
pub const SYS_BOOT: u32 = 22;
pub const SYS_NICE: u32 = 23;
pub const SYS_TIME: u32 = 25;
pub const SYS_TTY_CONFIG: u32 = 26;
pub const SYSLOG: u32 = 34;
pub const MKNOD: u32 = 27;
pub const PERFMON: u32 = 38;
pub const BPF: u32 = 39;

/// docker's: CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT MKNOD
/// AUDIT_WRITE SETFCAP.
const DEFAULT: u64 = 0xa804_25fb;

/// The bit that stands for the word ALL.
pub const ALL: u64 = 1 << 63;

/// The capabilities that a word of --cap-add or --cap-drop means.
pub fn capability(word: &[u8]) -> Option<u64> {
    let upper = word.to_ascii_uppercase();
    let name = upper.strip_prefix(b"CAP_").unwrap_or(&upper);
    if name == b"ALL" {
        return Some(ALL);
    }
    split(CAPABILITIES.as_bytes(), b' ').iter().position(|of| *of == name).map(|number| 1 << number)
}

/// docker's rule. `held` is mydocker's own bounding set, beyond which nothing can be given.
pub fn capabilities(security: &Security, held: u64) -> Result<u64> {
    if security.privileged {
        return Ok(held);
    }
    let missing = security.add & !ALL & !held;
    if missing != 0 {
        let name =
            split(CAPABILITIES.as_bytes(), b' ').get(missing.trailing_zeros() as usize).copied().unwrap_or_default();
        return Err(Error::new(text!("--cap-add %: mydocker does not have this capability itself"), &[keep(name)])
            .hint(
                text!("grep CapBnd /proc/self/status shows what it has; an outer container may need the flag too"),
                &[],
            ));
    }
    Ok(if security.add & ALL != 0 {
        held & !security.drop
    } else if security.drop & ALL != 0 {
        security.add
    } else {
        held & DEFAULT & !security.drop | security.add
    })
}

/// Where no cgroup decides on devices, none can be made. (In a mount with `nodev` there is none to be opened.)
pub(super) fn without_mknod(security: &Security, capabilities: u64) -> Result<u64> {
    if security.add & (ALL | 1 << MKNOD) & !security.drop != 0 && capabilities >> MKNOD & 1 != 0 {
        return Err(Error::new(
            text!("--cap-add MKNOD: nothing on this host can deny the container the host's devices"),
            &[],
        )
        .hint(text!("mount cgroup v2, or the devices controller of v1; --privileged allows all devices"), &[]));
    }
    Ok(capabilities & !(1 << MKNOD))
}

/// Nothing can be gained any more but what the sets allow.
pub(super) fn bound(plan: &mut Builder, capabilities: u64, filtered: u64) {
    plan.doing(text!("drop capabilities"));
    let dropped = plan.host.capabilities & !capabilities;
    for capability in (0..64).filter(|bit| dropped >> bit & 1 != 0) {
        plan.add(Step::DropBound(capability));
    }
    // With one id a set-user-ID program could be no other user's, but it could have a file's capabilities.
    if plan.spec.security.no_new_privs || plan.has_one_id() {
        plan.doing(text!("set no_new_privs"));
        plan.add(Step::NoNewPrivs);
    }
    if !plan.spec.security.unfiltered && !plan.spec.security.privileged {
        plan.doing(text!("install the seccomp filter"));
        plan.add(Step::Seccomp(seccomp::filter(filtered)));
    }
}

/// The sets of the process itself, after the last change of user. A user other than root has none; what it executes
/// with the setuid bit gets the bounding set. Without inheritable ones (CVE-2022-29162) there are no ambient ones.
pub(super) fn sets(plan: &mut Builder, capabilities: u64) {
    plan.doing(text!("drop capabilities"));
    let own = if plan.spec.process.uid == 0 { capabilities } else { 0 };
    let (low, high) = (own as u32, (own >> 32) as u32);
    // effective, permitted, inheritable; twice
    plan.add(Step::Capset(vec![low, low, 0, high, high, 0].leak()));
}

/// --security-opt. A colon is docker's older spelling of the equals sign.
pub fn option(security: &mut Security, value: Text) -> Result<()> {
    let word = value.to_bytes();
    let at = word.iter().position(|&byte| byte == b'=' || byte == b':').unwrap_or(word.len());
    let (key, rest) = word.split_at_checked(at).unwrap_or_default();
    let rest = rest.get(1..).unwrap_or_default();
    if is(key, "apparmor") && !rest.is_empty() {
        security.apparmor = Some(keep(rest)).filter(|_| rest != b"unconfined");
        return Ok(());
    }
    if is(key, "label") && rest == b"disable" {
        security.label = [None; 4];
        return Ok(());
    }
    if is(key, "label")
        && let Some((part, name)) = split_once(rest, b':')
        && let Some(index) = split(b"user role type level", b' ').iter().position(|of| *of == part)
        && let Some(place) = security.label.get_mut(index)
    {
        *place = Some(keep(name));
        return Ok(());
    }
    let on = |list| is(word, list);
    let (field, value) = if on("no-new-privileges no-new-privileges=true no-new-privileges:true") {
        (&mut security.no_new_privs, true)
    } else if on("no-new-privileges=false no-new-privileges:false") {
        (&mut security.no_new_privs, false)
    } else if on("seccomp=unconfined seccomp:unconfined") {
        (&mut security.unfiltered, true)
    } else if on("seccomp=builtin") {
        (&mut security.unfiltered, false)
    } else if on("systempaths=unconfined systempaths:unconfined") {
        (&mut security.unmasked, true)
    } else {
        return Err(Error::new(text!("--security-opt %: is not known"), &[value])
            .hint(text!("no-new-privileges, seccomp=unconfined|builtin, systempaths=unconfined, apparmor=PROFILE, label=type:TYPE"), &[]));
    };
    *field = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(names: &str) -> u64 {
        names.split_whitespace().map(|name| capability(name.as_bytes()).unwrap_or_default()).sum()
    }

    #[test]
    fn words_are_capabilities_by_their_kernel_numbers() {
        assert_eq!(capability(b"CHOWN"), Some(1));
        assert_eq!(capability(b"cap_sys_admin"), Some(1 << SYS_ADMIN));
        assert_eq!(capability(b"Cap_Checkpoint_Restore"), Some(1 << 40));
        assert_eq!(capability(b"all"), Some(ALL));
        for wrong in ["", "CAP_", "SYS", "SYS_ADMIN ", "41", "CHOWN KILL"] {
            assert_eq!(capability(wrong.as_bytes()), None, "{wrong:?}");
        }
        let dockers = "CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT \
            MKNOD AUDIT_WRITE SETFCAP";
        assert_eq!(mask(dockers), DEFAULT);
    }

    #[test]
    fn adding_and_dropping_is_as_dockers() {
        let held = (1 << 41) - 1;
        let of = |add: &str, drop: &str| {
            let security = Security { add: mask(add), drop: mask(drop), ..Security::default() };
            capabilities(&security, held).unwrap_or(0)
        };
        assert_eq!(of("", ""), DEFAULT);
        assert_eq!(of("NET_ADMIN", "MKNOD"), DEFAULT & !(1 << 27) | 1 << 12);
        assert_eq!(of("KILL", "ALL"), 1 << 5);
        assert_eq!(of("", "ALL"), 0);
        assert_eq!(of("ALL", "MKNOD"), held & !(1 << 27));
        // docker adds after it drops.
        assert_eq!(of("MKNOD", "MKNOD"), DEFAULT);
    }

    #[test]
    fn what_mydocker_lacks_is_an_error_if_it_was_asked_for() {
        let held = DEFAULT & !1;
        assert_eq!(capabilities(&Security::default(), held).ok(), Some(held));
        let asked = Security { add: 1, ..Security::default() };
        let error = capabilities(&asked, held).err().map(|error| String::from_utf8_lossy(&error.text()).into_owned());
        assert!(error.is_some_and(|text| text.contains("CHOWN")));
        let all = Security { privileged: true, ..Security::default() };
        assert_eq!(capabilities(&all, held).ok(), Some(held));
    }
}
