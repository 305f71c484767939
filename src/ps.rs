//! `ps`: the containers, a row each; and what is shown of one, which `inspect`, `stats` and volumes need too.

use crate::assemble::image_volumes;
use crate::cgroup::{Layout, freezer};
use crate::cli::{Given, Options};
use crate::error::{Error, Result, USAGE};
use crate::format::filter::{Filters, fits, invalid};
use crate::format::{self, View, human};
use crate::image::config::{Config, Part};
use crate::inspect::decimal;
use crate::json::write;
use crate::record::{Record, State, Status, now};
use crate::spec::{Mount, Source, Text};
use crate::store::Store;
use crate::sys::fs;
use crate::sys::name::t;
use crate::sys::process;
use crate::text::{Line, Push, filled, has, is, keep, number, separated};
use crate::{cgroup, usage};
use std::os::fd::AsFd;

/// A container, how it is, and what was asked for.
pub struct Shown {
    /// What is kept of it.
    pub record: Record,
    /// How it is.
    pub state: State,
    /// docker's word for that.
    pub status: Text,
    /// All its processes stand still.
    pub paused: bool,
    /// What it was made with.
    pub options: Options,
    /// That could not be read: a foreground container's --env-file can be gone by now.
    pub unknown: bool,
    /// What the image says.
    pub config: &'static Config,
}

impl Shown {
    /// Looks at a container.
    pub fn new(store: &Store, record: Record) -> &'static Self {
        Self::of(store, &cgroup::everywhere(store.rootless), &mut Vec::new(), record)
    }

    /// It is never freed, as all that is shown.
    fn of(store: &Store, layout: &Layout, known: &mut Configs, record: Record) -> &'static Self {
        let state = record.state();
        let paused = state.status == Status::Running && freezer::is_frozen(layout, record.id);
        let status = if paused { t(c"paused") } else { keep(state.word()) };
        let options = record.options();
        let unknown = options.is_err();
        let mut options = options.unwrap_or_default();
        let config = config(store, known, record.image_id);
        let _ = image_volumes(&mut options.spec.mounts, config);
        Box::leak(Box::new(Self { record, state, status, paused, options, unknown, config }))
    }

    /// All of them, the youngest first.
    pub fn all(store: &Store) -> Vec<&'static Self> {
        // Each has a descriptor.
        let (_, hard) = process::limit(process::NOFILE);
        let _ = process::set_limit(process::NOFILE, hard, hard);
        let layout = cgroup::everywhere(store.rootless);
        let (mut all, mut known): (Vec<&'static Self>, Configs) = (Vec::new(), Vec::new());
        for record in store.records() {
            let shown = Self::of(store, &layout, &mut known, record);
            let older = all.iter().position(|other| other.record.created < shown.record.created);
            all.insert(older.unwrap_or(all.len()), shown);
        }
        all
    }

    /// Whether there is a process.
    pub fn runs(&self) -> bool {
        self.state.is_live()
    }

    /// The command and its arguments: docker's Path and Args.
    pub fn command(&self) -> Vec<Text> {
        let mut command = self.entrypoint();
        command.extend_from_slice(&self.cmd());
        command
    }

    /// --entrypoint, or the image's.
    pub fn entrypoint(&self) -> Vec<Text> {
        match self.options.entrypoint {
            Some(entrypoint) if entrypoint.is_empty() => Vec::new(),
            Some(entrypoint) => vec![entrypoint],
            None => self.config.list(Part::Entrypoint).into(),
        }
    }

    /// What was typed behind the image; or what the image says, unless another entrypoint was asked for.
    pub fn cmd(&self) -> Vec<Text> {
        let words = &self.record.words;
        if words.is_empty() && self.options.entrypoint.is_none() {
            self.config.list(Part::Cmd).into()
        } else {
            words.clone()
        }
    }

    /// The image's labels, and its own over them.
    pub fn labels(&self) -> Vec<Text> {
        [self.config.list(Part::Labels), &self.options.life.labels].concat()
    }

    /// The network, as docker calls it.
    pub fn network(&self) -> Text {
        if self.options.spec.share.net { t(c"host") } else { t(c"none") }
    }

    /// "Up 3 seconds", "Exited (0) 2 minutes ago".
    fn how_long(&self) -> Text {
        let state = &self.state;
        let (words, since) = match state.status {
            Status::Created => return t(c"Created"),
            Status::Running if self.paused => ("Up % (Paused)", state.started),
            Status::Running => ("Up %", state.started),
            Status::Restarting => ("Restarting (%) % ago", state.finished),
            Status::Exited => ("Exited (%) % ago", state.finished),
        };
        let since = age(since);
        let first = if state.status == Status::Running { since } else { decimal(u64::from(state.code)) };
        filled(words, &[first, since])
    }

    fn fits(&self, filters: &Filters) -> bool {
        let mounts = &self.options.spec.mounts;
        let record = &self.record;
        let named = |pattern: &[u8]| {
            fits(pattern, record.name.to_bytes()) || fits(pattern, filled("/%", &[record.name]).to_bytes())
        };
        filters.any("name", &mut |pattern| named(pattern))
            && filters.any("id", &mut |pattern| fits(pattern, record.id.to_bytes()))
            && filters.any("status", &mut |word| word == self.status.to_bytes())
            && filters.any("exited", &mut |code| {
                self.state.status == Status::Exited && number(code) == Some(u64::from(self.state.code))
            })
            && filters.any("ancestor", &mut |image| {
                let name = record.image.to_bytes();
                let id = image.strip_prefix(b"sha256:").unwrap_or(image);
                let tagged = |one: &[u8], other: &[u8]| one.strip_prefix(other) == Some(b":latest");
                name == image
                    || tagged(name, image)
                    || tagged(image, name)
                    || id.len() >= 4 && record.image_id.to_bytes().starts_with(id)
            })
            && filters.any("network", &mut |network| network == self.network().to_bytes())
            && filters.any("volume", &mut |volume| {
                mounts.iter().any(|mount| {
                    let (Source::Host(name) | Source::Volume(name)) = mount.source else { return false };
                    name.to_bytes() == volume || mount.target.to_bytes() == volume
                })
            })
            && filters.labels(&self.labels())
    }
}

/// Images' ids, and what their configs say.
type Configs = Vec<(Text, &'static Config)>;

/// What an image's config says, as far as it is known. It is read once, however many containers have the image.
fn config(store: &Store, known: &mut Configs, id: Text) -> &'static Config {
    if let Some((_, config)) = known.iter().find(|(of, _)| *of == id) {
        return config;
    }
    let file = fs::open(store.dir(), filled("configs/%", &[id]), libc::O_RDONLY, 0);
    let config = Config::read(&file.and_then(|file| fs::read_all(file.as_fd(), 4 << 20)).unwrap_or_default());
    let config = &*Box::leak(Box::new(config));
    known.push((id, config));
    config
}

const VIEW: View = View {
    quiet: text!("{{.ID}}"),
    table: text!("table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"),
    headers: text!("ID=CONTAINER ID\nRunningFor=CREATED"),
};

/// With -s.
const SIZED: View = View {
    table: text!(
        "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}\t{{.Size}}"
    ),
    ..VIEW
};

/// `mydocker ps`.
pub fn ps(given: &Given) -> Result<u8> {
    let filters =
        Filters::read(&given.values("filter"), "ancestor before exited id label name network since status volume")?;
    let words = "created restarting running removing paused exited dead";
    if let Some(word) = filters.values("status").find(|word| !is(word, words)) {
        return Err(
            invalid(filled("status=%", &[keep(word)]).to_bytes()).hint(text!("there are %"), &[keep(words.as_bytes())])
        );
    }
    let last = match given.value("last") {
        _ if given.has("latest") => 1,
        Some(count) if count == t(c"-1") => 0,
        Some(count) => number(count.to_bytes()).ok_or_else(|| {
            Error::new(text!("invalid argument \"%\" for \"-n, --last\" flag: it is a number"), &[count]).code(USAGE)
        })? as usize,
        None => 0,
    };
    let store = given.store()?;
    let all = Shown::all(&store);
    let every = given.has("all") || last != 0 || filters.values("status").next().is_some();
    // The time of the container that a filter names.
    let time = |name: &str| -> Result<Option<u64>> {
        filters.values(name).next().map(|word| Ok(store.find(keep(word))?.created)).transpose()
    };
    let (before, since) = (time("before")?, time("since")?);
    let asked = given.value("format").unwrap_or_default();
    let (whole, sized) =
        (given.has("no-trunc"), given.has("size") || asked.to_bytes().windows(5).any(|word| word == b".Size"));
    let mut rows = Vec::new();
    for shown in all {
        let created = shown.record.created;
        let between = before.is_none_or(|time| created < time) && since.is_none_or(|time| created > time);
        if (every || shown.runs()) && between && shown.fits(&filters) && (last == 0 || rows.len() < last) {
            rows.push(row(&store, shown, whole, sized));
        }
    }
    format::list(given.value("format"), given.has("quiet"), if sized { &SIZED } else { &VIEW }, &rows)
}

fn row(store: &Store, shown: &Shown, whole: bool, sized: bool) -> Text {
    let record = &shown.record;
    let (mut words, mut mounts, mut local) = (Vec::new(), Vec::new(), 0);
    for word in shown.command() {
        words.push(if has(word.to_bytes(), b' ') { filled("'%'", &[word]) } else { word });
    }
    let command = separated(&words, b" ");
    let mut quoted = Line::new();
    quoted.quoted(if whole { command } else { cut(command, 20) }.to_bytes());
    for (index, mount) in shown.options.spec.mounts.iter().enumerate() {
        if let Source::Tmpfs(_) = mount.source {
            continue;
        }
        let name = volume_name(index, mount);
        mounts.push(if whole { name } else { cut(name, 15) });
        local = u64::from(!matches!(mount.source, Source::Host(_))).wrapping_add(local);
    }
    let size = if sized {
        let (own, all) = usage::container(store, record);
        filled("% (virtual %)", &[human::size(own, 3, 1000), human::size(all, 3, 1000)])
    } else {
        t(c"0B")
    };
    write::object(
        text!(
            "Command CreatedAt ID Image Labels LocalVolumes Mounts Names Networks Ports= RunningFor Size State Status"
        ),
        &[
            keep(&quoted),
            human::created_at(record.created),
            if whole { record.id } else { short(record.id) },
            record.image,
            separated(&shown.labels(), b","),
            decimal(local),
            separated(&mounts, b","),
            record.name,
            shown.network(),
            filled("% ago", &[age(record.created)]),
            size,
            shown.status,
            shown.how_long(),
        ],
    )
}

/// How long ago that was.
fn age(time: u64) -> Text {
    human::age(now().saturating_sub(time) / 1_000_000_000)
}

/// Twelve digits of an id.
pub fn short(id: Text) -> Text {
    keep(id.to_bytes().get(..12).unwrap_or_default())
}

/// At most so many characters, the last an ellipsis where some were cut off.
pub fn cut(text: Text, most: usize) -> Text {
    let (mut count, mut end) = (0_usize, 0);
    for (at, &byte) in text.to_bytes().iter().enumerate() {
        if byte & 0xc0 != 0x80 {
            count = count.wrapping_add(1);
            if count == most {
                end = at;
            }
        }
    }
    if count <= most { text } else { filled("%\u{2026}", &[keep(text.to_bytes().get(..end).unwrap_or_default())]) }
}

/// What a mount is called: a named volume's name, a path of the host, and what an anonymous one's directory is.
pub fn volume_name(index: usize, mount: &Mount) -> Text {
    match mount.source {
        Source::Host(name) | Source::Volume(name) => name,
        _ => filled("volume%", &[decimal(index as u64)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_in_characters() {
        assert_eq!(cut(t(c"echo one two three four five"), 20), t(c"echo one two three \u{2026}"));
        assert_eq!(cut(keep("\u{e4}".repeat(20).as_bytes()), 20).to_bytes(), "\u{e4}".repeat(20).as_bytes());
        assert_eq!(
            cut(keep("\u{e4}".repeat(21).as_bytes()), 20).to_bytes(),
            ("\u{e4}".repeat(19) + "\u{2026}").as_bytes()
        );
    }
}
