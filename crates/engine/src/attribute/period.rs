//! When a figure holds, and whether it is cumulative.

use super::Fact;
use super::change::iso;
use super::window::Window;
use crate::lexicon::{Class, Role};
use crate::reading::Reading;
use crate::recognize::date::{DateMention, DateShape};
use crate::recognize::quantity::QuantityMention;
use crate::report::{Metric, Period};
use crate::source::{Glyphs, is_ideograph};
use crate::words::words;

/// The period of a number: the last date before it in its sentence, or in the
/// sentence before where this one goes on with 其中 or is a table's row.
#[must_use]
pub fn period(reading: &Reading<'_, '_>, window: &Window, sentence: usize, facts: &[Fact]) -> Option<Period> {
    let here = reading.outline.sentences.get(sentence)?;
    let range = here.range.start..window.left.end;
    if let Some(date) = reading.dates_in(&range).iter().rev().find(|d| d.range.end <= window.left.end && dates_figures(reading, d)) {
        // 去年7月推广以来: the event has a date right before it.
        let dated = (date.shape == DateShape::Event)
            .then(|| {
                reading.dates_in(&range).iter().rev().find(|d| {
                    d.range.end <= date.range.start
                        && date.range.start <= d.range.end + 2
                        && matches!(d.shape, DateShape::Day | DateShape::Span)
                })
            })
            .flatten();
        if let Some(begun) = dated {
            return Some(Period {
                start: begun.start.map(iso).unwrap_or_default(),
                end: String::new(),
                text: reading.source.original_text(begun.range.start..date.range.end).to_owned(),
            });
        }
        return Some(as_period(reading, date));
    }
    if let Some(column) = &window.column {
        if let Some(date) = reading.dates_in(column).iter().rev().find(|d| dates_figures(reading, d)) {
            return Some(as_period(reading, date));
        }
        // 比年初 beside 2024年3月末贷款余额: a column without a date goes by the one before it.
        if let Some(last) = facts.last().filter(|last| last.sentence == Some(sentence)) {
            return last.period.clone();
        }
    }
    if goes_on(reading, sentence) {
        if here.row {
            let header = reading.outline.sentences.get(here.header?)?.range.clone();
            return reading.dates_in(&header).iter().rev().find(|d| dates_figures(reading, d)).map(|d| as_period(reading, d));
        }
        return facts_of(facts, sentence - 1).next().and_then(|f| f.period.clone());
    }
    None
}

/// The periods of a row of `length` numbers, one for each of as many dates before it: 一季度、二季度分别发放贷款3亿元、2亿元.
#[must_use]
pub fn of_row(reading: &Reading<'_, '_>, head: &Window, length: usize) -> Option<Vec<Period>> {
    let before = head.sentence.start..head.left.end;
    let dates: Vec<&DateMention> = reading.dates_in(&before).iter().filter(|d| dates_figures(reading, d)).collect();
    let listed = |pair: &[&DateMention]| {
        let between = pair.first().zip(pair.last()).map(|(a, b)| reading.source.text(a.range.end..b.range.start));
        matches!(between, Some("、" | "和" | "及" | "与"))
    };
    let dates = dates.get(dates.len().checked_sub(length)?..)?;
    let end = dates.last()?.range.end;
    let shared = reading.any(end..head.left.end, words!["分别"]) && dates.windows(2).all(listed);
    shared.then(|| dates.iter().map(|date| as_period(reading, date)).collect())
}

/// The facts of a sentence among the last of those read so far, the last first.
fn facts_of(facts: &[Fact], sentence: usize) -> impl Iterator<Item = &Fact> {
    facts.iter().rev().skip_while(move |f| f.sentence > Some(sentence)).take_while(move |f| f.sentence == Some(sentence))
}

/// Whether a sentence goes on with the one before: 其中…, a table's row.
#[must_use]
pub fn goes_on(reading: &Reading<'_, '_>, sentence: usize) -> bool {
    let Some(here) = reading.outline.sentences.get(sentence) else { return false };
    sentence > 0 && (here.row || reading.source.starts_with(here.range.start, "其中"))
}

/// What a sentence goes on with: a row's header, the sentence before 其中.
#[must_use]
pub fn header_of(reading: &Reading<'_, '_>, start: usize) -> Option<Glyphs> {
    let sentence = reading.outline.sentences.partition_point(|s| s.range.start < start);
    if !goes_on(reading, sentence) {
        return None;
    }
    let here = reading.outline.sentences.get(sentence)?;
    let header = if here.row { here.header? } else { sentence - 1 };
    reading.outline.sentences.get(header).map(|s| s.range.clone())
}

/// Whether a date is the day on which somebody reports: 1月7日讯, 记者7日从…获悉, 7日通报.
fn is_day_of_report(reading: &Reading<'_, '_>, date: &DateMention) -> bool {
    /// Farthest that 获悉 stands behind the date, in glyphs.
    const REACH: usize = 48;
    if date.shape != DateShape::Day {
        return false;
    }
    let source = reading.source;
    let end = date.range.end;
    let word_at =
        |at: usize, class: Class| reading.hits.at(at).iter().find(|hit| reading.lexicon.classes(**hit).has(class)).map(|hit| hit.end());
    let dateline = word_at(end, Class::Dateline).is_some_and(|end| !is_ideograph(source.at(end)));
    if dateline || word_at(end, Class::Announcing).is_some() {
        return true;
    }
    let behind = end + usize::from(source.at(end) == ',');
    let reporter = word_at(behind, Class::Reporter).is_some() || source.ends_with(date.range.start, "记者");
    let until = (end..source.len().min(end + REACH)).find(|&at| source.at(at) == '。').unwrap_or(end + REACH);
    reporter && reading.is_said(end..until, Class::Learnt)
}

/// Whether a date says when figures hold: no baseline, no due date, no time of day.
fn dates_figures(reading: &Reading<'_, '_>, date: &DateMention) -> bool {
    let source = reading.source;
    let (start, end) = (date.range.start, date.range.end);
    if matches!(date.shape, DateShape::Time | DateShape::YearEarlier) {
        return false;
    }
    // The stamp a news item opens with, and 当年.
    let stamp = start < 3 && (end..end + 24).any(|i| source.starts_with(i, "正文"));
    if stamp || matches!(source.text(date.range.clone()), "当年" | "同年") {
        return false;
    }
    if is_day_of_report(reading, date) {
        return false;
    }
    let compared = matches!(source.before(start), '较' | '比')
        || words!["高于", "低于", "相比", "相较于", "相较", "对比", "不变价"].end_before(source, start);
    let due = words!["期间到期", "到期", "前到期", "之间到期", "至今年底到期"].start_at(source, end);
    let record = words!["的同期", "同期新高", "以来的", "以来新高", "以来同期", "新高", "以来最"].start_at(source, end)
        && date.shape != DateShape::Day;
    let multiple = matches!(source.before(start), '是' | '为' | '于')
        && (end..end + 12).take_while(|&i| !matches!(source.at(i), ',' | '。' | ';')).any(|i| source.at(i) == '倍');
    let compared = compared || multiple;
    let reference = source.starts_with(end, "相比") || source.starts_with(end, "增加") && compared;
    let quoted = matches!(source.before(start), '《' | '“') && date.shape != DateShape::Day;
    let year_start_word = source.text(date.range.clone()) == "年初" && !source.starts_with(end, "以来");
    !(compared || due || record || reference || quoted || year_start_word)
}

/// A date expression as a period.
fn as_period(reading: &Reading<'_, '_>, date: &DateMention) -> Period {
    let source = reading.source;
    let (start, end) = (date.range.start, date.range.end);
    let until = words!["截至", "截止", "截止到", "截至到", "至", "到", "截", "截止至", "止"].end_before(source, start)
        && !source.ends_with(start, "以至");
    let until = until || start >= 4 && words!["截至", "截止"].start_at(source, start - 2);
    let text = source.text(date.range.clone());
    let month_end = text.ends_with('末') || text.ends_with('底') || text.ends_with("期末");
    let since = source.starts_with(end, "以来")
        || source.starts_with(end, "起")
        || source.starts_with(end, "至今")
        || (date.shape == DateShape::Span
            && (end..end + 9).take_while(|&i| !matches!(source.at(i), ',' | '。' | ';')).any(|i| source.starts_with(i, "以来")));
    let day = |d: Option<crate::recognize::date::Day>| d.map(iso).unwrap_or_default();
    let (first, last) = match date.shape {
        DateShape::Now | DateShape::Event | DateShape::Time | DateShape::YearEarlier => (String::new(), String::new()),
        DateShape::Since => (day(date.start), String::new()),
        _ if since => (day(date.start), String::new()),
        DateShape::Day if until || month_end => (String::new(), day(date.end.or(date.start))),
        DateShape::Day => (day(date.start), day(date.end.or(date.start))),
        DateShape::Span if until => (String::new(), day(date.end)),
        DateShape::Span => (day(date.start), day(date.end)),
    };
    let text = if until && start >= 2 && words!["截至", "截止"].start_at(source, start - 2) {
        source.original_text(start - 2..end)
    } else {
        source.original_text(date.range.clone())
    };
    Period { start: first, end: last, text: text.to_owned() }
}

/// Whether a flow is called cumulative: 累计 before it in its sentence, with no new date or owner between.
#[must_use]
pub fn cumulative(reading: &Reading<'_, '_>, q: &QuantityMention, sentence: usize, fact: &Fact, facts: &[Fact]) -> bool {
    if !flows(fact) {
        return false;
    }
    let Some(here) = reading.outline.sentences.get(sentence) else { return false };
    let range = here.range.start..q.core.start;
    let said = |range: Glyphs| {
        let total = reading
            .quantities_in(&(range.start..q.core.start + 1))
            .rev()
            .filter_map(|i| reading.quantities.get(i))
            .map(|q| q.range.start)
            .find(|&s| s > range.start && reading.source.before(s) == '共')
            .map(|s| s - 1);
        let opening = (range.clone()).rev().find(|&i| in_all(reading, i));
        let word = reading.words(range.clone(), Role::Cumulative).last().map(super::super::lexicon::Hit::start).max(total).max(opening)?;
        let dated = reading.dates_in(&(word..range.end)).iter().any(|d| dates_figures(reading, d) && !matches!(d.shape, DateShape::Event));
        let stock = reading.any(word..(word + 6).min(range.end), words!["储备", "存量", "存有"]);
        (!dated && !stock).then_some(word)
    };
    if let Some(word) = said(range.clone()) {
        let owner_same = reading.discourse.owner_at(word) == reading.discourse.owner_at(q.core.start);
        let grown = fact.change.is_some();
        let compared = grown && !reading.any(word..q.core.start, words!["累计增", "累计新增", "累计减", "累计净增", "累计下降"]);
        return owner_same && !compared;
    }
    if here.row {
        return reading.any(range, words!["合计", "累计"]);
    }
    if !reading.dates_in(&range).iter().any(|d| dates_figures(reading, d)) && goes_on(reading, sentence) {
        return facts_of(facts, sentence - 1).find(|f| flows(f)).is_some_and(|f| f.cumulative) && fact.change.is_none();
    }
    false
}

/// How far before a word its subject's name may begin, in glyphs.
const LONGEST_NAME: usize = 32;

/// 共 that opens a clause, or follows its subject: 共组织…, 某行共走访….
fn in_all(reading: &Reading<'_, '_>, at: usize) -> bool {
    let source = reading.source;
    source.at(at) == '共'
        && (matches!(source.before(at), ',' | ';' | '。' | '已' | '总')
            || reading.institutions_in(&(at.saturating_sub(LONGEST_NAME)..at)).last().is_some_and(|m| m.range.end == at))
        && !"同享建产和赢渡克商抗进促共".contains(source.at(at + 1))
}

/// Whether a figure is a flow: what a period can add up.
fn flows(fact: &Fact) -> bool {
    use crate::report::QuantityKind as K;
    if matches!(fact.kind, K::Percent | K::PercentagePoint | K::Duration | K::Multiple) {
        return false;
    }
    match fact.metric {
        Metric::LoanBalance | Metric::DepositBalance | Metric::TotalAssets => fact.change.is_some(),
        Metric::PipelineAmount
        | Metric::InterestRate
        | Metric::Share
        | Metric::ProcessingTime
        | Metric::LoanTerm
        | Metric::Condition
        | Metric::NonPerformingRatio
        | Metric::NonPerformingLoan => false,
        // 贷款户数 is a stock; a column that is only called 户数 goes by its row.
        _ => fact.label == "户数" || !(fact.label.ends_with("户数") || fact.label.ends_with("余额")),
    }
}
