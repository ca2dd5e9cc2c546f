//! Names of institutions.
//!
//! A name is put together from words of the lexicon, never from a pattern over
//! the text: `[head office][region…][branch]` ([`office`]), `[region][brand][ending]`
//! ([`legal`]), `[scope…][group noun]` ([`sector`]). Each reader proposes mentions
//! around the words it knows, looking only a bounded way to either side; of those
//! that overlap the longest stays. A name defined in brackets ([`definition`])
//! then takes over what its definition says. What the operator's register knows
//! by name or alias ([`registered`]) is what the register says.

mod definition;
mod legal;
mod office;
mod parts;
mod place;
mod registered;
mod sector;

use crate::lexicon::{Class, Hits, Lexicon, Scope, Trade};
use crate::report::InstitutionType;
use crate::source::{Glyphs, SourceText};

pub use registered::readings;

use parts::Parts;
use place::Regions;

/// How an institution is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameForm {
    /// A name that tells the institution: 农发行乌兰察布市分行, 兴和县联社, 桂林银行.
    Proper,
    /// A head office's own name, which inside a branch's section means the branch: 工商银行, 中国太保.
    HeadOffice,
    /// A local part that only its own section's institution can complete: 乌兰察布市分行, 四川监管局.
    Fragment,
    /// A group of institutions: 全市银行业金融机构, 各家银行, 辖内法人机构, 全疆金融机构.
    Sector,
}

/// What tells a group of institutions from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its trade.
    pub trade: Trade,
    /// The widest scope word before its noun; the mention has the region that is named.
    pub scope: Option<Scope>,
    /// What picks some of it: 主要, 试点. Empty: all of it.
    pub qualifier: String,
    /// A number counts it: 48家银行.
    pub counted: bool,
    /// A scope stands before it.
    pub scoped: bool,
    /// A region is named, not only meant by a word such as 全疆.
    pub named: bool,
}

/// An institution named in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstitutionMention {
    /// Where.
    pub range: Glyphs,
    /// How.
    pub form: NameForm,
    /// As written (normalised glyphs).
    pub name: String,
    /// Its abbreviations expanded. A name defined in brackets has its definition's.
    pub canonical: String,
    /// What kind of body it is.
    pub kind: InstitutionType,
    /// Full name of the head office if it is a branch, else empty.
    pub head_office: String,
    /// GB/T 2260 code of the region in the name, empty if none or not to be told.
    pub region_code: String,
    /// Full name of that region.
    pub region_name: String,
    /// An outlet of a local legal person (忠堡支行, 红格尔图信用社), which belongs to its section's institution.
    pub outlet: bool,
    /// Canonical name of the legal person an outlet's name begins with (咸丰农村商业银行), else empty.
    pub parent: String,
    /// The same as written (咸丰农商行), else empty.
    pub parent_name: String,
    /// Index of the mention that this one was defined to stand for (以下简称…), among all mentions.
    pub alias_of: Option<usize>,
    /// It is an office of the regulator of banks, under whichever of its names: 银保监分局, 金融监管分局.
    pub supervises: bool,
    /// What a group is told apart by.
    pub group: Option<Group>,
    /// Row of the operator's register: of the institution itself, or of the one that this outlet belongs to.
    pub register: Option<u32>,
}

impl InstitutionMention {
    fn new(parts: &Parts<'_>, range: Glyphs, form: NameForm, kind: InstitutionType) -> Self {
        let name = parts.source.text(range.clone());
        Self {
            range,
            form,
            canonical: String::new(),
            name: name.to_owned(),
            kind,
            head_office: String::new(),
            region_code: String::new(),
            region_name: String::new(),
            outlet: false,
            parent: String::new(),
            parent_name: String::new(),
            alias_of: None,
            supervises: false,
            group: None,
            register: None,
        }
    }

    /// Whether it is a group with a scope.
    #[must_use]
    pub fn scoped(&self) -> bool {
        self.group.as_ref().is_some_and(|group| group.scoped)
    }

    fn in_region(mut self, parts: &Parts<'_>, regions: &Regions) -> Self {
        if let Some(region) = regions.resolve(parts.lexicon) {
            self.region_code.clone_from(&region.code);
            self.region_name.clone_from(&region.name);
        }
        self
    }

    fn in_region_code(mut self, parts: &Parts<'_>, code: &str) -> Self {
        if let Some(region) = parts.lexicon.tables().region(code) {
            code.clone_into(&mut self.region_code);
            self.region_name.clone_from(&region.name);
        }
        self
    }
}

/// Finds every institution that is named, by place, not overlapping.
#[must_use]
pub fn institutions(source: &SourceText<'_>, hits: &Hits, lexicon: &Lexicon) -> Vec<InstitutionMention> {
    institutions_and_groups(source, hits, lexicon).0
}

/// Finds every institution that is named, and the nouns of groups that no scope stands before.
#[must_use]
pub fn institutions_and_groups(
    source: &SourceText<'_>,
    hits: &Hits,
    lexicon: &Lexicon,
) -> (Vec<InstitutionMention>, Vec<InstitutionMention>) {
    let parts = Parts::new(source, hits, lexicon);
    let mut found = Vec::with_capacity(source.len() / 64);
    registered::find(&parts, &mut found);
    let groups = by_rule(&parts, &mut found);
    let mut mentions = longest(found);
    registered::adopt(&parts, &mut mentions);
    definition::apply(&parts, &mut mentions);
    place::settle_by_neighbours(&parts, &mut mentions);
    for mention in mentions.iter_mut().filter(|mention| mention.kind == InstitutionType::Regulator) {
        let has = |class| parts.inside(mention.range.clone()).any(|hit| lexicon.classes(hit).has(class));
        mention.supervises = has(Class::BankingRegulator) && !has(Class::OtherRegulator);
    }
    (mentions, longest(groups))
}

/// Proposes every institution that the rules for names see; the nouns of groups that no scope stands before.
fn by_rule(parts: &Parts<'_>, found: &mut Vec<InstitutionMention>) -> Vec<InstitutionMention> {
    office::find(parts, found);
    legal::find(parts, found);
    sector::find(parts, found)
}

/// Finds the nouns of groups that no scope stands before: 金融机构, 相关银行机构.
///
/// They name a sector only where the text has one of its own: a caller that knows it decides.
#[must_use]
pub fn group_nouns(source: &SourceText<'_>, hits: &Hits, lexicon: &Lexicon) -> Vec<InstitutionMention> {
    institutions_and_groups(source, hits, lexicon).1
}

/// Of mentions that overlap, the longest; of equally long ones the first found.
fn longest(found: Vec<InstitutionMention>) -> Vec<InstitutionMention> {
    let place = |m: &InstitutionMention| (m.range.start, std::cmp::Reverse(m.range.end));
    let mut order: Vec<_> = found.iter().map(place).zip(0_usize..).collect();
    order.sort_unstable();
    let mut found: Vec<_> = found.into_iter().map(Some).collect();
    let mut kept: Vec<InstitutionMention> = Vec::with_capacity(found.len());
    for mention in order.into_iter().filter_map(|(_, index)| found.get_mut(index)?.take()) {
        match kept.last() {
            Some(last) if last.range.end > mention.range.start => {
                if mention.range.len() > last.range.len() {
                    kept.pop();
                    kept.push(mention);
                }
            }
            _ => kept.push(mention),
        }
    }
    // A name without an abbreviation to expand stands for itself.
    for mention in kept.iter_mut().filter(|mention| mention.canonical.is_empty()) {
        mention.canonical.clone_from(&mention.name);
    }
    kept
}

#[cfg(test)]
mod tests;
