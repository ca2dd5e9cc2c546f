//! What a count measures: the class of what is counted, agreed with its classifier.

use super::window::{Window, cuts, noun_after, noun_before, trimmed_end};
use super::{Fact, part};
use crate::lexicon::{Class, Classes, Hit, In, Role, Sense};
use crate::reading::Reading;
use crate::recognize::quantity::QuantityMention;
use crate::report::{Metric, QuantityKind};
use crate::source::Glyphs;

/// A count's noun and its head.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// The noun phrase; empty if the sentence leaves it out.
    pub noun: Glyphs,
    /// Its head; `None` if no table knows it.
    pub head: Option<Head>,
}

/// The last word of a noun phrase.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// What it counts as.
    pub metric: Metric,
    /// Its classes.
    pub classes: Classes,
}

/// A metric, the rule that gave it, and whether nothing but the classifier speaks for it.
#[derive(Clone, Copy, Debug)]
pub struct Verdict {
    /// The metric.
    pub metric: Metric,
    /// The rule.
    pub rule: &'static str,
    /// Whether it rests on a default.
    pub default: bool,
}

const fn known(metric: Metric, rule: &'static str) -> Verdict {
    Verdict { metric, rule, default: false }
}

const fn assumed(metric: Metric, rule: &'static str) -> Verdict {
    Verdict { metric, rule, default: true }
}

/// What the classes of counted things make of a count.
const COUNTED: &[(Class, Metric)] = &[
    (Class::Customer, Metric::CustomerCount),
    (Class::OwnStaff, Metric::StaffCount),
    (Class::Outlet, Metric::OutletCount),
    (Class::Event, Metric::EventCount),
    (Class::Place, Metric::AdminUnitCount),
    (Class::Project, Metric::ProjectCount),
    (Class::Ware, Metric::ProductCount),
    (Class::Application, Metric::ApplicationCount),
    (Class::Goods, Metric::PhysicalQuantity),
    (Class::Case, Metric::Other),
    (Class::Account, Metric::Other),
    (Class::Partner, Metric::Other),
    (Class::PageView, Metric::Other),
];

/// Verbs: what follows one is no part of the noun before it.
const VERBS: Classes =
    Classes::of(&[Class::Governing, Class::Guiding, Class::Sending, Class::Placing, Class::TakingIn, Class::Acting, Class::Serving]);

const CLASSIFIERS: Classes = Classes::of(&[
    Class::CountsPeople,
    Class::CountsEvents,
    Class::CountsGoods,
    Class::CountsPlaces,
    Class::CountsOutlets,
    Class::CountsDeals,
    Class::CountsWares,
]);

/// A word as a head, if it names a thing that is counted.
fn as_head(reading: &Reading<'_, '_>, hit: Hit) -> Option<Head> {
    if !reading.is_head(hit) {
        return None;
    }
    let classes = reading.lexicon.classes(hit);
    let of_class = COUNTED.iter().find(|(class, _)| classes.has(*class)).map(|(_, metric)| *metric);
    let metric = of_class.or_else(|| {
        // An operator's own rows of `metric` may speak for counts.
        let metrics = &reading.lexicon.tables().metrics;
        reading.lexicon.senses(hit).iter().find_map(|sense| match sense {
            Sense::Metric(row) => metrics.get(usize::from(*row)).filter(|row| row.kinds.contains(&QuantityKind::Count)).map(|row| row.code),
            _ => None,
        })
    })?;
    Some(Head { metric, classes })
}

/// The head of a noun phrase: the longest known word that ends it.
pub fn head(reading: &Reading<'_, '_>, noun: &Glyphs) -> Option<Head> {
    let last = reading.hits.inside(noun.clone()).filter(|hit| hit.end() == noun.end);
    last.filter_map(|hit| Some((hit.start(), as_head(reading, hit)?))).min_by_key(|(start, _)| *start).map(|(_, head)| head)
}

/// The classes of a number's classifier.
fn classifier(reading: &Reading<'_, '_>, q: &QuantityMention) -> Classes {
    let unit = reading.hits.inside(q.number.end..q.core.end).filter(|hit| hit.end() == q.core.end);
    unit.map(|hit| reading.lexicon.classes(hit)).find(|classes| classes.meets(CLASSIFIERS)).unwrap_or_default()
}

/// The words inside `range` that name counted things, each as long as it can be, none inside another.
fn things(reading: &Reading<'_, '_>, range: &Glyphs) -> impl Iterator<Item = (Glyphs, Head)> {
    let (mut from, range) = (range.start, range.clone());
    reading.hits.inside(range.clone()).filter_map(move |hit| {
        // The longest of those that start at a place comes first.
        let head = (hit.start() >= from).then(|| as_head(reading, hit)).flatten()?;
        // One glyph is a word where the phrase ends, or as an area where it begins: 户 in 种粮户, 村 in 23个|村|设….
        let whole = hit.end() - hit.start() > 1 || hit.end() == range.end || hit.start() == range.start && head.classes.has(Class::Place);
        if !whole {
            return None;
        }
        from = hit.end();
        Some((hit.range(), head))
    })
}

/// What the phrase behind a count has of the thing counted: people end at the first who may be counted so
/// (312户|制造业小微企业|节约融资成本), other things at the last before a verb (23个|村|设驿站).
fn agreed(reading: &Reading<'_, '_>, classifier: Classes, right: &Glyphs) -> Counted {
    let people = classifier.has(Class::CountsPeople);
    let fits = |head: Head| {
        let firm = !classifier.has(Class::CountsPersons) && matches!(head.metric, Metric::OutletCount | Metric::Other);
        !people || firm || matches!(head.metric, Metric::CustomerCount | Metric::StaffCount)
    };
    let mut found: Option<(Glyphs, Head)> = None;
    for (range, head) in things(reading, right).filter(|(_, head)| fits(*head)) {
        let goes_on = found.as_ref().is_none_or(|(last, _)| {
            let between = last.end..range.start;
            between.is_empty() || !people && !holds_verb(reading, &between)
        });
        if !goes_on {
            break;
        }
        found = Some((range, head));
    }
    match found {
        Some((range, head)) => Counted { noun: right.start..range.end, head: Some(head) },
        None => Counted { noun: right.clone(), head: None },
    }
}

/// Whether a verb stands in `range`.
pub fn holds_verb(reading: &Reading<'_, '_>, range: &Glyphs) -> bool {
    let quoted = range.clone().any(|at| reading.source.at(at) == '“');
    quoted || reading.hits.inside(range.clone()).any(|hit| cuts(reading, hit) || reading.lexicon.classes(hit).meets(VERBS))
}

/// The noun a count counts.
pub fn counted(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window) -> Counted {
    let classifier = classifier(reading, q);
    let (left, behind) = (without_verb(reading, window.noun_before(reading)), window.noun_after(reading));
    let mut right = agreed(reading, classifier, &behind);
    // 1800余名英文流利的青年员工: the noun stands behind its description.
    if right.head.is_none() && !behind.is_empty() && reading.source.at(behind.end) == '的' {
        let described = noun_after(reading, &(behind.end + 1..window.right.end.max(behind.end + 1)));
        if described.len() >= 2 {
            right = agreed(reading, classifier, &described);
        }
    }
    let left_head = head(reading, &left);
    // 已对其中286家|授信31.7亿元: a verb behind the number is none of it.
    if right.head.is_none() && starts_with_act(reading, &right.noun) {
        right.noun = right.noun.start..right.noun.start;
    }
    if left.is_empty() && right.noun.is_empty() {
        return left_out(reading, window);
    }
    if right.head.is_some() || left.is_empty() || left_head.is_none() && !right.noun.is_empty() && left.len() <= 3 {
        return right;
    }
    Counted { noun: left, head: left_head }
}

/// Whether a phrase opens with a verb, or a noun that is one here: 授信31.7亿元.
fn starts_with_act(reading: &Reading<'_, '_>, noun: &Glyphs) -> bool {
    const ACTS: Classes = VERBS.or(Classes::of(&[Class::VerbalNoun]));
    reading
        .hits
        .at(noun.start)
        .iter()
        .any(|hit| hit.end() <= noun.end && hit.end() - hit.start() >= 2 && reading.lexicon.classes(*hit).meets(ACTS))
}

/// A phrase that is nothing but a verb is no noun: 审批通过|26个.
fn without_verb(reading: &Reading<'_, '_>, noun: Glyphs) -> Glyphs {
    let verb = |hit: &Hit| reading.lexicon.classes(*hit).meets(VERBS);
    let whole = reading.hits.at(noun.start).iter().any(|hit| hit.end() == noun.end && verb(hit));
    if whole { noun.end..noun.end } else { noun }
}

/// A count without a noun beside it: 培训26期 counts the act itself; 提供智能POS机,累计布放超20000台 has it in the clause before.
fn left_out(reading: &Reading<'_, '_>, window: &Window) -> Counted {
    let act = window.left.start..trimmed_end(reading, &window.left);
    let last = reading.hits.inside(act.clone()).filter(|hit| hit.end() == act.end && hit.end() - hit.start() >= 2);
    if let Some((noun, head)) = last.filter_map(|hit| Some((hit.range(), as_head(reading, hit)?))).min_by_key(|(noun, _)| noun.start) {
        return Counted { noun, head: Some(head) };
    }
    // POS机具布放1.6万台: what was acted on stands before the verb.
    let acts = |hit: &Hit| hit.end() == act.end && reading.lexicon.classes(*hit).meets(VERBS);
    if let Some(verb) = reading.hits.inside(act.clone()).find(acts) {
        let noun = noun_before(reading, &(act.start..verb.start()));
        if let Some(head) = head(reading, &noun) {
            return Counted { noun, head: Some(head) };
        }
    }
    let here = window.left.end..window.left.end;
    if window.clause.start <= window.sentence.start {
        return Counted { noun: here, head: None };
    }
    let end = window.clause.start - 1;
    let before = reading.clause_start(end, window.sentence.start)..end;
    let noun = if reading.quantities_in(&before).is_empty() { noun_before(reading, &before) } else { here };
    Counted { head: head(reading, &noun), noun }
}

/// What a count measures.
pub fn count(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window, before: &[Fact]) -> Verdict {
    let counted = window.counted(reading, q);
    let classifier = classifier(reading, q);
    if let Some(total) = total(reading, q, window, before) {
        return known(total.metric, "part_of_a_count");
    }
    // 试点银行由3家增至7家: the second is what the first was.
    if let Some(last) = before.last().filter(|l| counted.noun.is_empty() && l.unit == q.unit && l.window.clause == window.clause) {
        return known(last.metric, "goes_on_with");
    }
    let verb = |class: Class| holds_class(reading, &window.left, class);
    let head = counted.head.map(|head| head.metric);
    if classifier.has(Class::CountsPeople) {
        people(reading, q, window, &counted)
    } else if classifier.has(Class::CountsDeals) {
        deals(reading, window, &counted, before)
    } else if classifier.has(Class::CountsWares) {
        known(Metric::ProductCount, "classifier_of_wares")
    } else if classifier.has(Class::CountsEvents) {
        match head {
            Some(Metric::Other | Metric::ProductCount) if !q.unit.starts_with('场') => known(Metric::Other, "noun_counted"),
            _ if q.unit.starts_with('期') && head != Some(Metric::EventCount) => assumed(Metric::Other, "nothing_known"),
            _ => known(Metric::EventCount, "classifier_of_events"),
        }
    } else if classifier.has(Class::CountsPlaces) {
        known(Metric::AdminUnitCount, "classifier_of_places")
    } else if classifier.has(Class::CountsOutlets) {
        known(Metric::OutletCount, "classifier_of_outlets")
    } else if classifier.has(Class::CountsGoods) {
        match head {
            Some(metric @ (Metric::Other | Metric::ProductCount | Metric::OutletCount)) => known(metric, "noun_counted"),
            None if counted.noun.is_empty() && verb(Class::Placing) => known(Metric::OutletCount, "put_in_place"),
            _ => known(Metric::PhysicalQuantity, "classifier_of_goods"),
        }
    } else {
        let pledged = reading.source.at(q.range.end) != '的' && holds_class(reading, &window.right, Class::Pledging);
        match things_counted(q, &counted, verb(Class::TakingIn), before) {
            // 4件发明专利作质押: what is pledged is goods.
            Verdict { metric: Metric::Other, .. } if pledged => known(Metric::PhysicalQuantity, "pledged"),
            verdict => verdict,
        }
    }
}

/// Households, firms and people: one's own if the noun or the verb says so, else customers.
fn people(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window, counted: &Counted) -> Verdict {
    let persons = classifier(reading, q).has(Class::CountsPersons);
    let before = !counted.noun.is_empty() && window.left.contains(&counted.noun.start);
    let until = if before { counted.noun.start } else { window.left.end };
    let verb = |class: Class| holds_class(reading, &(window.left.start..until), class);
    let household = q.unit.starts_with('户');
    let Some(head) = counted.head else {
        return match () {
            () if persons && verb(Class::Sending) => known(Metric::StaffCount, "people_sent"),
            () if household || persons && counted.noun.is_empty() => known(Metric::CustomerCount, "classifier_of_people"),
            () => assumed(Metric::CustomerCount, "classifier_of_people"),
        };
    };
    let is = |class: Class| head.classes.has(class);
    let noun = |metric| known(metric, "noun_counted");
    match head.metric {
        // 代发工资涉及职工1.1万人: those of a customer.
        Metric::StaffCount if household || verb(Class::Serving) => noun(Metric::CustomerCount),
        Metric::StaffCount => noun(Metric::StaffCount),
        Metric::OutletCount if q.unit.starts_with('家') => noun(Metric::OutletCount),
        Metric::Other if is(Class::PageView) || is(Class::Account) && !persons => noun(Metric::Other),
        Metric::Other if is(Class::Partner) && !persons && !verb(Class::Serving) => noun(Metric::Other),
        Metric::Other if q.unit.starts_with('家') && !is(Class::Partner) => assumed(Metric::Other, "noun_counted"),
        _ => noun(Metric::CustomerCount),
    }
}

/// Loans, payments, policies: what is applied for, lent, or something else.
fn deals(reading: &Reading<'_, '_>, window: &Window, counted: &Counted, before: &[Fact]) -> Verdict {
    let taken_in = holds_class(reading, &window.left, Class::TakingIn);
    let head = counted.head.map(|head| head.metric);
    if head == Some(Metric::ApplicationCount) || taken_in && head != Some(Metric::Other) {
        return known(Metric::ApplicationCount, "noun_counted");
    }
    let here = [&counted.noun, &window.left, &window.clause];
    // 农担业务, 福费廷业务: financing that is counted as business.
    let business = head == Some(Metric::Other);
    let of_loans = |range| of_loans(reading, range, business);
    if let Some(loans) = here.into_iter().find_map(of_loans) {
        return known(if loans { Metric::LoanCount } else { Metric::Other }, "deals_by_their_cue");
    }
    match before.last() {
        _ if head == Some(Metric::Other) => known(Metric::Other, "noun_counted"),
        Some(last) if last.kind == QuantityKind::Count && last.unit == "笔" && counted.noun.is_empty() => {
            known(last.metric, "goes_on_with")
        }
        _ if head.is_none() && !counted.noun.is_empty() => assumed(Metric::Other, "nothing_known"),
        _ => assumed(Metric::LoanCount, "classifier_of_deals"),
    }
}

/// Whether the cues of money in `range` speak of loans, or of something else.
fn of_loans(reading: &Reading<'_, '_>, range: &Glyphs, business: bool) -> Option<bool> {
    let metrics = &reading.lexicon.tables().metrics;
    let cues =
        reading.hits.within(range.clone(), In::METRICS).flat_map(|hit| reading.lexicon.senses(hit)).filter_map(|sense| match sense {
            Sense::Metric(row) => metrics.get(usize::from(*row)).filter(|row| row.kinds.contains(&QuantityKind::Money)).map(|row| row.code),
            _ => None,
        });
    cues.map(|metric| lent(metric) && !(business && metric == Metric::FinancingProvided)).reduce(|all, one| all || one)
}

/// Whether money of this metric is lent loan by loan.
const fn lent(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::LoanDisbursed
            | Metric::LoanBalance
            | Metric::LoanApproved
            | Metric::CreditLine
            | Metric::FinancingProvided
            | Metric::LoanRenewed
            | Metric::RepaymentDeferred
            | Metric::LoanRepaid
            | Metric::PipelineAmount
            | Metric::CentralBankFunding
            | Metric::BillAmount
            | Metric::OverdueRecordAdjusted
            | Metric::NonPerformingLoan
            | Metric::Condition
    )
}

/// What any classifier may count: the noun says what, else the count of the same classifier before it.
fn things_counted(q: &QuantityMention, counted: &Counted, taken_in: bool, before: &[Fact]) -> Verdict {
    if let Some(Head { metric, .. }) = counted.head {
        let named_beside = metric == Metric::CustomerCount && matches!(q.unit.as_str(), "件" | "起" | "张" | "份" | "条" | "宗");
        return if named_beside { assumed(Metric::Other, "noun_counted") } else { known(metric, "noun_counted") };
    }
    if counted.noun.is_empty() {
        if let Some(last) = before.iter().rev().find(|f| f.kind == QuantityKind::Count && f.unit == q.unit) {
            return known(last.metric, "goes_on_with");
        }
        if taken_in {
            return known(Metric::ApplicationCount, "taken_in");
        }
    }
    if q.unit.is_empty() {
        return assumed(Metric::CustomerCount, "nothing_known");
    }
    assumed(Metric::Other, "nothing_known")
}

/// The total that 其中 makes a count a part of, if it is counted alike and no verb of its own stands before it.
fn total<'f>(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window, before: &'f [Fact]) -> Option<&'f Fact> {
    if q.unit == "个" || before.is_empty() {
        return None;
    }
    let part = reading.words(window.sentence.start..window.left.end, Role::Part).last().filter(|_| part::opened(reading, window))?;
    let own = part.end().max(window.left.start)..window.left.end;
    let total = before.iter().rev().find(|f| f.window.left.end < part.start())?;
    (total.kind == QuantityKind::Count && total.unit == q.unit && !holds_verb(reading, &own)).then_some(total)
}

/// Whether a word of `class` stands in `range`.
fn holds_class(reading: &Reading<'_, '_>, range: &Glyphs, class: Class) -> bool {
    reading.hits.inside(range.clone()).any(|hit| reading.lexicon.classes(hit).has(class))
}
