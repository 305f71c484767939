//! The commands for images: import, images, rmi, tag, history, image prune.

use crate::cli::Given;
use crate::error::{Error, Result};
use crate::format::filter::{Filters, invalid};
use crate::format::{self, View, human};
use crate::image::config::{Config, now};
use crate::image::{self, Image, Named, Turn, reference};
use crate::json::{self, write};
use crate::record::{Kind, Record};
use crate::sha256::Sha256;
use crate::store::Store;
use crate::sys::name::{Text, t};
use crate::text::{Line, Push, filled, join, keep};
use crate::time;

/// `import FILE|- [NAME[:TAG]]`.
pub fn import(given: &Given) -> Result<u8> {
    let (file, name) = match *given.words {
        [file, name] => (file, Some(reference::required(name)?)),
        _ => (given.word(), None),
    };
    let mut config = Config::default();
    given.values("change").iter().try_for_each(|&change| config.change(change))?;
    let store = given.store()?;
    let id = image::import(store.dir(), file, &config, given.value("message"), name.as_slice())?;
    crate::print(filled("sha256:%\n", &[id]).to_bytes())
}

/// `tag IMAGE NAME[:TAG]`.
pub fn tag(given: &Given) -> Result<u8> {
    let [from, to] = *given.words else { return Ok(1) };
    let to = reference::required(to)?;
    let store = given.store()?;
    let turn = Turn::new(store.dir())?;
    turn.name(&image::find(store.dir(), from)?.image, to)?;
    Ok(0)
}

// --- lists -------------------------------------------------------------------------------------------------------

/// What a list needs to know of an image.
struct Known {
    named: Named,
    /// Its config.
    document: Vec<u8>,
    /// Nanoseconds since 1970; 0 where it is not said.
    created: u64,
}

impl Known {
    fn new(store: &Store, named: Named) -> Result<Self> {
        let document = named.image.config(store.dir())?;
        let created = time::parse(json::text_at(&document, "created").to_bytes(), 0).unwrap_or(0);
        Ok(Self { named, document, created })
    }

    fn size(&self, store: &Store) -> u64 {
        self.named.image.diff_ids().iter().map(|&layer| image::layer_size(store.dir(), layer)).sum()
    }

    fn labels(&self) -> Vec<Text> {
        Config::read(&self.document).list(image::config::Part::Labels).to_vec()
    }
}

/// 12 digits of it, or all.
fn short(id: Text, whole: bool) -> Text {
    if whole { filled("sha256:%", &[id]) } else { keep(id.to_bytes().get(..12).unwrap_or_default()) }
}

/// `2 hours ago`.
fn ago(created: u64) -> Text {
    if created == 0 {
        return t(c"N/A");
    }
    filled("% ago", &[human::age(now().saturating_sub(created) / time::SECOND)])
}

const FILTERS: &str = "reference dangling label before since";

/// `images [NAME[:TAG]]`.
pub fn list(given: &Given) -> Result<u8> {
    let mut wanted = given.values("filter");
    wanted.extend(given.words.iter().map(|&word| filled("reference=%", &[word])));
    let filters = Filters::read(&wanted, FILTERS)?;
    let store = given.store()?;
    let mut all = matching(&store, &filters)?;
    // The newest first.
    all.sort_by_key(|known| core::cmp::Reverse(known.created));
    let (whole, digests) = (given.has("no-trunc"), given.has("digests"));
    let rows: Vec<Text> = all.iter().map(|known| row(&store, known, whole)).collect();
    let table = if digests {
        text!("table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}")
    } else {
        text!("table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}")
    };
    let view = View { quiet: text!("{{.ID}}"), headers: text!("ID=IMAGE ID\nCreatedSince=CREATED"), table };
    format::list(given.value("format"), given.has("quiet"), &view, &rows)
}

fn row(store: &Store, known: &Known, whole: bool) -> Text {
    let none = t(c"<none>");
    let (name, tag) = match known.named.reference {
        reference if reference.is_empty() => (none, none),
        reference => {
            let (name, tag) = reference::parts(reference);
            (keep(name), keep(tag))
        }
    };
    let unknown = t(c"N/A");
    let size = human::size(known.size(store), 3, 1000);
    write::object(
        text!("Containers CreatedAt CreatedSince Digest ID Repository SharedSize Size Tag UniqueSize VirtualSize"),
        &[
            unknown,
            human::created_at(known.created),
            ago(known.created),
            none,
            short(known.named.image.id(), whole),
            name,
            unknown,
            size,
            tag,
            unknown,
            size,
        ],
    )
}

/// The images that filters leave.
fn matching(store: &Store, filters: &Filters) -> Result<Vec<Known>> {
    let created = |word: &[u8]| Known::new(store, image::find(store.dir(), keep(word))?).map(|known| known.created);
    let before = filters.values("before").map(created).collect::<Result<Vec<u64>>>()?;
    let since = filters.values("since").map(created).collect::<Result<Vec<u64>>>()?;
    if let Some(value) = filters.values("dangling").find(|value| switch(value).is_none()) {
        return Err(invalid(&join(&[b"dangling=", value])));
    }
    let mut left = Vec::new();
    for named in image::all(store.dir())? {
        let reference = named.reference.to_bytes();
        let (name, _) = reference::parts(named.reference);
        let fits = |pattern: &[u8]| matches(pattern, reference) || matches(pattern, name);
        let dangling = |value: &[u8]| switch(value) == Some(reference.is_empty());
        if !filters.any("reference", &mut |pattern| fits(pattern))
            || !filters.any("dangling", &mut |value| dangling(value))
        {
            continue;
        }
        let known = Known::new(store, named)?;
        let between = before.iter().all(|&time| known.created < time) && since.iter().all(|&time| known.created > time);
        if between && filters.labels(&known.labels()) {
            left.push(known);
        }
    }
    Ok(left)
}

fn switch(value: &[u8]) -> Option<bool> {
    crate::cli::kind::switch(value).map(|on| on == 1)
}

/// A shell's pattern, whose `*` and `?` are no slash.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], _) => text.is_empty(),
        ([b'*', rest @ ..], _) if matches(rest, text) => true,
        ([b'*', ..], [byte, after @ ..]) => *byte != b'/' && matches(pattern, after),
        ([b'?', rest @ ..], [byte, after @ ..]) => *byte != b'/' && matches(rest, after),
        ([wanted, rest @ ..], [byte, after @ ..]) => wanted == byte && matches(rest, after),
        _ => false,
    }
}

/// `history IMAGE`.
pub fn history(given: &Given) -> Result<u8> {
    let store = given.store()?;
    let known = Known::new(&store, image::find(store.dir(), given.word())?)?;
    let whole = given.has("no-trunc");
    let (mut layers, mut rows) = (known.named.image.diff_ids().into_iter(), Vec::new());
    for (_, step) in json::items(json::get(&known.document, "history").unwrap_or_default()) {
        let empty = json::get(step, "empty_layer") == Some(b"true");
        let layer = if empty { None } else { layers.next() };
        let size = layer.map_or(0, |layer| image::layer_size(store.dir(), layer));
        let created = json::text_at(step, "created");
        let time = time::parse(created.to_bytes(), 0).unwrap_or(0);
        let mut by = Line::new();
        json::text_at(step, "created_by")
            .to_bytes()
            .iter()
            .for_each(|&byte| by.push(if byte == b'\t' { b' ' } else { byte }));
        if by.len() > 45 && !whole {
            by.truncate(44);
            by.put("…".as_bytes());
        }
        rows.push((size, created, time, keep(&by), json::text_at(step, "comment")));
    }
    let last = rows.len().wrapping_sub(1);
    let rows: Vec<Text> = rows
        .iter()
        .enumerate()
        .rev()
        .map(|(index, &(size, created, time, by, comment))| {
            let id = if index == last { short(known.named.image.id(), whole) } else { t(c"<missing>") };
            write::object(
                text!("Comment CreatedAt CreatedBy CreatedSince ID Size"),
                &[comment, created, by, ago(time), id, human::size(size, 3, 1000)],
            )
        })
        .collect();
    let view = View {
        quiet: text!("{{.ID}}"),
        headers: text!("ID=IMAGE\nCreatedSince=CREATED\nCreatedBy=CREATED BY"),
        table: text!("table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"),
    };
    format::list(given.value("format"), given.has("quiet"), &view, &rows)
}

// --- removal -----------------------------------------------------------------------------------------------------

/// Removing images, in a turn.
struct Removal<'a> {
    store: &'a Store,
    turn: Turn<'a>,
    records: Vec<Record>,
    force: bool,
    /// What was done, a line each: docker's `Untagged: ` and `Deleted: `.
    said: Line,
    /// In small letters, as `prune` says it.
    small: bool,
}

impl<'a> Removal<'a> {
    fn new(store: &'a Store, force: bool, small: bool) -> Result<Self> {
        Ok(Self { store, turn: Turn::new(store.dir())?, records: store.records(), force, said: Line::new(), small })
    }

    fn say(&mut self, what: &[u8], which: Text) {
        let from = self.said.len();
        self.said.put(what).put(which.to_bytes()).put(b"\n");
        if let Some(first) = self.said.get_mut(from).filter(|_| self.small) {
            first.make_ascii_lowercase();
        }
    }

    /// A container of that image, one that runs before others.
    fn user(&self, id: Text) -> Option<&Record> {
        let mut users = self.records.iter().filter(|record| record.image_id == id);
        let first = users.clone().next();
        users.find(|record| record.state().is_live()).or(first)
    }

    /// Whether somebody is just starting a container of it: nothing but the lock tells.
    fn is_starting(&self, image: &Image) -> bool {
        let explained = self.records.iter().any(|record| record.layers.first() == image.layers.first());
        !explained && self.turn.is_held(image)
    }

    /// docker's rules: a name of several is taken away; with the last one the image goes, if no container has it.
    fn word(&mut self, word: Text) -> Result<()> {
        let dir = self.store.dir();
        let found = image::find(dir, word)?;
        let id = found.image.id();
        let mut names = image::all(dir)?;
        names.retain(|other| other.image.id() == id && !other.reference.is_empty());
        let by_name = !found.reference.is_empty();
        let digits = short(id, false);
        let conflict = |how: Text, why: Text| {
            Error::new(text!("conflict: unable to delete % (% be forced) - image is %"), &[digits, how, why])
        };
        let (must, cannot) = (t(c"must"), t(c"cannot"));
        let starting = self.is_starting(&found.image);
        let user = self.user(id).map(|user| (short(user.id, false), user.state().is_live()));
        if by_name && (names.len() > 1 || self.force && (starting || user.is_some_and(|(_, live)| live))) {
            self.untag(&found, names.len() == 1)?;
            return Ok(());
        }
        match user {
            Some((user, _)) if by_name && !self.force => {
                return Err(Error::new(
                    text!(
                        "conflict: unable to remove repository reference \"%\" (must force) - container % is using its \
                         referenced image %"
                    ),
                    &[word, user, digits],
                ));
            }
            Some((user, true)) => return Err(conflict(cannot, filled("being used by running container %", &[user]))),
            Some((user, false)) if !self.force => {
                return Err(conflict(must, filled("being used by stopped container %", &[user])));
            }
            None if starting => return Err(conflict(cannot, t(c"being used by a container that is just starting"))),
            _ => {}
        }
        let several = |one: &Named| {
            names.iter().any(|other| reference::parts(other.reference).0 != reference::parts(one.reference).0)
        };
        if !by_name && !self.force && names.iter().any(several) {
            return Err(conflict(must, t(c"referenced in multiple repositories")));
        }
        self.image(&found.image, &names)
    }

    fn untag(&mut self, named: &Named, keep_it: bool) -> Result<()> {
        let failed = |errno| Error::sys(text!("remove the image's name"), named.reference, errno);
        self.turn.untag(named, keep_it).map_err(failed)?;
        self.say(b"Untagged: ", named.reference);
        Ok(())
    }

    /// The image with all its names, and what only it has had.
    fn image(&mut self, image: &Image, names: &[Named]) -> Result<()> {
        let id = image.id();
        names.iter().try_for_each(|name| self.untag(name, false))?;
        let failed = |errno| Error::sys(text!("remove the image"), id, errno);
        self.turn.untag(&Named { reference: t(c""), image: image.clone() }, false).map_err(failed)?;
        self.turn.forget(Some(image)).map_err(failed)?;
        self.say(b"Deleted: ", filled("sha256:%", &[id]));
        let removed = self.collect()?;
        // By their chain ids, topmost first.
        let (mut chain, mut chains) = (t(c""), Vec::new());
        for layer in image.diff_ids() {
            let name = filled("sha256:%", &[layer]);
            chain = if chain.is_empty() { name } else { digest(filled("% %", &[chain, name])) };
            chains.push((layer, chain));
        }
        for (_, chain) in chains.iter().rev().filter(|(layer, _)| removed.contains(layer)) {
            self.say(b"Deleted: ", *chain);
        }
        Ok(())
    }

    /// What no image and no container has any more.
    fn collect(&self) -> Result<Vec<Text>> {
        let recorded = self.records.iter().filter(|record| record.kind != Kind::Foreground);
        let used: Vec<Image> = recorded.map(|record| Image::recorded(record.layers.clone(), record.image_id)).collect();
        self.turn.collect(&used)
    }
}

fn digest(text: Text) -> Text {
    let mut hash = Sha256::new();
    hash.update(text.to_bytes());
    filled("sha256:%", &[keep(Line::new().hex_of(&hash.finish()))])
}

/// `rmi IMAGE...`.
pub fn remove(given: &Given) -> Result<u8> {
    let store = given.store()?;
    let mut removal = Removal::new(&store, given.has("force"), false)?;
    let code = given.each(&mut |word| {
        let done = removal.word(word);
        crate::print(&core::mem::take(&mut removal.said))?;
        done
    });
    Ok(code)
}

/// Removes images without a name, or `all` that no container has: what was done, and how many bytes that was.
pub fn prune(store: &Store, all: bool, filters: &Filters) -> Result<(Line, u64)> {
    let mut removal = Removal::new(store, false, true)?;
    let mut freed = 0_u64;
    for known in matching(store, filters)? {
        let image = &known.named.image;
        let id = image.id();
        if !all && !known.named.reference.is_empty() || removal.user(id).is_some() || removal.is_starting(image) {
            continue;
        }
        let layers: Vec<(Text, u64)> =
            image.diff_ids().into_iter().map(|layer| (layer, image::layer_size(store.dir(), layer))).collect();
        let mut names = image::all(store.dir())?;
        names.retain(|other| other.image.id() == id && !other.reference.is_empty());
        // By another of its names already.
        if names.is_empty() && !known.named.reference.is_empty() {
            continue;
        }
        removal.image(image, &names)?;
        let gone = layers.iter().filter(|(layer, _)| !removal.turn.has(*layer));
        freed = gone.fold(freed, |sum, (_, size)| sum.wrapping_add(*size));
    }
    if all {
        removal.turn.forget(None).map_err(|errno| Error::sys(text!("remove"), t(c"archives"), errno))?;
    }
    removal.collect()?;
    Ok((removal.said, freed))
}

/// `image prune`.
pub fn prune_command(given: &Given) -> Result<u8> {
    let filters = Filters::read(&given.values("filter"), "label until")?;
    let all = given.has("all");
    let question = if all {
        text!("This will remove all images without at least one container associated to them.")
    } else {
        text!("This will remove all dangling images.")
    };
    if !given.confirm(question)? {
        return Ok(0);
    }
    let store = given.store()?;
    let (said, freed) = prune(&store, all, &filters)?;
    let mut text = Line::new();
    if !said.is_empty() {
        text.say(text!("Deleted Images:\n")).put(&said).put(b"\n");
    }
    text.say(text!("Total reclaimed space: ")).put(human::size(freed, 4, 1000).to_bytes()).put(b"\n");
    crate::print(&text)
}
