//! Groups of institutions: `[scope…][group noun]`.

use super::parts::Parts;
use super::place::{RegionName, Regions};
use super::{Group, InstitutionMention, NameForm};
use crate::lexicon::{Hit, In, NamePart, Scope as Reach};
use crate::report::InstitutionType as Type;
use crate::source::is_ideograph;
use crate::words::words;

/// Farthest that the scope of a group reaches to the left, in glyphs.
const SCOPE_REACH: usize = 20;
/// Most glyphs between a region and the area it holds: 成都|大运会重点保障|区域.
const AREA: usize = 10;

/// Proposes every group with a scope; the groups without one.
pub(super) fn find(parts: &Parts<'_>, found: &mut Vec<InstitutionMention>) -> Vec<InstitutionMention> {
    let mut unscoped = Vec::new();
    for hit in parts.of(In::GROUPS) {
        match group(parts, hit) {
            Some((mention, true)) => found.push(mention),
            Some((mention, false)) => unscoped.push(mention),
            None => {}
        }
    }
    unscoped
}

#[derive(Default)]
struct Scope {
    start: usize,
    scoped: bool,
    regions: Regions,
    /// Code that a scope word names: 全疆.
    code: String,
    /// The outermost scope is an area: 区域, 辖区.
    area: bool,
    /// How far the outermost scope word reaches.
    reach: Option<Reach>,
    /// What picks some of the group, as written.
    qualifier: String,
    /// A number counts it.
    counted: bool,
}

/// The group that a noun means, and whether it has a scope.
fn group(parts: &Parts<'_>, hit: Hit) -> Option<(InstitutionMention, bool)> {
    let trade = parts.name(hit, NamePart::Group)?.trade?;
    let mut scope = scope_to(parts, hit.start());
    if scope.area {
        widen(parts, &mut scope);
    }
    if !scope.scoped {
        over_list(parts, &mut scope);
    }
    if !scope.scoped {
        over_count(parts, &mut scope);
    }
    let names_one = parts.name(hit, NamePart::Legal).is_some() && parts.region_to(hit.start()).is_some();
    if names_one || (!scope.scoped && !scope.counted && hit.end() - hit.start() < SHORTEST) {
        return None;
    }
    let mut mention =
        InstitutionMention::new(parts, scope.start..hit.end(), NameForm::Sector, Type::BankingSector).in_region(parts, &scope.regions);
    let named = !scope.regions.is_empty();
    mention.group =
        Some(Group { trade, scope: scope.reach, qualifier: scope.qualifier, counted: scope.counted, scoped: scope.scoped, named });
    Some((if mention.region_code.is_empty() { mention.in_region_code(parts, &scope.code) } else { mention }, scope.scoped))
}

/// Reads the scopes, regions and modifiers that end at `end`.
fn scope_to(parts: &Parts<'_>, end: usize) -> Scope {
    let mut scope = Scope { start: end, ..Scope::default() };
    while end - scope.start < SCOPE_REACH {
        // 全州: all of a prefecture, before it is a county.
        let is_scope = |region: Hit| parts.name_to(scope.start, NamePart::Scope).is_some_and(|(word, _)| word.start() == region.start());
        let place = parts.region_to(scope.start).filter(|region| may_scope(parts, region.hit, end) && !is_scope(region.hit));
        if let Some(region) = place {
            (scope.start, scope.scoped, scope.area) = (region.hit.start(), true, false);
            scope.regions = Regions::from(region).then(scope.regions);
        } else if let Some((hit, row)) = parts.name_to(scope.start, NamePart::Scope) {
            (scope.start, scope.scoped, scope.area) = (hit.start(), true, is_area(parts, hit));
            scope.reach = row.scope.or(scope.reach);
            if !row.region.is_empty() {
                scope.code.clone_from(&row.region);
            }
        } else if let Some((hit, _)) = parts.name_to(scope.start, NamePart::Modifier)
            && may_go_on(parts, hit)
        {
            scope.area |= is_area(parts, hit);
            scope.start = hit.start();
        } else if let Some((hit, _)) = parts.name_to(scope.start, NamePart::Qualifier) {
            scope.start = hit.start();
            scope.qualifier.insert_str(0, parts.lexicon.form(hit));
        } else {
            break;
        }
    }
    scope
}

fn is_area(parts: &Parts<'_>, hit: Hit) -> bool {
    words!["区域", "地区", "辖区", "内"].end_before(parts.source, hit.end())
}

/// 银行 is too short a noun for any place before it: 政和 is none in 财政和银行.
fn may_scope(parts: &Parts<'_>, region: Hit, noun: usize) -> bool {
    region.end() < noun || parts.source.at(noun + 2) == '业' || parts.is_left_border(region.start()) || region.end() - region.start() > 2
}

/// 的 and 及 stay only between a scope and the noun: 辖区的金融机构.
fn may_go_on(parts: &Parts<'_>, modifier: Hit) -> bool {
    modifier.end() - modifier.start() > 1 || parts.name_to(modifier.start(), NamePart::Scope).is_some()
}

/// Takes in the places that a group is spread over: 河北等16个受灾地区的|保险机构.
fn over_list(parts: &Parts<'_>, scope: &mut Scope) {
    let source = parts.source;
    let Some(end) = scope.start.checked_sub(1).filter(|&at| source.at(at) == '的') else { return };
    let within = |&at: &usize| is_ideograph(source.at(at)) || source.at(at).is_ascii_digit();
    let Some(listed) = (end.saturating_sub(AREA)..end).rev().take_while(within).find(|&at| source.at(at) == '等') else { return };
    if let Some(region) = parts.region_to(listed) {
        scope.start = region.hit.start();
        scope.scoped = true;
        scope.regions = region.into();
    }
}

/// Notes the scope before a count, which stays outside the name: 全县12家|融资担保公司.
fn over_count(parts: &Parts<'_>, scope: &mut Scope) {
    let source = parts.source;
    let Some(classifier) = scope.start.checked_sub(1).filter(|&at| matches!(source.at(at), '家' | '个')) else { return };
    let digits = (classifier.saturating_sub(COUNT)..classifier).rev().take_while(|&at| source.at(at).is_ascii_digit()).count();
    scope.counted = digits > 0;
    if !scope.counted {
        return;
    }
    let outer = scope_to(parts, classifier - digits);
    if outer.scoped {
        scope.reach = outer.reach;
        scope.regions = outer.regions;
        scope.code = outer.code;
    }
}

/// Fewest glyphs of a noun of a group without a scope: 银行 alone is any.
const SHORTEST: usize = 3;

/// Most digits of a count of institutions.
const COUNT: usize = 6;

/// Takes in the region that an area lies in, over words that no table knows.
fn widen(parts: &Parts<'_>, scope: &mut Scope) {
    let mut at = scope.start;
    for _ in 0..AREA {
        if let Some(RegionName { hit, .. }) = parts.region_to(at).filter(|_| at < scope.start) {
            if parts.is_left_border(hit.start()) {
                scope.start = hit.start();
                scope.scoped = true;
            }
            return;
        }
        let Some(before) = at.checked_sub(1) else { return };
        if !is_ideograph(parts.source.at(before)) || parts.name_to(at, NamePart::Border).is_some() {
            return;
        }
        at = before;
    }
}
