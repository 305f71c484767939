//! `ps`: the containers, a row each; and what is shown of one, which `inspect`, `stats` and volumes need too.

use crate::cgroup::{Layout, freezer};
use crate::cli::{Given, Options};
use crate::error::Result;
use crate::format::filter::{Filters, fits, invalid};
use crate::format::{self, View, human};
use crate::image::config::{Config, Part};
use crate::json::write;
use crate::record::{Record, State, Status, now};
use crate::spec::{Mount, Source, Text};
use crate::store::Store;
use crate::sys::fs;
use crate::sys::name::t;
use crate::text::{Line, Push, filled, has, is, keep, number};
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
    /// What it was made with; nothing of it where that cannot be read any more.
    pub options: Options,
    /// What the image says.
    pub config: Config,
}

impl Shown {
    /// Looks at a container.
    pub fn new(store: &Store, record: Record) -> Self {
        Self::of(store, &cgroup::everywhere(store.rootless), record)
    }

    fn of(store: &Store, layout: &Layout, record: Record) -> Self {
        let state = record.state();
        let paused = state.status == Status::Running && freezer::is_frozen(layout, record.id);
        let status = if paused { t(c"paused") } else { keep(state.word()) };
        let options = record.options().unwrap_or_default();
        let config = config(store, record.image_id);
        Self { record, state, status, paused, options, config }
    }

    /// All of them, the youngest first.
    pub fn all(store: &Store) -> Vec<Self> {
        let layout = cgroup::everywhere(store.rootless);
        let mut all: Vec<Self> = store.records().into_iter().map(|record| Self::of(store, &layout, record)).collect();
        all.sort_by_key(|shown| core::cmp::Reverse(shown.record.created));
        all
    }

    /// Whether there is a process.
    pub fn runs(&self) -> bool {
        self.state.is_live()
    }

    /// The command and its arguments: docker's Path and Args.
    pub fn command(&self) -> Vec<Text> {
        let (entrypoint, cmd) = (self.entrypoint(), self.cmd());
        entrypoint.iter().chain(&cmd).copied().collect()
    }

    /// --entrypoint, or the image's.
    pub fn entrypoint(&self) -> Vec<Text> {
        match self.options.entrypoint {
            Some(entrypoint) => Some(entrypoint).filter(|word| !word.is_empty()).into_iter().collect(),
            None => self.config.list(Part::Entrypoint).to_vec(),
        }
    }

    /// What was typed behind the image; or what the image says, unless another entrypoint was asked for.
    pub fn cmd(&self) -> Vec<Text> {
        let words = &self.record.words;
        if words.is_empty() && self.options.entrypoint.is_none() {
            self.config.list(Part::Cmd).to_vec()
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
        let since = |time: u64| human::age(now().saturating_sub(time) / 1_000_000_000);
        let mut code = Line::new();
        let code = keep(code.dec(u64::from(state.code)));
        match state.status {
            Status::Running if self.paused => filled("Up % (Paused)", &[since(state.started)]),
            Status::Running => filled("Up %", &[since(state.started)]),
            Status::Restarting => filled("Restarting (%) % ago", &[code, since(state.finished)]),
            Status::Created => t(c"Created"),
            Status::Exited => filled("Exited (%) % ago", &[code, since(state.finished)]),
        }
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

/// What an image's config says, as far as it is known.
fn config(store: &Store, id: Text) -> Config {
    let file = fs::open(store.dir(), filled("configs/%", &[id]), libc::O_RDONLY, 0);
    Config::read(&file.and_then(|file| fs::read_all(file.as_fd(), 4 << 20)).unwrap_or_default())
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
        Some(count) => number(count.to_bytes()).map_or(0, |count| count as usize),
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
    let rows: Vec<Text> = all
        .iter()
        .filter(|shown| (every || shown.runs()) && shown.fits(&filters))
        .filter(|shown| before.is_none_or(|time| shown.record.created < time))
        .filter(|shown| since.is_none_or(|time| shown.record.created > time))
        .take(if last == 0 { usize::MAX } else { last })
        .map(|shown| row(&store, shown, given.has("no-trunc"), given.has("size")))
        .collect();
    format::list(given.value("format"), given.has("quiet"), if given.has("size") { &SIZED } else { &VIEW }, &rows)
}

fn row(store: &Store, shown: &Shown, whole: bool, sized: bool) -> Text {
    let record = &shown.record;
    let mut command = Line::new();
    for word in shown.command() {
        let quote: &[u8] = if has(word.to_bytes(), b' ') { b"'" } else { b"" };
        command.put(if command.is_empty() { b"" } else { b" " });
        command.put(quote).put(word.to_bytes()).put(quote);
    }
    let mut quoted = Line::new();
    quoted.quoted(if whole { &command } else { cut(&command, 20).to_bytes() });
    let volumes = shown.options.spec.mounts.iter().filter(|mount| !matches!(mount.source, Source::Tmpfs(_)));
    let (mut mounts, mut local) = (Line::new(), 0_u64);
    for (index, mount) in volumes.enumerate() {
        let name = volume_name(index, mount);
        mounts.put(if mounts.is_empty() { b"" } else { b"," });
        mounts.put(if whole { name } else { cut(name.to_bytes(), 15) }.to_bytes());
        local = local.wrapping_add(u64::from(!matches!(mount.source, Source::Host(_))));
    }
    let mut labels = Line::new();
    for label in shown.labels() {
        labels.put(if labels.is_empty() { b"" } else { b"," }).put(label.to_bytes());
    }
    let size = if sized {
        let (own, all) = usage::container(store, record);
        filled("% (virtual %)", &[human::size(own, 3, 1000), human::size(all, 3, 1000)])
    } else {
        t(c"0B")
    };
    let mut count = Line::new();
    let created = human::age(now().saturating_sub(record.created) / 1_000_000_000);
    write::object(
        text!(
            "Command CreatedAt ID Image Labels LocalVolumes Mounts Names Networks Ports RunningFor Size State Status"
        ),
        &[
            keep(&quoted),
            human::created_at(record.created),
            if whole { record.id } else { short(record.id) },
            record.image,
            keep(&labels),
            keep(count.dec(local)),
            keep(&mounts),
            record.name,
            shown.network(),
            t(c""),
            filled("% ago", &[created]),
            size,
            shown.status,
            shown.how_long(),
        ],
    )
}

/// Twelve digits of an id.
pub fn short(id: Text) -> Text {
    keep(id.to_bytes().get(..12).unwrap_or_default())
}

/// At most so many characters, the last an ellipsis where some were cut off.
pub fn cut(text: &[u8], most: usize) -> Text {
    let starts = || text.iter().enumerate().filter(|&(_, byte)| byte & 0xc0 != 0x80);
    if starts().count() <= most {
        return keep(text);
    }
    let end = starts().nth(most.saturating_sub(1)).map_or(0, |(at, _)| at);
    filled("%\u{2026}", &[keep(text.get(..end).unwrap_or_default())])
}

/// What a mount is called: a named volume's name, a path of the host, and what an anonymous one's directory is.
pub fn volume_name(index: usize, mount: &Mount) -> Text {
    match mount.source {
        Source::Host(name) | Source::Volume(name) => name,
        _ => {
            let mut line = Line::new();
            keep(line.put(b"volume").dec(index as u64))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_in_characters() {
        assert_eq!(cut(b"echo one two three four five", 20), t(c"echo one two three \u{2026}"));
        assert_eq!(cut("\u{e4}".repeat(20).as_bytes(), 20).to_bytes(), "\u{e4}".repeat(20).as_bytes());
        assert_eq!(cut("\u{e4}".repeat(21).as_bytes(), 20).to_bytes(), ("\u{e4}".repeat(19) + "\u{2026}").as_bytes());
    }
}
