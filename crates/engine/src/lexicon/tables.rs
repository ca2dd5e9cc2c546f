//! The tables as rows.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::class::ClassRow;
use super::register::Register;
use super::{LexiconError, Scope, Sense, Trade};
use crate::report::{InstitutionType, MeasureCategory, Metric, Qualifier, QuantityKind};

/// What a function word does in a sentence. `grammar.toml` lists the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 累计 累放 共 合计: what follows is cumulative.
    Cumulative,
    /// 其中: what follows are parts of the total before.
    Part,
    /// 较 比: opens a comparison.
    Versus,
    /// 同比: compares with the same period a year before.
    YearOnYear,
    /// 增加 增长 上升: the number is an increase.
    Increase,
    /// 下降 减少 下浮: the number is a decrease.
    Decrease,
    /// 达 至 为: what follows is a level.
    Level,
    /// 该行 其 全行 我行: stands for the institution before.
    Anaphor,
    /// 该企业 该公司: stands for the borrower before.
    BorrowerAnaphor,
    /// 为其 该笔: a sum goes to the borrower before.
    BorrowerReference,
    /// 该产品 该险种: stands for the product before.
    ProductAnaphor,
    /// 锟斤拷 â€: what is left of characters that were lost.
    Mojibake,
    /// 向 为 对 给: opens the receiver of an act.
    Receiver,
    /// A word at which a noun phrase to its right begins or to its left ends.
    Boundary,
    /// What makes a quantity someone else's: 增加值, 销售额, 研发投入.
    Context,
    /// 下一步, 贡献: a wish or a plan.
    Slogan,
    /// 版权 转载: what a site adds below an article.
    Boilerplate,
    /// 一定 三农 四川: a word with a numeral character that is no number. `idiom.toml` lists them.
    NotANumber,
}

/// A row of `metric.toml`.
#[derive(Clone, Debug, Deserialize)]
pub struct MetricRow {
    /// The metric.
    pub code: Metric,
    /// The words that show it.
    pub forms: Vec<String>,
    /// The kinds of quantity it measures.
    pub kinds: Vec<QuantityKind>,
    /// Which cue wins when several stand near one figure: higher first.
    pub strength: u8,
}

/// A row of `category.toml`.
#[derive(Clone, Debug, Deserialize)]
pub struct CategoryRow {
    /// The category.
    pub code: MeasureCategory,
    /// The words that show it.
    pub forms: Vec<String>,
}

/// A row of `purpose.toml` or `segment.toml`.
#[derive(Clone, Debug, Deserialize)]
pub struct CodeRow {
    /// The code on the wire.
    pub code: String,
    /// The words that show it.
    pub forms: Vec<String>,
}

/// A row of products that are known by name. Only an operator's tables have any.
#[derive(Clone, Debug, Deserialize)]
pub struct ProductRow {
    /// The names.
    pub forms: Vec<String>,
}

/// A row of `unit.toml`: a unit or classifier after a number.
#[derive(Clone, Debug, Deserialize)]
pub struct Unit {
    /// As written.
    pub forms: Vec<String>,
    /// What kind of quantity it makes.
    pub kind: QuantityKind,
    /// The unit on the wire; empty: as written.
    #[serde(default)]
    pub unit: String,
    /// What the number is multiplied with.
    #[serde(default = "one", deserialize_with = "decimal")]
    pub factor: Decimal,
    /// For a form, the characters that make it the beginning of another word:
    /// 本 before 金 is no classifier.
    #[serde(default)]
    pub not_before: BTreeMap<String, String>,
    /// For a form, the characters of which one stands shortly before the number: 花费三块.
    #[serde(default)]
    pub only_after: BTreeMap<String, String>,
}

/// Where a qualifier stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Before the number, as part of the mention: 近300笔.
    Before,
    /// Before the number, as none: 最高30万元.
    Aside,
    /// Behind the unit: 3天左右.
    After,
}

/// A row of `qualifier.toml`: words that say how exactly a number is meant.
#[derive(Clone, Debug, Deserialize)]
pub struct QualifierRow {
    /// What they say.
    pub code: Qualifier,
    /// Where they stand.
    pub place: Place,
    /// The words.
    pub forms: Vec<String>,
    /// The quantities they qualify; all if empty.
    #[serde(default)]
    pub kinds: Vec<QuantityKind>,
    /// For a form, the characters behind which it is the end of another word: 预约3天.
    #[serde(default)]
    pub not_after: BTreeMap<String, String>,
    /// For a form, the characters before which it is the beginning of another word.
    #[serde(default)]
    pub not_before: BTreeMap<String, String>,
    /// For a form, the characters that it needs behind it: 上百.
    #[serde(default)]
    pub only_before: BTreeMap<String, String>,
}

impl QualifierRow {
    /// Whether `form` between two characters qualifies a quantity of this kind.
    #[must_use]
    pub fn holds(&self, form: &str, before: char, behind: char, kind: QuantityKind) -> bool {
        let lists = |guard: &BTreeMap<String, String>, c: char| guard.get(form).is_some_and(|list| list.contains(c));
        (self.kinds.is_empty() || self.kinds.contains(&kind))
            && !lists(&self.not_after, before)
            && !lists(&self.not_before, behind)
            && (!self.only_before.contains_key(form) || lists(&self.only_before, behind))
    }
}

/// A row of `institution.toml`: a head office or an institution known by name.
#[derive(Clone, Debug, Deserialize)]
pub struct HeadOffice {
    /// Its full name.
    pub name: String,
    /// Other names it goes by.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What kind of body it is.
    #[serde(rename = "type")]
    pub kind: InstitutionType,
    /// GB/T 2260 code of its seat, where the name alone tells it.
    #[serde(default)]
    pub region: String,
}

/// A row of `region.tsv`.
#[derive(Clone, Debug)]
pub struct Region {
    /// GB/T 2260 code.
    pub code: String,
    /// Full name: 察哈尔右翼前旗.
    pub name: String,
    /// Short names it goes by: 察右前旗.
    pub aliases: Vec<String>,
    /// Short names that are ordinary words as well, read only inside names: 延长.
    pub words: Vec<String>,
}

impl Region {
    /// 0 for a province, 1 for a prefecture, 2 for a county.
    #[must_use]
    pub fn level(&self) -> u8 {
        if self.code.ends_with("0000") { 0 } else { u8::from(!self.code.ends_with("00")) + 1 }
    }
}

/// What a word does in the name of an institution. `name.toml` lists the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NamePart {
    /// Ends a legal person's name: 村镇银行, 联社.
    Legal,
    /// Ends the name of a body that only a region names: 银行业协会, 银保监局.
    Public,
    /// Ends a legal person's name if a corporate form follows: 融资担保 + 有限公司.
    Trade,
    /// Ends one after a brand, with or without 公司: 南华期货.
    ShortTrade,
    /// A corporate form: 股份有限公司.
    Corporate,
    /// 银行 as the end of an unknown bank's name.
    Bank,
    /// A branch of a head office: 分行, 监管局.
    Branch,
    /// An outlet of a legal person: 分理处, 信用社.
    Outlet,
    /// An area that belongs to a name and has no code: 高新区.
    Zone,
    /// Makes a group of the noun after it: 全省, 辖内.
    Scope,
    /// Stands between a scope and its noun: 地方, 法人.
    Modifier,
    /// Stands there too, and picks some of the group: 主要, 试点.
    Qualifier,
    /// A noun of a group: 银行业金融机构.
    Group,
    /// A name can begin after it, and no name holds it: 通过.
    Border,
    /// A name can begin after it, though place names hold it: 上.
    Lead,
    /// No brand: 绿色, 基层.
    Common,
    /// Only restricts what the same form may stand next to in other tables.
    Guard,
}

/// A row of `name.toml`.
#[derive(Clone, Debug, Deserialize)]
pub struct NameWord {
    /// What the word does.
    pub part: NamePart,
    /// The words.
    pub forms: Vec<String>,
    /// The type of a body whose name ends so.
    #[serde(rename = "type")]
    pub kind: Option<InstitutionType>,
    /// The word written out; empty: as written.
    #[serde(default)]
    pub full: String,
    /// GB/T 2260 code that a scope names.
    #[serde(default)]
    pub region: String,
    /// How far a scope reaches that names no region.
    pub scope: Option<Scope>,
    /// The trade of a group.
    pub trade: Option<Trade>,
    /// Characters before which it is another word.
    #[serde(default, deserialize_with = "characters")]
    pub not_before: Vec<char>,
    /// Characters after which it is another word.
    #[serde(default, deserialize_with = "characters")]
    pub not_after: Vec<char>,
}

/// The characters of a string.
fn characters<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<char>, D::Error> {
    Ok(String::deserialize(deserializer)?.chars().collect())
}

const fn one() -> Decimal {
    Decimal::ONE
}

/// A plain decimal in a string.
fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

/// Every table in force.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// Metric cues.
    pub metrics: Vec<MetricRow>,
    /// Measure category cues.
    pub categories: Vec<CategoryRow>,
    /// Purposes.
    pub purposes: Vec<CodeRow>,
    /// Customer segments.
    pub segments: Vec<CodeRow>,
    /// Products known by name.
    pub products: Vec<ProductRow>,
    /// Units and classifiers.
    pub units: Vec<Unit>,
    /// Head offices and institutions known by name.
    pub head_offices: Vec<HeadOffice>,
    /// Words that names of institutions are made of.
    pub names: Vec<NameWord>,
    /// Regions.
    pub regions: Vec<Region>,
    /// The forms of [`Tables::categories`], split at `…`, with the category of each.
    pub category_forms: Vec<(MeasureCategory, Vec<String>)>,
    /// Row of each region code; a name in force wins over a former one.
    region_rows: BTreeMap<String, u16>,
    /// Function words.
    pub words: Vec<(Role, Vec<String>)>,
    /// Words that say how exactly a number is meant.
    pub qualifiers: Vec<QualifierRow>,
    /// Words by class.
    pub classes: Vec<ClassRow>,
    /// The operator's own institutions.
    pub register: Register,
    /// Name and text of each table, for the digest.
    pub(super) sources: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct WordRow {
    role: Role,
    forms: Vec<String>,
}

/// A table file: one array of rows under any of these names.
#[derive(Default, Deserialize)]
#[serde(default)]
struct File {
    metric: Vec<MetricRow>,
    category: Vec<CategoryRow>,
    purpose: Vec<CodeRow>,
    segment: Vec<CodeRow>,
    product: Vec<ProductRow>,
    unit: Vec<Unit>,
    institution: Vec<HeadOffice>,
    name: Vec<NameWord>,
    word: Vec<WordRow>,
    qualifier: Vec<QualifierRow>,
    class: Vec<ClassRow>,
}

macro_rules! built_in {
    ($($name:literal),*) => { &[$(($name, include_str!($name))),*] };
}

const BUILT_IN: &[(&str, &str)] = built_in![
    "metric.toml",
    "category.toml",
    "purpose.toml",
    "segment.toml",
    "unit.toml",
    "qualifier.toml",
    "number.toml",
    "institution.toml",
    "name.toml",
    "grammar.toml",
    "clause.toml",
    "act.toml",
    "noun.toml",
    "verb.toml",
    "frame.toml",
    "context.toml",
    "idiom.toml"
];
const REGIONS: (&str, &str) = ("region.tsv", include_str!("region.tsv"));

impl Tables {
    /// The tables compiled into the program.
    pub(super) fn built_in() -> Result<Self, LexiconError> {
        let mut tables = Self::default();
        for (name, text) in BUILT_IN {
            tables.add(name, text)?;
        }
        tables.add_regions(REGIONS.0, REGIONS.1)?;
        Ok(tables)
    }

    /// Adds the rows of a table file.
    pub(super) fn add(&mut self, name: &str, text: &str) -> Result<(), LexiconError> {
        let file: File = toml::from_str(text).map_err(|e| LexiconError::new(name, e))?;
        self.metrics.extend(file.metric);
        for row in file.category {
            self.category_forms.extend(row.forms.iter().map(|form| (row.code, form.split('…').map(str::to_owned).collect())));
            self.categories.push(row);
        }
        self.purposes.extend(file.purpose);
        self.segments.extend(file.segment);
        self.products.extend(file.product);
        self.units.extend(file.unit);
        self.head_offices.extend(file.institution);
        self.names.extend(file.name);
        self.words.extend(file.word.into_iter().map(|row| (row.role, row.forms)));
        self.qualifiers.extend(file.qualifier);
        self.classes.extend(file.class);
        self.sources.push((name.to_owned(), text.to_owned()));
        Ok(())
    }

    fn add_regions(&mut self, name: &str, text: &str) -> Result<(), LexiconError> {
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.is_empty()) {
            let mut cells = line.split('\t');
            let (Some(code), Some(full)) = (cells.next(), cells.next()) else {
                return Err(LexiconError::new(name, format!("line {}: want a code, a name and aliases", number + 1)));
            };
            let mut list = || cells.next().unwrap_or_default().split(' ').filter(|a| !a.is_empty()).map(str::to_owned).collect();
            let (aliases, words) = (list(), list());
            let row = u16::try_from(self.regions.len()).unwrap_or(u16::MAX);
            self.region_rows.entry(code.to_owned()).or_insert(row);
            self.regions.push(Region { code: code.to_owned(), name: full.to_owned(), aliases, words });
        }
        self.sources.push((name.to_owned(), text.to_owned()));
        Ok(())
    }

    /// How many rows each table has, for [`Tables::normalise_from`].
    pub(super) const fn lengths(&self) -> [usize; 11] {
        [
            self.metrics.len(),
            self.category_forms.len(),
            self.purposes.len(),
            self.segments.len(),
            self.products.len(),
            self.units.len(),
            self.head_offices.len(),
            self.names.len(),
            self.words.len(),
            self.qualifiers.len(),
            self.classes.len(),
        ]
    }

    /// Writes the forms of every row behind `lengths` as normalised texts have them.
    pub(super) fn normalise_from(&mut self, lengths: [usize; 11], normalised: impl Fn(&str) -> String) {
        fn behind<R>(rows: &mut [R], length: usize) -> impl Iterator<Item = &mut R> {
            rows.iter_mut().skip(length)
        }
        let [metrics, categories, purposes, segments, products, units, offices, names, words, qualifiers, classes] = lengths;
        let all = (behind(&mut self.metrics, metrics).flat_map(|row| &mut row.forms))
            .chain(behind(&mut self.category_forms, categories).flat_map(|(_, parts)| parts))
            .chain(behind(&mut self.purposes, purposes).flat_map(|row| &mut row.forms))
            .chain(behind(&mut self.segments, segments).flat_map(|row| &mut row.forms))
            .chain(behind(&mut self.products, products).flat_map(|row| &mut row.forms))
            .chain(behind(&mut self.head_offices, offices).flat_map(|row| std::iter::once(&mut row.name).chain(&mut row.aliases)))
            .chain(behind(&mut self.names, names).flat_map(|row| &mut row.forms))
            .chain(behind(&mut self.words, words).flat_map(|(_, forms)| forms))
            .chain(behind(&mut self.qualifiers, qualifiers).flat_map(|row| &mut row.forms))
            .chain(behind(&mut self.classes, classes).flat_map(|row| &mut row.forms));
        all.for_each(|form| *form = normalised(form));
        for unit in behind(&mut self.units, units) {
            unit.forms.iter_mut().for_each(|form| *form = normalised(form));
            for guard in [&mut unit.not_before, &mut unit.only_after] {
                *guard = guard.iter().map(|(form, next)| (normalised(form), next.clone())).collect();
            }
        }
    }

    /// The region with this code.
    #[must_use]
    pub fn region(&self, code: &str) -> Option<&Region> {
        self.region_rows.get(code).and_then(|&row| self.regions.get(usize::from(row)))
    }

    /// Every form with its sense.
    pub(super) fn forms(&self) -> Vec<(&str, Sense)> {
        fn rows<'a, R>(out: &mut Vec<(&'a str, Sense)>, rows: &'a [R], forms: impl Fn(&'a R) -> Vec<&'a str>, sense: fn(u16) -> Sense) {
            for (i, row) in rows.iter().enumerate() {
                let sense = sense(u16::try_from(i).unwrap_or(u16::MAX));
                out.extend(forms(row).into_iter().map(|form| (form, sense)));
            }
        }
        fn all(forms: &[String]) -> Vec<&str> {
            forms.iter().map(String::as_str).collect()
        }
        fn named<'a>(name: &'a str, aliases: &'a [String]) -> Vec<&'a str> {
            std::iter::once(name).chain(aliases.iter().map(String::as_str)).collect()
        }
        let mut out = Vec::new();
        rows(&mut out, &self.metrics, |r| all(&r.forms), Sense::Metric);
        for ((code, parts), form) in self.category_forms.iter().zip(0..) {
            let sense = |part| if parts.len() == 1 { Sense::Cue(*code) } else { Sense::Category(form, part) };
            out.extend(parts.iter().zip(0..).map(|(part, n)| (part.as_str(), sense(n))));
        }
        rows(&mut out, &self.purposes, |r| all(&r.forms), Sense::Purpose);
        rows(&mut out, &self.segments, |r| all(&r.forms), Sense::Segment);
        out.extend(self.products.iter().flat_map(|row| &row.forms).map(|form| (form.as_str(), Sense::Product)));
        rows(&mut out, &self.units, |r| all(&r.forms), Sense::Unit);
        rows(&mut out, &self.head_offices, |r| named(&r.name, &r.aliases), Sense::HeadOffice);
        rows(&mut out, &self.regions, |r| named(&r.name, &r.aliases), Sense::Region);
        rows(&mut out, &self.regions, |r| all(&r.words), Sense::RegionWord);
        rows(&mut out, &self.names, |r| all(&r.forms), Sense::Name);
        for (index, row) in (0..).zip(self.register.rows()) {
            out.extend(row.forms.iter().map(|form| (form.as_str(), Sense::Registered(index))));
        }
        for (role, forms) in &self.words {
            out.extend(forms.iter().map(|form| (form.as_str(), Sense::Role(*role))));
        }
        rows(&mut out, &self.qualifiers, |r| all(&r.forms), Sense::Qualifier);
        for row in &self.classes {
            out.extend(row.forms.iter().map(|form| (form.as_str(), Sense::Class(row.name))));
        }
        out
    }
}
