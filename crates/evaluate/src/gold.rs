//! Gold files: what an annotator found in a bulletin, read and checked against its text.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::place::{Place, is_digit};
use jianbao_engine::report::{
    ChangeDirection, FindingCode, InstitutionType, MeasureCategory, Metric, Qualifier, QuantityKind, QuantityRole, Span,
};

/// What an annotator says of an attribute: a value, or that it is left open (`"*"`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute<T> {
    /// Not scored.
    Open,
    /// Must be this.
    Stated(T),
}

impl<T> Attribute<T> {
    /// The value, unless it is left open.
    pub const fn stated(&self) -> Option<&T> {
        match self {
            Self::Open => None,
            Self::Stated(value) => Some(value),
        }
    }
}

impl<T: Default> Default for Attribute<T> {
    fn default() -> Self {
        Self::Stated(T::default())
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Attribute<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        if value == "*" {
            return Ok(Self::Open);
        }
        serde_json::from_value(value).map(Self::Stated).map_err(serde::de::Error::custom)
    }
}

/// What an annotator found in one bulletin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Gold {
    /// Who reports, in the order of the text.
    pub institutions: Vec<GoldInstitution>,
    /// Quantities that are no figures.
    #[serde(default)]
    pub not_figures: Vec<NotAFigure>,
    /// What does not add up.
    #[serde(default)]
    pub findings: Vec<GoldFinding>,
    /// How many full-width characters a line of a hard-wrapped text holds; absent if it is not wrapped.
    #[serde(default)]
    pub wrapped: Option<usize>,
}

/// An institution with what it did and reported.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GoldInstitution {
    /// The fullest form in the text.
    pub name: String,
    /// The name with its abbreviations expanded.
    pub canonical_name: String,
    /// What kind of body it is.
    #[serde(rename = "type")]
    pub kind: InstitutionType,
    /// Region code, empty if it has none.
    #[serde(default)]
    pub region_code: String,
    /// Other names that are as good.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The first words of its section.
    pub section_start: String,
    /// What it did.
    pub measures: Vec<GoldMeasure>,
    /// What it reported.
    pub figures: Vec<GoldFigure>,
}

/// One act by the words that show it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GoldMeasure {
    /// What kind of act.
    pub category: MeasureCategory,
    /// The shortest phrase that shows it.
    pub anchor: String,
    /// Which occurrence of the phrase in the text, from 1.
    #[serde(default = "first")]
    pub nth: usize,
    /// Where the phrase stands; found, not read.
    #[serde(skip)]
    pub span: Span,
    /// The sentence it stands in; found, not read.
    #[serde(skip)]
    pub sentence: Span,
}

/// One figure with its attributes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GoldFigure {
    /// The figure as written.
    pub text: String,
    /// Which occurrence of it in the text, from 1.
    #[serde(default = "first")]
    pub nth: usize,
    /// What it measures.
    pub metric: Attribute<Metric>,
    /// A plain decimal.
    pub value: Attribute<String>,
    /// What kind of quantity.
    pub kind: Attribute<QuantityKind>,
    /// Its unit.
    #[serde(default)]
    pub unit: Attribute<Option<String>>,
    /// How exactly it is stated.
    #[serde(default = "exact")]
    pub qualifier: Attribute<Qualifier>,
    /// Whether the text calls it cumulative.
    #[serde(default)]
    pub cumulative: Attribute<Option<bool>>,
    /// The period it is about.
    #[serde(default)]
    pub period: Attribute<Option<GoldPeriod>>,
    /// The change it is.
    #[serde(default)]
    pub change: Attribute<Option<GoldChange>>,
    /// The text's words for what is counted.
    #[serde(default)]
    pub label: Attribute<Option<String>>,
    /// The upper end of a range.
    #[serde(default)]
    pub upper_value: Attribute<Option<String>>,
    /// The named product.
    #[serde(default)]
    pub product: Attribute<Option<String>>,
    /// Who got it.
    #[serde(default)]
    pub beneficiary: Attribute<Option<String>>,
    /// The text of the total it is a part of.
    #[serde(default)]
    pub part_of: Attribute<Option<String>>,
    /// The act it belongs to.
    #[serde(default)]
    pub category: Attribute<Option<MeasureCategory>>,
    /// Purpose codes.
    #[serde(default)]
    pub purposes: Attribute<Option<Vec<String>>>,
    /// Customer segment codes.
    #[serde(default)]
    pub segments: Attribute<Option<Vec<String>>>,
    /// Whether it is intended and not done; open where the gold does not say.
    #[serde(default = "open")]
    pub planned: Attribute<Option<bool>>,
    /// Left open where it is not clear whose it is; otherwise absent.
    #[serde(default)]
    pub institution: Attribute<Option<String>>,
    /// Where it stands; found, not read.
    #[serde(skip)]
    pub span: Span,
}

/// First and last day; each may be unknown, or left open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct GoldPeriod {
    /// First day.
    #[serde(default)]
    pub start: Attribute<Option<String>>,
    /// Last day.
    #[serde(default)]
    pub end: Attribute<Option<String>>,
}

/// Up or down, and from when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct GoldChange {
    /// Up or down.
    #[serde(default)]
    pub direction: Option<ChangeDirection>,
    /// The day compared with.
    #[serde(default)]
    pub baseline: Attribute<Option<String>>,
}

/// A quantity that is no figure.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NotAFigure {
    /// The quantity as written.
    pub text: String,
    /// Which occurrence of it in the text, from 1.
    #[serde(default = "first")]
    pub nth: usize,
    /// What it is instead.
    #[serde(default)]
    pub role: Option<QuantityRole>,
}

/// Something that does not add up.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GoldFinding {
    /// What it is about.
    pub code: FindingCode,
    /// The words it is about.
    pub anchor: String,
    /// Which occurrence of them in the text, from 1.
    #[serde(default = "first")]
    pub nth: usize,
    /// Where they stand; found, not read.
    #[serde(skip)]
    pub span: Span,
}

const fn first() -> usize {
    1
}

const fn exact() -> Attribute<Qualifier> {
    Attribute::Stated(Qualifier::Exact)
}

const fn open() -> Attribute<Option<bool>> {
    Attribute::Open
}

impl Gold {
    /// Reads a gold file and finds every one of its phrases in `text`.
    ///
    /// # Errors
    /// Every fault as a line of its own: JSON that is not of this form, words of no vocabulary, phrases
    /// that are not in the text, figures given twice, digits of the text that are in no entry.
    pub fn parse(json: &str, text: &str) -> Result<Self, Vec<String>> {
        let mut gold: Self = serde_json::from_str(json).map_err(|error| vec![error.to_string()])?;
        let mut check = Check { place: Place::new(text, gold.wrapped), taken: Vec::new(), faults: Vec::new() };
        for institution in &mut gold.institutions {
            check.institution(institution);
        }
        for item in &gold.not_figures {
            let span = check.find(&item.text, item.nth, "not_figures");
            check.taken.extend(span);
        }
        for finding in &mut gold.findings {
            finding.span = check.find(&finding.anchor, finding.nth, "findings").unwrap_or_default();
        }
        check.every_digit();
        if check.faults.is_empty() { Ok(gold) } else { Err(check.faults) }
    }
}

/// A gold file being checked against its text.
struct Check {
    place: Place,
    /// Spans of quantities so far.
    taken: Vec<Span>,
    faults: Vec<String>,
}

impl Check {
    /// Where a phrase stands, or a fault.
    fn find(&mut self, phrase: &str, nth: usize, whose: &str) -> Option<Span> {
        let span = self.place.locate(phrase, nth);
        if span.is_none() {
            self.faults.push(format!("{whose}: `{phrase}` (nth {nth}) is not in the text"));
        }
        span
    }

    fn institution(&mut self, institution: &mut GoldInstitution) {
        let name = &institution.name;
        self.find(&institution.section_start, 1, &format!("{name}: section_start"));
        for figure in &mut institution.figures {
            self.figure(name, figure);
        }
        let mut done: Vec<(MeasureCategory, Span)> = Vec::new();
        for measure in &mut institution.measures {
            let whose = format!("{name} / {} / {}", measure.category.code(), measure.anchor);
            let Some(span) = self.find(&measure.anchor, measure.nth, &whose) else { continue };
            measure.span = span;
            measure.sentence = self.place.sentence(span.start);
            let key = (measure.category, measure.sentence);
            if done.contains(&key) {
                self.faults.push(format!("{whose}: a second measure of this category in one sentence"));
            }
            done.push(key);
        }
    }

    fn figure(&mut self, name: &str, figure: &mut GoldFigure) {
        let whose = format!("{name} / {}", figure.text);
        if let Some(value) = figure.value.stated().filter(|value| !is_decimal(value)) {
            self.faults.push(format!("{whose}: value `{value}` is no plain decimal"));
        }
        let Some(span) = self.find(&figure.text, figure.nth, &whose) else { return };
        if self.taken.contains(&span) {
            self.faults.push(format!("{whose}: the same place as another figure"));
        }
        self.taken.push(span);
        figure.span = span;
    }

    /// Every run of digits lies in an entry.
    fn every_digit(&mut self) {
        let chars = self.place.chars();
        let mut at = 0;
        for run in chars.chunk_by(|a, b| is_digit(*a) == is_digit(*b)) {
            let span = Span::new(at, at + run.len());
            at = span.end;
            let held = !run.first().copied().is_some_and(is_digit) || self.taken.iter().any(|taken| taken.contains(span));
            if !held {
                let digits: String = run.iter().collect();
                self.faults.push(format!("the digits `{digits}` at {} are in no figure and no not_figures entry", span.start));
            }
        }
    }
}

/// Digits, a sign and a point only, with no zeros to spare at the end.
fn is_decimal(value: &str) -> bool {
    value.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-')) && !(value.contains('.') && value.ends_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "富平县支行发放贷款800万元,惠及农户95户。电话0913。";

    fn faults(json: &str) -> Vec<String> {
        Gold::parse(json, TEXT).err().unwrap_or_default()
    }

    #[test]
    fn phrases_are_found_and_attributes_may_stay_open() {
        let json = r#"{"institutions": [{"name": "富平县支行", "canonical_name": "富平县支行", "type": "OTHER", "section_start": "富平县",
            "measures": [{"category": "LENDING", "anchor": "发放贷款"}],
            "figures": [
                {"text": "800万元", "metric": "LOAN_DISBURSED", "value": "8000000", "kind": "MONEY", "unit": "CNY", "period": "*"},
                {"text": "95户", "metric": "*", "value": "95", "kind": "COUNT", "unit": "户", "change": null, "purposes": []}]}],
            "not_figures": [{"text": "0913", "role": "IDENTIFIER"}]}"#;
        let gold = Gold::parse(json, TEXT).unwrap();
        let bank = &gold.institutions[0];
        assert_eq!(bank.measures[0].sentence, Span::new(0, 23));
        assert_eq!(bank.figures[0].span, Span::new(9, 14));
        assert_eq!(bank.figures[0].period, Attribute::Open);
        assert_eq!(bank.figures[1].metric, Attribute::Open);
        assert_eq!(bank.figures[1].qualifier, Attribute::Stated(Qualifier::Exact));
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let json = r#"{"institutions": [{"name": "甲", "canonical_name": "甲", "type": "OTHER", "section_start": "乙",
            "measures": [{"category": "LENDING", "anchor": "发放"}, {"category": "LENDING", "anchor": "贷款"}],
            "figures": [{"text": "800万元", "metric": "LOAN_DISBURSED", "value": "8000000.0", "kind": "MONEY"}]}]}"#;
        let told = faults(json);
        assert_eq!(told.len(), 5, "{told:?}");
        assert!(told[0].contains("section_start") && told[1].contains("8000000.0") && told[2].contains("second measure"));
        assert!(told[3].contains("`95`") && told[4].contains("`0913`"));
    }

    #[test]
    fn a_word_of_no_vocabulary_is_a_fault() {
        let json = r#"{"institutions": [], "not_figures": [{"text": "800万元", "role": "SOMETHING"}]}"#;
        assert!(faults(json)[0].contains("`SOMETHING`"));
    }
}
