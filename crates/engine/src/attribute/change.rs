//! Whether a number is an increase or a decrease, and against which day.

use super::Fact;
use super::window::Window;
use crate::lexicon::{Class, Hit, In, Role};
use crate::reading::Reading;
use crate::recognize::date::{DateShape, Day};
use crate::recognize::quantity::QuantityMention;
use crate::report::{Change, ChangeDirection, Metric, Period, QuantityKind};
use crate::source::Glyphs;
use crate::words::{Words, words};

/// What a change is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// 较年初: the last day of the year before.
    YearStart,
    /// 同比, 较上年同期: the period's end a year before.
    YearEarlier,
    /// A day of its own: 较2019年末.
    Day(Day),
    /// 较上月末, 较月初: the end of the month before the period's.
    MonthBefore,
    /// 较上季末, 较季初: the end of the quarter before the period's.
    QuarterBefore,
    /// The baseline of the change right before: 增加1.12亿元,增长11.28%.
    Before,
    /// None stated.
    None,
}

/// A change as the words around the number give it.
#[derive(Clone, Debug)]
pub struct Shift {
    /// Up or down.
    pub direction: ChangeDirection,
    /// Against what.
    pub baseline: Baseline,
    /// Where the comparison begins: what stands before it is what changes.
    pub noun_end: usize,
    /// As written.
    pub text: String,
    /// 新增 and a noun: a flow of a stock, named behind the word.
    pub new: bool,
}

impl Shift {
    /// The change with its baseline as a day.
    #[must_use]
    pub fn resolve(&self, reading: &Reading<'_, '_>, period: Option<&Period>, topic: Option<&Fact>) -> Change {
        let end = period.map(|p| p.end.as_str()).filter(|e| !e.is_empty());
        let year = end
            .or_else(|| period.map(|p| p.start.as_str()).filter(|s| !s.is_empty()))
            .and_then(|d| d.get(..4))
            .and_then(|y| y.parse::<i32>().ok())
            .or_else(|| reading.published.map(|d| d.year));
        let last_day = || end.and_then(Day::parse).or(reading.published);
        let baseline = match self.baseline {
            Baseline::YearStart => year.map(|y| format!("{:04}-12-31", y - 1)).unwrap_or_default(),
            Baseline::YearEarlier => end.and_then(year_earlier).unwrap_or_default(),
            Baseline::Day(day) => iso(day),
            Baseline::MonthBefore => last_day().and_then(Day::month_before).map(iso).unwrap_or_default(),
            Baseline::QuarterBefore => last_day().and_then(Day::quarter_before).map(iso).unwrap_or_default(),
            Baseline::Before => topic.and_then(|t| t.change.as_ref()).map(|c| c.baseline.clone()).unwrap_or_default(),
            Baseline::None => String::new(),
        };
        Change { direction: self.direction, baseline, text: self.text.clone() }
    }
}

/// A day as the contract writes it.
#[must_use]
pub fn iso(day: Day) -> String {
    let mut out = String::with_capacity(10);
    for (number, places) in [(day.year.unsigned_abs(), 4), (day.month, 2), (day.day, 2)] {
        if !out.is_empty() {
            out.push('-');
        }
        let digits = (0..places).rev().filter_map(|place| char::from_digit(number / 10_u32.pow(place) % 10, 10));
        out.extend(digits);
    }
    out
}

/// The same day a year earlier; 29 February becomes the 28th.
fn year_earlier(date: &str) -> Option<String> {
    let year: i32 = date.get(..4)?.parse().ok()?;
    let rest = date.get(4..)?;
    let rest = if rest == "-02-29" { "-02-28" } else { rest };
    Some(format!("{:04}{rest}", year - 1))
}

/// The change a number is, if it is one.
#[must_use]
pub fn change(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window, before: &[Fact]) -> Option<Shift> {
    if let Some(column) = &window.column {
        return in_column(reading, column);
    }
    let left = &window.left;
    if let Some(gap) = compared_gap(reading, q, window) {
        return gap;
    }
    if let Some(shift) = shared(reading, q, window, before) {
        return Some(shift);
    }
    if let Some(shift) = signed(reading, q, window, before) {
        return Some(shift);
    }
    let direct = directly_before(reading, left.clone(), q.kind);
    let (direction, word) = direct
        .or_else(|| verb_and_rate(reading, q, left))
        .or_else(|| new_stock(reading, q, left))
        .or_else(|| discount(reading, q, window))?;
    let clause = window.clause.start..q.range.start;
    let (baseline, from) = baseline(reading, &clause, left.start, before, q);
    let noun_end = from.unwrap_or(word.start).min(word.start);
    let new = new_stock(reading, q, left).is_some_and(|(_, stock)| stock == word);
    Some(Shift { direction, baseline, noun_end, text: reading.source.text(noun_end..word.end).to_owned(), new })
}

/// 较年初-8%, 同比:+1.2亿元, 增速↓3.5%: an arrow, or a sign behind a comparison.
fn signed(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window, before: &[Fact]) -> Option<Shift> {
    const COMPARES: In = In::roles(&[Role::YearOnYear, Role::Versus, Role::Increase, Role::Decrease]);
    let (direction, arrow) = match reading.source.before(q.core.start) {
        '↑' | '▲' | '△' | '⬆' | '↗' | '⇧' => (ChangeDirection::Increase, true),
        '↓' | '▼' | '▽' | '⬇' | '↘' | '⇩' => (ChangeDirection::Decrease, true),
        '+' => (ChangeDirection::Increase, false),
        // YoY-8%: behind a letter the sign is no part of the number.
        '-' if reading.source.before(q.core.start - 1).is_ascii_alphabetic() => (ChangeDirection::Decrease, false),
        _ if q.value.is_some_and(|value| value.is_sign_negative()) => (ChangeDirection::Decrease, false),
        _ => return None,
    };
    // 同比:+8%: what the clause before the colon compares.
    let colon = window.clause.start.checked_sub(1).filter(|&at| reading.source.at(at) == ':' && at > window.sentence.start);
    let start = colon.map_or(window.left.start, |at| reading.clause_start(at, window.sentence.start).max(window.sentence.start));
    let compared = start.min(window.left.start)..window.left.end;
    let word = reading.hits.within(compared.clone(), COMPARES).last();
    if word.is_none() && !arrow {
        return None;
    }
    let at = word.map_or(window.left.end, Hit::start);
    let (baseline, from) = baseline(reading, &(compared.start..q.range.start), compared.start, before, q);
    let noun_end = from.unwrap_or(at).min(at);
    Some(Shift { direction, baseline, noun_end, text: reading.source.text(noun_end..q.core.start).to_owned(), new: false })
}

/// Whether a table's column holds changes: 比年初, 增速, 同比增长.
#[must_use]
pub fn compares(reading: &Reading<'_, '_>, column: &Glyphs) -> bool {
    reading.any(column.clone(), words!["比", "较", "增", "降", "减", "变动", "涨幅"])
        && !reading.any(column.clone(), words!["占比", "减免", "降至", "增至", "比例", "比重"])
}

/// The change that a table's column says its numbers are.
fn in_column(reading: &Reading<'_, '_>, column: &Glyphs) -> Option<Shift> {
    if !compares(reading, column) {
        return None;
    }
    let falls = reading.any(column.clone(), words!["降", "减"]) && !reading.any(column.clone(), words!["增"]);
    let direction = if falls { ChangeDirection::Decrease } else { ChangeDirection::Increase };
    let (baseline, start) = earlier_time(reading, column).unwrap_or((Baseline::None, column.start));
    Some(Shift { direction, baseline, noun_end: start, text: reading.source.text(column.clone()).to_owned(), new: false })
}

/// 较年初分别增加92.7亿元和0.81万户: what is told of the first of two unlike numbers holds for the second.
fn shared(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window, before: &[Fact]) -> Option<Shift> {
    let (first, earlier) = before.split_last()?;
    let told = &first.window;
    let joined = matches!(reading.source.text(told.right.start..q.range.start), "、" | "和" | "及" | "与");
    let unlike = first.unit != q.unit && reading.any(told.left.clone(), words!["分别"]);
    let change = first.change.as_ref().filter(|_| joined && unlike)?;
    let clause = told.clause.start..told.left.end;
    let (baseline, _) = baseline(reading, &clause, told.left.start, earlier, q);
    Some(Shift { direction: change.direction, baseline, noun_end: window.left.start, text: change.text.clone(), new: false })
}

type Found = (ChangeDirection, Glyphs);

/// 增加, 下降, 增速 … right before the number.
fn directly_before(reading: &Reading<'_, '_>, left: Glyphs, kind: QuantityKind) -> Option<Found> {
    let mut best: Option<Found> = None;
    for hit in reading.hits.within(left.clone(), const { In::roles(&[Role::Increase, Role::Decrease]) }) {
        let rises = hit.has_role(Role::Increase);
        let direction = if rises { ChangeDirection::Increase } else { ChangeDirection::Decrease };
        let tail = hit.end()..left.end;
        // 同比多处置11亿元: more of what the verb does.
        let adverb = matches!(reading.lexicon.form(hit), "多" | "少");
        let done = || reading.hits.at(hit.end()).iter().any(|verb| verb.end() == left.end && verb.has_role(Role::Boundary));
        if !only_levels(reading, &tail) && !(adverb && done()) {
            continue;
        }
        // 减少到35%: no 少 of its own.
        let roles = const { In::roles(&[Role::Increase, Role::Decrease]) };
        let longer = |other: &Hit| other.is_in(roles) && other.start() < hit.start() && hit.end() <= other.end();
        if reading.hits.starting_in(hit.start().saturating_sub(4)..hit.start()).iter().any(longer) {
            continue;
        }
        let single = hit.end() - hit.start() == 1;
        let compared = reading.any(left.start..hit.start(), words!["同比", "较", "比", "环比", "上年同期", "去年同期"]);
        let adverb = reading.lexicon.form(hit);
        if single && !compared
            || (adverb == "压缩" || adverb == "缩短" || adverb == "提升" || adverb == "提高")
                && !(compared || matches!(kind, QuantityKind::Percent | QuantityKind::PercentagePoint | QuantityKind::Duration))
        {
            continue;
        }
        if (adverb == "减免" || adverb == "节省" || adverb == "让利" || adverb == "优惠")
            && !matches!(kind, QuantityKind::Percent | QuantityKind::PercentagePoint)
        {
            continue;
        }
        if adverb == "降低" && kind == QuantityKind::Money {
            continue;
        }
        if best.as_ref().is_none_or(|(_, b)| hit.start() < b.start && hit.end() >= b.end || hit.end() > b.end) {
            best = Some((direction, hit.range()));
        }
    }
    best
}

/// Whether nothing stands in `range` but words of a level: 增速|分别为, 下降|幅度达. 至 and 到 make the number a level itself.
fn only_levels(reading: &Reading<'_, '_>, range: &Glyphs) -> bool {
    let mut at = range.start;
    while at < range.end {
        let level = |hit: &&Hit| hit.end() <= range.end && hit.has_role(Role::Level) && !matches!(reading.lexicon.form(**hit), "至" | "到");
        at = match reading.hits.at(at).iter().find(level) {
            Some(hit) => hit.end(),
            None if matches!(reading.source.at(at), '了' | '约' | '率' | '幅' | '度' | '额' | '量' | '近' | '超' | '逾') => {
                at + 1
            }
            None => return false,
        };
    }
    true
}

/// 降低利率0.5个百分点: the verb, what it changes, then by how much.
fn verb_and_rate(reading: &Reading<'_, '_>, q: &QuantityMention, left: &Glyphs) -> Option<Found> {
    if !matches!(q.kind, QuantityKind::PercentagePoint | QuantityKind::Percent) {
        return None;
    }
    let verb = reading.hits.inside(left.clone()).filter(|h| h.end() - h.start() >= 2).find_map(|h| {
        let direction = if h.has_role(Role::Decrease) {
            ChangeDirection::Decrease
        } else if h.has_role(Role::Increase) {
            ChangeDirection::Increase
        } else {
            return None;
        };
        Some((direction, h.range()))
    })?;
    let gap = reading.source.text(verb.1.end..left.end);
    let moved = gap.ends_with("利率") || gap.ends_with("融资成本") || gap.ends_with("费率") || gap.ends_with("率");
    let level = ["至", "到", "达", "为"].iter().any(|w| gap.contains(w));
    (moved && !level && gap.chars().count() <= 14 && !gap.contains("增速")).then_some(verb)
}

/// 新增个人消费贷款622亿元: an increase of a stock. 新增投放 is a flow.
fn new_stock(reading: &Reading<'_, '_>, q: &QuantityMention, left: &Glyphs) -> Option<Found> {
    const FLOWS: &[&str] = &[
        "投放", "发放", "授信", "放款", "办理", "设立", "落地", "承保", "签约", "批准", "融资", "支付", "申请", "注册", "设", "担保",
        "布放", "推出",
    ];
    if !matches!(q.kind, QuantityKind::Money | QuantityKind::Count | QuantityKind::Number) {
        return None;
    }
    let hit = reading
        .words(left.clone(), Role::Increase)
        .filter(|h| ["新增", "净增", "净增加"].iter().any(|w| reading.lexicon.form(*h) == *w))
        .last()?;
    let gap = reading.source.text(hit.end()..left.end);
    let flow = FLOWS.iter().any(|f| gap.starts_with(f)) || gap.contains('的');
    (!flow && gap.chars().count() <= 16).then(|| (ChangeDirection::Increase, hit.range()))
}

/// 15至30个基点的利率优惠, 10%的优惠.
fn discount(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window) -> Option<Found> {
    if !matches!(q.kind, QuantityKind::PercentagePoint | QuantityKind::Percent) {
        return None;
    }
    let near = window.right.start..window.right.end.min(window.right.start + 8);
    let lower =
        reading.any(near.clone(), words!["的利率优惠", "利率优惠", "的优惠", "优惠幅度", "的降幅", "利率下浮", "的利息优惠", "的折扣"]);
    let before = reading.any(window.left.clone(), words!["利率优惠", "优惠幅度", "降幅"])
        && reading.any(window.left.end.saturating_sub(6)..window.left.end, words!["优惠", "降幅", "优惠幅度"]);
    let granted = words!["优惠", "优惠了", "可优惠", "再优惠", "利率优惠"].end_before(reading.source, window.left.end);
    if growth_behind(reading, q, window) {
        return Some((ChangeDirection::Increase, near.start..near.start));
    }
    (lower || granted || before && !reading.any(window.left.clone(), words!["优惠利率"]))
        .then_some((ChangeDirection::Decrease, near.start..near.start))
}

/// 连续3年保持30%以上的较高增速, 高于全部贷款8.2%的平均增幅.
fn growth_behind(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window) -> bool {
    let near = window.right.start..window.right.end.min(window.right.start + 8);
    q.kind == QuantityKind::Percent && reading.source.at(window.right.start) == '的' && reading.any(near, words!["增速", "增长", "增幅"])
}

/// The word in `range` that compares: 高于各项贷款, 较全省平均水平低, 超各项贷款.
#[must_use]
pub fn comparison(reading: &Reading<'_, '_>, range: &Glyphs) -> Option<Glyphs> {
    let mut first = None;
    let mut said = false;
    for hit in reading.hits.inside(range.clone()) {
        let classes = reading.lexicon.classes(hit);
        let degree = classes.has(Class::Above) || classes.has(Class::Below);
        let whole = hit.end() - hit.start() >= 2 || reading.source.at(hit.start()) == '超' && hit.end() + 2 <= range.end;
        let versus = hit.has_role(Role::Versus) && reading.source.before(hit.start()) != '占';
        said |= degree;
        if first.is_none() && (degree && whole || versus) {
            first = Some(hit.range());
        }
    }
    first.filter(|_| said)
}

/// 高于上年同期2个百分点 is a change; 高于各项贷款增速2个百分点 is a level.
/// `Some(None)`: it is a gap and no change.
#[allow(clippy::option_option, reason = "a gap that is no change is an answer, and other than no answer")]
fn compared_gap(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window) -> Option<Option<Shift>> {
    if !matches!(q.kind, QuantityKind::PercentagePoint | QuantityKind::Percent) || growth_behind(reading, q, window) {
        return None;
    }
    let left = window.left.clone();
    let of = |hit: &Hit| {
        let classes = reading.lexicon.classes(*hit);
        let up = classes.has(Class::Above);
        (up || classes.has(Class::Below)).then_some((if up { ChangeDirection::Increase } else { ChangeDirection::Decrease }, hit.range()))
    };
    let (direction, word) = reading.hits.inside(left.clone()).filter_map(|hit| of(&hit)).max_by_key(|(_, word)| (word.start, word.end))?;
    let named = || word.end + 2 <= left.end && q.kind == QuantityKind::PercentagePoint;
    let opener = word.end - word.start == 2 || reading.source.at(word.start) == '超' && named();
    let compared = reading.any(left.clone(), words!["较", "比"]);
    if !opener && !(compared && word.end + 1 >= left.end) {
        return None;
    }
    // 高质量, 提高: the character is part of another word.
    if !opener && matches!(reading.source.before(word.start), '提' | '降' | '最' | '减') {
        return None;
    }
    let earlier = earlier_time(reading, &left).is_some() || reading.any(left.clone(), words!["上年", "去年"]);
    let alike = reading.any(left.clone(), words!["同期同档", "同期LPR", "同期贷款市场", "全国同期"]);
    if !earlier || alike {
        return Some(None);
    }
    let (baseline, from) = baseline(reading, &(window.clause.start..q.range.start), left.start, &[], q);
    let noun_end = from.unwrap_or(word.start).min(word.start);
    Some(Some(Shift { direction, baseline, noun_end, text: reading.source.text(noun_end..word.end).to_owned(), new: false }))
}

/// The last time in `range` that is named by how it lies to the period, and where the comparison with it begins.
fn earlier_time(reading: &Reading<'_, '_>, range: &Glyphs) -> Option<(Baseline, usize)> {
    const TIMES: &[(Baseline, &Words)] = &[
        (Baseline::YearEarlier, words!["同比", "同期", "上年同月", "去年同月"]),
        (
            Baseline::YearStart,
            words!["年初", "年底", "上年末", "去年末", "去年年末", "上年年末", "上年底", "上年年底", "去年底", "去年年底"],
        ),
        (Baseline::QuarterBefore, words!["季初", "上季", "上个季", "上一季"]),
        (Baseline::MonthBefore, words!["月初", "上月", "上个月", "上一月", "上一个月"]),
    ];
    // From the end: of two times the last is what the number is compared with.
    let (mut start, baseline) = (range.clone()).rev().find_map(|i| {
        let (baseline, _) = TIMES.iter().find(|(_, words)| words.start_at(reading.source, i))?;
        let since = reading.source.starts_with(i, "年初以来") || reading.source.starts_with(i, "年底前");
        // 1月初: a date, and no time named by another.
        let dated = *baseline == Baseline::MonthBefore && !matches!(reading.source.before(i), '较' | '比' | '与' | '和' | ',');
        (!since && !dated).then_some((i, *baseline))
    })?;
    for word in ["上年", "去年", "上", "去", "今", "本", "较", "比", "高于", "低于", "多于", "少于", "快于", "慢于", "优于", "与", "和"]
    {
        if reading.source.ends_with(start, word) && start >= range.start + word.chars().count() {
            start -= word.chars().count();
        }
    }
    Some((baseline, start))
}

/// The baseline named in a clause, and where the comparison begins.
fn baseline(reading: &Reading<'_, '_>, clause: &Glyphs, left: usize, before: &[Fact], q: &QuantityMention) -> (Baseline, Option<usize>) {
    let range = left.max(clause.start)..clause.end;
    let named = earlier_time(reading, &range);
    let day = reading.dates_in(&range).iter().rev().find_map(|d| {
        let opened = matches!(reading.source.before(d.range.start), '较' | '比')
            || reading.source.ends_with(d.range.start, "相比")
            || reading.source.ends_with(d.range.start, "相较");
        let settled = if d.shape == DateShape::Day { d.end.or(d.start) } else { d.end };
        (opened && !matches!(d.shape, DateShape::YearEarlier | DateShape::Since))
            .then(|| settled.map(|day| (Baseline::Day(day), d.range.start - 1)))
            .flatten()
    });
    // What names a time by another (上月末) may be read as a date too, as of the day of publication.
    let found = [day, named].into_iter().flatten().max_by_key(|(_, i)| *i);
    if let Some((baseline, at)) = found {
        return (baseline, Some(at));
    }
    // A rate right beside an increase has its baseline.
    let beside = before.last().is_some_and(|f| {
        f.change.is_some() && f.metric != Metric::Share && q.kind == QuantityKind::Percent && f.kind != QuantityKind::Percent
    });
    (if beside { Baseline::Before } else { Baseline::None }, None)
}
