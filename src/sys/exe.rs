//! Our own file, which the container must not reach: whoever can open it for writing owns the host (CVE-2019-5736).
//!
//! A process shows its program as /proc/self/exe, a link that leads to the very file wherever that is. An image whose
//! command is `#!/proc/self/exe` would run the host's mydocker inside, open it from another process, and write to it as
//! soon as nothing executes it any more. So the child has nothing left of the file before it executes the command: its
//! mappings become anonymous copies, which the kernel wants before it lets a process have another program
//! (docs/adr/0012).

use super::fs::{self, CWD};
use super::name::{Name, t};
use super::{Errno, OwnedFd};
use core::ffi::c_char;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, RawFd};
use syscalls::Sysno;

unsafe extern "C" {
    /// The linker's name for the first byte of the program, which is its ELF header.
    #[link_name = "__ehdr_start"]
    static HEADER: ElfHeader;
}

#[cfg(not(any(test, fuzzing)))]
unsafe extern "C" {
    /// Where the code begins that no child of clone executes: the end of its segment, see layout.ld.
    #[link_name = "__cold_start"]
    static COLD: u8;
}

#[cfg(any(test, fuzzing))]
static COLD: u8 = 0;

/// Elf64_Ehdr as far as it is needed.
#[repr(C)]
struct ElfHeader {
    ident: [u8; 32],
    phoff: u64,
    shoff: u64,
    flags: u32,
    sizes: [u16; 2],
    phnum: u16,
}

/// Elf64_Phdr.
#[repr(C)]
struct Segment {
    kind: u32,
    flags: u32,
    offset: u64,
    address: u64,
    physical: u64,
    in_file: u64,
    in_memory: u64,
    align: u64,
}

const PAGE: usize = 4096;

/// For each segment, as far as this process still executes it: `mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE)`, a copy,
/// `mprotect(copy, length, as the segment)`, `mremap(copy, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, segment)`; of the
/// rest `munmap(rest, length)`: to copy it would take longer the more there is of it.
pub fn copy_program() -> Result<(), Errno> {
    let anonymous = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE;
    let moved = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    // SAFETY: the linker puts header and program headers at the start of the first segment (the program is linked
    // statically at a fixed address, so the addresses in it are those in memory). What replaces a segment has the same
    // bytes and the same rights, mremap puts it there in one step, and no other thread writes between copy and move; nor
    // does this one, but for its stack, which is elsewhere. x86's instruction fetch sees what was stored.
    unsafe {
        let header = &raw const HEADER;
        let segments = header.byte_add((*header).phoff as usize).cast::<Segment>();
        for segment in core::slice::from_raw_parts(segments, usize::from((*header).phnum)) {
            if segment.kind != 1 || segment.in_file == 0 {
                continue;
            }
            let start = segment.address as usize & !(PAGE - 1);
            let end = (segment.address as usize).wrapping_add(segment.in_file as usize).wrapping_add(PAGE - 1);
            let end = end & !(PAGE - 1);
            let cold = ((&raw const COLD as usize).wrapping_add(PAGE - 1)) & !(PAGE - 1);
            let used = if (start..end).contains(&cold) { cold } else { end };
            let length = used.wrapping_sub(start);
            let rights = libc::PROT_READ | libc::PROT_WRITE;
            let copy = syscall!(Sysno::mmap, 0, length, rights, anonymous, -1_isize, 0)?;
            core::ptr::copy_nonoverlapping(start as *const u8, copy as *mut u8, length);
            // PF_X, PF_W and PF_R are the bits of PROT_* in the reverse order.
            let rights = segment.flags.reverse_bits() >> 29;
            syscall!(Sysno::mprotect, copy, length, rights)?;
            syscall!(Sysno::mremap, copy, length, length, moved, start)?;
            if used != end {
                syscall!(Sysno::munmap, used, end.wrapping_sub(used))?;
            }
        }
    }
    Ok(())
}

/// `madvise(code, length, MADV_DONTNEED)`: whoever only waits from now on gives back the pages of the program that the start
/// has touched. Those that it still executes come back from the page cache.
pub fn forget_code() {
    let start = (&raw const HEADER) as usize & !(PAGE - 1);
    // SAFETY: the first segment is a private mapping of the file that nobody has written to, so every page of it can be had
    // again.
    let _ = unsafe {
        let header = &raw const HEADER;
        let segment = header.byte_add((*header).phoff as usize).cast::<Segment>();
        syscall!(Sysno::madvise, start, (*segment).in_file as usize, libc::MADV_DONTNEED)
    };
}

/// `struct prctl_mm_map`: eleven addresses, the auxiliary vector, its size and the descriptor.
#[repr(C)]
struct MemoryMap {
    addresses: [u64; 11],
    auxv: u64,
    auxv_size: u32,
    exe: u32,
}

const SET_MM: usize = 35;

/// `prctl(PR_SET_MM, PR_SET_MM_MAP, {…, exe_fd}, 104, 0)`: /proc/self/exe is that file now. Needs CAP_SYS_ADMIN in the
/// user namespace, or CAP_CHECKPOINT_RESTORE since Linux 5.9. EBUSY while something of the old file is mapped.
///
/// The addresses are what /proc shows, no more: of the arguments and the environment, which are the host's, nothing.
pub fn set_program(file: BorrowedFd) -> Result<(), Errno> {
    let at = &raw const HEADER as u64;
    // Code, data (each pair ordered, before Linux 5.3 start below end), brk above the data, stack, arguments, environment.
    let addresses = [at, at | 1, at, at | 1, at | 2, at | 2, at, at, at, at, at];
    let map = MemoryMap { addresses, auxv: 0, auxv_size: 0, exe: file.as_raw_fd() as u32 };
    // SAFETY: the kernel reads 104 bytes. The addresses it takes over are not used to run the process.
    unsafe { syscall!(Sysno::prctl, SET_MM, 14, &raw const map, size_of::<MemoryMap>(), 0) }.map(drop)
}

/// `prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size)`: whether the kernel has that (CONFIG_CHECKPOINT_RESTORE), and whether
/// this architecture executes what was copied without being told to flush its caches.
pub fn can_change_program() -> bool {
    let mut size = 0_u32;
    // SAFETY: the kernel writes one int.
    cfg!(target_arch = "x86_64")
        && unsafe { syscall!(Sysno::prctl, SET_MM, 15, &raw mut size, 0, 0) }.is_ok()
        && size as usize == size_of::<MemoryMap>()
}

/// Whether the program is a copy that nobody can write to.
pub fn is_sealed() -> bool {
    let Ok(file) = fs::open_follow(CWD, OWN, libc::O_RDONLY, 0) else { return false };
    // SAFETY: no pointers.
    let seals = unsafe { syscall!(Sysno::fcntl, file.as_raw_fd(), libc::F_GET_SEALS) };
    seals.is_ok_and(|seals| seals & SEALS == SEALS)
}

const OWN: Name = t(c"/proc/self/exe");
const SEALS: usize = (libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE) as usize;

/// Executes a copy of the program in memory that nobody can write to, with the same arguments: returns only what went
/// wrong. `memfd_create("mydocker", …)`, `sendfile`, `fcntl(F_ADD_SEALS)`, `execveat(memfd, "", …, AT_EMPTY_PATH)`.
pub fn run_sealed(argv: *const *const c_char, envp: *const *const c_char) -> Errno {
    let copy = || {
        let program = fs::open_follow(CWD, OWN, libc::O_RDONLY, 0)?;
        let copy = empty_program()?;
        while fs::send_file(copy.as_fd(), program.as_fd(), 1 << 20)? > 0 {}
        // SAFETY: no pointers.
        unsafe { syscall!(Sysno::fcntl, copy.as_raw_fd(), libc::F_ADD_SEALS, SEALS) }?;
        // SAFETY: both lists are C's, as execve takes them; the kernel only reads.
        unsafe { syscall!(Sysno::execveat, copy.as_raw_fd(), t(c"").as_ptr(), argv, envp, libc::AT_EMPTY_PATH) }
    };
    copy().err().unwrap_or(Errno::EINVAL)
}

/// For a process that is to have no program: executable, or the kernel would not take it for one.
pub fn empty_program() -> Result<OwnedFd, Errno> {
    memory_file(MFD_EXEC).or_else(|_| memory_file(0))
}

/// Without it a host may have the copy not executable; EINVAL before Linux 6.3.
const MFD_EXEC: usize = 0x10;

/// `memfd_create("mydocker", MFD_CLOEXEC | MFD_ALLOW_SEALING | more)`: no file system has it.
pub fn memory_file(more: usize) -> Result<OwnedFd, Errno> {
    let flags = (libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) as usize | more;
    // SAFETY: the name is NUL-terminated; the descriptor is new.
    unsafe { syscall!(Sysno::memfd_create, t(c"mydocker").as_ptr(), flags) }
        .map(|fd| unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}
