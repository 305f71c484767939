//! What is written to files of /proc for the container: sysctls, its place when memory runs out, its label.
//!
//! Through the procfs that was made for it, while that is whole: no path of the image leads to the file, and what is
//! opened is looked at once more (CVE-2019-16884, CVE-2025-52881).

use super::{Builder, PROC, Step};
use crate::error::{Error, Result};
use crate::spec::{Share, Spec, Sysctl, Text};
use crate::sys::Errno;
use crate::sys::name::t;
use crate::text::{filled, is, keep, split_once};

/// docker's list of what is not in the network namespace, and what is in the ipc namespace.
const IPC: &str = "kernel.msgmax kernel.msgmnb kernel.msgmni kernel.sem kernel.shmall kernel.shmmax kernel.shmmni \
kernel.shm_rmid_forced";

/// `--sysctl KEY=VALUE`. No key of the host's: only those that a namespace has of its own.
pub fn sysctl(typed: Text) -> Result<Sysctl> {
    let (key, value) = split_once(typed.to_bytes(), b'=').unwrap_or_default();
    let net = key.starts_with(b"net.");
    if !net && !key.starts_with(b"fs.mqueue.") && !is(key, IPC) {
        return Err(Error::new(text!("--sysctl %: is not allowed"), &[typed])
            .hint(text!("KEY=VALUE, of net.*, fs.mqueue.*, kernel.msg*, kernel.sem or kernel.shm*"), &[]));
    }
    // As there is no dot left, the path cannot lead up.
    let path: Vec<u8> = key.iter().map(|&byte| if byte == b'.' { b'/' } else { byte }).collect();
    Ok(Sysctl { file: filled("sys/%", &[keep(&path)]), value: keep(value), net, typed })
}

/// None may be the host's.
pub(super) fn check(sysctls: &[Sysctl], share: Share) -> Result<()> {
    let shared = |sysctl: &&Sysctl| if sysctl.net { share.net } else { share.ipc };
    match sysctls.iter().find(shared) {
        Some(sysctl) => {
            let namespace = if sysctl.net { t(c"net") } else { t(c"ipc") };
            Err(Error::new(text!("--sysctl %: is not allowed with --% host"), &[sysctl.typed, namespace]))
        }
        None => Ok(()),
    }
}

/// All of it, after the namespaces are there and before a part of /proc is read-only.
pub(super) fn write(plan: &mut Builder) {
    let spec: &Spec = plan.spec;
    for sysctl in &spec.sysctls {
        plan.doing_for(text!("set the sysctl"), sysctl.typed);
        plan.add(Step::Set(PROC, sysctl.file, sysctl.value));
    }
    process(plan, spec.security.apparmor);
}

/// Of the process itself: its place when memory runs out, and its label.
pub(super) fn process(plan: &mut Builder, apparmor: Option<Text>) {
    let spec: &Spec = plan.spec;
    plan.doing_for(text!("set the OOM score adjustment"), spec.process.oom_score.unwrap_or_default());
    // docker's default is 0, whatever mydocker has itself; to lower it below where root has put it needs
    // CAP_SYS_RESOURCE, and then a container that is killed earlier is no harm.
    let score = Step::Set(PROC, t(c"self/oom_score_adj"), spec.process.oom_score.unwrap_or(t(c"0")));
    plan.add(score).fine = Some(Errno::EACCES).filter(|_| spec.process.oom_score.is_none());
    if let Some(profile) = apparmor {
        plan.doing_for(text!("set the AppArmor profile"), profile);
        let file = if plan.host.attr_dir { t(c"self/attr/apparmor/exec") } else { t(c"self/attr/exec") };
        plan.add(Step::Set(PROC, file, filled("exec %", &[profile])));
    }
    if let Some(label) = spec.security.label() {
        plan.doing_for(text!("set the SELinux label"), label);
        plan.add(Step::Set(PROC, t(c"self/attr/exec"), label));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(typed: &str) -> core::result::Result<String, String> {
        let string = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        match sysctl(keep(typed.as_bytes())) {
            Ok(read) => Ok(format!("{} {:?}", string(read.file.to_bytes()), string(read.value.to_bytes()))),
            Err(error) => Err(string(&error.text()).lines().next().unwrap_or_default().to_owned()),
        }
    }

    #[test]
    fn a_sysctl_is_a_file_of_a_namespace() {
        assert_eq!(read("net.ipv4.ip_forward=1").as_deref(), Ok("sys/net/ipv4/ip_forward \"1\""));
        assert_eq!(read("kernel.sem=250 32000=100 1").as_deref(), Ok("sys/kernel/sem \"250 32000=100 1\""));
        assert_eq!(read("fs.mqueue.msg_max=").as_deref(), Ok("sys/fs/mqueue/msg_max \"\""));
        // No dots are left, whatever was meant.
        assert_eq!(read("net..../../.x=1").as_deref(), Ok("sys/net/////////x \"1\""));
    }

    #[test]
    fn what_is_the_hosts_is_refused() {
        for typed in [
            "kernel.core_pattern=|/x",
            "kernel.shm=1",
            "kernel.shmmax.x=1",
            "kernel/shmmax=1",
            "fs.file-max=1",
            "fs.mqueuex=1",
            "net=1",
            "net/ipv4/ip_forward=1",
            "vm.overcommit_memory=1",
            "net.ipv4.ip_forward",
            "=1",
            "",
        ] {
            assert_eq!(read(typed), Err(format!("mydocker: --sysctl {typed}: is not allowed")));
        }
    }
}
