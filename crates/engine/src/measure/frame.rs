//! Acts told by a verb and what it is done to: each frame is a pair of classes of words and the category it shows.

use crate::lexicon::general::Pos;
use crate::lexicon::{Class, Classes, Hit};
use crate::reading::Reading;
use crate::report::MeasureCategory as C;
use crate::source::Glyphs;

/// A verb and its object, in either order.
struct Frame {
    verb: Class,
    noun: Class,
    category: C,
    /// The noun may also stand right before the verb: 手续费全免.
    passive: bool,
}

const fn frame(verb: Class, noun: Class, category: C) -> Frame {
    Frame { verb, noun, category, passive: false }
}

const fn passive(verb: Class, noun: Class, category: C) -> Frame {
    Frame { verb, noun, category, passive: true }
}

const FRAMES: &[Frame] = &[
    passive(Class::Relieving, Class::Charge, C::FeeReduction),
    passive(Class::Relieving, Class::Penalty, C::PenaltyRelief),
    frame(Class::Simplifying, Class::Procedure, C::ProcessSimplification),
    frame(Class::Inventing, Class::Novelty, C::ProductLaunch),
    frame(Class::SettingUp, Class::Team, C::InternalManagement),
    frame(Class::SettingUp, Class::Outpost, C::ServiceAccess),
    frame(Class::Installing, Class::Outpost, C::ServiceAccess),
    frame(Class::Holding, Class::Lesson, C::FinancialEducation),
    frame(Class::Teaching, Class::Knowledge, C::FinancialEducation),
    frame(Class::Holding, Class::Meeting, C::CustomerOutreach),
    frame(Class::Holding, Class::StaffMeeting, C::InternalManagement),
    frame(Class::Briefing, Class::Offer, C::CustomerOutreach),
    frame(Class::Gathering, Class::CustomerFacts, C::CustomerOutreach),
    frame(Class::Deferring, Class::Due, C::RepaymentDeferral),
    frame(Class::Providing, Class::CreditSupport, C::Lending),
    frame(Class::Stocking, Class::Cash, C::ServiceAccess),
    passive(Class::Opening, Class::Outpost, C::ServiceAccess),
    frame(Class::Clearing, Class::FastLane, C::PriorityChannel),
    passive(Class::Delegating, Class::Authority, C::ApprovalDelegation),
    frame(Class::Lowering, Class::Price, C::RateReduction),
    frame(Class::Sharing, Class::Risk, C::RiskSharing),
    frame(Class::Allotting, Class::Quota, C::DedicatedQuota),
    passive(Class::Growing, Class::Loans, C::Lending),
    Frame { verb: Class::Directing, noun: Class::LoanMoney, category: C::Lending, passive: true },
];

/// The verbs of all frames, and their nouns.
const VERBS: Classes = of_frames(true);
const NOUNS: Classes = of_frames(false);
/// Widest gap between a verb and its object, in glyphs.
const REACH: usize = 20;
/// Widest gap between a noun and the verb behind it.
const NEAR: usize = 6;

const fn of_frames(verbs: bool) -> Classes {
    let (mut classes, mut rest) = (Classes::of(&[]), FRAMES);
    while let [frame, others @ ..] = rest {
        classes.add(if verbs { frame.verb } else { frame.noun });
        rest = others;
    }
    classes
}

/// A word of a frame in the text.
struct Found {
    range: Glyphs,
    classes: Classes,
}

/// The acts that the frames show in a clause, by place.
pub fn acts(reading: &Reading<'_, '_>, clause: &Glyphs) -> Vec<(C, Glyphs)> {
    let mut out = Vec::new();
    let (mut verb, mut noun): (Option<Found>, Option<Found>) = (None, None);
    let mut at = clause.start;
    while at < clause.end {
        let Some((hit, classes)) = word(reading, at, clause.end) else {
            at += 1;
            continue;
        };
        let found = Found { range: hit.start()..hit.end(), classes };
        at = hit.end();
        if classes.meets(NOUNS) {
            out.extend(verb.as_ref().and_then(|verb| shown(verb, &found, false)));
        }
        if classes.meets(VERBS) {
            let near = noun.as_ref().filter(|noun| found.range.start <= noun.range.end + NEAR);
            let grows = found.classes.has(Class::Growing);
            let near = near.filter(|noun| !grows || !another_noun(reading, &(noun.range.end..found.range.start)));
            out.extend(near.and_then(|noun| shown(&found, noun, true)));
        }
        if classes.meets(NOUNS) {
            noun = Some(Found { range: found.range.clone(), classes });
        }
        if classes.meets(VERBS) && !classes.meets(NOUNS) {
            verb = Some(found);
        }
    }
    out
}

/// Whether a noun stands between a noun and the verb behind it, which is then said of that: 贷款|客户满意度|提升.
fn another_noun(reading: &Reading<'_, '_>, between: &Glyphs) -> bool {
    reading.tokens.starting_in(between).iter().any(|token| token.pos == Pos::Noun)
}

/// The longest word of a frame at a place.
fn word(reading: &Reading<'_, '_>, at: usize, end: usize) -> Option<(Hit, Classes)> {
    let known = reading.hits.at(at).iter().filter(|hit| hit.end() <= end).map(|hit| (*hit, reading.lexicon.classes(*hit)));
    known.filter(|(_, classes)| classes.meets(VERBS) || classes.meets(NOUNS)).max_by_key(|(hit, _)| hit.end())
}

/// What a verb and a noun show together.
fn shown(verb: &Found, noun: &Found, passive: bool) -> Option<(C, Glyphs)> {
    let (first, second, reach) = if passive { (noun, verb, NEAR) } else { (verb, noun, REACH) };
    let fits = |frame: &&Frame| verb.classes.has(frame.verb) && noun.classes.has(frame.noun) && (frame.passive || !passive);
    let near = second.range.start <= first.range.end + reach;
    FRAMES.iter().find(fits).filter(|_| near).map(|frame| (frame.category, first.range.start..second.range.end))
}
