//! Words that say how exactly a number is meant: 约 近 超 余 左右 以内.

use super::quantity::Reader;
use crate::lexicon::{Hit, Place, QualifierRow, Sense};
use crate::report::{Qualifier, QuantityKind};
use crate::words::{Words, words};

/// A qualifier before a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Before {
    /// Where the mention begins: the qualifier's first glyph if it is part of the
    /// mention, else the number's.
    pub start: usize,
    /// What it says.
    pub qualifier: Qualifier,
}

use Qualifier::{AtLeast, AtMost, Exact, Nearly, Over};

/// Most glyphs of a qualifier.
const LONGEST: usize = 6;

impl Reader<'_> {
    /// The qualifiers in a place that cover `range`, with their first glyphs, for a quantity of this kind.
    fn qualifiers(&self, hit: Hit, place: Place, kind: QuantityKind) -> impl Iterator<Item = Qualifier> + '_ {
        let rows = self.lexicon.senses(hit).iter().filter_map(|sense| match sense {
            Sense::Qualifier(row) => self.lexicon.tables().qualifiers.get(usize::from(*row)),
            _ => None,
        });
        let holds = move |row: &&QualifierRow| {
            let (before, behind) = (self.view.before(hit.start()), self.view.at(hit.end()));
            row.place == place && row.holds(self.lexicon.form(hit), before, behind, kind)
        };
        rows.filter(holds).map(|row| row.code)
    }

    /// The qualifiers in a place that end at `end`, no further back than `floor`, the longest first.
    fn ending(&self, end: usize, place: Place, kind: QuantityKind) -> Option<Before> {
        let from = end.saturating_sub(LONGEST).max(self.floor);
        let hits = self.hits.starting_in(from..end).iter().filter(|hit| hit.end() == end);
        hits.flat_map(|hit| self.qualifiers(*hit, place, kind).map(|qualifier| Before { start: hit.start(), qualifier })).next()
    }

    /// The qualifier before the number at `start`, no further back than what is read before.
    pub(super) fn before(&self, start: usize, kind: QuantityKind, recent: bool) -> Option<Before> {
        let found = self.ending(start, Place::Before, kind);
        if let Some(found) = found.filter(|found| !(recent && found.qualifier == Nearly && self.view.at(found.start) == '近')) {
            return Some(found);
        }
        self.aside(start, kind).map(|qualifier| Before { start, qualifier })
    }

    /// 最高 and the like, directly before or with a verb between.
    fn aside(&self, start: usize, kind: QuantityKind) -> Option<Qualifier> {
        /// How far before the number the word may begin.
        const REACH: usize = 8;
        // Every one of them begins with 最.
        if !(start.saturating_sub(REACH)..start).any(|i| self.view.at(i) == '最') {
            return None;
        }
        let ending = |end: usize| self.ending(end, Place::Aside, kind).map(|found| found.qualifier);
        let linked = || self.view.ending(start, LINKS).filter(|&(_, at)| at > self.floor).find_map(|(_, at)| ending(at));
        ending(start).or_else(linked)
    }

    /// The qualifier at `at`, behind a quantity of this kind, and where it ends.
    pub(super) fn after(&self, at: usize, kind: QuantityKind) -> Option<(usize, Qualifier)> {
        let hits = self.hits.at(at).iter().filter(|hit| hit.end() <= self.view.end);
        hits.flat_map(|hit| self.qualifiers(*hit, Place::After, kind).map(|qualifier| (hit.end(), qualifier))).next()
    }
}

/// Verbs between 最高 and its number: 最高可贷30万元, 最高提高至1000万元.
const LINKS: &Words = words![
    "可贷",
    "可达",
    "可达到",
    "可到",
    "可",
    "可为",
    "可获",
    "可获得",
    "可放",
    "可申请",
    "达",
    "达到",
    "为",
    "至",
    "到",
    "不超过",
    "提高至",
    "提高到",
    "提升至",
    "提升到",
    "可提高至",
    "可延长至",
    "延长至",
    "授信",
    "可授信",
    "可享",
    "给予",
    "可给予",
    "额度",
    "额度为",
    "额度可达",
    "限额",
    "限额为",
    "期限",
    "期限为",
    "贷款",
    "能贷",
    "能达",
    "放宽至",
    "扩大至",
    "可借",
    "能够达到",
    "能达到",
    "补偿",
    "补助",
    "奖励",
    "补贴",
    "赔付",
    "担保",
];

/// What two qualifiers of one number say together, and whether they contradict each other.
pub(super) fn combine(before: Option<Qualifier>, after: Option<Qualifier>) -> (Qualifier, bool) {
    match (before, after) {
        (Some(Exact) | None, None) => (Exact, false),
        (Some(Exact) | None, Some(q)) | (Some(q), None) => (q, false),
        (Some(b), Some(a)) => (b, matches!((b, a), (Nearly | AtMost, Over | AtLeast) | (Over, Nearly | AtMost) | (AtLeast, AtMost))),
    }
}
