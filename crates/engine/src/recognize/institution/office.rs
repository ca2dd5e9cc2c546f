//! Head offices and known institutions, and their branches.

use super::parts::Parts;
use super::place::{Local, Regions};
use super::{InstitutionMention, NameForm};
use crate::lexicon::{HeadOffice, Hit, In, NamePart, NameWord, Scope};
use crate::report::InstitutionType as Type;
use crate::words::words;

/// Proposes every known institution, with its local part if it has one, and every local part alone.
pub(super) fn find(parts: &Parts<'_>, found: &mut Vec<InstitutionMention>) {
    for hit in parts.of(In::OFFICES) {
        if let Some(row) = parts.office(hit).filter(|_| is_longest_office(parts, hit)) {
            found.push(named(parts, hit, row));
        }
    }
    found.extend(parts.of(In::BRANCHES).filter_map(|hit| fragment(parts, hit)));
}

/// Whether no longer name begins where `hit` does: 邮储 is no name in 邮储银行.
fn is_longest_office(parts: &Parts<'_>, hit: Hit) -> bool {
    parts.from(hit.start()).iter().find(|other| other.is_in(In::OFFICES)) == Some(&hit)
}

/// A known institution: alone, with its corporate form, as a branch, or with a region before it (忻州农行).
fn named(parts: &Parts<'_>, hit: Hit, row: &HeadOffice) -> InstitutionMention {
    let end = corporate_end(parts, hit.end(), row.kind);
    let office = [row.name.as_str(), parts.source.text(hit.end()..end)].concat();
    let is_local = is_local(row.kind);
    if let Some(local) = parts.local_from(end, |branch| suits(row.kind, branch)) {
        return branch(parts, hit, row, end, &office, &local);
    }
    let before = if has_offices_everywhere(row.kind) { parts.chain_to(hit.start()) } else { None };
    if let Some(chain) = before {
        return local_office(parts, chain.start..hit.start(), end, row.kind, office).in_region(parts, &chain.regions);
    }
    if has_offices_everywhere(row.kind)
        && let Some((start, regions)) = system_to(parts, hit.start(), end)
    {
        let end = if parts.source.starts_with(end, SYSTEM) { end + SYSTEM.chars().count() } else { end };
        return local_office(parts, start..hit.start(), end, row.kind, office).in_region(parts, &regions);
    }
    let form = if is_local { NameForm::Proper } else { NameForm::HeadOffice };
    let mut mention = InstitutionMention::new(parts, hit.start()..end, form, row.kind).in_region_code(parts, &row.region);
    mention.canonical = office;
    mention
}

/// What ends the name of all offices of a bank in a place.
const SYSTEM: &str = "系统";

/// An office that is named by its place before its bank's name: 忻州农行, 市农发行, 福建全省农行系统.
fn local_office(parts: &Parts<'_>, place: std::ops::Range<usize>, end: usize, kind: Type, office: String) -> InstitutionMention {
    let mut mention = InstitutionMention::new(parts, place.start..end, NameForm::Proper, kind);
    let behind = if parts.source.ends_with(end, SYSTEM) { SYSTEM } else { "" };
    mention.canonical = [parts.source.text(place), &office, behind].concat();
    mention.head_office = office;
    mention
}

/// Where a place begins that has no region of its own right before a bank's name that ends at `end`: 福建全省, 全市 before a
/// system, 市 at a border.
fn system_to(parts: &Parts<'_>, office: usize, end: usize) -> Option<(usize, Regions)> {
    if let Some((scope, _)) = parts.name_to(office, NamePart::Scope).filter(|(_, row)| row.scope.is_some_and(Scope::is_own)) {
        let chain = parts.chain_to(scope.start());
        let start = chain.as_ref().map_or(scope.start(), |chain| chain.start);
        let is_system = parts.source.starts_with(end, SYSTEM) || chain.is_some();
        return is_system.then(|| (start, chain.map(|chain| chain.regions).unwrap_or_default()));
    }
    let level = office.checked_sub(1).filter(|&at| matches!(parts.source.at(at), '省' | '市' | '县' | '区' | '州' | '盟' | '旗'))?;
    (parts.is_left_border(level) && !parts.source.starts_with(end, SYSTEM)).then(|| (level, Regions::default()))
}

/// A branch of a known institution.
pub(super) fn branch(parts: &Parts<'_>, hit: Hit, row: &HeadOffice, end: usize, office: &str, local: &Local) -> InstitutionMention {
    let regions = regions_of(parts, local.regions.clone(), local.end);
    let mut mention = InstitutionMention::new(parts, hit.start()..local.end, NameForm::Proper, row.kind).in_region(parts, &regions);
    mention.canonical = [office, parts.source.text(end..local.end)].concat();
    office.clone_into(&mut mention.head_office);
    if is_local(row.kind) && local.is_outlet && local.regions.is_empty() {
        mention.outlet = true;
        office.clone_into(&mut mention.parent);
        parts.source.text(hit.start()..end).clone_into(&mut mention.parent_name);
        return mention.in_region_code(parts, &row.region);
    }
    mention
}

/// The end of a corporate form right behind a name, or the name's end.
pub(super) fn corporate_end(parts: &Parts<'_>, end: usize, kind: Type) -> usize {
    let is_bank = is_bank_of_all_regions(kind) || is_local(kind) && kind != Type::GuaranteeCompany;
    match parts.name_from(end, NamePart::Corporate) {
        Some((form, _)) if !(is_bank && parts.source.at(end) == '公') => form.end(),
        _ => end,
    }
}

/// A local part with no head office: 乌兰察布市分行, 四川监管局.
fn fragment(parts: &Parts<'_>, hit: Hit) -> Option<InstitutionMention> {
    let row = parts.name(hit, NamePart::Branch).filter(|_| parts.name(hit, NamePart::Public).is_none())?;
    let chain = parts.chain_to(hit.start())?;
    let text = parts.lexicon.form(hit);
    let kind = match row.kind {
        Some(Type::Regulator) if !text.contains("监管") => return None,
        Some(Type::Regulator) => Type::Regulator,
        Some(Type::Insurer) => Type::Insurer,
        Some(Type::CentralBank) => Type::CentralBank,
        _ if text.contains("中心支行") || text.contains("营业管理部") => Type::CentralBank,
        _ if text.ends_with("分行") || text.ends_with("支行") => Type::Other,
        _ => return None,
    };
    let regions = regions_of(parts, chain.regions, hit.end());
    parts
        .is_left_border(chain.start)
        .then(|| InstitutionMention::new(parts, chain.start..hit.end(), NameForm::Fragment, kind).in_region(parts, &regions))
}

/// The regions of a name that ends at `end`: a 监管分局 is a prefecture's.
pub(super) fn regions_of(parts: &Parts<'_>, regions: Regions, end: usize) -> Regions {
    if words!["监管分局", "监分局"].end_before(parts.source, end) { regions.of_prefecture() } else { regions }
}

/// Whether bodies of this type have branches of this name.
pub(super) fn suits(kind: Type, branch: &NameWord) -> bool {
    match kind {
        Type::Regulator => branch.kind == Some(Type::Regulator),
        Type::CentralBank => matches!(branch.kind, None | Some(Type::CentralBank)),
        Type::Insurer | Type::SecuritiesFirm | Type::GuaranteeCompany | Type::NonBankLender => {
            branch.kind == Some(Type::Insurer) || branch.forms.iter().any(|form| form == "营业部")
        }
        Type::Association => false,
        _ => branch.kind.is_none(),
    }
}

/// Whether an institution of this type is a local legal person, whose own name tells it.
pub(super) const fn is_local(kind: Type) -> bool {
    matches!(
        kind,
        Type::CityCommercialBank
            | Type::PrivateBank
            | Type::RuralCommercialBank
            | Type::RuralCooperativeBank
            | Type::RuralCreditCooperative
            | Type::VillageBank
            | Type::GuaranteeCompany
            | Type::Association
    )
}

const fn is_bank_of_all_regions(kind: Type) -> bool {
    matches!(kind, Type::PolicyBank | Type::LargeCommercialBank | Type::JointStockBank | Type::CentralBank)
}

/// Whether a place before the name of one of this type means its office there: 忻州农行, 泰和人保财险.
const fn has_offices_everywhere(kind: Type) -> bool {
    is_bank_of_all_regions(kind) || matches!(kind, Type::Insurer)
}
