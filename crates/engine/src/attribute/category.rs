//! Which act a figure belongs to.

use std::ops::Range;

use super::Fact;
use crate::lexicon::{Class, Hit};
use crate::measure::Cue;
use crate::mood::Mood;
use crate::reading::Reading;
use crate::report::{InstitutionType, MeasureCategory as C, Metric, QuantityKind};
use crate::words::{Words, words};

/// Settles the category of each fact of a sentence.
pub fn settle(reading: &Reading<'_, '_>, cues: &[Cue], facts: &mut [Fact], range: Range<usize>) {
    for index in range.clone() {
        plan(reading, facts, index);
        let category = facts.get(index).filter(|_| !is_a_plan(reading, cues, facts, range.start..index));
        let category = category.and_then(|f| set_aside(cues, f).or_else(|| fixed(reading, f)));
        let category = category.map(|c| by_trade(reading, facts.get(index), c));
        if let Some(fact) = facts.get_mut(index) {
            fact.category = category;
        }
    }
    for index in range.clone() {
        let Some(fact) = facts.get(index) else { continue };
        if fact.category.is_some() || never(fact) || is_a_plan(reading, cues, facts, range.start..index) {
            continue;
        }
        if fact.metric == Metric::Share && reading.is_said(fact.noun.clone(), Class::StandingRatio) {
            continue;
        }
        if is_of_a_case(reading, cues, facts, &range, index) {
            continue;
        }
        let repaid = facts
            .get(index + 1)
            .is_some_and(|n| n.metric == Metric::LoanRepaid && n.window.clause == fact.window.clause && range.contains(&(index + 1)));
        if repaid {
            continue;
        }
        let term = matches!(fact.metric, Metric::Condition | Metric::LoanTerm);
        let with_loan = if fact.metric == Metric::LoanTerm {
            neighbour(reading, facts, &range, index).filter(|c| matches!(c, C::Lending | C::DirectFinancing))
        } else {
            None
        };
        let category = with_loan
            .or_else(|| lent_to(reading, fact))
            .or_else(|| cue_before(cues, fact))
            .or_else(|| if term { cue_in_sentence(cues, fact) } else { None })
            .or_else(|| if fact.metric == Metric::StaffCount { cue_behind(cues, fact) } else { None })
            .or_else(|| (fact.metric == Metric::OutletCount).then_some(C::ServiceAccess))
            .or_else(|| neighbour(reading, facts, &range, index))
            .or_else(|| cue_in_sentence(cues, fact))
            .or_else(|| default(reading, fact));
        let category = category.map(|c| by_trade(reading, facts.get(index), c));
        if let Some(fact) = facts.get_mut(index) {
            fact.category = category;
        }
    }
}

/// How many facts of a sentence are looked back at.
const NEAR: usize = 32;

/// The part of a sentence or clause around a fact that speaks of it.
fn around(range: &Range<usize>, at: usize) -> Range<usize> {
    /// How far it reaches to either side, in glyphs.
    const REACH: usize = 300;
    range.start.max(at.saturating_sub(REACH))..range.end.min(at + REACH)
}

/// Notes whether a figure is intended or expected. A limit of a policy is not, nor is where a planned change starts.
fn plan(reading: &Reading<'_, '_>, facts: &mut [Fact], index: usize) {
    let Some(fact) = facts.get_mut(index) else { return };
    let Some(q) = reading.quantities.get(fact.quantity) else { return };
    let starts = matches!(reading.source.before(q.range.start), '由' | '从')
        && matches!(reading.source.at(q.range.end), '提' | '升' | '降' | '增' | '减' | '调' | '扩' | '压' | '缩');
    fact.planned = fact.metric != Metric::Condition && !starts && reading.moods.is_planned(q.core.start);
}

/// Whether a figure is of a plan, which is no act yet: meant, or the expected effect of nothing done before it.
fn is_a_plan(reading: &Reading<'_, '_>, cues: &[Cue], facts: &[Fact], before: Range<usize>) -> bool {
    let Some(fact) = facts.get(before.end) else { return false };
    let at = fact.window.left.end;
    let has = |mood| fact.planned && reading.moods.has(at.saturating_sub(1), mood);
    let acted = || {
        let sentence = &fact.window.sentence;
        let from = cues.partition_point(|cue| cue.range.start < sentence.start);
        let near = before.end.saturating_sub(NEAR).max(before.start)..before.end;
        let counted = facts.get(near).unwrap_or_default().iter().any(|fact| fact.category.is_some() && !fact.planned);
        counted || cues.get(from).is_some_and(|cue| cue.range.start < at)
    };
    has(Mood::Meant) || has(Mood::Expected) && !acted()
}

/// Figures that belong to no act.
const fn never(fact: &Fact) -> bool {
    matches!(fact.metric, Metric::Other) && matches!(fact.kind, QuantityKind::Money)
        || matches!(
            fact.metric,
            Metric::NonPerformingLoan
                | Metric::NonPerformingRatio
                | Metric::DepositBalance
                | Metric::TotalAssets
                | Metric::RevenueOrProfit
                | Metric::LoanRepaid
        )
}

/// A guarantor's loans are those it stands surety for.
fn by_trade(reading: &Reading<'_, '_>, fact: Option<&Fact>, category: C) -> C {
    let owner = fact.and_then(|f| f.owner).and_then(|o| reading.discourse.entities.get(o));
    let guarantees = owner.is_some_and(|e| e.kind == InstitutionType::GuaranteeCompany || is_guarantor_sector(e.kind, &e.name));
    match category {
        C::Lending if guarantees => C::RiskSharing,
        other => other,
    }
}

/// 全省融资担保体系.
fn is_guarantor_sector(kind: InstitutionType, name: &str) -> bool {
    kind == InstitutionType::BankingSector && name.contains("担保")
}

/// 安排5亿元专项额度: a line set aside is no lending yet.
fn set_aside(cues: &[Cue], fact: &Fact) -> Option<C> {
    let sum = matches!(fact.metric, Metric::CreditLine | Metric::FinancingProvided | Metric::Condition | Metric::Other);
    let clause = &fact.window.clause;
    let from = cues.partition_point(|cue| cue.range.start < clause.start);
    let mut own = cues.get(from..)?.iter().take_while(|cue| cue.range.start < clause.end);
    (sum && fact.kind == QuantityKind::Money && own.any(|cue| cue.category == C::DedicatedQuota)).then_some(C::DedicatedQuota)
}

/// 投诉32件, 拦截诈骗15起: whether what is counted is a case, by the nearest word before the number, or goes on with one.
fn is_of_a_case(reading: &Reading<'_, '_>, cues: &[Cue], facts: &[Fact], range: &Range<usize>, index: usize) -> bool {
    let Some(fact) = facts.get(index) else { return false };
    let clause = around(&fact.window.clause, fact.window.left.end);
    let clause = clause.start..fact.window.right.end.max(fact.window.left.end);
    let case = |within: Range<usize>| {
        let hits = reading.hits.inside(within);
        hits.filter(|hit| reading.lexicon.classes(*hit).has(Class::Wrong)).map(Hit::end).max()
    };
    let until = fact.window.left.end;
    let from = cues.partition_point(|cue| cue.range.start < clause.start);
    let own = || cues.get(from..).unwrap_or_default().iter().take_while(|cue| cue.range.start < clause.end);
    let cue = own().filter(|cue| cue.range.end <= until + 1).map(|cue| cue.range.end).max();
    if let Some(case) = case(clause.start..until) {
        return cue.is_none_or(|cue| cue < case);
    }
    if cue.is_some() {
        return false;
    }
    let behind = case(until..clause.end).is_some() && own().next().is_none();
    let before = index.checked_sub(1).filter(|before| range.contains(before));
    let goes_on = before.and_then(|before| facts.get(before)).is_some_and(|last| last.category.is_none() && last.owner == fact.owner)
        && before.is_some_and(|before| is_case_clause(reading, facts, before));
    behind || goes_on
}

/// Whether a fact's clause names a case.
fn is_case_clause(reading: &Reading<'_, '_>, facts: &[Fact], index: usize) -> bool {
    facts.get(index).is_some_and(|fact| reading.is_said(around(&fact.window.clause, fact.window.left.end), Class::Wrong))
}

/// The category a metric has wherever it stands.
fn fixed(reading: &Reading<'_, '_>, fact: &Fact) -> Option<C> {
    let clause = fact.window.clause.start..fact.window.right.end;
    Some(match fact.metric {
        Metric::CreditLine if reading.any(clause.clone(), words!["提高到", "提升到", "提高至", "提升至", "增加到", "增加至", "调增至"]) => {
            C::CreditLineIncrease
        }
        Metric::LoanDisbursed | Metric::LoanBalance | Metric::LoanApproved | Metric::CreditLine => C::Lending,
        Metric::PipelineAmount if reading.any(fact.window.sentence.clone(), words!["对接会", "洽谈会", "推介会", "对接活动"]) => {
            C::CustomerOutreach
        }
        Metric::PipelineAmount => C::Lending,
        Metric::FinancingProvided
            if reading.any(clause.clone(), words!["担保", "在保"]) || fact.label.contains("担保") || fact.label.contains("在保") =>
        {
            C::RiskSharing
        }
        Metric::CustomerCount if fact.label.starts_with("在保") => C::RiskSharing,
        Metric::FinancingProvided => C::Lending,
        Metric::LoanRenewed => C::LoanRenewal,
        Metric::RepaymentDeferred => C::RepaymentDeferral,
        Metric::OverdueRecordAdjusted => C::CreditRecordRelief,
        Metric::CentralBankFunding => C::CentralBankFunding,
        Metric::BondAmount => C::DirectFinancing,
        Metric::BillAmount => C::Lending,
        Metric::PaymentVolume => C::ServiceAccess,
        Metric::DonationAmount => C::PublicWelfare,
        Metric::Premium | Metric::InsuredAmount | Metric::ClaimPaid => C::InsuranceProtection,
        Metric::InterestRate if reading.any(clause, words!["担保费率", "担保费"]) || fact.label.contains("担保") => {
            C::FeeReduction
        }
        Metric::InterestRate
            if reading.is_said(around(&fact.window.clause, fact.window.left.end).start..fact.window.left.end, Class::Coupon) =>
        {
            C::DirectFinancing
        }
        Metric::InterestRate => C::RateReduction,
        // What insurers took in as reported or estimated losses.
        Metric::Other if words!["损金额", "损失金额"].end_before(reading.source, fact.noun.end) => C::InsuranceProtection,
        Metric::ProcessingTime => C::ProcessSimplification,
        Metric::ProductCount => C::ProductLaunch,
        Metric::ConcessionAmount => concession(reading, fact),
        _ => return None,
    })
}

/// 罚息 is penalty relief, 利息 and 让利 are rates, everything else fees.
fn concession(reading: &Reading<'_, '_>, fact: &Fact) -> C {
    let clause = fact.window.left.start.min(fact.window.clause.start)..fact.window.right.end.min(fact.window.right.start + 8);
    let near = fact.window.left.start..fact.window.right.start;
    let says = |words: &Words| reading.any(near.clone(), words);
    if says(words!["罚息", "逾期利息", "复利"]) {
        C::PenaltyRelief
    } else if says(words![
        "减费让利",
        "降费",
        "手续费",
        "服务费",
        "评估费",
        "公证费",
        "费用",
        "保费",
        "担保费",
        "减费",
        "抵押登记费",
        "收费"
    ]) && !says(words!["财务费用", "利息"])
    {
        C::FeeReduction
    } else if says(words!["让利", "利息", "融资成本", "财务成本", "财务费用", "贴息", "息"])
        || reading.any(clause, words!["利息", "融资成本", "让利", "财务成本"])
    {
        C::RateReduction
    } else {
        C::FeeReduction
    }
}

/// 授信6359户, 放款986笔: counted by the verb right before it.
fn lent_to(reading: &Reading<'_, '_>, fact: &Fact) -> Option<C> {
    let counted = matches!(fact.metric, Metric::CustomerCount | Metric::LoanCount);
    let until = fact.window.left.end;
    let credit = |from: usize| {
        // 续贷 is a word, and no 贷.
        if !reading.tokens.is_border(from) {
            return false;
        }
        let verb = reading.hits.at(from).iter().find(|hit| hit.end() == until);
        verb.is_some_and(|hit| reading.lexicon.classes(*hit).has(Class::Credit))
    };
    (counted && (1..=3).any(|back| until >= fact.window.clause.start + back && credit(until - back))).then_some(C::Lending)
}

/// The nearest cue before a fact in its own clause, else the nearest behind it there.
fn cue_before(cues: &[Cue], fact: &Fact) -> Option<C> {
    let clause = &fact.window.clause;
    let until = fact.window.left.end;
    let from = cues.partition_point(|c| c.range.start < clause.start);
    let any = matches!(fact.metric, Metric::ApplicationCount | Metric::Share | Metric::Other | Metric::Condition | Metric::LoanTerm);
    let here: Vec<&Cue> = cues
        .get(from..)?
        .iter()
        .take_while(|c| c.range.start < clause.end)
        .filter(|c| {
            any || !matches!(
                c.category,
                C::UnsecuredLending | C::OnlineService | C::PriorityChannel | C::ProductLaunch | C::InternalManagement
            )
        })
        .filter(|c| {
            fact.metric != Metric::LoanCount
                || !matches!(c.category, C::CustomerOutreach | C::FinancialEducation | C::PublicWelfare | C::ServiceAccess)
        })
        .collect();
    let before = here.iter().filter(|c| c.range.end <= until + 1).max_by_key(|c| c.range.end);
    let behind = here.iter().filter(|c| c.range.end > until + 1).min_by_key(|c| c.range.start);
    before.or(behind).map(|c| c.category)
}

/// The first cue behind a fact in its sentence: what the staff were sent to do.
fn cue_behind(cues: &[Cue], fact: &Fact) -> Option<C> {
    let from = cues.partition_point(|c| c.range.start < fact.window.left.end);
    cues.get(from).filter(|c| c.range.start < fact.window.sentence.end).map(|c| c.category)
}

fn cue_in_sentence(cues: &[Cue], fact: &Fact) -> Option<C> {
    let range = &fact.window.sentence;
    let from = cues.partition_point(|c| c.range.start < range.start);
    cues.get(from..)?
        .iter()
        .take_while(|c| c.range.start < range.end)
        .filter(|c| c.range.end <= fact.window.left.end)
        .last()
        .map(|c| c.category)
}

/// The category of the nearest other figure of the act.
fn neighbour(reading: &Reading<'_, '_>, facts: &[Fact], range: &Range<usize>, index: usize) -> Option<C> {
    let fact = facts.get(index)?;
    let mut best: Option<(usize, C)> = None;
    let share = fact.metric == Metric::Share;
    let continues = share || fact.change.is_some() || fact.part_of.is_some();
    for other in range.clone().filter(|i| *i != index && !(share && *i > index)) {
        let Some(o) = facts.get(other) else { continue };
        let (Some(category), true) = (o.category, o.owner == fact.owner) else { continue };
        if matches!(o.metric, Metric::InterestRate | Metric::ProcessingTime | Metric::ProductCount | Metric::StaffCount)
            && fact.metric != Metric::Share
        {
            continue;
        }
        let (a, b) = (fact.window.left.end.min(o.window.left.end), fact.window.left.end.max(o.window.left.end));
        let apart = reading.semicolon_in(&(a..b));
        if apart && !continues {
            continue;
        }
        let distance = index.abs_diff(other) * 2 + usize::from(other > index) + if apart { 100 } else { 0 };
        if best.is_none_or(|(d, _)| distance < d) {
            best = Some((distance, category));
        }
    }
    best.map(|(_, c)| c)
}

fn default(reading: &Reading<'_, '_>, fact: &Fact) -> Option<C> {
    let insurer = fact.owner.and_then(|o| reading.discourse.entities.get(o)).is_some_and(|e| e.kind == InstitutionType::Insurer);
    let of_sentence = |class| reading.is_said(around(&fact.window.sentence, fact.window.left.end), class);
    match fact.metric {
        Metric::Condition | Metric::LoanTerm if !fact.product.is_empty() => Some(C::ProductLaunch),
        Metric::OutletCount => Some(C::ServiceAccess),
        Metric::AdminUnitCount => {
            of_sentence(Class::Outpost).then_some(C::ServiceAccess).or_else(|| of_sentence(Class::Credit).then_some(C::Lending))
        }
        Metric::EventCount => {
            reading.is_said(around(&fact.window.clause, fact.window.left.end), Class::Holding).then_some(C::CustomerOutreach)
        }
        Metric::CustomerCount | Metric::LoanCount | Metric::ProjectCount | Metric::LoanTerm | Metric::Condition if insurer => {
            Some(C::InsuranceProtection)
        }
        Metric::CustomerCount | Metric::LoanTerm | Metric::Condition => of_sentence(Class::Credit).then_some(C::Lending),
        Metric::LoanCount | Metric::ProjectCount => Some(C::Lending),
        Metric::ApplicationCount if insurer => Some(C::InsuranceProtection),
        Metric::ApplicationCount => of_sentence(Class::Credit).then_some(C::Lending),
        Metric::Share if fact.kind == QuantityKind::Percent && reading.any(fact.window.clause.clone(), words!["贷款", "信贷", "首贷"]) => {
            Some(C::Lending)
        }
        _ => None,
    }
}
