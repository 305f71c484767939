//! Packs what mydocker says: see src/text/packed.rs.

// What is wrong here is wrong while it is built.
#![allow(clippy::expect_used, clippy::panic, missing_docs)]

#[path = "src/text/model.rs"]
mod model;

use model::{COUNTERS, Range, walk};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{env, fs};

/// What is longer and has several lines is a page.
const PAGE: usize = 100;

fn main() {
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=build.rs");
    let mut texts = BTreeSet::from([String::new()]);
    collect(Path::new("src"), &mut texts);

    // Pages of help last: who prints a line need not unpack them.
    let (pages, lines): (Vec<&String>, Vec<_>) =
        texts.iter().partition(|text| text.len() > PAGE && text.contains('\n'));
    let (mut all, mut places) = (Vec::new(), BTreeMap::new());
    let mut place = |part: Vec<&'_ String>| {
        for text in part {
            places.insert(text.clone(), u16::try_from(all.len()).expect("the texts fit 64 KiB"));
            all.extend(text.bytes().chain([0]));
        }
        all.len()
    };
    let first = place(lines);
    place(pages);
    let rows: String = places.iter().map(|(text, at)| format!("({text:?}, {at}), ")).collect();
    let packed = pack(&all);
    let list = format!(
        "pub const ALL: &[(&str, u16)] = &[{rows}];\npub const LENGTH: usize = {};\npub const LINES: usize = {first};\npub static PACKED: [u8; {}] = {packed:?};\n",
        all.len(),
        packed.len()
    );
    fs::write(Path::new(&env::var_os("OUT_DIR").expect("cargo sets it")).join("texts.rs"), list).expect("written");
}

/// The literals in `text!("...")`, and the lists in `names!(...)`, of each file below a directory, up to its tests.
fn collect(dir: &Path, texts: &mut BTreeSet<String>) {
    for entry in fs::read_dir(dir).expect("src can be read") {
        let path = entry.expect("src can be read").path();
        if path.is_dir() {
            collect(&path, texts);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let source = fs::read_to_string(&path).expect("a source file is text");
            let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let calls = source.split("text!(").skip(1);
            texts.extend(calls.filter_map(|call| literal(call.trim_start().strip_prefix('"')?)));
            let lists = source.split("names!(").skip(1).filter_map(|list| list.split(')').next());
            texts.extend(lists.map(|list| list.split_whitespace().map(|name| format!("{name} ")).collect()));
        }
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
    let mut counters: Box<[_; COUNTERS]> = vec![[0; 2]; COUNTERS].try_into().expect("that many");
    let mut bits = text.iter().flat_map(|byte| (0..7).rev().map(move |bit| byte >> bit & 1 == 1));
    let (mut range, mut packed) = (Range::ALL, Vec::new());
    walk(&mut counters, &mut vec![0; text.len()], |zeros, ones| {
        let one = bits.next().expect("seven a byte");
        range.narrow(range.middle(zeros, ones), one, |byte| packed.push(byte));
        one
    });
    // Any number in the range ends it; what follows is read as 0.
    packed.push((range.middle(1, 0) >> 24) as u8);
    packed
}
