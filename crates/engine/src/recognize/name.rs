//! Names of borrowers and of products.

use super::openers::{BORROWER, Openers};
use crate::lexicon::{Hits, In, Lexicon, Role, Sense};
use crate::recognize::institution::InstitutionMention;
use crate::source::{Glyphs, SourceText};
use crate::words::{Words, words};

/// A named company, hospital, project or person that is no financial institution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Borrower {
    /// The name.
    pub range: Glyphs,
    /// A person.
    pub person: bool,
}

/// A named product: “惠农e贷”.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// The name without its quotation marks.
    pub range: Glyphs,
}

/// How a borrower's name may end, by the first character.
const fn suffixes(first: char) -> &'static Words {
    match first {
        '有' => words!["有限责任公司", "有限公司"],
        '股' => words!["股份有限公司", "股份公司"],
        '集' => words!["集团公司", "集团"],
        '总' => words!["总公司"],
        '公' => words!["公司"],
        '人' => words!["人民医院"],
        '中' => words!["中心医院", "中医院"],
        '医' => words!["医院"],
        '专' => words!["专业合作社"],
        '经' => words!["经济合作社"],
        '合' => words!["合作社"],
        '家' => words!["家庭农场"],
        '农' => words!["农场"],
        '水' => words!["水泥厂"],
        '加' => words!["加工厂"],
        '制' => words!["制造厂"],
        '酒' => words!["酒厂", "酒店"],
        '食' => words!["食品厂"],
        '厂' => words!["厂"],
        '开' => words!["开发项目"],
        '建' => words!["建设项目"],
        '工' => words!["工程"],
        '项' => words!["项目"],
        '粮' => words!["粮行"],
        '养' => words!["养殖场"],
        '牧' => words!["牧场"],
        '茶' => words!["茶厂"],
        '种' => words!["种植基地"],
        '产' => words!["产业园"],
        '药' => words!["药业"],
        '超' => words!["超市"],
        _ => words![],
    }
}
/// What somebody is whose name follows, by the first character.
const fn callings(first: char) -> &'static Words {
    match first {
        '大' => words!["大户"],
        '村' => words!["村民"],
        '农' => words!["农户", "农场主"],
        '户' => words!["户主"],
        '负' => words!["负责人"],
        '牧' => words!["牧民", "牧场主"],
        '果' => words!["果农"],
        '养' => words!["养殖户"],
        '种' => words!["种植户"],
        '贫' => words!["贫困户"],
        '脱' => words!["脱贫户"],
        '个' => words!["个体户"],
        '经' => words!["经营户"],
        '法' => words!["法人"],
        '店' => words!["店主"],
        '老' => words!["老板"],
        '理' => words!["理事长"],
        '菜' => words!["菜农"],
        '茶' => words!["茶农"],
        '花' => words!["花农"],
        _ => words![],
    }
}
/// What somebody is in the enterprise whose name stands before.
const OFFICES: &[&str] = &[
    "负责人",
    "法人",
    "法人代表",
    "法定代表人",
    "老板",
    "董事长",
    "总经理",
    "经理",
    "厂长",
    "理事长",
    "财务负责人",
    "财务总监",
    "财务经理",
    "创始人",
    "实际控制人",
    "场长",
    "店长",
    "总裁",
    "主任",
    "相关负责人",
];
/// What goes on behind a person's name.
const NEXT: &str = "在向是的说因从为以将家今有要种养一,。需通申贷流承经和、(由等获拿成介表告感看";
/// How far behind 集团 a name may go on to its end, in glyphs.
const MORE: usize = 10;
/// Longest borrower's name, in glyphs.
const MAX_NAME: usize = 32;

/// Finds borrowers by the ends of their names.
#[must_use]
pub fn borrowers(
    source: &SourceText<'_>,
    openers: &Openers,
    hits: &Hits,
    lexicon: &Lexicon,
    institutions: &[InstitutionMention],
) -> Vec<Borrower> {
    let mut out: Vec<Borrower> = Vec::new();
    let mut next = 0;
    for at in openers.inside(0..source.len(), BORROWER) {
        if at < next {
            continue;
        }
        let name = match source.at(at) {
            '女' | '先' | '某' => titled(source, at),
            first if !suffixes(first).is_empty() => {
                suffixed(source, hits, lexicon, institutions, at, out.last().map_or(0, |b| b.range.end))
            }
            _ => None,
        };
        let person = name.is_none();
        let name = name.or_else(|| after_calling(source, at));
        if let Some(range) = name.filter(|r| out.last().is_none_or(|b| b.range.end <= r.start)) {
            next = range.end.max(at + 1);
            let person = person || matches!(source.before(next), '士' | '生' | '某');
            // 茶业有限公司负责人吴某: the company borrows, and speaks through him.
            let speaks = person && out.last().is_some_and(|b| !b.person && OFFICES.contains(&source.text(b.range.end..range.start)));
            if !speaks {
                out.push(Borrower { range, person });
            }
        }
    }
    out
}

/// A name that ends with a suffix at `at`.
fn suffixed(
    source: &SourceText<'_>,
    hits: &Hits,
    lexicon: &Lexicon,
    institutions: &[InstitutionMention],
    at: usize,
    floor: usize,
) -> Option<Glyphs> {
    let end = suffixes(source.at(at)).from(source, at).map(|(_, end)| end).max()?;
    let suffix = source.text(at..end);
    // 华联集团投资控股有限公司: the name goes on.
    let goes_on = suffix == "集团"
        && (end..end + MORE)
            .take_while(|&i| !is_stop(source, i) && !"向为给对和与及".contains(source.at(i)))
            .any(|i| words!["有限公司", "有限责任公司", "股份公司"].start_at(source, i));
    if goes_on {
        return None;
    }
    let floor = floor.max(at.saturating_sub(MAX_NAME));
    let stop = name_floor(source, floor, at);
    let covered = institutions.get(..institutions.partition_point(|m| m.range.start < end)).and_then(<[_]>::last);
    if covered.is_some_and(|m| m.range.end > at) {
        return None;
    }
    let stop = covered.map_or(stop, |m| stop.max(m.range.end));
    let region = |i: usize| hits.at(i).iter().any(|h| h.end() <= at && lexicon.senses(*h).iter().any(|s| matches!(s, Sense::Region(_))));
    let boundary = (stop..at)
        .flat_map(|i| {
            hits.at(i)
                .iter()
                .filter(|h| h.end() <= at && (h.end() - h.start() > 1 || "向对为给将把由与和及".contains(source.at(h.start()))))
        })
        .filter(|h| h.is_in(const { In::roles(&[Role::Boundary, Role::Receiver, Role::Part]) }))
        .map(|h| h.end())
        .max()
        .unwrap_or(stop);
    // Words of a company's own name that are also verbs do not cut it: the region before them does.
    let first_region = (stop..at).find(|&i| region(i));
    let start = match first_region {
        Some(r) if r >= boundary || !receiver_between(source, r, boundary) => r,
        _ => boundary,
    };
    let named = at >= start + 2;
    let formal = suffix.ends_with("公司") && end - at >= 4;
    let generic = matches!(
        suffix,
        "公司"
            | "项目"
            | "工程"
            | "厂"
            | "医院"
            | "合作社"
            | "集团"
            | "农场"
            | "超市"
            | "酒店"
            | "产业园"
            | "药业"
            | "开发项目"
            | "建设项目"
            | "牧场"
            | "家庭农场"
            | "专业合作社"
            | "中医院"
    );
    let anchored = first_region == Some(start) || formal;
    let of_many = source.at(end) == '等'
        || source.before(start) == '个'
        || source.text(start..end).contains("各")
        || (start..end).any(|i| source.at(i).is_ascii_digit());
    (named && (anchored || !generic) && !of_many).then_some(start..end)
}

/// Where a name may begin at the earliest: behind the last stop, but over a bracket inside it: …(集团)有限公司.
fn name_floor(source: &SourceText<'_>, floor: usize, at: usize) -> usize {
    let mut bracket = false;
    for i in (floor..at).rev() {
        match source.at(i) {
            ')' => bracket = true,
            '(' if bracket => bracket = false,
            _ if is_stop(source, i) => return i + 1,
            _ => {}
        }
    }
    floor
}

/// Whether a receiver opens between the region and the boundary: 向广西…企业…公司.
fn receiver_between(source: &SourceText<'_>, from: usize, to: usize) -> bool {
    (from..to).any(|i| matches!(source.at(i), '向' | '为' | '给' | '对'))
}

fn is_stop(source: &SourceText<'_>, at: usize) -> bool {
    matches!(source.at(at), ',' | '。' | ';' | ':' | '、' | '的' | '“' | '”' | '(' | '《' | '》' | '\n' | '\t' | '！' | '？' | '"')
}

/// 周女士, 任某.
fn titled(source: &SourceText<'_>, at: usize) -> Option<Glyphs> {
    if source.starts_with(at, "女士") || source.starts_with(at, "先生") {
        return at.checked_sub(1).filter(|&s| is_surname(source.at(s)) || is_rare_surname(source.at(s))).map(|s| s..at + 2);
    }
    let surname = at.checked_sub(1).map(|s| source.at(s)).filter(|_| source.at(at) == '某')?;
    let end = at + 1 + usize::from(source.at(at + 1) == '某');
    // 向某企业, 位于某镇: a word before 某 that is a surname as well.
    let is_word = matches!(surname, '向' | '于' | '万' | '任' | '方' | '何') && !NEXT.contains(source.at(end));
    let named = (is_surname(surname) || is_rare_surname(surname)) && !is_word;
    (named && !matches!(source.at(end), '镇' | '村' | '县' | '市' | '区' | '乡' | '公' | '企')).then(|| at - 1..end)
}

/// Whether a calling, a title or a borrower's last word begins with `c`.
pub(super) fn opens_borrower(c: char) -> bool {
    !needs_second(c) || !suffixes(c).is_empty() || !callings(c).is_empty()
}

/// Whether one that begins with `c` tells itself by its second glyph, which [`second_glyphs`] has.
pub(super) const fn needs_second(c: char) -> bool {
    !matches!(c, '女' | '先' | '某' | '厂')
}

/// The second glyphs of the callings and last words that begin with `c`.
pub(super) fn second_glyphs(c: char) -> Vec<char> {
    suffixes(c).pairs().chain(callings(c).pairs()).map(|(_, second)| second).collect()
}

/// The name behind what somebody is: 种粮大户王守田.
fn after_calling(source: &SourceText<'_>, at: usize) -> Option<Glyphs> {
    let start = callings(source.at(at)).end_at(source, at)?;
    if !is_surname(source.at(start)) {
        return None;
    }
    let length = [3, 2].into_iter().find(|n| NEXT.contains(source.at(start + n)) && (1..*n).all(|i| is_given(source.at(start + i))))?;
    Some(start..start + length)
}

const fn is_given(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}') && !matches!(c, '的' | '在' | '是' | '了' | '为' | '向' | '和' | '贷' | '款' | '户' | '有' | '等')
}

fn is_surname(c: char) -> bool {
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤拓尤祁".contains(c)
}

/// Surnames that 某, 女士 or 先生 has to stand behind: they are words as well, or few bear them.
fn is_rare_surname(c: char) -> bool {
    "包左吉邢裴荣翁曲封储靳巫乌焦巴谷车仲伊宫宁仇栾甘厉祖符景詹蒲赖卓蔺屠蒙池乔申翟冉桑桂牛边燕冀浦尚温庄晏柴瞿阎连艾易古耿文寇聂敖冷辛简饶沙\
     鞠丰关查荆游权项祝闵季麻强路娄梅盛霍虞支柯管房裘缪解宗宣郁单杭洪诸倪华苗花俞柳鲍窦云鲁昌骆樊凌商佟苑滕殷施涂戚阮费廉岑毕邬安常乐时傅皮卞\
     齐康伍元卜平穆萧"
        .contains(c)
}

/// Finds products by their names in quotation marks, by a table row's first cell, or by a table of the operator's.
#[must_use]
pub fn products(source: &SourceText<'_>, hits: &Hits) -> Vec<Product> {
    let mut out = marked_products(source);
    let marked = out.len();
    let mut end = 0;
    for hit in hits.of(In::PRODUCTS) {
        let near = out.get(..marked).unwrap_or_default().partition_point(|product| product.range.end <= hit.start());
        let is_marked = out.get(..marked).and_then(|marked| marked.get(near)).is_some_and(|product| product.range.start < hit.end());
        if hit.start() >= end && !is_marked {
            end = hit.end();
            out.push(Product { range: hit.range() });
        }
    }
    out.sort_by_key(|product| product.range.start);
    out
}

/// Finds products by how their names are set off from the text around.
fn marked_products(source: &SourceText<'_>) -> Vec<Product> {
    const LONGEST: usize = 16;
    let mut out: Vec<Product> = Vec::new();
    let mut from = 0;
    for &at in source.marks(0..source.len()) {
        if at < from {
            continue;
        }
        let open = source.at(at);
        let close = match open {
            '“' => '”',
            '"' => '"',
            '‘' => '’',
            '【' => '】',
            '《' => '》',
            '\n' | '\t' => {
                if let Some(end) = (at + 1..at + 1 + LONGEST).find(|&i| source.at(i) == '\t')
                    && is_product(source, &(at + 1..end), false)
                {
                    out.push(Product { range: at + 1..end });
                }
                continue;
            }
            _ => continue,
        };
        let end = (at + 1..at + 2 + LONGEST).find(|&i| source.at(i) == close || source.at(i) == '\n');
        if let Some(end) = end.filter(|&e| source.at(e) == close)
            && is_product(source, &(at + 1..end), !matches!(open, '【' | '《'))
        {
            out.push(Product { range: at + 1..end });
            from = end + 1;
        }
    }
    out
}

/// Whether a quoted name is a product's: it ends as products do.
fn is_product(source: &SourceText<'_>, range: &Glyphs, quoted: bool) -> bool {
    const ENDS: &Words = words!["贷", "担", "险", "通", "贷款", "e贷", "宝", "卡", "易", "保", "债", "融", "票", "信用+", "链"];
    const NOT: &Words = words![
        "不抽贷",
        "不断贷",
        "不压贷",
        "断贷",
        "抽贷",
        "压贷",
        "难贷",
        "敢贷",
        "愿贷",
        "能贷",
        "会贷",
        "惜贷",
        "首贷",
        "信贷",
        "应贷尽贷",
        "六保",
        "风险",
        "能贷尽贷",
        "快贷快批",
        "保险",
        "三保",
        "放贷",
        "社保",
        "医保",
        "担保",
        "畅通",
        "沟通",
        "流通",
        "贸易",
        "金融",
        "融资",
    ];
    let end = range.end;
    if range.len() < 2 || (range.clone()).any(|i| matches!(source.at(i), ',' | '。' | ';' | '、' | '\t' | '\n')) {
        return false;
    }
    if NOT.end_before(source, end) {
        return false;
    }
    if quoted { ENDS.end_before(source, end) } else { matches!(source.before(end), '贷' | '险') }
}
