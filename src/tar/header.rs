//! A member's header, from its 512 bytes and the pax records before it. Pure.

use crate::text::{Message, number, split_once};

/// A header's size, and what data is padded to.
pub const BLOCK: usize = 512;

/// Why a member is refused: words that follow its name.
pub type Why = Message;

/// What a member is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Kind {
    /// A regular file, with data.
    #[default]
    File,
    /// Another name of a file that came before.
    HardLink,
    /// A symbolic link.
    Symlink,
    /// A node for mknod(2) with its S_IFMT bits: device or FIFO.
    Node(u32),
    /// A directory.
    Directory,
    /// A pax header for the next member.
    Pax,
    /// A pax header for all members that follow.
    PaxGlobal,
    /// GNU's long name for the next member.
    LongName,
    /// GNU's long link target for the next member.
    LongLink,
    /// A volume label or another remark without a file.
    Remark,
}

/// One member. Its vectors are filled again for each, so that a million members take no more memory than one.
#[derive(Default, Debug, PartialEq, Eq)]
pub struct Member {
    /// What it is.
    pub kind: Kind,
    /// Permissions, suid, sgid and sticky.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Modification time, seconds and nanoseconds.
    pub mtime: (i64, i64),
    /// Bytes of data.
    pub size: u64,
    /// Device number for mknod(2).
    pub device: u64,
    /// Name as the archive has it.
    pub path: Vec<u8>,
    /// Target of a link.
    pub link: Vec<u8>,
}

/// The bytes of a field up to its first NUL.
pub fn text(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or_default()
}

fn part(block: &[u8; BLOCK], start: usize, length: usize) -> &[u8] {
    block.get(start..).and_then(|rest| rest.get(..length)).unwrap_or_default()
}

/// A number field: octal digits between blanks and NULs (nothing at all is 0), or GNU's base 256, big-endian and
/// signed behind the marker bit 0x80.
fn field(bytes: &[u8]) -> Option<i64> {
    let (&first, rest) = bytes.split_first()?;
    if first & 0x80 != 0 {
        let start = i64::from(if first & 0x40 != 0 { first as i8 } else { (first & 0x3f) as i8 });
        return rest.iter().try_fold(start, |sum, &byte| sum.checked_mul(256)?.checked_add(i64::from(byte)));
    }
    let digits = text(bytes).trim_ascii();
    digits.iter().try_fold(0_i64, |sum, &byte| match byte {
        b'0'..=b'7' => sum.checked_mul(8)?.checked_add(i64::from(byte & 7)),
        _ => None,
    })
}

/// An owner that chown(2) takes: -1 would mean "leave it as it is".
fn id(value: i64) -> Option<u32> {
    u32::try_from(value).ok().filter(|&id| id != u32::MAX)
}

/// Whether the checksum is right. Old tars summed signed bytes.
fn checksum_holds(block: &[u8; BLOCK]) -> bool {
    let mut unsigned = 0_i64;
    let mut signed = 0_i64;
    for (at, &byte) in block.iter().enumerate() {
        let byte = if (148..156).contains(&at) { b' ' } else { byte };
        unsigned = unsigned.wrapping_add(i64::from(byte));
        signed = signed.wrapping_add(i64::from(byte as i8));
    }
    field(part(block, 148, 8)).is_some_and(|sum| sum == unsigned || sum == signed)
}

impl Member {
    /// Fills in what the header says.
    pub fn read(&mut self, block: &[u8; BLOCK]) -> Result<(), Why> {
        if !checksum_holds(block) {
            return Err(CHECKSUM);
        }
        self.path.clear();
        // Only POSIX has a prefix; GNU's magic ("ustar  ") puts other fields there.
        if part(block, 257, 6) == b"ustar\0" {
            let prefix = text(part(block, 345, 155));
            self.path.extend_from_slice(prefix);
            if !prefix.is_empty() {
                self.path.push(b'/');
            }
        }
        self.path.extend_from_slice(text(part(block, 0, 100)));
        self.link.clear();
        self.link.extend_from_slice(text(part(block, 157, 100)));
        let number =
            |start, length| field(part(block, start, length)).ok_or(text!("a number in its header is damaged"));
        self.mode = number(100, 8)? as u32 & 0o7777;
        self.uid = id(number(108, 8)?).ok_or(text!("its owner is out of range"))?;
        self.gid = id(number(116, 8)?).ok_or(text!("its group is out of range"))?;
        self.size = u64::try_from(number(124, 12)?).map_err(|_| text!("its size is negative"))?;
        self.mtime = (number(136, 12)?, 0);
        let letter = *part(block, 156, 1).first().unwrap_or(&0);
        self.kind = match letter {
            0 | b'0' | b'7' => Kind::File,
            b'1' => Kind::HardLink,
            b'2' => Kind::Symlink,
            b'3' => Kind::Node(libc::S_IFCHR),
            b'4' => Kind::Node(libc::S_IFBLK),
            b'5' => Kind::Directory,
            b'6' => Kind::Node(libc::S_IFIFO),
            b'x' => Kind::Pax,
            b'g' => Kind::PaxGlobal,
            b'L' => Kind::LongName,
            b'K' => Kind::LongLink,
            b'V' => Kind::Remark,
            b'S' => return Err(SPARSE),
            _ => {
                return Err(text!(
                    "is of a kind that cannot be unpacked (not a file, link, directory, device or FIFO)"
                ));
            }
        };
        self.device = 0;
        if matches!(letter, b'3' | b'4') {
            let (major, minor) = (number(329, 8)?, number(337, 8)?);
            // The kernel's own limits: 12 and 20 bits.
            if !(0..1 << 12).contains(&major) || !(0..1 << 20).contains(&minor) {
                return Err(text!("its device number is out of range"));
            }
            self.device = libc::makedev(major as u32, minor as u32);
            if letter == b'3' && self.device == 0 {
                return Err(text!(
                    "is a whiteout of overlayfs: this is the layer of an image, not a whole root file system"
                ));
            }
        }
        Ok(())
    }

    /// Overrides the header with what pax headers say, the later ones before the earlier.
    pub fn apply(&mut self, headers: &[&[u8]]) -> Result<(), Why> {
        for header in headers {
            self.apply_one(header)?;
        }
        // Before POSIX, a slash at the end was all that told a directory. The short name in a header that has a long
        // one elsewhere may end so by chance.
        if self.kind == Kind::File && self.path.ends_with(b"/") {
            self.kind = Kind::Directory;
        }
        Ok(())
    }

    fn apply_one(&mut self, mut rest: &[u8]) -> Result<(), Why> {
        while let Some((key, value)) = record(&mut rest)? {
            let number = || number(value).ok_or(text!("a number in its pax header is damaged"));
            let id = |value: u64| id(value as i64).ok_or(text!("its owner or group is out of range"));
            // Not by a match, which compares byte by byte.
            if key == b"path" {
                value.clone_into(&mut self.path);
            } else if key == b"linkpath" {
                value.clone_into(&mut self.link);
            } else if key == b"size" {
                self.size = number()?;
            } else if key == b"uid" {
                self.uid = id(number()?)?;
            } else if key == b"gid" {
                self.gid = id(number()?)?;
            } else if key == b"mtime" {
                self.mtime = time(value).ok_or(text!("its time is damaged"))?;
            } else if key.starts_with(b"GNU.sparse.") {
                return Err(SPARSE);
            }
        }
        Ok(())
    }
}

/// Also what anything but a tar archive starts with.
pub const CHECKSUM: Why = text!("its header is damaged (wrong checksum)");
const SPARSE: Why = text!("is a sparse file: make the archive without tar's --sparse");

/// A key and its value.
type Pair<'a> = (&'a [u8], &'a [u8]);

/// Takes the next `LENGTH KEY=VALUE\n` from the front.
pub fn record<'a>(rest: &mut &'a [u8]) -> Result<Option<Pair<'a>>, Why> {
    if rest.is_empty() {
        return Ok(None);
    }
    let cut = || {
        let (length, _) = split_once(rest, b' ')?;
        let (whole, after) = rest.split_at_checked(usize::try_from(number(length)?).ok()?)?;
        let text = whole.get(length.len().wrapping_add(1)..)?.strip_suffix(b"\n")?;
        Some((split_once(text, b'=')?, after))
    };
    let (pair, after) = cut().ok_or(text!("its pax header is damaged"))?;
    *rest = after;
    Ok(Some(pair))
}

/// `[-]SECONDS[.FRACTION]` as seconds and nanoseconds.
fn time(value: &[u8]) -> Option<(i64, i64)> {
    let (negative, digits) = value.strip_prefix(b"-").map_or((false, value), |rest| (true, rest));
    let (seconds, fraction) = split_once(digits, b'.').unwrap_or((digits, b""));
    let seconds = i64::try_from(number(seconds)?).ok()?;
    let mut nanoseconds = 0_i64;
    for at in 0..9 {
        let digit = *fraction.get(at).unwrap_or(&b'0');
        nanoseconds =
            nanoseconds.checked_mul(10)?.checked_add(i64::from(digit.is_ascii_digit().then_some(digit & 15)?))?;
    }
    Some(match (negative, nanoseconds) {
        (false, _) => (seconds, nanoseconds),
        (true, 0) => (seconds.checked_neg()?, 0),
        (true, _) => (seconds.checked_neg()?.checked_sub(1)?, 1_000_000_000_i64.checked_sub(nanoseconds)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ustar header as POSIX lays it out, for a file `a` of 5 bytes.
    fn ustar() -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        let fields: [(usize, &[u8]); 9] = [
            (0, b"a"),
            (100, b"0004755\0"),
            (108, b"0001750\0"),
            (116, b"0000144\0"),
            (124, b"00000000005\0"),
            (136, b"14371573260\0"),
            (156, b"0"),
            (257, b"ustar\x0000"),
            (329, b"0000000\0"),
        ];
        for (at, bytes) in fields {
            put(&mut block, at, bytes);
        }
        block
    }

    fn put(block: &mut [u8; BLOCK], at: usize, bytes: &[u8]) {
        if let Some(field) = block.get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len())) {
            field.copy_from_slice(bytes);
        }
        put_checksum(block);
    }

    fn put_checksum(block: &mut [u8; BLOCK]) {
        let sum: u32 =
            block.iter().enumerate().map(|(at, &byte)| if (148..156).contains(&at) { 32 } else { byte.into() }).sum();
        let text = format!("{sum:06o}\0 ");
        if let Some(field) = block.get_mut(148..156) {
            field.copy_from_slice(text.as_bytes());
        }
    }

    fn read(block: &[u8; BLOCK]) -> Result<Member, Why> {
        let mut member = Member { path: b"left over".to_vec(), device: 7, ..Member::default() };
        member.read(block).map(|()| member)
    }

    #[test]
    fn a_ustar_header_is_read_whole() {
        let expected = Member {
            kind: Kind::File,
            mode: 0o4755,
            uid: 1000,
            gid: 100,
            mtime: (0o14371573260, 0),
            size: 5,
            device: 0,
            path: b"a".to_vec(),
            link: Vec::new(),
        };
        assert_eq!(read(&ustar()), Ok(expected));
    }

    #[test]
    fn the_prefix_counts_only_where_posix_put_it() {
        let mut block = ustar();
        put(&mut block, 345, b"usr/bin");
        assert_eq!(read(&block).map(|member| member.path), Ok(b"usr/bin/a".to_vec()));
        put(&mut block, 257, b"ustar  \0");
        assert_eq!(read(&block).map(|member| member.path), Ok(b"a".to_vec()));
    }

    #[test]
    fn a_changed_byte_breaks_the_checksum() {
        let mut block = ustar();
        if let Some(byte) = block.get_mut(1) {
            *byte = b'b';
        }
        assert_eq!(read(&block), Err(text!("its header is damaged (wrong checksum)")));
    }

    #[test]
    fn numbers_are_octal_or_base_256() {
        for (bytes, expected) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"    644 ", Some(0o644)),
            (b"\0\0\0\0\0\0\0\0", Some(0)),
            (b"        ", Some(0)),
            (b"77777777777 ", Some(0o77777777777)),
            (b"777777777777", Some(0o777777777777)),
            (b"\x80\0\0\0\0\0\0\0\0\0\x01\x02", Some(0x102)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe", Some(-2)),
            (b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", Some(i64::MAX)),
            (b"\x80\0\0\0\x80\0\0\0\0\0\0\0", None),
            (b"\x80\x01\0\0\0\0\0\0\0\0\0\0", None),
            (b"0000689\0", None),
            (b"-000001\0", None),
            (b"12 34\0\0\0", None),
            (b"", None),
        ] {
            assert_eq!(field(bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn an_owner_that_chown_would_ignore_is_refused() {
        let mut block = ustar();
        put(&mut block, 108, b"\x80\0\0\0\xff\xff\xff\xff");
        assert_eq!(read(&block), Err(text!("its owner is out of range")));
        let mut member = Member::default();
        assert_eq!(member.apply(&[b"18 gid=4294967295\n"]), Err(text!("its owner or group is out of range")));
        assert_eq!(member.apply(&[b"18 uid=4294967294\n"]).map(|()| member.uid), Ok(4294967294));
    }

    #[test]
    fn what_cannot_be_unpacked_is_refused() {
        for letter in [b"S", b"D", b"M", b"N", b"A", b"X", b"z"] {
            let mut block = ustar();
            put(&mut block, 156, letter);
            assert!(read(&block).is_err());
        }
        assert_eq!(Member::default().apply(&[b"22 GNU.sparse.major=1\n"]), Err(SPARSE));
    }

    #[test]
    fn a_slash_at_the_end_makes_a_directory() {
        let mut member = Member { path: b"a".to_vec(), ..Member::default() };
        member.apply(&[b"15 path=b/c/d/\n", b"12 path=b/c\n"]).unwrap_or_default();
        assert_eq!((member.kind, &member.path[..]), (Kind::File, &b"b/c"[..]));
        member.path.push(b'/');
        member.apply(&[]).unwrap_or_default();
        assert_eq!(member.kind, Kind::Directory);
    }

    #[test]
    fn a_device_has_the_numbers_that_the_kernel_can_hold() {
        let mut block = ustar();
        put(&mut block, 156, b"4");
        put(&mut block, 329, b"0000010\0");
        put(&mut block, 337, b"0000001\0");
        assert_eq!(read(&block).map(|member| (member.kind, member.device)), Ok((Kind::Node(libc::S_IFBLK), 0x801)));
        put(&mut block, 329, b"0010000\0");
        assert_eq!(read(&block), Err(text!("its device number is out of range")));
    }

    #[test]
    fn a_whiteout_device_is_not_part_of_a_root_file_system() {
        let mut block = ustar();
        put(&mut block, 156, b"3");
        assert!(read(&block).is_err_and(|why| why.bytes().starts_with(b"is a whiteout")));
    }

    #[test]
    fn pax_records_override_the_header() {
        let mut member = Member::default();
        let records = b"13 path=long\n14 linkpath=t\n14 size=12345\n22 mtime=1700000000.5\n13 comment=x\n10 atime=\n";
        assert_eq!(member.apply(&[records]), Ok(()));
        assert_eq!((member.path, member.link), (b"long".to_vec(), b"t".to_vec()));
        assert_eq!((member.size, member.mtime), (12345, (1_700_000_000, 500_000_000)));
    }

    #[test]
    fn a_pax_length_that_lies_is_refused() {
        for bad in [
            &b"99 path=a\n"[..],
            b"0 path=a\n",
            b"3 path=a\n",
            b"8 path=a\n",
            b"11 path=a\n",
            b"path=a\n",
            b"8 patha\n",
            b"18446744073709551615 path=a\n",
            b" ",
        ] {
            assert_eq!(
                Member::default().apply(&[bad]),
                Err(text!("its pax header is damaged")),
                "{}",
                bad.escape_ascii()
            );
        }
    }

    #[test]
    fn a_pax_number_is_digits_and_fits() {
        for bad in [&b"8 size=\n"[..], b"11 size=-1\n", b"9 size=x\n", b"29 size=18446744073709551616\n", b"8 uid=x\n"]
        {
            assert_eq!(Member::default().apply(&[bad]), Err(text!("a number in its pax header is damaged")));
        }
    }

    #[test]
    fn times_before_1970_and_between_seconds() {
        for (text, expected) in [
            (&b"0"[..], Some((0, 0))),
            (b"1.5", Some((1, 500_000_000))),
            (b"1.1234567899", Some((1, 123_456_789))),
            (b"-1", Some((-1, 0))),
            (b"-1.25", Some((-2, 750_000_000))),
            (b"-0.5", Some((-1, 500_000_000))),
            (b"1.x", None),
            (b"", None),
            (b"--1", None),
            (b"9223372036854775808", None),
        ] {
            assert_eq!(time(text), expected, "{}", text.escape_ascii());
        }
    }
}
