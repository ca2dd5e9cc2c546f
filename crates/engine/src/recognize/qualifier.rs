//! Words that say how exactly a number is meant: 约 近 超 余 左右 以内.

use super::view::View;
use crate::report::{Qualifier, QuantityKind};
use crate::source::is_ideograph;
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

use Qualifier::{About, AtLeast, AtMost, Exact, Nearly, Over};

/// Words and what is to be known of each, from one list of both.
macro_rules! table {
    ($words:ident, $rows:ident: $row:ty = [$(($word:literal, $($what:expr),+)),* $(,)?]) => {
        const $words: &Words = words![$($word),*];
        const $rows: &[$row] = &[$(($word, $($what),+)),*];
    };
}

// Words before a number that are part of the mention, and the glyphs before which they are the end of another word.
table!(BEFORE, BEFORE_ROWS: (&str, Qualifier, &str) = [
    ("不超过", AtMost, ""),
    ("不多于", AtMost, ""),
    ("不高于", AtMost, ""),
    ("不大于", AtMost, ""),
    ("不得超过", AtMost, ""),
    ("未超过", AtMost, ""),
    ("超过了", Over, ""),
    ("超过", Over, ""),
    ("突破", Over, ""),
    ("突破了", Over, ""),
    ("超出", Over, "不"),
    ("不超出", AtMost, ""),
    ("不超", AtMost, ""),
    ("高于", Over, "不"),
    ("大于", Over, "不"),
    ("多于", Over, "不"),
    ("不低于", AtLeast, ""),
    ("不少于", AtLeast, ""),
    ("不小于", AtLeast, ""),
    ("不得低于", AtLeast, ""),
    ("不得少于", AtLeast, ""),
    ("低于", AtMost, "不得"),
    ("少于", AtMost, "不得"),
    ("小于", AtMost, "不"),
    ("至少", AtLeast, ""),
    ("最少", AtLeast, ""),
    ("起码", AtLeast, ""),
    ("至多", AtMost, ""),
    ("最多", AtMost, ""),
    ("大约", About, ""),
    ("大概", About, ""),
    ("大致", About, ""),
    ("约为", About, ""),
    ("约合", About, ""),
    ("约有", About, ""),
    ("约占", About, ""),
    ("约达", About, ""),
    ("约", About, "节签预合履违条契邀续解誓特公爽毁守缔立商失租制简集"),
    ("上", About, "以之同线手网马路会晚早身"),
    ("将近", Nearly, ""),
    ("接近", Nearly, ""),
    ("达近", Nearly, ""),
    ("近", Nearly, "最附临靠邻贴亲凑远新周"),
    ("不足", Nearly, ""),
    ("不到", Nearly, ""),
    ("不满", Nearly, ""),
    ("逾", Over, ""),
    ("超", Over, "高赶反中英德意西法"),
]);

// Words before a number that qualify it without being part of the mention.
table!(OUTSIDE, OUTSIDE_ROWS: (&str, Qualifier) = [
    ("最高", AtMost),
    ("最长", AtMost),
    ("最大", AtMost),
    ("最远", AtMost),
    ("最迟", AtMost),
    ("最晚", AtMost),
    ("最快", Exact),
    ("最低", AtLeast),
    ("最短", AtLeast),
    ("最小", AtLeast),
]);

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

/// The qualifier before the number at `start`, no further back than `floor`.
pub(super) fn before(view: &View<'_>, start: usize, floor: usize, recent: bool) -> Option<Before> {
    let found = view.ending(start, BEFORE).filter(|&(_, at)| at >= floor).filter_map(|(index, at)| {
        let &(word, qualifier, stops) = BEFORE_ROWS.get(index)?;
        let applies = word != "上" || matches!(view.at(start), '百' | '千' | '万' | '亿');
        (applies && !stops.contains(view.before(at))).then_some(Before { start: at, qualifier })
    });
    let found = found.min_by_key(|found| found.start);
    if let Some(found) = found.filter(|found| !(recent && found.qualifier == Nearly && view.at(found.start) == '近')) {
        return Some(found);
    }
    outside(view, start, floor).map(|qualifier| Before { start, qualifier })
}

/// 最高 and the like, directly before or with a verb between.
fn outside(view: &View<'_>, start: usize, floor: usize) -> Option<Qualifier> {
    /// How far before the number the word may begin.
    const REACH: usize = 8;
    // Every one of them begins with 最.
    if !(start.saturating_sub(REACH)..start).any(|i| view.at(i) == '最') {
        return None;
    }
    let ending = |end: usize| {
        let (index, _) = view.ending(end, OUTSIDE).find(|&(_, at)| at >= floor)?;
        OUTSIDE_ROWS.get(index).map(|&(_, qualifier)| qualifier)
    };
    ending(start).or_else(|| view.ending(start, LINKS).filter(|&(_, at)| at > floor).find_map(|(_, at)| ending(at)))
}

// Words after a number and its unit.
table!(AFTER, AFTER_ROWS: (&str, Qualifier) = [
    ("左右", About),
    ("上下", About),
    ("前后", About),
    ("以上", AtLeast),
    ("及以上", AtLeast),
    ("(含)以上", AtLeast),
    ("以下", AtMost),
    ("及以下", AtMost),
    ("(含)以下", AtMost),
    ("以内", AtMost),
    ("(含)以内", AtMost),
    ("之内", AtMost),
    ("以里", AtMost),
    ("内", AtMost),
    ("开外", Over),
    ("有余", Over),
    ("余", Over),
    ("多", Over),
]);

/// The qualifier at `at`, behind a quantity of this kind, and where it ends.
pub(super) fn after(view: &View<'_>, at: usize, kind: QuantityKind) -> Option<(usize, Qualifier)> {
    view.every(at, AFTER).find_map(|(index, end)| {
        let &(word, qualifier) = AFTER_ROWS.get(index)?;
        let next = view.at(end);
        let holds = match word {
            "内" => {
                matches!(kind, QuantityKind::Duration | QuantityKind::Length)
                    && !matches!(next, '容' | '部' | '外' | '生' | '在' | '蒙' | '陆' | '需' | '控' | '涵' | '资' | '置')
            }
            "余" => !matches!(kind, QuantityKind::Number | QuantityKind::Percent) && !matches!(next, '额' | '下' | '款' | '粮' | '地'),
            "多" => {
                matches!(kind, QuantityKind::Duration | QuantityKind::Multiple)
                    && !matches!(next, '次' | '家' | '种' | '个' | '名' | '方' | '部' | '渠' | '维' | '层' | '项' | '点')
            }
            "前后" | "上下" => {
                matches!(kind, QuantityKind::Duration | QuantityKind::Money | QuantityKind::Percent | QuantityKind::Count)
                    && !is_ideograph(next)
            }
            "以上" | "以下" => !matches!(next, '述' | '简'),
            _ => true,
        };
        holds.then_some((end, qualifier))
    })
}

/// What two qualifiers of one number say together, and whether they contradict each other.
pub(super) fn combine(before: Option<Qualifier>, after: Option<Qualifier>) -> (Qualifier, bool) {
    match (before, after) {
        (Some(Exact) | None, None) => (Exact, false),
        (Some(Exact) | None, Some(q)) | (Some(q), None) => (q, false),
        (Some(b), Some(a)) => (b, matches!((b, a), (Nearly | AtMost, Over | AtLeast) | (Over, Nearly | AtMost) | (AtLeast, AtMost))),
    }
}
