//! For what and for whom: purposes, segments, named borrowers and products.

use std::ops::Range;

use rust_decimal::Decimal;

use super::Fact;
use super::window::noun_before;
use crate::discourse::is_company;
use crate::lexicon::{Hit, In, Role, Sense};
use crate::reading::Reading;
use crate::recognize::name::Borrower;
use crate::report::{MeasureCategory as C, Metric, QuantityKind};
use crate::source::{Glyphs, is_ideograph};
use crate::token::Token;
use crate::words::{Words, words};

/// How far back 该企业 or 其 reaches for a name, in glyphs.
const ANAPHOR_REACH: usize = 240;

/// Purpose and segment codes of a stretch of text, the longest words alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Codes {
    /// Purpose codes.
    pub purposes: Vec<String>,
    /// Segment codes.
    pub segments: Vec<String>,
}

/// The codes of a stretch of text.
#[must_use]
pub fn codes_in(reading: &Reading<'_, '_>, range: Glyphs) -> Codes {
    let mut words = reading.hits.within(range.clone(), In::CODES).peekable();
    if words.peek().is_none() {
        return Codes::default();
    }
    let tables = reading.lexicon.tables();
    let mut purposes: Vec<(Glyphs, &str)> = Vec::new();
    let mut segments: Vec<(Glyphs, &str)> = Vec::new();
    let borrowers = reading.borrowers_in(&(range.start.saturating_sub(32)..range.end));
    for hit in words.filter(|hit| !reading.tokens.is_torn(*hit)) {
        let holds = |name: &&Borrower| name.range.start <= hit.start() && hit.end() <= name.range.end;
        let name = borrowers.iter().find(holds);
        // What a company is called says nothing of what the money is for; what a hospital is called says what it is.
        if name.is_some_and(|name| !reading.source.ends_with(name.range.end, "医院")) {
            continue;
        }
        let stands = name.is_some() || reading.stands(hit);
        for sense in reading.lexicon.senses(hit) {
            match sense {
                // 脱贫 in 脱贫县 says what for; 企业 in 企业家 is nobody.
                Sense::Segment(_) if !stands => {}
                Sense::Purpose(i) => purposes.extend(tables.purposes.get(*i as usize).map(|row| (hit.range(), row.code.as_str()))),
                Sense::Segment(i) => segments.extend(tables.segments.get(*i as usize).map(|row| (hit.range(), row.code.as_str()))),
                _ => {}
            }
        }
    }
    Codes { purposes: widest(&purposes, false), segments: narrowest_segment(widest(&segments, true)) }
}

/// The codes whose words lie inside no wider word of the same table.
fn widest(found: &[(Glyphs, &str)], exclusive: bool) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for (range, code) in found {
        let swallowed = found.iter().any(|(other, other_code)| {
            other.start <= range.start
                && range.end <= other.end
                && other.len() > range.len()
                && other_code != code
                && (exclusive || other_code.is_empty())
        });
        if !swallowed && !code.is_empty() && !out.iter().any(|c| c == code) {
            out.push((*code).to_owned());
        }
    }
    out
}

/// 企业 beside a narrower class of it says nothing more.
fn narrowest_segment(mut segments: Vec<String>) -> Vec<String> {
    let narrower = |c: &String| matches!(c.as_str(), "small_micro_enterprise" | "large_medium_enterprise" | "private_enterprise");
    if segments.iter().any(narrower) && segments.len() == 2 && segments.iter().any(|c| c == "enterprise") {
        segments.retain(|c| c != "enterprise");
    }
    segments
}

/// The codes a fact's own noun phrase gives it, else those of the receiver before it.
pub fn own(reading: &Reading<'_, '_>, fact: &mut Fact) {
    let mut own = codes_in(reading, fact.noun.clone());
    if reading.source.ends_with(fact.window.left.end, "的") && fact.noun.start >= fact.window.right.start {
        // 首次贷款的137户农户: what stands before the number describes the noun behind it.
        let before = fact.window.noun_before(reading);
        let modifier = codes_in(reading, before);
        own.purposes.extend(modifier.purposes.into_iter().filter(|p| !own.purposes.contains(p)).collect::<Vec<_>>());
        own.segments.extend(modifier.segments.into_iter().filter(|p| !own.segments.contains(p)).collect::<Vec<_>>());
    }
    if own.purposes.is_empty() && !fact.product.is_empty() {
        let named = reading.products.iter().find(|p| reading.source.in_one_line(p.range.clone()) == fact.product);
        own.purposes = named.map(|p| codes_in(reading, p.range.clone()).purposes).unwrap_or_default();
    }
    if fact.metric == Metric::Share && reading.any(fact.window.right.clone(), words!["投向", "用于", "流向", "投放"]) {
        let behind = codes_in(reading, fact.window.right.clone());
        own.purposes.extend(behind.purposes.into_iter().filter(|p| !own.purposes.contains(p)).collect::<Vec<_>>());
    }
    // 支持企业|收购|稻谷: goods are for those who act on them.
    if own.segments.is_empty() && fact.metric == Metric::PhysicalQuantity && fact.window.left.contains(&fact.noun.start) {
        own.segments = acting(reading, fact).segments;
    }
    let receiver = receiver_codes(reading, fact);
    if own.purposes.is_empty() {
        own.purposes = receiver.purposes;
    }
    if own.segments.is_empty() {
        own.segments = receiver.segments;
    }
    fact.purposes = own.purposes;
    fact.segments = own.segments;
}

/// The codes of the noun before the verb that governs a fact's noun.
fn acting(reading: &Reading<'_, '_>, fact: &Fact) -> Codes {
    let verb = fact.noun.start.checked_sub(1).and_then(|at| reading.tokens.at(at)).map_or(fact.noun.start, Token::start);
    let subject = noun_before(reading, &(fact.window.left.start..verb.max(fact.window.left.start)));
    codes_in(reading, subject)
}

/// The codes of 向…, 为…, 对…, before a number in its clause, or in a clause before it that holds no number.
fn receiver_codes(reading: &Reading<'_, '_>, fact: &Fact) -> Codes {
    let mut range = fact.window.clause.start..fact.window.left.end;
    loop {
        let codes = receiver_in(reading, &range);
        if codes != Codes::default() || range.start <= fact.window.sentence.start {
            return codes;
        }
        let end = range.start - 1;
        let start = reading.clause_start(end, fact.window.sentence.start);
        let counted = reading
            .quantities_in(&(start..end))
            .any(|i| reading.quantities.get(i).is_some_and(|q| !matches!(q.kind, QuantityKind::Ordinal | QuantityKind::Identifier)));
        if counted || matches!(reading.source.at(end), ';' | '\t') {
            return Codes::default();
        }
        range = start..end;
    }
}

fn receiver_in(reading: &Reading<'_, '_>, range: &Glyphs) -> Codes {
    let opener = reading
        .words(range.clone(), Role::Receiver)
        .filter(|h| h.end() - h.start() == 1 || matches!(reading.lexicon.form(*h), "针对" | "面向"))
        .filter(|h| !(reading.source.at(h.start()) == '为' && says_what_for(reading, h.end())))
        .filter(|h| {
            !(reading.source.at(h.start()) == '为'
                && matches!(reading.source.before(h.start()), '作' | '成' | '因' | '视' | '分' | '均' | '约' | '较' | '更' | '极')
                && !reading.source.ends_with(h.start(), "积极"))
        })
        .last();
    let Some(opener) = opener else { return Codes::default() };
    let end = phrase_end(reading, opener.end(), range.end);
    codes_in(reading, opener.end()..end)
}

/// 为方便果农…, 为进一步…: what an act is for, not whom.
fn says_what_for(reading: &Reading<'_, '_>, at: usize) -> bool {
    const WORDS: &Words = words![
        "方便",
        "进一步",
        "了",
        "满足",
        "解决",
        "缓解",
        "支持",
        "更好",
        "确保",
        "切实",
        "提高",
        "提升",
        "做好",
        "帮助",
        "助力",
        "推动",
        "保障",
        "破解",
        "让",
        "有效",
        "全面",
        "充分",
    ];
    WORDS.start_at(reading.source, at)
}

/// Where a receiver phrase ends: at the verb of the act.
fn phrase_end(reading: &Reading<'_, '_>, start: usize, ceiling: usize) -> usize {
    const ACTS: &Words = words![
        "发放", "投放", "办理", "提供", "给予", "实施", "执行", "实行", "减免", "开展", "推出", "发行", "降低", "下调", "累计", "支付",
        "落实", "进行", "采取", "免收", "节约", "节省", "新增", "审批", "授信", "展期", "做到", "严格",
    ];
    (start + 2..ceiling).find(|&i| ACTS.start_at(reading.source, i)).unwrap_or(ceiling)
}

/// Who got it and through which product.
pub fn parties(reading: &Reading<'_, '_>, fact: &mut Fact) {
    let window = fact.window.clone();
    let before = window.sentence.start..fact.window.right.start;
    if lends(fact.metric)
        && let Some(name) = borrower_before(reading, fact, &before)
    {
        fact.derivation.steps.push(("received_by", name.clone()));
        fact.beneficiary = name;
    }
    if takes_product(fact.metric) {
        fact.product = product_near(reading, fact, &before);
    }
}

const fn lends(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::LoanDisbursed
            | Metric::LoanBalance
            | Metric::LoanApproved
            | Metric::CreditLine
            | Metric::FinancingProvided
            | Metric::LoanRenewed
            | Metric::RepaymentDeferred
            | Metric::InterestRate
            | Metric::ProcessingTime
            | Metric::LoanTerm
            | Metric::LoanCount
            | Metric::ClaimPaid
            | Metric::InsuredAmount
            | Metric::Premium
            | Metric::ConcessionAmount
            | Metric::BillAmount
            | Metric::PhysicalQuantity
    )
}

const fn takes_product(metric: Metric) -> bool {
    !matches!(
        metric,
        Metric::ProductCount
            | Metric::StaffCount
            | Metric::OutletCount
            | Metric::EventCount
            | Metric::DepositBalance
            | Metric::TotalAssets
            | Metric::RevenueOrProfit
            | Metric::NonPerformingRatio
            | Metric::DonationAmount
    )
}

/// The borrower named before a fact in its sentence, or the one an anaphor stands for.
fn borrower_before(reading: &Reading<'_, '_>, fact: &Fact, before: &Glyphs) -> Option<String> {
    let act_start = (before.start..fact.window.left.end).rev().find(|&i| reading.source.at(i) == ';').map_or(before.start, |i| i + 1);
    let reach = if fact.sentence.is_some() { act_start..fact.window.clause.end } else { before.clone() };
    let named = reading.borrowers_in(&(reach.start..fact.window.left.end)).last();
    if let Some(b) = named {
        // A plural receiver after the name takes its place: …公司…,为36户农户办理.
        let moved = reading
            .quantities_in(&(b.range.end..fact.window.left.end))
            .any(|i| reading.quantities.get(i).is_some_and(|q| matches!(q.unit.as_str(), "户" | "家")));
        return (!moved).then(|| reading.source.in_one_line(joint(reading, b.range.clone())));
    }
    if let Some(name) = plain_receiver(reading, fact) {
        return Some(name);
    }
    let mut within = reading.hits.inside(reach.start..fact.window.left.end);
    // In a bulletin of an insurer 公司 is the insurer.
    let itself = fact.owner.and_then(|owner| reading.discourse.entities.get(owner)).is_some_and(|owner| is_company(owner.kind));
    let refers = |hit: Hit| refers_to_borrower(reading, hit) && !(itself && reading.lexicon.form(hit) == "公司");
    if within.any(|hit| hit.has_role(Role::BorrowerReference) || refers(hit)) {
        let section = reading.outline.section_at(fact.window.sentence.start).map_or(0, |s| s.range.start);
        let near = section.max(fact.window.sentence.start.saturating_sub(ANAPHOR_REACH));
        let previous = reading.borrowers_in(&(near..fact.window.left.end)).last()?;
        return Some(reading.source.in_one_line(previous.range.clone()));
    }
    told_of(reading, fact).map(|b| reading.source.in_one_line(b.range.clone()))
}

/// The borrower whose story a paragraph tells, as its first subject, where nobody else has come in.
fn told_of<'a>(reading: &'a Reading<'_, '_>, fact: &Fact) -> Option<&'a Borrower> {
    /// Most glyphs of what such a borrower is before its name: 茶埠镇种植大户包某.
    const TITLE: usize = 12;
    let single = matches!(
        fact.metric,
        Metric::LoanDisbursed
            | Metric::LoanApproved
            | Metric::CreditLine
            | Metric::LoanRenewed
            | Metric::RepaymentDeferred
            | Metric::ConcessionAmount
            | Metric::ProcessingTime
            | Metric::ClaimPaid
    );
    if !single || fact.cumulative || fact.change.is_some() {
        return None;
    }
    let opens = reading.outline.paragraph_at(fact.window.sentence.start)?.range.start;
    let hero = reading.borrowers_in(&(opens..fact.window.sentence.start)).first()?;
    let near = hero.range.start - opens <= TITLE && fact.window.left.end <= hero.range.end + ANAPHOR_REACH;
    let title = opens..hero.range.start;
    let subject =
        title.clone().all(|at| is_ideograph(reading.source.at(at)) && !matches!(reading.source.at(at), '向' | '为' | '对' | '给' | '与'))
            && reading.institutions_in(&title).is_empty();
    let told = hero.range.end..fact.window.left.end;
    let others = reading.quantities_in(&told).any(|i| {
        reading.quantities.get(i).is_some_and(|q| matches!(q.unit.as_str(), "户" | "家" | "人" | "笔") && q.value != Some(Decimal::ONE))
    }) || reading
        .borrowers_in(&told)
        .iter()
        .any(|other| reading.source.text(other.range.clone()) != reading.source.text(hero.range.clone()));
    (near && subject && !others).then_some(hero)
}

/// Whether a word stands for a borrower named before: 该公司; 公司 where it is a word of its own, not 子公司.
fn refers_to_borrower(reading: &Reading<'_, '_>, hit: Hit) -> bool {
    let alone = || {
        let before = reading.source.before(hit.start());
        !is_ideograph(before)
            || matches!(
                before,
                '向' | '为'
                    | '对'
                    | '给'
                    | '与'
                    | '和'
                    | '由'
                    | '让'
                    | '助'
                    | '持'
                    | '使'
                    | '于'
                    | '了'
                    | '解'
                    | '决'
                    | '足'
                    | '轻'
                    | '得'
            )
    };
    hit.has_role(Role::BorrowerAnaphor) && (hit.end() - hit.start() > 2 || alone()) && !reading.is_named(hit.start()..hit.end())
}

/// A及B: two borrowers of one sum.
fn joint(reading: &Reading<'_, '_>, last: Glyphs) -> Glyphs {
    let first = reading.borrowers_in(&(last.start.saturating_sub(40)..last.start)).last();
    match first {
        Some(b) if b.range.end + 1 == last.start && matches!(reading.source.at(b.range.end), '及' | '和' | '与' | '、') => {
            b.range.start..last.end
        }
        _ => last,
    }
}

/// 为海高牧业和世纪粮行投放贷款: a receiver that is no class of customers is a name.
fn plain_receiver(reading: &Reading<'_, '_>, fact: &Fact) -> Option<String> {
    const VERBS: &Words = words!["发放", "投放", "放款", "办理贷款", "提供贷款"];
    let clause = fact.window.clause.start..fact.window.left.end;
    let opener = (clause.clone()).find(|&i| matches!(reading.source.at(i), '向' | '为') && !reading.source.starts_with(i, "为了"))?;
    let verb = (opener + 1..clause.end).find(|&i| VERBS.start_at(reading.source, i))?;
    let name = opener + 1..verb;
    let text = reading.source.text(name.clone());
    let length = text.chars().count();
    let generic = [
        "客户", "其", "主体", "群众", "地方", "全", "该", "人", "行业", "领域", "社会", "户", "者", "们", "市场", "机构", "银行", "产业",
        "经济", "当地", "县", "市", "省", "农", "业主", "贷款", "项目",
    ];
    let plain = (4..=16).contains(&length)
        && (text.ends_with("牧业") || text.ends_with('行') || text.ends_with("业") || text.ends_with('厂') || text.ends_with("药店"))
        && codes_in(reading, name.clone()).segments.is_empty()
        && !generic.iter().any(|g| text.contains(g))
        && !text.chars().any(|c| c.is_ascii_digit() || matches!(c, ',' | '等' | '类'))
        && reading.quantities_in(&name).is_empty()
        && reading.institutions_in(&name).is_empty();
    plain.then(|| reading.source.in_one_line(name))
}

/// The product a fact speaks of: named in its sentence before it, or right behind it.
fn product_near(reading: &Reading<'_, '_>, fact: &Fact, before: &Glyphs) -> String {
    let text = |range: &Glyphs| reading.source.in_one_line(range.clone());
    let behind = reading.products_in(&(fact.window.right.start..fact.window.right.start + 2));
    if let Some(p) = behind.first().filter(|_| matches!(reading.source.at(fact.window.right.start), '“' | '"' | '的')) {
        return text(&p.range);
    }
    let here = reading.products_in(before);
    if let Some(p) = here.last() {
        let listed = here.iter().rev().nth(1).is_some_and(|o| p.range.start - o.range.end <= 3);
        let ended = (p.range.end..fact.window.left.end).any(|i| reading.source.at(i) == ';');
        return if listed || ended { String::new() } else { text(&p.range) };
    }
    if reading.words(before.clone(), Role::ProductAnaphor).next().is_some() {
        let paragraph = reading.outline.paragraph_at(fact.window.sentence.start).map_or(0, |p| p.range.start);
        return reading.products_in(&(paragraph..before.start)).last().map(|p| text(&p.range)).unwrap_or_default();
    }
    String::new()
}

/// Lets the figures of one act share their codes, their product and their borrower.
pub fn share(reading: &Reading<'_, '_>, facts: &mut [Fact], range: Range<usize>) {
    borrower_segment(reading, facts, range.clone());
    for index in range.clone() {
        let part = facts.get(index).filter(|fact| fact.change.is_none() && !derived(fact));
        if let Some(total) = part.and_then(|fact| fact.part_of) {
            fill(facts, index, total);
        }
    }
    // What a change or a gap is about is the level before it.
    for index in range.clone().skip(1) {
        let Some(fact) = facts.get(index).filter(|fact| fact.noun.is_empty()) else { continue };
        let level = |i: &usize| facts.get(*i).is_some_and(|f| fact.label.starts_with(&f.label));
        if let Some(level) = (range.start..index).rev().find(level) {
            fill(facts, index, level);
        }
    }
    for fact in facts.get_mut(range.clone()).unwrap_or_default().iter_mut().filter(|fact| fact.lacks_codes()) {
        let behind = supported(reading, fact);
        fact.take(&behind.purposes, &behind.segments);
    }
    generic(facts, range.clone());
    neighbours(reading, facts, range);
}

/// 贷款余额, 户数: a noun that leaves out what the sentence has been about takes its codes, over semicolons too.
fn generic(facts: &mut [Fact], range: Range<usize>) {
    const GENERIC: &[&str] = &[
        "贷款余额",
        "余额",
        "户数",
        "贷款户数",
        "有贷款余额的户数",
        "金额",
        "笔数",
        "贷款金额",
        "加权平均利率",
        "平均利率",
        "授信户数",
        "授信金额",
        "授信余额",
        "贷款加权平均利率",
    ];
    for index in range.clone().skip(1) {
        let elliptic = |f: &&Fact| GENERIC.contains(&f.label.as_str()) || f.label.starts_with("有贷款余额");
        let Some(fact) = facts.get(index).filter(elliptic) else { continue };
        let level = |i: &usize| {
            facts.get(*i).is_some_and(|f| {
                f.owner == fact.owner
                    && !matches!(f.metric, Metric::Share | Metric::DepositBalance)
                    && (!f.purposes.is_empty() || !f.segments.is_empty())
            })
        };
        if let Some(level) = (range.start..index).rev().find(level) {
            fill(facts, index, level);
        }
    }
}

/// What the other figures of its act lend a figure.
#[derive(Default)]
struct Lent {
    codes: Codes,
    product: String,
    beneficiary: String,
}

/// The figures of one act lend each other their codes: the nearest first, before rather than behind.
fn neighbours(reading: &Reading<'_, '_>, facts: &mut [Fact], range: Range<usize>) {
    let settled = facts.get(range.clone()).unwrap_or_default();
    if settled.len() < 2 {
        return;
    }
    let lent: Vec<Lent> = (0..settled.len()).map(|offset| lent(reading, settled, range.start, offset)).collect();
    for (fact, lent) in facts.get_mut(range).unwrap_or_default().iter_mut().zip(lent) {
        fact.take(&lent.codes.purposes, &lent.codes.segments);
        if fact.product.is_empty() {
            fact.product = lent.product;
        }
        if fact.beneficiary.is_empty() {
            fact.beneficiary = lent.beneficiary;
        }
    }
}

/// What the figure at `offset` takes from the others; the first of them is the text's figure `first`.
fn lent(reading: &Reading<'_, '_>, settled: &[Fact], first: usize, offset: usize) -> Lent {
    let Some(fact) = settled.get(offset).filter(|fact| fact.lacks_codes() || fact.metric == Metric::ProcessingTime) else {
        return Lent::default();
    };
    let lends_to = |i: usize, other: &Fact| {
        i != offset
            && same_act(reading, fact, other)
            && !total_and_part(reading, first + offset, fact, first + i, other)
            && !siblings(fact, other)
    };
    let others: Vec<(usize, &Fact)> = settled.iter().enumerate().filter(|(i, o)| lends_to(*i, o)).collect();
    let union = |of: fn(&Fact) -> &Vec<String>| -> Vec<String> {
        let Some((nearest, first)) =
            others.iter().filter(|(_, o)| !of(o).is_empty()).min_by_key(|(i, _)| (i.abs_diff(offset), *i > offset))
        else {
            return Vec::new();
        };
        let mut codes = of(first).clone();
        // 企业46户、个体工商户218户: counts in a row speak together.
        for (i, o) in &others {
            if i.abs_diff(*nearest) == 1 && o.metric == first.metric && o.kind == first.kind && *i > offset && *nearest > offset {
                codes.extend(of(o).iter().filter(|c| !of(first).contains(c)).cloned());
            }
        }
        codes
    };
    let mut lent = Lent { codes: Codes { purposes: union(|f| &f.purposes), segments: union(|f| &f.segments) }, ..Lent::default() };
    if fact.metric == Metric::ProcessingTime {
        let beside = |(i, o): &&(usize, &Fact)| i.abs_diff(offset) == 1 && o.window.clause.start == fact.window.clause.start;
        let named = |of: fn(&Fact) -> &String| others.iter().filter(beside).map(|(_, o)| of(o)).find(|name| !name.is_empty());
        lent.product = named(|f| &f.product).cloned().unwrap_or_default();
        lent.beneficiary = named(|f| &f.beneficiary).cloned().unwrap_or_default();
    }
    lent
}

/// Two sums of one kind, each with a noun of its own, say nothing of each other.
fn siblings(a: &Fact, b: &Fact) -> bool {
    a.metric == b.metric && a.kind == b.kind && !a.noun.is_empty() && !b.noun.is_empty()
}

/// A named company is an enterprise unless the text calls it more: 龙头企业…公司.
fn borrower_segment(reading: &Reading<'_, '_>, facts: &mut [Fact], range: Range<usize>) {
    for fact in facts.get_mut(range).unwrap_or_default() {
        if fact.beneficiary.is_empty() || fact.segments.iter().any(|s| s != "enterprise") {
            continue;
        }
        let paragraph = reading.outline.paragraph_at(fact.window.sentence.start).map_or(fact.window.sentence.start, |p| p.range.start);
        let region = paragraph..fact.window.left.end;
        let named = reading
            .borrowers_in(&region)
            .iter()
            .rev()
            .find(|b| reading.source.in_one_line(b.range.clone()) == fact.beneficiary)
            .map(|b| b.range.clone());
        let Some(named) = named else { continue };
        let called = codes_in(reading, named.start.saturating_sub(14).max(paragraph)..named.start);
        let name = codes_in(reading, named.clone());
        let later = (named.end..(named.end + 30).min(fact.window.left.end))
            .find(|&i| reading.source.at(i) == '是')
            .map(|i| codes_in(reading, i..(i + 24).min(fact.window.left.end)))
            .unwrap_or_default();
        let more = called.segments.iter().chain(&name.segments).chain(&later.segments).filter(|s| *s != "enterprise").cloned().next_back();
        if let Some(more) = more {
            fact.segments = vec![more];
        } else if fact.segments.is_empty() && reading.any(named.clone(), words!["公司", "集团", "厂", "业"]) {
            fact.segments = vec!["enterprise".to_owned()];
        }
        if fact.purposes.is_empty() {
            fact.purposes = called.purposes;
            if reading.source.ends_with(named.end, "医院") && !fact.purposes.iter().any(|p| p == "medical") {
                fact.purposes.push("medical".to_owned());
            }
        }
    }
}

/// Figures that take their codes from what they are about, never from a part.
const fn derived(fact: &Fact) -> bool {
    matches!(fact.metric, Metric::Share)
}

/// Gives a fact what it lacks of another's codes and product.
fn fill(facts: &mut [Fact], index: usize, from: usize) {
    let Ok([fact, from]) = facts.get_disjoint_mut([index, from]) else { return };
    fact.take(&from.purposes, &from.segments);
    if fact.product.is_empty() && takes_product(fact.metric) {
        fact.product.clone_from(&from.product);
    }
}

fn same_act(reading: &Reading<'_, '_>, a: &Fact, b: &Fact) -> bool {
    let (first, last) = if a.window.left.end < b.window.left.end { (a, b) } else { (b, a) };
    let taken = a.family() == b.family()
        || b.metric == Metric::Condition && matches!(a.metric, Metric::ProcessingTime | Metric::LoanTerm | Metric::Condition);
    let apart = |f: &Fact| matches!(f.category, Some(C::CustomerOutreach | C::FinancialEducation | C::PublicWelfare | C::ServiceAccess));
    let acts = a.category == b.category || !(apart(a) || apart(b));
    a.owner == b.owner && taken && acts && !reading.semicolon_in(&(first.window.left.end..last.window.left.end))
}

/// A total takes nothing from its part or share, nor what stands before 其中 from what stands behind it.
fn total_and_part(reading: &Reading<'_, '_>, ia: usize, a: &Fact, ib: usize, b: &Fact) -> bool {
    b.part_of == Some(ia)
        || b.metric == Metric::Share && a.kind != QuantityKind::Percent
        || ib > ia && reading.words(a.window.left.end..b.window.left.end, Role::Part).next().is_some()
}

/// The codes of a 支持… or 助力… clause behind a fact in its act.
fn supported(reading: &Reading<'_, '_>, fact: &Fact) -> Codes {
    const OPENERS: &Words = words!["支持", "助力", "惠及", "用于", "全力支持", "有力支持", "帮助", "解决"];
    let mut at = fact.window.clause.end;
    let end = fact.window.sentence.end;
    let mut hops = 0;
    while at < end && hops < 2 && reading.source.at(at) == ',' {
        let start = at + 1;
        let stop = reading.clause_end(start, end);
        if OPENERS.start_at(reading.source, start) && reading.quantities_in(&(start..stop)).is_empty() {
            return codes_in(reading, start..stop);
        }
        if !reading.quantities_in(&(start..stop)).is_empty() {
            return Codes::default();
        }
        at = stop;
        hops += 1;
    }
    Codes::default()
}

impl Fact {
    const fn lacks_codes(&self) -> bool {
        self.purposes.is_empty() || self.segments.is_empty()
    }

    /// Takes the codes that it has none of.
    fn take(&mut self, purposes: &[String], segments: &[String]) {
        if self.purposes.is_empty() {
            purposes.clone_into(&mut self.purposes);
        }
        if self.segments.is_empty() {
            segments.clone_into(&mut self.segments);
        }
    }

    /// Facts of one family share what they are for: lending with its counts, rates and times.
    const fn family(&self) -> u8 {
        match self.metric {
            Metric::DonationAmount => 1,
            Metric::CentralBankFunding => 2,
            Metric::Condition => 3,
            Metric::StaffCount => 4,
            Metric::BondAmount => 5,
            Metric::DepositBalance
            | Metric::NonPerformingRatio
            | Metric::NonPerformingLoan
            | Metric::TotalAssets
            | Metric::RevenueOrProfit => 6,
            Metric::ProductCount => 7,
            Metric::AdminUnitCount | Metric::OutletCount => 8,
            Metric::EventCount => 9,
            _ => 0,
        }
    }
}
