//! Institutions of the operator's register.

use super::office::{branch, corporate_end, is_local, suits};
use super::parts::Parts;
use super::{InstitutionMention, NameForm, by_rule, longest};
use crate::lexicon::register::without_corporate_form;
use crate::lexicon::{HeadOffice, Hit, In, Lexicon, NameReading, Registered};
use crate::report::InstitutionType as Type;
use crate::source::SourceText;

/// Proposes every institution of the register that is named, or a branch of it.
pub(super) fn find(parts: &Parts<'_>, found: &mut Vec<InstitutionMention>) {
    for hit in parts.of(In::REGISTER) {
        if let Some((index, row)) = parts.registered(hit).filter(|_| is_longest_known(parts, hit)) {
            found.push(named(parts, hit, index, row));
        }
    }
}

/// Whether no longer known name begins where `hit` does.
fn is_longest_known(parts: &Parts<'_>, hit: Hit) -> bool {
    parts.from(hit.start()).iter().find(|other| other.is_in(In::KNOWN)) == Some(&hit)
}

fn named(parts: &Parts<'_>, hit: Hit, index: u32, row: &Registered) -> InstitutionMention {
    let kind = row.kind.unwrap_or(Type::Other);
    let end = corporate_end(parts, hit.end(), kind);
    let office = parts.office(hit);
    // A branch of a bank that the tables know is read by the rule for these.
    if office.is_none()
        && row.head_office.is_empty()
        && let Some(local) = parts.local_from(end, |branch| suits(kind, branch))
    {
        let mut mention = branch(parts, hit, &HeadOffice::registered(row), end, &row.name, &local);
        if is_rural(kind) {
            mention.outlet = true;
            mention.parent.clone_from(&row.name);
            parts.source.text(hit.start()..end).clone_into(&mut mention.parent_name);
        }
        mention.register = mention.outlet.then_some(index);
        return mention;
    }
    let is_office = office.is_some_and(|office| !is_local(office.kind) && office.name == without_corporate_form(&row.expanded));
    let form = if is_office { NameForm::HeadOffice } else { NameForm::Proper };
    let mut mention = InstitutionMention::new(parts, hit.start()..end, form, kind);
    mention.take(index, row);
    mention
}

/// Whether all branches of a body of this type are its outlets: it has none that report by themselves.
const fn is_rural(kind: Type) -> bool {
    matches!(kind, Type::RuralCommercialBank | Type::RuralCooperativeBank | Type::RuralCreditCooperative | Type::VillageBank)
}

impl InstitutionMention {
    /// Makes it say what the register says.
    fn take(&mut self, index: u32, row: &Registered) {
        self.register = Some(index);
        self.canonical.clone_from(&row.name);
        self.kind = row.kind.unwrap_or(self.kind);
        self.head_office.clone_from(&row.head_office);
        if !row.region.is_empty() {
            self.region_code.clone_from(&row.region);
            self.region_name.clone_from(&row.region_name);
        }
    }
}

/// Finds the row of every mention that a rule read and whose full name the register knows, and of an outlet's parent.
pub(super) fn adopt(parts: &Parts<'_>, mentions: &mut [InstitutionMention]) {
    let register = &parts.lexicon.tables().register;
    if register.rows().is_empty() {
        return;
    }
    for mention in mentions.iter_mut().filter(|mention| mention.register.is_none()) {
        if matches!(mention.form, NameForm::Sector | NameForm::Fragment) {
            continue;
        }
        let indexed = |index: Option<u32>| index.and_then(|index| Some((index, register.row(index)?)));
        if let Some((index, row)) = indexed(register.find(&mention.canonical)) {
            mention.outlet = false;
            mention.parent.clear();
            mention.take(index, row);
        } else if let Some((index, row)) = indexed(parent_of(parts, mention)) {
            mention.register = Some(index);
            mention.parent.clone_from(&row.name);
        }
    }
}

/// The row of the institution that an outlet's name begins with.
fn parent_of(parts: &Parts<'_>, outlet: &InstitutionMention) -> Option<u32> {
    if !outlet.outlet {
        return None;
    }
    let begins = parts.from(outlet.range.start).iter().find_map(|hit| Some(parts.registered(*hit)?.0));
    begins.or_else(|| parts.lexicon.tables().register.find(&outlet.parent))
}

/// What the rules for names make of each name in the register.
#[must_use]
pub fn readings(lexicon: &Lexicon) -> Vec<NameReading> {
    lexicon.tables().register.rows().iter().map(|row| reading(lexicon, &row.name)).collect()
}

/// What they make of one name; nothing, if they do not take all of it for one institution's.
fn reading(lexicon: &Lexicon, name: &str) -> NameReading {
    let source = SourceText::new(name);
    let hits = lexicon.scan(&source);
    let parts = Parts::new(&source, &hits, lexicon);
    let mut found = Vec::new();
    by_rule(&parts, &mut found);
    let Some(mention) = longest(found).into_iter().find(|mention| mention.range == (0..source.len())) else {
        return NameReading::default();
    };
    if mention.form == NameForm::Sector {
        return NameReading { kind: Some(mention.kind), region: (mention.region_code, mention.region_name), ..NameReading::default() };
    }
    NameReading {
        expanded: mention.canonical,
        kind: Some(mention.kind).filter(|kind| *kind != Type::Other),
        region: (mention.region_code, mention.region_name),
        head_office: if mention.parent.is_empty() { mention.head_office } else { mention.parent },
    }
}
