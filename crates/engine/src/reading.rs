//! Everything known of a text before facts are made of it, and how to look around in it.

use super::discourse::Discourse;
use super::lexicon::{Class, Hit, Hits, In, Lexicon, Role};
use super::lists::Placed;
use super::mood::Moods;
use super::outline::Outline;
use super::recognize::date::{DateMention, Day};
use super::recognize::institution::InstitutionMention;
use super::recognize::name::{Borrower, Product};
use super::recognize::quantity::QuantityMention;
use super::source::{Glyphs, SourceText};
use super::token::{Around, Tokens};
use crate::words::Words;

/// A text as the stages before attribution have read it.
#[derive(Debug)]
pub struct Reading<'a, 't> {
    /// The normalised text.
    pub source: &'a SourceText<'t>,
    /// The words in force.
    pub lexicon: &'a Lexicon,
    /// The words found.
    pub hits: &'a Hits,
    /// The words that tile the text.
    pub tokens: &'a Tokens,
    /// Dates by place.
    pub dates: Placed<'a, DateMention>,
    /// Numbers by place.
    pub quantities: Placed<'a, QuantityMention>,
    /// Institutions by place.
    pub institutions: Placed<'a, InstitutionMention>,
    /// Borrowers by place.
    pub borrowers: Placed<'a, Borrower>,
    /// Dates, institutions and borrowers by place: what is no part of a noun phrase.
    pub names: &'a [Glyphs],
    /// Named products by place.
    pub products: Placed<'a, Product>,
    /// Headings, sections, sentences.
    pub outline: &'a Outline,
    /// Who is meant where.
    pub discourse: &'a Discourse,
    /// The day of publication.
    pub published: Option<Day>,
    /// Whether what a place names is done.
    pub moods: &'a Moods,
}

impl Reading<'_, '_> {
    /// Whether a glyph ends a clause.
    #[must_use]
    pub fn is_clause_break(c: char) -> bool {
        matches!(c, ',' | ';' | ':' | '。' | '！' | '？' | '\t' | '\n')
    }

    /// Start of the clause that holds `at`, not before `floor`.
    #[must_use]
    pub fn clause_start(&self, at: usize, floor: usize) -> usize {
        self.outline.clause_breaks.before(at).map_or(floor, |i| (i + 1).max(floor))
    }

    /// End of the clause that holds `at`, not beyond `ceiling`.
    #[must_use]
    pub fn clause_end(&self, at: usize, ceiling: usize) -> usize {
        self.outline.clause_breaks.from(at).map_or(ceiling, |i| i.min(ceiling))
    }

    /// The clauses of a sentence, without the glyphs that end them.
    pub fn clauses(&self, sentence: &Glyphs) -> impl Iterator<Item = Glyphs> {
        let stops = self.outline.clause_breaks.within(sentence.clone()).iter().copied();
        let mut start = sentence.start;
        stops.chain([sentence.end]).map(move |stop| std::mem::replace(&mut start, stop + 1)..stop).filter(|clause| !clause.is_empty())
    }

    /// Whether a semicolon stands inside `range`.
    #[must_use]
    pub fn semicolon_in(&self, range: &Glyphs) -> bool {
        !self.outline.semicolons.within(range.clone()).is_empty()
    }

    /// The words of a role inside `range`.
    pub fn words(&self, range: Glyphs, role: Role) -> impl Iterator<Item = Hit> + '_ {
        self.hits.within(range, In::roles(&[role]))
    }

    /// The dates that start inside `range`.
    #[must_use]
    pub fn dates_in(&self, range: &Glyphs) -> &[DateMention] {
        self.dates.starting_in(range)
    }

    /// The institutions that start inside `range`.
    #[must_use]
    pub fn institutions_in(&self, range: &Glyphs) -> &[InstitutionMention] {
        self.institutions.starting_in(range)
    }

    /// The borrowers that start inside `range`.
    #[must_use]
    pub fn borrowers_in(&self, range: &Glyphs) -> &[Borrower] {
        self.borrowers.starting_in(range)
    }

    /// Whether a name reaches over `range`: 公司 in 绿源公司.
    #[must_use]
    pub fn is_named(&self, range: Glyphs) -> bool {
        let before = self.names.get(..self.names.partition_point(|name| name.start <= range.start)).unwrap_or_default();
        before.iter().rev().take(2).any(|name| range.end <= name.end)
    }

    /// The products that start inside `range`.
    #[must_use]
    pub fn products_in(&self, range: &Glyphs) -> &[Product] {
        self.products.starting_in(range)
    }

    /// Indices of the numbers that start inside `range`.
    #[must_use]
    pub fn quantities_in(&self, range: &Glyphs) -> Glyphs {
        self.quantities.indices_in(range)
    }

    /// Whether a word of a class stands inside `range`.
    #[must_use]
    pub fn is_said(&self, range: Glyphs, class: Class) -> bool {
        self.hits.inside(range).any(|hit| self.lexicon.classes(hit).has(class))
    }

    const fn around(&self) -> Around<'_, '_> {
        Around { source: self.source, hits: self.hits }
    }

    /// Whether a found word stands in the text as a whole, not inside another or across two.
    #[must_use]
    pub fn stands(&self, hit: Hit) -> bool {
        self.tokens.stands(self.around(), hit)
    }

    /// Whether a found word stands so, or is the noun that a longer word ends with.
    #[must_use]
    pub fn is_head(&self, hit: Hit) -> bool {
        self.tokens.is_head(self.around(), hit)
    }

    /// Whether any of `words` stands inside `range`.
    #[must_use]
    pub fn any(&self, range: Glyphs, words: &Words) -> bool {
        words.lie_in(self.source, range)
    }
}
