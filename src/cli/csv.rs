//! Reports as CSV: one row for each figure.

use std::io::{self, Write};

use csv::Writer;

use jianbao_engine::report::{ChangeDirection, Figure, Institution, InstitutionType, MeasureCategory, Report};

/// Stands between the codes of one cell.
const BETWEEN_CODES: &str = "|";

const HEADER: &[&str] = &[
    "bulletin",
    "institution",
    "canonical_name",
    "type",
    "region_code",
    "category",
    "metric",
    "label",
    "value",
    "upper_value",
    "unit",
    "kind",
    "qualifier",
    "cumulative",
    "period_start",
    "period_end",
    "change_direction",
    "change_baseline",
    "product",
    "beneficiary",
    "purposes",
    "segments",
    "id",
    "part_of",
    "text",
    "start",
    "end",
    "planned",
    "uncertain_fields",
];

/// The row of column names.
///
/// # Errors
/// When it cannot be written.
pub fn write_header(out: &mut dyn Write) -> io::Result<()> {
    let mut rows = Writer::from_writer(out);
    rows.write_record(HEADER)?;
    rows.flush()
}

/// A row for each figure of `report`, by institution and measure.
///
/// # Errors
/// When they cannot be written.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = Writer::from_writer(out);
    for institution in &report.institutions {
        let owner = &institution.institution;
        for measure in &institution.measures {
            for figure in &measure.figures {
                rows.write_record(cells(&report.bulletin_id, owner, Some(measure.category), figure).map(harmless))?;
            }
        }
        for figure in &institution.figures {
            rows.write_record(cells(&report.bulletin_id, owner, None, figure).map(harmless))?;
        }
    }
    rows.flush()
}

/// A cell that a spreadsheet does not take for a formula: only a number may begin with a sign.
fn harmless(cell: String) -> String {
    let number = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == '.');
    let formula = match cell.chars().next() {
        Some('+' | '-') => !number(cell.get(1..).unwrap_or_default()),
        Some('=' | '@' | '\t' | '\r') => true,
        _ => false,
    };
    if formula { format!("'{cell}") } else { cell }
}

/// The cells of one row, in the order of [`HEADER`].
fn cells(bulletin: &str, owner: &Institution, category: Option<MeasureCategory>, figure: &Figure) -> [String; HEADER.len()] {
    let (period, change) = (figure.period.clone().unwrap_or_default(), figure.change.as_ref());
    [
        bulletin.to_owned(),
        owner.name.clone(),
        owner.canonical_name.clone(),
        owner.kind.map_or("", InstitutionType::code).to_owned(),
        owner.region_code.clone(),
        category.map_or("", MeasureCategory::code).to_owned(),
        figure.metric.code().to_owned(),
        figure.label.clone(),
        figure.value.clone(),
        figure.upper_value.clone(),
        figure.unit.clone(),
        figure.kind.code().to_owned(),
        figure.qualifier.code().to_owned(),
        figure.cumulative.to_string(),
        period.start,
        period.end,
        change.map(|change| change.direction).map_or("", ChangeDirection::code).to_owned(),
        change.map(|change| change.baseline.clone()).unwrap_or_default(),
        figure.product.clone(),
        figure.beneficiary.clone(),
        figure.purposes.join(BETWEEN_CODES),
        figure.segments.join(BETWEEN_CODES),
        figure.id.clone(),
        figure.part_of.clone(),
        figure.text.clone(),
        figure.span.start.to_string(),
        figure.span.end.to_string(),
        figure.planned.to_string(),
        figure.uncertain_fields.join(BETWEEN_CODES),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_a_formula() {
        for (cell, written) in
            [("=1+1", "'=1+1"), ("@a", "'@a"), ("-cmd", "'-cmd"), ("+86", "+86"), ("-3.2", "-3.2"), ("a=b", "a=b"), ("", "")]
        {
            assert_eq!(harmless(cell.to_owned()), written);
        }
    }
}
