//! Names that the text defines in brackets: …监管局(以下简称广西金融监管局).

use super::parts::Parts;
use super::{InstitutionMention, NameForm};
use crate::source::Glyphs;
use crate::words::{Words, words};

/// Words that open a definition right behind a bracket, longest first.
const OPENERS: &Words = words!["以下统称", "以下简称", "以下称", "下简称", "简称", "下称", "又称"];
/// Longest name that a definition gives.
const LONGEST: usize = 20;
/// Shortest name that means its definition's institution before the definition as well.
const DISTINCTIVE: usize = 5;
/// Most definitions that a text is searched for.
const MOST: usize = 32;
/// What a definition may give that is no name: it stands for different bodies.
const ANAPHORS: [&str; 12] = ["公司", "本公司", "该公司", "本行", "该行", "我行", "联社", "分行", "银行", "集团", "我社", "总局"];

/// Lets every defined name say what its definition says.
pub(super) fn apply(parts: &Parts<'_>, mentions: &mut Vec<InstitutionMention>) {
    let mut defined: Vec<(String, InstitutionMention)> = Vec::new();
    for mention in mentions.iter().filter(|mention| mention.form != NameForm::Sector) {
        for range in names_behind(parts, mention.range.end) {
            let name = parts.source.text(range);
            let is_new = defined.iter().all(|(other, _)| *other != name) && name != mention.name;
            if is_new && defined.len() < MOST && !ANAPHORS.contains(&name) {
                defined.push((name.to_owned(), mention.clone()));
            }
        }
    }
    for (name, full) in &defined {
        take_over(parts, mentions, name, full);
    }
    link(mentions, &defined);
}

/// The ranges of the names that a bracket at `open` defines.
fn names_behind(parts: &Parts<'_>, open: usize) -> Vec<Glyphs> {
    let source = parts.source;
    if source.at(open) != '(' {
        return Vec::new();
    }
    let Some(body) = OPENERS.end_at(source, open + 1) else { return Vec::new() };
    let mut names = Vec::new();
    let mut start = body;
    for at in body..body + 2 * LONGEST {
        let c = source.at(at);
        if matches!(c, '“' | '”' | '"' | ':' | '为' | '、' | '或' | ',' | ')' | '《' | '》') {
            if (2..=LONGEST).contains(&(at - start)) {
                names.push(start..at);
            }
            start = at + 1;
        }
        if matches!(c, ')' | '\n' | '。') {
            break;
        }
    }
    names
}

/// Makes every occurrence of a defined name a mention of what it stands for.
fn take_over(parts: &Parts<'_>, mentions: &mut Vec<InstitutionMention>, name: &str, full: &InstitutionMention) {
    let length = name.chars().count();
    let Some(first) = name.chars().next() else { return };
    let mut added = Vec::new();
    let from = if length < DISTINCTIVE { full.range.end } else { 0 };
    for (at, _) in
        parts.source.glyphs().iter().enumerate().filter(|&(at, c)| *c == first && at >= from && parts.source.starts_with(at, name))
    {
        let range = at..at + length;
        let near = mentions.partition_point(|mention| mention.range.end <= at);
        match mentions.get_mut(near) {
            Some(known) if known.range == range => stand_for(known, full),
            Some(known) if known.range.start < range.end => {}
            _ => {
                let mut mention = InstitutionMention::new(parts, range, NameForm::Proper, full.kind);
                stand_for(&mut mention, full);
                added.push(mention);
            }
        }
    }
    if !added.is_empty() {
        mentions.append(&mut added);
        mentions.sort_by_key(|mention| mention.range.start);
        mentions.dedup_by(|later, earlier| later.range.start < earlier.range.end);
    }
}

fn stand_for(mention: &mut InstitutionMention, full: &InstitutionMention) {
    *mention = InstitutionMention { range: mention.range.clone(), name: mention.name.clone(), ..full.clone() };
}

/// Sets each defined name's `alias_of`, now that no index moves any more.
fn link(mentions: &mut [InstitutionMention], defined: &[(String, InstitutionMention)]) {
    for (name, full) in defined {
        let index = mentions.iter().position(|mention| mention.range == full.range);
        for mention in mentions.iter_mut().filter(|mention| mention.name == *name && mention.canonical == full.canonical) {
            mention.alias_of = index;
        }
    }
}
