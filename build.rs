//! Packs what mydocker says: see src/text/packed.rs.

// What is wrong here is wrong while it is built.
#![allow(clippy::arithmetic_side_effects, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "src/text/model.rs"]
mod model;

use model::{Model, Range};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::{env, fs};

/// Where the texts are that are said when nothing is wrong.
const OFTEN: [&str; 6] =
    ["src/ps.rs", "src/images.rs", "src/volumes.rs", "src/inspect.rs", "src/format.rs", "src/format/"];

/// What is longer and has several lines is a page.
const PAGE: usize = 100;

fn main() {
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=build.rs");
    let mut texts = BTreeMap::from([(String::new(), 0)]);
    collect(Path::new("src"), &mut texts);

    let mut sorted: Vec<_> = texts.iter().map(|(text, order)| (order, text)).collect();
    sorted.sort();
    let (mut all, mut places) = (Vec::new(), BTreeMap::new());
    for (_, text) in sorted {
        places.insert(text, u16::try_from(all.len()).expect("the texts fit 64 KiB"));
        all.extend(text.bytes().chain([0]));
    }
    let rows: String = places.iter().map(|(text, at)| format!("({text:?}, {at}), ")).collect();
    let packed = pack(&all);
    let list = format!(
        "pub const ALL: &[(&str, u16)] = &[{rows}];\npub const LENGTH: usize = {};\npub static PACKED: [u8; {}] = {packed:?};\n",
        all.len(),
        packed.len()
    );
    fs::write(Path::new(&env::var_os("OUT_DIR").expect("cargo sets it")).join("texts.rs"), list).expect("written");
}

/// The literals in `text!("...")`, and the lists in `names!(...)`, of each file below a directory, up to its tests.
fn collect(dir: &Path, texts: &mut BTreeMap<String, u8>) {
    for entry in fs::read_dir(dir).expect("src can be read") {
        let path = entry.expect("src can be read").path();
        if path.is_dir() {
            collect(&path, texts);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let source = fs::read_to_string(&path).expect("a source file is text");
            let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let calls = source.split("text!(").skip(1);
            let calls = calls.filter_map(|call| literal(call.trim_start().strip_prefix('"')?));
            let lists = source.split("names!(").skip(1).filter_map(|list| list.split(')').next());
            let lists = lists.map(|list| list.split_whitespace().map(|name| format!("{name} ")).collect());
            for text in calls.chain(lists) {
                let order = order(&path, &text);
                texts.entry(text).and_modify(|known| *known = order.min(*known)).or_insert(order);
            }
        }
    }
}

/// What is said often is unpacked first; for a line no page of help is.
fn order(path: &Path, text: &str) -> u8 {
    let often = OFTEN.iter().any(|file| path.to_str().is_some_and(|path| path.starts_with(file)));
    match text.len() > PAGE && text.contains('\n') {
        _ if often => 0,
        false => 1,
        true => 2,
    }
}

/// What a string literal means, from behind its first quote.
fn literal(source: &str) -> Option<String> {
    let mut text = String::new();
    let mut rest = source.chars();
    loop {
        match rest.next()? {
            '"' => return Some(text),
            '\\' => match rest.next()? {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                '\n' => rest = rest.as_str().trim_start().chars(),
                other @ ('"' | '\\') => text.push(other),
                other => panic!("\\{other} in text!: teach it to build.rs"),
            },
            other => text.push(other),
        }
    }
}

fn pack(text: &[u8]) -> Vec<u8> {
    static MODEL: Mutex<Model> = Mutex::new(Model::NEW);
    let mut model = MODEL.lock().expect("nobody else has it");
    let (mut range, mut low, mut packed) = (Range::ALL, 0_u64, Vec::new());
    for byte in text {
        let mut bits = (0..7).rev().map(|bit| byte >> bit & 1 == 1);
        model.byte(|zero| {
            while range.widen() {
                shift(&mut low, &mut packed);
            }
            let (one, middle) = (bits.next().expect("seven a byte"), range.middle(zero));
            range.narrow(middle, one);
            if one {
                low += u64::from(middle) + 1;
            }
            one
        });
    }
    // Any number in the range ends it; what follows is read as 0.
    low += u64::from(range.0);
    shift(&mut low, &mut packed);
    packed.split_off(4)
}

/// Writes the highest byte of a number of four, or of one byte more where a sum has carried: then the bytes before it grow.
fn shift(low: &mut u64, packed: &mut Vec<u8>) {
    if *low >> 32 != 0 {
        for byte in packed.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
    }
    packed.push((*low >> 24) as u8);
    *low = *low << 8 & 0xffff_ffff;
}
