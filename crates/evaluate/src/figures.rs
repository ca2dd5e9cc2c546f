//! The figures of a report in one row, whichever measure they stand under.

use jianbao_engine::report::{Figure, MeasureCategory, Report};

/// A figure with what it stands under.
#[derive(Clone, Copy, Debug)]
pub struct Placed<'r> {
    /// Index of its institution.
    pub owner: usize,
    /// The category of its measure, if it has one.
    pub category: Option<MeasureCategory>,
    /// The product of its measure.
    pub measure_product: &'r str,
    /// The figure itself.
    pub figure: &'r Figure,
}

/// All figures: by institution, those under measures first.
pub fn placed(report: &Report) -> Vec<Placed<'_>> {
    let mut out = Vec::new();
    for (owner, institution) in report.institutions.iter().enumerate() {
        for measure in &institution.measures {
            let place = |figure| Placed { owner, category: Some(measure.category), measure_product: &measure.product, figure };
            out.extend(measure.figures.iter().map(place));
        }
        out.extend(institution.figures.iter().map(|figure| Placed { owner, category: None, measure_product: "", figure }));
    }
    out
}
