//! Reads a bulletin (简报) of a Chinese bank, banking association, insurer or regulator: text in, [`Report`]
//! out. Pure: no I/O, clock or environment; the same text and operator's files give byte for byte the same report.
//!
//! ```
//! use jianbao_engine::{Bulletin, Engine};
//!
//! let text = "截至2021年6月末,平利县农村商业银行茶产业贷款余额较年初增加2100万元。".to_owned();
//! let report = Engine::new()?.extract(&Bulletin { text, ..Bulletin::default() });
//! let bank = &report.institutions[0];
//! assert_eq!(bank.institution.region_code, "610926");
//! let figure = &bank.measures[0].figures[0];
//! assert_eq!((figure.metric.code(), figure.value.as_str(), figure.label.as_str()), ("LOAN_BALANCE", "21000000", "茶产业贷款余额"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The line
//!
//! [`Engine::extract`] is a row of stages. Each is a free function that returns a value and changes nothing it was given:
//!
//! ```text
//! Bulletin ─▶ SourceText ─▶ Hits ─▶ dates, quantities, institutions, names ─▶ Tokens ─▶ Outline
//!          ─▶ Discourse ─▶ Reading ─▶ cues ─▶ facts and acts ─▶ ledger, measures, figures ─▶ findings ─▶ Report
//! ```
//!
//! What an operator adds, a register of institutions and words of his own, comes as [`OperatorText`]; what is wrong with it
//! comes back as [`Problems`], all of it, with file and line. Reading itself cannot fail: doubt becomes a finding.

mod assemble;
mod attribute;
mod audit;
mod discourse;
#[doc(hidden)]
pub mod lexicon;
mod lists;
mod measure;
mod mood;
mod outline;
mod reading;
#[doc(hidden)]
pub mod recognize;
pub mod report;
#[doc(hidden)]
pub mod source;
#[doc(hidden)]
pub mod token;
mod words;

pub use lexicon::{LexiconError, OperatorText, Problems, SourceFile};

use lexicon::general::Pos;
use lists::Placed;
use reading::Reading;
use recognize::date::Day;
use report::{EngineInfo, InstitutionType, Report};
use sha2::{Digest as _, Sha256};
use source::{Glyphs, SourceText};
use token::{Fixed, Tokens};

/// The digest of this engine's own rules, lists and tables; part of `lexicon_digest`.
pub const SOURCES_DIGEST: &str = env!("JIANBAO_ENGINE_DIGEST");

/// A bulletin as the caller sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bulletin {
    /// The caller's identifier, echoed in the report.
    pub id: String,
    /// The text to read.
    pub text: String,
    /// Wins over what the text says; empty if not known.
    pub publisher: String,
    /// `YYYY-MM-DD`; wins over what the text says; empty if not known.
    pub published_on: String,
    /// Where the text came from; not read.
    pub source_uri: String,
}

/// Reads bulletins with one lexicon. Cheap to share, safe to call from any thread.
#[derive(Debug)]
pub struct Engine {
    lexicon: lexicon::Lexicon,
}

impl Engine {
    /// The engine with the built-in lexicon.
    ///
    /// # Errors
    /// When a table of the lexicon does not load.
    pub fn new() -> Result<Self, LexiconError> {
        Ok(Self { lexicon: lexicon::Lexicon::load()? })
    }

    /// The engine with the built-in lexicon and what an operator adds to it.
    ///
    /// # Errors
    /// All problems of the operator's files, with their lines.
    pub fn with(operator: &OperatorText) -> Result<Self, Problems> {
        let mut lexicon = lexicon::Lexicon::with(operator)?;
        let readings = recognize::institution::readings(&lexicon);
        lexicon.complete_register(readings);
        Ok(Self { lexicon })
    }

    /// The words in force.
    #[must_use]
    pub const fn lexicon(&self) -> &lexicon::Lexicon {
        &self.lexicon
    }

    /// Reads one bulletin. Cannot fail: what is in doubt becomes a finding.
    #[must_use]
    pub fn extract(&self, bulletin: &Bulletin) -> Report {
        let mut report = Report {
            bulletin_id: bulletin.id.clone(),
            publisher: bulletin.publisher.clone(),
            published_on: bulletin.published_on.clone(),
            engine: EngineInfo { version: env!("CARGO_PKG_VERSION").to_owned(), lexicon_digest: self.lexicon.digest().to_owned() },
            text_sha256: lexicon::hex(&Sha256::digest(&bulletin.text)),
            ..Report::default()
        };
        let lexicon = &self.lexicon;
        let source = SourceText::new(&bulletin.text);
        let hits = lexicon.scan(&source);
        let published = Day::parse(&bulletin.published_on).or_else(|| outline::published_on(&source));
        let openers = recognize::openers::Openers::find(&source);
        let dates = recognize::date::dates(&source, &openers, published);
        let taken: Vec<Glyphs> = dates.iter().map(|d| d.range.clone()).collect();
        let mut quantities = recognize::quantity::quantities(&source, &openers, &hits, lexicon, &taken);
        recognize::fraction::shares(&source, &hits, lexicon, &mut quantities);
        let (institutions, groups) = recognize::institution::institutions_and_groups(&source, &hits, lexicon);
        let borrowers = recognize::name::borrowers(&source, &openers, &hits, lexicon, &institutions);
        let products = recognize::name::products(&source, &hits);
        // 全市银行业金融机构 is no name: its words are words.
        let named = institutions.iter().filter(|mention| mention.kind != InstitutionType::BankingSector);
        let fixed = Fixed::default()
            .with(taken.iter().cloned(), Pos::Time)
            .with(quantities.iter().map(|quantity| quantity.range.clone()), Pos::Number)
            .with(named.map(|mention| mention.range.clone()), Pos::Organisation)
            .with(borrowers.iter().map(|borrower| borrower.range.clone()), Pos::Organisation);
        let tokens = Tokens::new(&source, &hits, lexicon, fixed);
        let outline = outline::outline(&source, outline::Marks { dates: &dates, quantities: &quantities, institutions: &institutions });
        outline::table::units(&source, &outline, &hits, lexicon, &mut quantities);
        let discourse = discourse::discourse(
            &source,
            &hits,
            lexicon,
            &outline,
            discourse::Marks { institutions: &institutions, groups: &groups, borrowers: &borrowers, dates: &dates },
        );
        let named = Placed::new(&institutions, source.len(), |mention| mention.range.start);
        let moods = mood::Moods::find(mood::Text { source: &source, hits: &hits, lexicon, outline: &outline, institutions: &named });
        let places = institutions.iter().map(|m| &m.range).chain(borrowers.iter().map(|b| &b.range));
        let mut names: Vec<Glyphs> = taken.iter().chain(places).cloned().collect();
        names.sort_by_key(|name| name.start);
        let reading = Reading {
            source: &source,
            lexicon,
            hits: &hits,
            tokens: &tokens,
            dates: Placed::new(&dates, source.len(), |date| date.range.start),
            quantities: Placed::new(&quantities, source.len(), |quantity| quantity.core.start),
            institutions: named,
            borrowers: Placed::new(&borrowers, source.len(), |borrower| borrower.range.start),
            names: &names,
            products: Placed::new(&products, source.len(), |product| product.range.start),
            outline: &outline,
            discourse: &discourse,
            published,
            moods: &moods,
        };
        let cues = measure::cues(&reading);
        let attribution = attribute::attribute(&reading, &cues);
        assemble::masthead(&reading, &mut report);
        assemble::assemble(&reading, attribution, &cues, &mut report);
        report
    }
}
