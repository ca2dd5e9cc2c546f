//! What a name does in its clause: subject, object, adjunct, source. One pass over the words of each clause that holds a
//! name, with two registers: what opened the stretch before the name, and the verb before it.

use crate::lexicon::{Class, Classes, Hits, Lexicon};
use crate::recognize::date::DateMention;
use crate::source::{Glyphs, SourceText};

/// What a name does in its clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It does or has what the clause says.
    Subject,
    /// Something is done to it, or it is guided to do something.
    Object,
    /// It stands behind a preposition.
    Adjunct,
    /// It stands in a title, in brackets or in a short quotation.
    Title,
    /// It stands behind a conjunction and another name, which has the role.
    Second,
    /// What it says is told: its officer speaks, its data show.
    Source,
}

/// What opened the stretch of a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    None,
    /// A preposition: where it stands and ends.
    Preposition(usize, usize),
    Agent,
    Copula,
}

/// The text as the roles are read in it.
pub(super) struct Clauses<'a, 't> {
    pub source: &'a SourceText<'t>,
    pub hits: &'a Hits,
    pub lexicon: &'a Lexicon,
    pub dates: &'a [DateMention],
}

/// Most glyphs between a name and the 的 of what it gave.
const GIVEN: usize = 8;
/// Most glyphs of a quotation that is a name or a title, and no speech.
const SHORT_QUOTATION: usize = 16;
/// Most glyphs between a name and the word that shows it to be a source.
const SPEAKS_WITHIN: usize = 12;
/// Farthest that a clause is read before its first name, in glyphs.
const CLAUSE_REACH: usize = 120;

/// Words that the registers ask for.
const TELLING: Classes = Classes::of(&[
    Class::Preposition,
    Class::Agent,
    Class::Copula,
    Class::Saying,
    Class::Guiding,
    Class::Comparing,
    Class::Receiving,
    Class::Governing,
    Class::TimeEnd,
    Class::VerbalNoun,
    Class::Adverb,
    Class::Word,
]);
const VERBS: Classes = Classes::of(&[Class::Guiding, Class::Comparing, Class::Receiving, Class::Governing]);

/// The role of each name, and of each word that stands for one, by place.
pub(super) fn roles<'g>(text: &Clauses<'_, '_>, names: impl Iterator<Item = &'g Glyphs>) -> Vec<Role> {
    let titles = titles(text.source);
    let mut out = Vec::new();
    let mut clause = Clause::default();
    let mut before: Option<&Glyphs> = None;
    for name in names {
        let at = name.start;
        let from = before.map_or(0, |before| before.end).max(at.saturating_sub(CLAUSE_REACH));
        clause.read(text, from..at, before.is_some_and(|before| before.end == from));
        let is_title = {
            let i = titles.partition_point(|title| title.end <= at);
            titles.get(i).is_some_and(|title| title.start < at)
        };
        let role = if is_title {
            Role::Title
        } else if before.is_some_and(|before| is_joined(text.source, before.end..at)) {
            Role::Second
        } else {
            clause.role(text, name)
        };
        out.push(role);
        before = Some(name);
    }
    out
}

/// Whether two names are joined to a list by what stands between them.
fn is_joined(source: &SourceText<'_>, between: Glyphs) -> bool {
    match between.len() {
        1 => matches!(source.at(between.start), '、' | '和' | '与' | '及' | '暨' | '同' | '跟'),
        2 => source.starts_with(between.start, "以及") || source.starts_with(between.start, "联合"),
        _ => false,
    }
}

/// Titles, brackets and short quotations, by place, none inside another.
fn titles(source: &SourceText<'_>) -> Vec<Glyphs> {
    let mut out: Vec<Glyphs> = Vec::new();
    let mut open: Option<(usize, char)> = None;
    for (at, glyph) in source.glyphs().iter().enumerate() {
        match (open, glyph) {
            (_, '\n') => open = None,
            (Some((start, close)), glyph) if *glyph == close => {
                let short = *glyph != '”' || (at - start < SHORT_QUOTATION && !(start..at).any(|i| matches!(source.at(i), ',' | '。')));
                if short {
                    out.push(start..at);
                }
                open = None;
            }
            (None, '《') => open = Some((at, '》')),
            (None, '(') => open = Some((at, ')')),
            (None, '“') => open = Some((at, '”')),
            _ => {}
        }
    }
    out
}

/// The registers of a clause.
#[derive(Debug)]
struct Clause {
    base: Base,
    verb: Option<Class>,
    /// Where the clause starts.
    start: usize,
}

impl Default for Clause {
    fn default() -> Self {
        Self { base: Base::None, verb: None, start: 0 }
    }
}

impl Clause {
    fn opened(&mut self, at: usize) {
        *self = Self { start: at, ..Self::default() };
    }

    /// Reads what stands between two names; a new clause begins where one does.
    fn read(&mut self, text: &Clauses<'_, '_>, between: Glyphs, goes_on: bool) {
        if !goes_on {
            self.opened(between.start);
        }
        let mut at = between.start;
        while at < between.end {
            let glyph = text.source.at(at);
            if matches!(glyph, ',' | ';' | ':' | '。' | '！' | '？' | '—' | '\n' | '\t') {
                self.opened(at + 1);
                at += 1;
                continue;
            }
            if matches!(glyph, '的' | '之') {
                let copula = glyph == '的' && text.source.at(at + 1) == '是' && at + 2 == between.end;
                if copula {
                    self.base = Base::None;
                }
                self.verb = None;
                at += if copula { 2 } else { 1 };
                continue;
            }
            let hits = text.hits.at(at);
            let telling = hits.iter().find(|hit| hit.end() <= between.end && text.lexicon.classes(**hit).meets(TELLING));
            // A preposition of one glyph is none where a longer word begins: 下 in 下降.
            let longer = hits.first().filter(|hit| hit.end() - at > 1);
            match (telling, longer) {
                (Some(hit), longer) if hit.end() - at > 1 || longer.is_none() => {
                    self.word(text.lexicon.classes(*hit), hit.range());
                    at = hit.end();
                }
                (_, Some(_)) => at += 2,
                _ => at += 1,
            }
        }
    }

    fn word(&mut self, classes: Classes, range: Glyphs) {
        if classes.has(Class::Word) {
            return;
        }
        if classes.has(Class::Saying) {
            (self.base, self.verb) = (Base::None, None);
        } else if classes.has(Class::Agent) {
            (self.base, self.verb) = (Base::Agent, None);
        } else if classes.has(Class::Preposition) && !(classes.meets(VERBS) && self.base == Base::None && range.start > self.start) {
            (self.base, self.verb) = (Base::Preposition(range.start, range.end), None);
        } else if let Some(verb) =
            [Class::Receiving, Class::Guiding, Class::Comparing, Class::Governing].into_iter().find(|c| classes.has(*c))
        {
            if verb != Class::Governing || !classes.has(Class::VerbalNoun) {
                self.verb = Some(verb);
            }
        } else if classes.has(Class::Copula) {
            (self.base, self.verb) = (Base::Copula, None);
        } else if classes.has(Class::TimeEnd) {
            (self.base, self.verb) = (Base::None, None);
        }
    }

    /// The role of a name that stands where the registers have been read to.
    fn role(&self, text: &Clauses<'_, '_>, name: &Glyphs) -> Role {
        let source = text.source;
        let (at, end) = (name.start, name.end);
        if self.is_source(text, end) {
            return Role::Source;
        }
        if "同与跟向对从被比较据给为".contains(source.before(at)) && !self.is_part_of_word(text, at) {
            return Role::Adjunct;
        }
        if let Some(verb) = self.verb {
            let gives = verb == Class::Receiving && (end..end + GIVEN).any(|i| source.at(i) == '的');
            let goes_on = !matches!(verb, Class::Guiding | Class::Comparing) && is_followed(text, end);
            return if gives || goes_on { Role::Subject } else { Role::Object };
        }
        match self.base {
            Base::None | Base::Agent => Role::Subject,
            Base::Copula => Role::Object,
            Base::Preposition(start, behind) if is_time(text, behind..at) || is_place(text, start, end) => Role::Subject,
            Base::Preposition(..) => Role::Adjunct,
        }
    }

    /// Whether the glyph before `at` ends a longer word that is no preposition: 应|对 is none.
    fn is_part_of_word(&self, text: &Clauses<'_, '_>, at: usize) -> bool {
        let base = matches!(self.base, Base::Preposition(_, end) if end == at);
        !base && self.verb.is_some() && text.source.before(at) != '为'
    }

    /// Whether what the name says follows: its officer, its data, or 据 before and a word of saying behind.
    fn is_source(&self, text: &Clauses<'_, '_>, end: usize) -> bool {
        let class_at = |at: usize, class: Class| text.hits.at(at).iter().find(|hit| text.lexicon.classes(**hit).has(class));
        if class_at(end, Class::Officer).is_some() {
            return true;
        }
        let by = match self.base {
            Base::Preposition(start, _) => matches!(text.source.at(start), '据' | '从' | '根' | '来'),
            _ => false,
        };
        if self.base != Base::None && !by || self.verb.is_some() {
            return false;
        }
        // 最新, 今日, 有关: what may stand between a body and what it publishes or says.
        let mut at = end;
        while at < end + SPEAKS_WITHIN && !is_clause_end(text.source.at(at)) {
            if class_at(at, Class::Publication).is_some() || class_at(at, Class::Saying).is_some() {
                return class_at(at, Class::Publication).is_some() || by || speaks(text, at);
            }
            let next = text.hits.at(at).iter().find(|hit| text.lexicon.classes(**hit).meets(Classes::of(&[Class::Time, Class::Adverb])));
            let date = text.dates.get(text.dates.partition_point(|date| date.range.start < at)).filter(|date| date.range.start == at);
            match (next, date) {
                (_, Some(date)) => at = date.range.end,
                (Some(hit), None) => at = hit.end(),
                (None, None) if by && text.source.at(at) != '的' => at += 1,
                (None, None) if text.source.at(at) == '的' => at += 1,
                (None, None) => return false,
            }
        }
        false
    }
}

/// Whether the word of saying at `at` tells what the name says, and is no act of its own: 印发 and 发布…通知 are.
fn speaks(text: &Clauses<'_, '_>, at: usize) -> bool {
    !text.hits.at(at).iter().any(|hit| text.lexicon.classes(*hit).has(Class::Issuing))
}

fn is_clause_end(glyph: char) -> bool {
    matches!(glyph, ',' | ';' | ':' | '。' | '！' | '？' | '\n' | '\t')
}

/// Whether a verb, an adverb or a preposition follows right behind a name, so that it is a subject after all.
fn is_followed(text: &Clauses<'_, '_>, end: usize) -> bool {
    let opens = Classes::of(&[Class::Preposition, Class::Adverb, Class::Guiding, Class::Governing, Class::Receiving]);
    text.hits.at(end).iter().any(|hit| {
        let classes = text.lexicon.classes(*hit);
        classes.meets(opens) && !classes.has(Class::VerbalNoun)
    })
}

/// Whether `range` holds a time and nothing else.
fn is_time(text: &Clauses<'_, '_>, range: Glyphs) -> bool {
    let mut at = range.start;
    while at < range.end {
        let date = text.dates.get(text.dates.partition_point(|date| date.range.end <= at)).filter(|date| date.range.start <= at);
        let word = text.hits.at(at).iter().find(|hit| text.lexicon.classes(**hit).meets(Classes::of(&[Class::Time, Class::TimeEnd])));
        match (date, word) {
            (Some(date), _) => at = date.range.end,
            (None, Some(hit)) => at = hit.end(),
            (None, None) => return false,
        }
    }
    !range.is_empty()
}

/// Whether a name is a place where something happens or is got: 在清河农商银行营业厅,; 在清河农商银行办理贷款.
fn is_place(text: &Clauses<'_, '_>, preposition: usize, end: usize) -> bool {
    let opens = is_clause_end(text.source.before(preposition)) || preposition == 0;
    let class_at = |class: Class| text.hits.at(end).iter().find(|hit| text.lexicon.classes(**hit).has(class));
    let premises = class_at(Class::Premises).is_some_and(|hit| opens && text.source.at(hit.end()) == ',');
    text.source.at(preposition) == '在' && (premises || class_at(Class::Obtaining).is_some())
}
