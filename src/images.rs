//! The commands for images: import, images, rmi, tag, history, image prune.

use crate::cli::Given;
use crate::error::{Error, Result};
use crate::format::filter::{Filters, invalid};
use crate::format::{self, View, human};
use crate::image::config::{Config, Part, now};
use crate::image::{self, Image, Named, Turn, reference};
use crate::json::{self, write};
use crate::record::{Kind, Record};
use crate::sha256::Sha256;
use crate::store::Store;
use crate::sys::Errno;
use crate::sys::name::{Text, t};
use crate::text::{Line, Push, filled, join, keep};
use crate::{time, volumes};

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

const FILTERS: &str = "reference dangling label before since until";

/// `images [NAME[:TAG]]`.
pub fn list(given: &Given) -> Result<u8> {
    let mut wanted = given.values("filter");
    wanted.extend(given.words.iter().map(|&word| filled("reference=%", &[word])));
    let filters = Filters::read(&wanted, FILTERS)?;
    let store = given.store()?;
    let all = matching(&store, &filters)?;
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
    let size = human::size(known.size(store), 3, 1000);
    write::object(
        text!(
            "Containers=N/A CreatedAt CreatedSince Digest=<none> ID Repository SharedSize=N/A Size Tag UniqueSize=N/A VirtualSize"
        ),
        &[
            human::created_at(known.created),
            ago(known.created),
            short(known.named.image.id(), whole),
            name,
            size,
            tag,
            size,
        ],
    )
}

/// The images that filters leave, the newest first.
fn matching(store: &Store, filters: &Filters) -> Result<Vec<Known>> {
    let (mut since, mut before) = (0, u64::MAX);
    for (name, time) in [("before", &mut before), ("since", &mut since)] {
        for word in filters.values(name) {
            *time = Known::new(store, image::find(store.dir(), keep(word))?)?.created;
        }
    }
    for word in filters.values("until") {
        before = before.min(time::parse(word, now()).ok_or_else(|| invalid(&join(&[b"until=", word])))?);
    }
    if let Some(value) = filters.values("dangling").find(|value| switch(value).is_none()) {
        return Err(invalid(&join(&[b"dangling=", value])));
    }
    let mut left: Vec<Known> = Vec::new();
    for named in image::all(store.dir())? {
        let reference = named.reference.to_bytes();
        let (name, _) = reference::parts(named.reference);
        let fits = filters.any("reference", &mut |pattern| matches(pattern, reference) || matches(pattern, name))
            && filters.any("dangling", &mut |value| switch(value) == Some(reference.is_empty()));
        if !fits {
            continue;
        }
        let known = Known::new(store, named)?;
        // Of no date is older than all.
        let between = known.created < before && (known.created > since || since == 0);
        if between && filters.labels(Config::read(&known.document).list(Part::Labels)) {
            let newer = left.iter().take_while(|other| other.created >= known.created).count();
            left.insert(newer, known);
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
    let (layers, mut rows) = (known.named.image.diff_ids(), Vec::new());
    let (mut layers, mut id) = (layers.iter(), t(c"<missing>"));
    let mut steps = json::items(json::get(&known.document, "history").unwrap_or_default()).peekable();
    while let Some((_, step)) = steps.next() {
        let empty = json::get(step, "empty_layer") == Some(b"true");
        let layer = if empty { None } else { layers.next() };
        let created = json::text_at(step, "created");
        let mut by = Line::new();
        for &byte in json::text_at(step, "created_by").to_bytes() {
            by.push(if byte == b'\t' { b' ' } else { byte });
        }
        if by.len() > 45 && !whole {
            by.truncate(44);
            by.put("…".as_bytes());
        }
        if steps.peek().is_none() {
            id = short(known.named.image.id(), whole);
        }
        let row = write::object(
            text!("Comment CreatedAt CreatedBy CreatedSince ID Size"),
            &[
                json::text_at(step, "comment"),
                created,
                keep(&by),
                ago(time::parse(created.to_bytes(), 0).unwrap_or(0)),
                id,
                human::size(layer.map_or(0, |&layer| image::layer_size(store.dir(), layer)), 3, 1000),
            ],
        );
        // The newest first.
        rows.insert(0, row);
    }
    let view = View {
        quiet: text!("{{.ID}}"),
        headers: text!("ID=IMAGE\nCreatedSince=CREATED\nCreatedBy=CREATED BY"),
        table: text!("table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"),
    };
    format::list(given.value("format"), given.has("quiet"), &view, &rows)
}

// --- removal -----------------------------------------------------------------------------------------------------

/// A container and what it has.
struct Use {
    id: Text,
    image: Image,
    live: bool,
    /// Its record says so, not only its lock.
    recorded: bool,
}

/// All of them. One that cannot be read is an error: it may have what nobody else has.
fn uses(store: &Store) -> Result<Vec<Use>> {
    let mut uses = Vec::new();
    let ids = image::names_in(store.containers());
    for id in ids.map_err(|errno| Error::sys(text!("list the containers"), t(c""), errno))? {
        let record = match Record::open(store, id) {
            Err(Errno::ENOENT) => continue,
            record => record.map_err(|errno| Error::sys(text!("open container"), id, errno))?,
        };
        let live = record.state().is_live();
        let recorded = record.kind != Kind::Foreground;
        uses.push(Use { id, image: Image::recorded(record.layers, record.image_id), live, recorded });
    }
    Ok(uses)
}

/// Removing images, in a turn.
struct Removal<'a> {
    store: &'a Store,
    turn: Turn<'a>,
    /// The containers, as they are since that.
    uses: Vec<Use>,
    force: bool,
    /// What was done, a line each: docker's `Untagged: ` and `Deleted: `.
    said: Line,
    /// In small letters, as `prune` says it.
    small: bool,
}

impl<'a> Removal<'a> {
    fn new(store: &'a Store, force: bool, small: bool) -> Result<Self> {
        let turn = Turn::new(store.dir())?;
        Ok(Self { store, turn, uses: Vec::new(), force, said: Line::new(), small })
    }

    fn say(&mut self, what: &[u8], which: Text) {
        let from = self.said.len();
        self.said.put(what).put(which.to_bytes()).put(b"\n");
        if let Some(first) = self.said.get_mut(from).filter(|_| self.small) {
            first.make_ascii_lowercase();
        }
    }

    /// With nobody making a container until what no image has any more is out of sight.
    fn alone(&mut self, act: &mut dyn FnMut(&mut Self) -> Result<()>) -> Result<()> {
        let store = self.store;
        volumes::alone(store, &mut |_| {
            self.uses = uses(store)?;
            act(self)
        })
    }

    /// Who has an image: the container, one that runs before others, and whether it does.
    fn user(&self, image: &Image) -> Option<(Text, bool)> {
        let mut user = None;
        for other in &self.uses {
            if other.image.id() == image.id() && (other.live || user.is_none()) {
                user = Some((short(other.id, false), other.live));
            }
        }
        user
    }

    /// docker's rules: a name of several is taken away; with the last one the image goes, if no container has it.
    fn word(&mut self, word: Text) -> Result<()> {
        let found = image::find(self.store.dir(), word)?;
        let names = self.names(&found.image)?;
        let by_name = !found.reference.is_empty();
        let digits = short(found.image.id(), false);
        let user = self.user(&found.image);
        let runs = user.is_some_and(|(_, live)| live);
        if by_name && (names.len() > 1 || self.force && runs) {
            return self.untag(&found, names.len() == 1);
        }
        let several = |one: &Named| {
            names.iter().any(|other| reference::parts(other.reference).0 != reference::parts(one.reference).0)
        };
        let why = match user {
            Some((user, _)) if by_name && !self.force => {
                return Err(Error::new(
                    text!(
                        "conflict: unable to remove repository reference \"%\" (must force) - container % is using its \
                         referenced image %"
                    ),
                    &[word, user, digits],
                ));
            }
            Some((user, true)) => filled("being used by running container %", &[user]),
            Some((user, false)) if !self.force => filled("being used by stopped container %", &[user]),
            _ if !by_name && !self.force && names.iter().any(several) => t(c"referenced in multiple repositories"),
            _ => return self.image(&found.image, &names),
        };
        let how = if runs { t(c"cannot") } else { t(c"must") };
        Err(Error::new(text!("conflict: unable to delete % (% be forced) - image is %"), &[digits, how, why]))
    }

    /// All names of an image.
    fn names(&self, image: &Image) -> Result<Vec<Named>> {
        let mut names = image::all(self.store.dir())?;
        names.retain(|other| other.image.id() == image.id() && !other.reference.is_empty());
        Ok(names)
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
        let (mut chain, mut gone) = (t(c""), Vec::new());
        for layer in image.diff_ids() {
            let name = filled("sha256:%", &[layer]);
            chain = if chain.is_empty() { name } else { digest(filled("% %", &[chain, name])) };
            if removed.contains(&layer) {
                gone.insert(0, chain);
            }
        }
        gone.into_iter().for_each(|chain| self.say(b"Deleted: ", chain));
        Ok(())
    }

    /// What no image and no container has any more.
    fn collect(&self) -> Result<Vec<Text>> {
        let mut used = Vec::new();
        for other in self.uses.iter().filter(|other| other.recorded) {
            used.push(other.image.clone());
        }
        self.turn.collect(&used, &|| self.store.made())
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
        let done = removal.alone(&mut |removal| removal.word(word));
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
        let names = removal.names(image)?;
        // By another of its names already.
        let gone = names.is_empty() && !known.named.reference.is_empty();
        if !all && !names.is_empty() || gone {
            continue;
        }
        let mut layers = Vec::new();
        for layer in image.diff_ids() {
            layers.push((layer, image::layer_size(store.dir(), layer)));
        }
        removal
            .alone(&mut |removal| if removal.user(image).is_none() { removal.image(image, &names) } else { Ok(()) })?;
        for (_, size) in layers.iter().filter(|(layer, _)| !removal.turn.has(*layer)) {
            freed = freed.wrapping_add(*size);
        }
    }
    removal.alone(&mut |removal| {
        if all {
            removal.turn.forget(None).map_err(|errno| Error::sys(text!("remove"), t(c"archives"), errno))?;
        }
        removal.collect().map(drop)
    })?;
    Ok((removal.said, freed))
}

/// `image prune`.
pub fn prune_command(given: &Given) -> Result<u8> {
    let filters = Filters::read(&given.values("filter"), FILTERS)?;
    let all = given.has("all");
    let question = if all {
        text!("This will remove all images without at least one container associated to them.")
    } else {
        text!("This will remove all dangling images.")
    };
    crate::control::prune::prune(given, question.bytes(), &mut |store, tell| {
        tell(text!("Images"), prune(store, all, &filters)?);
        Ok(())
    })
}
