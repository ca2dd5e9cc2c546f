//! Noun phrases by whole words: how far to the left of its head a phrase reaches.

use super::count;
use crate::lexicon::class::NOUNS;
use crate::lexicon::general::Pos;
use crate::lexicon::{Class, Classes, Hit, In};
use crate::reading::Reading;
use crate::source::Glyphs;
use crate::token::Token;

/// Verbs that always govern what follows them.
const GOVERN: Classes = Classes::of(&[Class::Acting, Class::Giving, Class::Sending, Class::Placing, Class::TakingIn]);

/// Heads that a verb before them describes more often than it governs: 建设|项目, 兑换|网点.
const DESCRIBED: Classes =
    Classes::of(&[Class::Project, Class::Ware, Class::Outlet, Class::Event, Class::Place, Class::Case, Class::Account, Class::Application]);

/// Where the noun phrase that ends `range` begins: behind the last word that is no part of one.
#[must_use]
pub fn start(reading: &Reading<'_, '_>, range: &Glyphs) -> usize {
    let tokens = reading.tokens.starting_in(range);
    let tokens = tokens.get(..tokens.partition_point(|token| token.end() <= range.end)).unwrap_or_default();
    let Some((head, before)) = tokens.split_last() else { return range.start };
    if head.end() != range.end {
        return range.start;
    }
    let mut quoted = reading.source.at(range.end) == '”' || reading.source.at(head.start()) == '”';
    for (at, token) in before.iter().enumerate().rev() {
        quoted = match reading.source.at(token.start()) {
            '”' => true,
            '“' => false,
            _ => quoted,
        };
        let next = before.get(at + 1).unwrap_or(head);
        let left = at.checked_sub(1).and_then(|at| before.get(at));
        if ends_at(reading, *token, *next, left.copied(), range.end) && !quoted && !inside_a_name(reading, *token, range.end) {
            return token.end();
        }
    }
    range.start
}

/// Whether a noun phrase ends with a word that may be a noun; an empty one names nothing that could be wrong.
#[must_use]
pub fn ends_with_a_noun(reading: &Reading<'_, '_>, noun: &Glyphs) -> bool {
    let Some(last) = noun.end.checked_sub(1).filter(|_| !noun.is_empty()).and_then(|at| reading.tokens.at(at)) else { return true };
    let word = matches!(last.pos, Pos::Noun | Pos::VerbalNoun | Pos::Organisation | Pos::Person | Pos::Region | Pos::Mark);
    let sums = Classes::of(&[Class::MeasureNoun, Class::MoneyNoun]);
    let named = |hit: &Hit| hit.end() == noun.end && (hit.is_in(NAMES) || reading.lexicon.classes(*hit).meets(WHOLE.or(sums)));
    last.end() == noun.end && word || reading.hits.inside(noun.clone()).any(|hit| named(&hit))
}

/// Whether a noun phrase that goes on with `next` to `end` begins behind `token`.
fn ends_at(reading: &Reading<'_, '_>, token: Token, next: Token, left: Option<Token>, end: usize) -> bool {
    let classes = token.classes(reading.lexicon);
    match token.pos {
        _ if classes.has(Class::Determiner) || scrap(token, left) => false,
        Pos::Preposition | Pos::Pronoun => true,
        // 设备|更新|项目: the dictionary's adverbs may be words in a name.
        Pos::Adverb if inside_a_name(reading, token, end) => false,
        Pos::Adverb => classes.has(Class::Adverb) || token.end() - token.start() > 1 && !describes(reading, token, next, left, end),
        // 逾期|率.
        Pos::Time => token.end() - token.start() > 1 && !next.classes(reading.lexicon).has(Class::MeasureNoun),
        Pos::Idiom => token.end() - token.start() >= LONG,
        Pos::Particle => match reading.source.at(token.start()) {
            // 已发放的|涉农贷款余额, but 到期贷款的余额.
            '的' => end - token.end() >= LONG,
            '了' | '着' | '过' | '得' | '地' => true,
            _ => false,
        },
        // 企业|收购|稻谷: goods are acted on.
        Pos::VerbalNoun => classes.has(Class::Acting) && next.end() == end && next.classes(reading.lexicon).has(Class::Goods),
        // 临时性延期偿还|的贷款 describes.
        Pos::Verb => next.pos != Pos::Particle && !describes(reading, token, next, left, end),
        _ => false,
    }
}

/// Whether a glyph is what is left of a word that no dictionary has: 抽水|蓄|能.
fn scrap(token: Token, left: Option<Token>) -> bool {
    let single = |token: Token| token.end() - token.start() == 1;
    single(token) && left.is_some_and(|left| single(left) && matches!(left.pos, Pos::Noun | Pos::Verb | Pos::Unknown))
}

/// What stands alone behind 的, in glyphs.
const LONG: usize = 4;

/// Whether a verb is part of the noun phrase behind it: 加工|企业, 夏粮|收购|贷款.
fn describes(reading: &Reading<'_, '_>, verb: Token, next: Token, left: Option<Token>, end: usize) -> bool {
    // 新发放|企业贷款加权平均利率: what is new is described.
    let first = left.map_or(verb.start(), Token::start);
    if reading.source.at(first) == '新' || reading.source.at(verb.start()) == '新' {
        return true;
    }
    let classes = verb.classes(reading.lexicon);
    let next_classes = next.classes(reading.lexicon);
    let people = Classes::of(&[Class::Customer, Class::OwnStaff]);
    if next_classes.meets(people) && next.end() - next.start() > 1 {
        return !classes.meets(GOVERN);
    }
    let last = next.end() == end;
    // 办理|时间, 发放|金额, 走访|覆盖率: named by what is done.
    if last && next_classes.has(Class::MeasureNoun) {
        return true;
    }
    let head = count::head(reading, &(verb.end()..end)).map(|head| head.classes);
    let concrete = head.is_some_and(|head| !head.meets(DESCRIBED));
    if concrete || classes.meets(GOVERN) {
        return false;
    }
    let noun = |token: Token| {
        matches!(token.pos, Pos::Noun | Pos::VerbalNoun | Pos::Verb | Pos::Adjective | Pos::Region | Pos::Place)
            || reading.source.at(token.start()) == '、'
    };
    let money = |hit: Hit| hit.is_in(In::METRICS) || reading.lexicon.classes(hit).has(Class::MoneyNoun);
    let measured = reading.hits.inside(verb.end()..end).any(|hit| hit.end() == end && money(hit));
    (measured || head.is_some()) && (left.is_some_and(noun) || last)
}

/// Whether a token lies inside a word of the tables or a product's name that goes on behind it: 延期|还本付息, 惠农e|贷.
fn inside_a_name(reading: &Reading<'_, '_>, token: Token, end: usize) -> bool {
    /// Longest word or name that is looked at, in glyphs.
    const REACH: usize = 16;
    let near = token.start().saturating_sub(REACH)..token.end();
    let word = |range: &Glyphs| range.start <= token.start() && token.end() < range.end && range.end <= end;
    let named = |hit: Hit| hit.is_in(NAMES) || reading.lexicon.classes(hit).meets(WHOLE);
    reading.hits.starting_in(near.clone()).iter().any(|hit| word(&hit.range()) && named(*hit))
        || reading.products_in(&near).iter().any(|product| product.range.start < token.start() && token.end() <= product.range.end)
}

/// Classes of words that are not parted: 本外币, 未分配, too.
pub const WHOLE: Classes = NOUNS.or(Classes::of(&[Class::Determiner]));

/// Words that name something whole.
const NAMES: In = In::METRICS.or(In::CATEGORIES).or(In::CODES);
