//! Names of institutions.

use crate::engine::lexicon::{Hits, Lexicon};
use crate::engine::report::InstitutionType;
use crate::engine::source::{Glyphs, SourceText};

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

/// An institution named in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstitutionMention {
    /// Where.
    pub range: Glyphs,
    /// How.
    pub form: NameForm,
    /// As written (normalised glyphs).
    pub name: String,
    /// Its abbreviations expanded.
    pub canonical: String,
    /// What kind of body it is.
    pub kind: InstitutionType,
    /// Full name of the head office if it is a branch, else empty.
    pub head_office: String,
    /// GB/T 2260 code of the region in the name, empty if none.
    pub region_code: String,
    /// Full name of that region.
    pub region_name: String,
    /// The mention this one stands for: (以下简称农行临沂分行).
    pub alias_of: Option<usize>,
    /// An outlet of another institution: 红格尔图信用社, 忠堡支行.
    pub outlet: bool,
    /// Canonical name of the institution it is an outlet of, if the name says so.
    pub parent: String,
}

/// Finds every institution that is named, by place, not overlapping.
#[must_use]
pub fn institutions(source: &SourceText<'_>, hits: &Hits, lexicon: &Lexicon) -> Vec<InstitutionMention> {
    let _ = (source, hits, lexicon);
    Vec::new()
}
