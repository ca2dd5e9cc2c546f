//! How well a report agrees with what an annotator wrote down by hand.
//!
//! A *gold file* holds what a careful reader finds in a bulletin: its institutions, their measures
//! and figures, the findings. [`Gold::parse`] reads and checks one, [`score`] lays a [`Report`] beside
//! it and counts into a [`Tally`], and [`Tally::scores`] gives precision, recall and F1 for
//! institutions, figures and measures, and an accuracy for each attribute of a figure.
//!
//! ```
//! use jianbao_engine::{Bulletin, Engine, report::OffsetEncoding};
//! use jianbao_evaluate::{Gold, Tally, score};
//!
//! let text = "渭南市分行累计发放春耕贷款3200万元。";
//! let json = r#"{"institutions": [], "not_figures": [{"text": "3200万元", "role": "CONTEXT"}]}"#;
//! let gold = Gold::parse(json, text).map_err(|faults| faults.join("\n"))?;
//!
//! let mut report = Engine::new()?.extract(&Bulletin { text: text.to_owned(), ..Bulletin::default() });
//! report.encode_offsets(text, OffsetEncoding::Utf32);
//! let mut tally = Tally::default();
//! score(text, &gold, &report, &mut tally);
//! assert_eq!(tally.scores().invariants_broken, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod figures;
mod gold;
mod invariants;
mod matching;
mod place;
mod ratio;
mod tally;
#[cfg(test)]
mod tests;

pub use gold::{Attribute, Gold, GoldChange, GoldFigure, GoldFinding, GoldInstitution, GoldMeasure, GoldPeriod, NotAFigure};
pub use ratio::Ratio;
pub use tally::{Score, Scores, Tally};

use jianbao_engine::report::Report;
use place::Place;

/// Lays `report` beside `gold` and counts what agrees into `tally`.
///
/// The report's offsets must count Unicode code points of `text`.
pub fn score(text: &str, gold: &Gold, report: &Report, tally: &mut Tally) {
    let place = Place::new(text, gold.wrapped);
    tally.broken.extend(invariants::broken(&place, report));
    matching::score(&place, gold, report, tally);
}
