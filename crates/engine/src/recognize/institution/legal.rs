//! Legal persons of a region: `[region][brand][ending]`.

use super::office::{corporate_end, regions_of, suits};
use super::parts::Parts;
use super::place::{Chain, Regions};
use super::{InstitutionMention, NameForm};
use crate::lexicon::general::{Pos, heading};
use crate::lexicon::{Class, Classes, Hit, In, NamePart, NameWord};
use crate::report::InstitutionType as Type;
use crate::source::is_ideograph;
use crate::words::words;

/// Most glyphs of a brand.
const BRAND: usize = 6;
/// Most glyphs of a brand before a trade: 山西省|科技创业|融资担保有限公司.
const TRADE_BRAND: usize = 10;
/// Most glyphs of a brand before a short trade.
const SHORT_BRAND: usize = 4;
/// Most glyphs of a brand before 支行 with no region or bank around.
const OUTLET_BRAND: usize = 4;

/// Classes whose words are no brands.
const WORDS: Classes = Classes::of(&[Class::Governing, Class::Guiding, Class::Receiving, Class::Preposition, Class::Adverb, Class::Time]);

/// Proposes every legal person whose name ends in a known word, and every outlet.
pub(super) fn find(parts: &Parts<'_>, found: &mut Vec<InstitutionMention>) {
    let mut previous: Option<Hit> = None;
    for hit in parts.of(In::ENDINGS) {
        // Hits come by end, longest first: a shorter word with the same end is its tail.
        let is_tail = previous.is_some_and(|longer| longer.end() == hit.end());
        let own = parts.roles(hit);
        let read = |part: NamePart, reader: fn(&Parts<'_>, Hit) -> Option<InstitutionMention>| {
            if own & 1 << part as u32 == 0 { None } else { reader(parts, hit) }
        };
        let mut proposed = None;
        if !is_tail {
            proposed = read(NamePart::Legal, legal)
                .or_else(|| read(NamePart::Public, public))
                .or_else(|| read(NamePart::Trade, traded))
                .or_else(|| read(NamePart::ShortTrade, short))
                .or_else(|| read(NamePart::Outlet, outlet));
            if own & ENDINGS != 0 {
                previous = Some(hit);
            }
        }
        if let Some(mention) = proposed.or_else(|| read(NamePart::Bank, bank)) {
            found.push(mention);
        }
    }
}

/// The parts that end a name.
const ENDINGS: u32 = 1 << NamePart::Legal as u32
    | 1 << NamePart::Public as u32
    | 1 << NamePart::Trade as u32
    | 1 << NamePart::ShortTrade as u32
    | 1 << NamePart::Outlet as u32;

/// What stands before an ending.
struct Head {
    start: usize,
    regions: Regions,
    brand: usize,
}

impl Head {
    fn of(chain: Chain, ending: usize) -> Self {
        Self { start: chain.start, brand: ending - chain.end, regions: chain.regions }
    }
}

/// Reads to the left of an ending: the nearest region with a brand behind it, or a brand after a border.
fn head_to(parts: &Parts<'_>, ending: usize, most: usize) -> Option<Head> {
    for brand in 0..=most {
        let start = ending.checked_sub(brand)?;
        if let Some(chain) = parts.chain_to(start) {
            let head = Head::of(chain, ending);
            let stands = brand != 1 || says_level(parts, start);
            return (stands && is_brand(parts, start..ending, true)).then_some(head);
        }
        let bordered = parts.is_left_border(start) || parts.name_to(start, NamePart::Scope).is_some();
        if bordered {
            let brand_alone = brand >= 2 && is_brand(parts, start..ending, false);
            return brand_alone.then(|| {
                let is_of_region = |rest: usize| rest == 0 || rest >= 2;
                let region =
                    parts.region_from(start, true).filter(|region| region.hit.end() <= ending && is_of_region(ending - region.hit.end()));
                let regions = region.filter(|_| most == BRAND).map(Regions::from);
                Head { start, regions: regions.unwrap_or_default(), brand }
            });
        }
    }
    None
}

/// Whether `range` can be a brand: no ordinary word, no place without a code.
fn is_brand(parts: &Parts<'_>, range: std::ops::Range<usize>, after_region: bool) -> bool {
    if range.is_empty() {
        return after_region;
    }
    if !range.clone().all(|at| is_ideograph(parts.source.at(at))) {
        return false;
    }
    let mut common = parts.to(range.end).iter().filter(|hit| hit.start() >= range.start && parts.name(**hit, NamePart::Common).is_some());
    let is_common = |hit: &Hit| hit.start() == range.start || !after_region;
    if common.any(is_common) || (!after_region && (starts_common(parts, &range) || starts_sentence(parts, &range))) {
        return false;
    }
    // A verb is none either: 组建|村镇银行.
    if parts.from(range.start).iter().any(|hit| hit.end() == range.end && parts.lexicon.classes(*hit).meets(WORDS)) {
        return false;
    }
    range.len() < 2 || !matches!(parts.source.before(range.end), '镇' | '乡' | '村' | '省' | '县' | '市')
}

fn starts_common(parts: &Parts<'_>, range: &std::ops::Range<usize>) -> bool {
    parts.name_from(range.start, NamePart::Common).is_some_and(|(hit, _)| hit.end() <= range.end)
}

/// Whether an ordinary word that no name begins with stands at the head of `range`: 操纵|证券, 随着|美国证券, 赋予|支行.
fn starts_sentence(parts: &Parts<'_>, range: &std::ops::Range<usize>) -> bool {
    let glyphs = parts.source.glyphs().get(range.clone()).unwrap_or_default();
    let first = heading(glyphs).filter(|(length, _)| *length > 1).last();
    let word =
        first.is_some_and(|(_, word)| matches!(word.pos, Pos::Verb | Pos::Preposition | Pos::Conjunction | Pos::Pronoun | Pos::Number));
    // 延长 is a county, too.
    word && parts.region_from(range.start, true).is_none()
}

/// 村镇银行, 农商银行, 联社 with what is before, and its outlet behind: 咸丰农商行忠堡支行.
fn legal(parts: &Parts<'_>, hit: Hit) -> Option<InstitutionMention> {
    let row = parts.name(hit, NamePart::Legal)?;
    let kind = row.kind?;
    let head = head_to(parts, hit.start(), BRAND).filter(|head| kind != Type::CityCommercialBank || !head.regions.is_empty())?;
    let end = corporate_end(parts, hit.end(), kind);
    let ending = full_ending(parts, hit, row, &head);
    let canonical = [parts.source.text(head.start..hit.start()), ending, parts.source.text(hit.end()..end)].concat();
    if let Some(local) = parts.local_from(end, |branch| suits(kind, branch)) {
        let regions = head.regions.then(local.regions);
        let mut mention = InstitutionMention::new(parts, head.start..local.end, NameForm::Proper, kind).in_region(parts, &regions);
        mention.canonical = [&canonical, parts.source.text(end..local.end)].concat();
        mention.outlet = kind != Type::CityCommercialBank || local.is_outlet;
        mention.head_office.clone_from(&canonical);
        mention.parent = canonical;
        parts.source.text(head.start..end).clone_into(&mut mention.parent_name);
        return Some(mention);
    }
    let mut mention = InstitutionMention::new(parts, head.start..end, NameForm::Proper, kind).in_region(parts, &head.regions);
    mention.canonical = canonical;
    Some(mention)
}

/// The ending written out. A province's 联社 is the union of the cooperatives.
fn full_ending<'p>(parts: &Parts<'p>, hit: Hit, row: &'p NameWord, head: &Head) -> &'p str {
    let text = parts.lexicon.form(hit);
    let of_province = head.brand == 0 && head.regions.resolve(parts.lexicon).is_some_and(|region| region.code.ends_with("0000"));
    match (row.full.as_str(), text) {
        ("", _) => text,
        ("农村信用合作联社", "联社" | "农信联社" | "信用联社" | "农村信用联社") if of_province => {
            "农村信用社联合社"
        }
        (full, _) => full,
    }
}

/// 银行业协会, 银保监局: named by a region alone; 省金融办, 省联社 are fragments.
fn public(parts: &Parts<'_>, hit: Hit) -> Option<InstitutionMention> {
    let row = parts.name(hit, NamePart::Public)?;
    let kind = row.kind?;
    if let Some(chain) = parts.chain_to(hit.start()) {
        let regions = regions_of(parts, chain.regions, hit.end());
        return Some(InstitutionMention::new(parts, chain.start..hit.end(), NameForm::Proper, kind).in_region(parts, &regions));
    }
    let start = hit.start().checked_sub(1)?;
    let of_level = matches!(parts.source.at(start), '省' | '市' | '区' | '州' | '盟' | '县' | '旗');
    (of_level && parts.is_left_border(start)).then(|| InstitutionMention::new(parts, start..hit.end(), NameForm::Fragment, kind))
}

/// 山西省农业信贷融资担保有限公司: a trade before a corporate form.
fn traded(parts: &Parts<'_>, hit: Hit) -> Option<InstitutionMention> {
    let kind = parts.name(hit, NamePart::Trade).filter(|_| !ends_office_alone(parts, hit.end()))?.kind?;
    let (form, _) = parts.name_from(hit.end(), NamePart::Corporate)?;
    // 省再担保公司: the one of its level, where a trade has one.
    let level = hit
        .start()
        .checked_sub(1)
        .filter(|&at| matches!(parts.source.at(at), '省' | '市' | '县' | '区' | '州') && parts.is_left_border(at));
    if let Some(start) = level.filter(|_| is_rare_trade(parts, hit.end()) || parts.source.ends_with(hit.end(), "再担保")) {
        return Some(InstitutionMention::new(parts, start..form.end(), NameForm::Proper, kind));
    }
    let head = head_to(parts, hit.start(), TRADE_BRAND)?;
    // 公司 alone makes a noun of a kind (保险公司) unless a region and a brand are before it.
    let is_short = form.end() - form.start() == 2;
    if is_short && (head.regions.is_empty() || (head.brand == 0 && !is_rare_trade(parts, hit.end()))) {
        return None;
    }
    let Some(local) = parts.local_from(form.end(), |branch| suits(kind, branch)) else {
        return Some(InstitutionMention::new(parts, head.start..form.end(), NameForm::Proper, kind).in_region(parts, &head.regions));
    };
    let regions = head.regions.then(local.regions);
    let mut mention = InstitutionMention::new(parts, head.start..local.end, NameForm::Proper, kind).in_region(parts, &regions);
    parts.source.text(head.start..form.end()).clone_into(&mut mention.head_office);
    Some(mention)
}

/// 南华期货, 哈银金融租赁公司: a brand that is no word before a short trade.
fn short(parts: &Parts<'_>, hit: Hit) -> Option<InstitutionMention> {
    let kind = parts.name(hit, NamePart::ShortTrade).filter(|_| !ends_office(parts, hit.end()))?.kind?;
    let head = head_to(parts, hit.start(), SHORT_BRAND).filter(|head| head.brand != 1).or_else(|| national(parts, hit.start()))?;
    // A brand may be a county's short name: 南华期货.
    let county = || !says_level(parts, hit.start()) && head.regions.resolve(parts.lexicon).is_some_and(|region| region.level() == 2);
    if head.brand == 0 && !county() {
        return None;
    }
    // 担保 is a noun of its own: its brand stands behind a place.
    if kind == Type::GuaranteeCompany && (head.brand == 0 || head.regions.is_empty()) {
        return None;
    }
    // It is no word of the language: 资产|证券, 绿色|信托.
    let brand = hit.start() - head.brand..hit.start();
    if head.brand > 0 && parts.from(brand.start).iter().any(|word| word.end() == brand.end && !word.is_in(In::REGIONS)) {
        return None;
    }
    let company = parts.source.starts_with(hit.end(), "公司").then(|| hit.end() + 2);
    let end = company.unwrap_or(hit.end());
    let local = parts.local_from(end, |branch| suits(kind, branch));
    let regions = local.as_ref().map_or_else(|| head.regions.clone(), |local| head.regions.clone().then(local.regions.clone()));
    let whole = head.start..local.as_ref().map_or(end, |local| local.end);
    let mut mention = InstitutionMention::new(parts, whole, NameForm::Proper, kind).in_region(parts, &regions);
    if local.is_some() {
        parts.source.text(head.start..end).clone_into(&mut mention.head_office);
    }
    Some(mention)
}

/// 中国石油财务公司: a brand behind the nation's name.
fn national(parts: &Parts<'_>, ending: usize) -> Option<Head> {
    (2..=SHORT_BRAND).find_map(|brand| {
        let start = ending.checked_sub(brand + 2)?;
        let stands = parts.source.starts_with(start, "中国") && parts.is_left_border(start) && is_brand(parts, start + 2..ending, true);
        stands.then(|| Head { start, regions: Regions::default(), brand: brand + 2 })
    })
}

/// Whether a known institution's name ends at `end`.
fn ends_office(parts: &Parts<'_>, end: usize) -> bool {
    parts.to(end).iter().any(|hit| hit.is_in(In::OFFICES))
}

/// Whether one does that has no region before it: not 宁银消费金融 in 浙江宁银消费金融.
fn ends_office_alone(parts: &Parts<'_>, end: usize) -> bool {
    parts.to(end).iter().any(|hit| hit.is_in(In::OFFICES) && parts.chain_to(hit.start()).is_none())
}

/// Trades of which a region has one company: 苏州金融租赁公司.
fn is_rare_trade(parts: &Parts<'_>, end: usize) -> bool {
    words!["金融租赁", "消费金融", "再担保", "农业信贷担保", "农业信贷融资担保", "农业融资担保", "农业担保", "农担"]
        .end_before(parts.source, end)
}

/// 柳州银行: a city and 银行; or an unknown bank's branch: 某某银行成都分行.
fn bank(parts: &Parts<'_>, hit: Hit) -> Option<InstitutionMention> {
    parts.name(hit, NamePart::Bank).filter(|_| !ends_office(parts, hit.end()))?;
    let kind = Type::CityCommercialBank;
    let local = parts.local_from(hit.end(), |branch| suits(kind, branch));
    let head = match parts.chain_to(hit.start()) {
        Some(chain) if is_city_alias(parts, &chain) => Head::of(chain, hit.start()),
        Some(_) => return None,
        None => head_to(parts, hit.start(), 4)
            .filter(|head| head.brand >= 2 && local.as_ref().is_some_and(|local| !local.regions.is_empty()))?,
    };
    let end = local.as_ref().map_or(hit.end(), |local| local.end);
    let regions = match &local {
        Some(local) if !local.regions.is_empty() => local.regions.clone(),
        _ => head.regions.clone(),
    };
    let mut mention = InstitutionMention::new(parts, head.start..end, NameForm::Proper, kind).in_region(parts, &regions);
    if let Some(local) = local {
        parts.source.text(head.start..hit.end()).clone_into(&mut mention.head_office);
        mention.outlet = local.is_outlet && local.regions.is_empty();
        if mention.outlet {
            mention.parent.clone_from(&mention.head_office);
            mention.parent_name.clone_from(&mention.head_office);
        }
    }
    Some(mention)
}

/// Whether the chain is one short name of a city or province: 柳州, not 柳州市.
fn is_city_alias(parts: &Parts<'_>, chain: &Chain) -> bool {
    let Some(region) = parts.region_to(chain.end) else { return false };
    region.hit.start() == chain.start
        && !says_level(parts, chain.end)
        && chain.regions.resolve(parts.lexicon).is_some_and(|region| region.code.ends_with("00") && !region.code.starts_with(['7', '8']))
}

/// Whether the place that ends at `at` says what it is: 兴和县, not 乌兰 in 乌兰哈达信用社.
fn says_level(parts: &Parts<'_>, at: usize) -> bool {
    matches!(parts.source.before(at), '省' | '市' | '县' | '区' | '州' | '盟' | '旗')
}

/// 红格尔图信用社, 忠堡支行: an outlet by its own name; 某县信用社 is a legal person's.
fn outlet(parts: &Parts<'_>, hit: Hit) -> Option<InstitutionMention> {
    parts.name(hit, NamePart::Outlet)?;
    let is_cooperative = parts.source.ends_with(hit.end(), "信用社");
    if parts.source.ends_with(hit.end(), "办事处") {
        return None;
    }
    let most = if parts.source.ends_with(hit.end(), "支行") { OUTLET_BRAND } else { BRAND };
    let head = head_to(parts, hit.start(), most)?;
    if head.brand == 0 && !is_cooperative {
        return None;
    }
    let regions = if head.brand == 0 || says_level(parts, hit.start() - head.brand) { head.regions } else { Regions::default() };
    let kind = if is_cooperative { Type::RuralCreditCooperative } else { Type::Other };
    let mut mention = InstitutionMention::new(parts, head.start..hit.end(), NameForm::Proper, kind).in_region(parts, &regions);
    mention.outlet = head.brand > 0;
    Some(mention)
}
