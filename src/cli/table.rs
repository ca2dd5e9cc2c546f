//! Reports as a page for a person: by institution, its measures, their figures under them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::style::{Paint, clip, left, one_line, right, width};
use jianbao_engine::report::{
    Change, ChangeDirection, Derivation, Figure, Finding, InstitutionReport, Measure, Period, Qualifier, QuantityRole, Report,
};

/// Columns of a measure's words.
const MEASURE_COLUMNS: usize = 88;
/// Most columns of a figure's label.
const LABEL_COLUMNS: usize = 28;
/// Most columns of a figure as written.
const SURFACE_COLUMNS: usize = 24;

/// What a page shows besides the facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Colours.
    pub paint: Paint,
    /// The rules and words behind each measure and figure.
    pub explain: bool,
}

/// Prints `report`, which was read from `text` and whose offsets are still bytes.
///
/// # Errors
/// When it cannot be written.
pub fn write(report: &Report, text: &str, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let page = Page { style, widths: Widths::of(report), totals: totals(report) };
    page.head(report, out)?;
    for institution in &report.institutions {
        page.institution(institution, out)?;
    }
    page.ledger(report, out)?;
    page.findings(&report.findings, text, out)
}

/// A figure's cells: as written, its value, what it measures, of what, and the rest.
struct Row {
    surface: String,
    value: String,
    metric: String,
    label: String,
    notes: String,
}

/// Columns of each cell, the same over a whole report so that the eye can run down it.
#[derive(Default)]
struct Widths {
    surface: usize,
    value: usize,
    metric: usize,
    label: usize,
}

impl Widths {
    fn of(report: &Report) -> Self {
        let mut widths = Self::default();
        for figure in figures(report) {
            let row = row(figure, &BTreeMap::new());
            widths.surface = widths.surface.max(width(&row.surface));
            widths.value = widths.value.max(width(&row.value));
            widths.metric = widths.metric.max(width(&row.metric));
            widths.label = widths.label.max(width(&row.label));
        }
        widths
    }
}

/// All figures of a report.
fn figures(report: &Report) -> impl Iterator<Item = &Figure> {
    report.institutions.iter().flat_map(|institution| {
        let acts = institution.measures.iter().flat_map(|measure| &measure.figures);
        acts.chain(&institution.figures)
    })
}

/// The figures that others are parts of, as written, by their ids.
fn totals(report: &Report) -> BTreeMap<&str, &str> {
    figures(report).map(|figure| (figure.id.as_str(), figure.text.as_str())).collect()
}

struct Page<'r> {
    style: Style,
    widths: Widths,
    totals: BTreeMap<&'r str, &'r str>,
}

impl Page<'_> {
    fn head(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let paint = self.style.paint;
        let measures: usize = report.institutions.iter().map(|institution| institution.measures.len()).sum();
        let counts = [
            counted(report.institutions.len(), "institution"),
            counted(measures, "measure"),
            counted(figures(report).count(), "figure"),
            counted(report.findings.len(), "finding"),
        ];
        let title = one_line(&report.title);
        let (title, name) =
            if title.is_empty() { (report.bulletin_id.clone(), String::new()) } else { (title, report.bulletin_id.clone()) };
        writeln!(out, "{}", paint.bold(&title))?;
        let facts = [name, report.published_on.clone(), one_line(&report.publisher), counts.join(", ")];
        let facts: Vec<String> = facts.into_iter().filter(|fact| !fact.is_empty()).collect();
        writeln!(out, "{}", paint.dim(&facts.join(" · ")))
    }

    fn institution(&self, report: &InstitutionReport, out: &mut dyn Write) -> io::Result<()> {
        let (paint, who) = (self.style.paint, &report.institution);
        let full = if who.canonical_name == who.name { "" } else { &who.canonical_name };
        let kind = who.kind.map_or_else(String::new, |kind| words(kind.code()));
        let region = format!("{} {}", who.region_code, who.region_name);
        let facts = [full, &kind, region.trim(), &who.register_id];
        let facts: Vec<&str> = facts.into_iter().filter(|fact| !fact.is_empty()).collect();
        writeln!(out, "\n{}  {}", paint.bold(&one_line(&who.name)), paint.dim(&facts.join(" · ")))?;
        for measure in &report.measures {
            self.measure(measure, out)?;
        }
        if !report.figures.is_empty() {
            writeln!(out, "  {}", paint.cyan("other figures"))?;
        }
        report.figures.iter().try_for_each(|figure| self.figure(figure, out))
    }

    fn measure(&self, measure: &Measure, out: &mut dyn Write) -> io::Result<()> {
        let paint = self.style.paint;
        let said = clip(&one_line(&measure.text), MEASURE_COLUMNS);
        let notes = [if measure.planned { "planned".to_owned() } else { String::new() }, doubts(&measure.uncertain_fields)];
        let notes: Vec<String> = notes.into_iter().filter(|note| !note.is_empty()).collect();
        let line = format!("  {}  {said}  {}", paint.cyan(&left(&words(measure.category.code()), 22)), paint.dim(&notes.join(", ")));
        writeln!(out, "{}", line.trim_end())?;
        let cue = measure.text.get(measure.cue.clone()).unwrap_or_default();
        self.step("category_cue", cue, out)?;
        measure.figures.iter().try_for_each(|figure| self.figure(figure, out))
    }

    fn figure(&self, figure: &Figure, out: &mut dyn Write) -> io::Result<()> {
        let (paint, widths, row) = (self.style.paint, &self.widths, row(figure, &self.totals));
        let surface = left(&row.surface, widths.surface);
        let value = paint.green(&right(&row.value, widths.value));
        let (metric, label) = (left(&row.metric, widths.metric), left(&row.label, widths.label));
        let line = format!("    {surface}  {value}  {metric}  {label}  {}", paint.dim(&row.notes));
        writeln!(out, "{}", line.trim_end())?;
        self.derivation(&figure.derivation, out)
    }

    fn derivation(&self, derivation: &Derivation, out: &mut dyn Write) -> io::Result<()> {
        derivation.steps.iter().try_for_each(|(rule, evidence)| self.step(rule, evidence, out))
    }

    /// A rule and the words that gave what it gave, where that is asked for.
    fn step(&self, rule: &str, evidence: &str, out: &mut dyn Write) -> io::Result<()> {
        if !self.style.explain {
            return Ok(());
        }
        let step = format!("      ← {}  {}", rule.replace('_', " "), one_line(evidence));
        writeln!(out, "{}", self.style.paint.dim(step.trim_end()))
    }

    /// How many numbers the text holds, by the part they play.
    fn ledger(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let count = |role: QuantityRole| report.quantities.iter().filter(|quantity| quantity.role == role).count();
        let roles: Vec<String> = QuantityRole::ALL
            .iter()
            .filter(|role| count(**role) > 0)
            .map(|role| format!("{} {}", words(role.code()), count(*role)))
            .collect();
        let total = counted(report.quantities.len(), "number");
        let line = if roles.is_empty() { total } else { format!("{total} in the text: {}", roles.join(", ")) };
        writeln!(out, "\n{}", self.style.paint.dim(&line))
    }

    fn findings(&self, findings: &[Finding], text: &str, out: &mut dyn Write) -> io::Result<()> {
        for finding in findings {
            let cut = |span: &jianbao_engine::report::Span| text.get(span.start..span.end).map(|cut| format!("“{}”", one_line(cut)));
            let places: Vec<String> = finding.spans.iter().filter_map(cut).collect();
            let code = self.style.paint.yellow(&words(finding.code.code()));
            let mut line = format!("{} {code}: {}", words(finding.severity.code()), one_line(&finding.message));
            if !places.is_empty() {
                let _ = write!(line, " {}", places.join(" "));
            }
            if !finding.stated.is_empty() || !finding.expected.is_empty() {
                let _ = write!(line, " (stated {}, expected {})", or_nothing(&finding.stated), or_nothing(&finding.expected));
            }
            writeln!(out, "{line}")?;
        }
        Ok(())
    }
}

fn row(figure: &Figure, totals: &BTreeMap<&str, &str>) -> Row {
    let period = figure.period.as_ref().map(days).unwrap_or_default();
    let total = totals.get(figure.part_of.as_str()).map(|total| format!("of {}", one_line(total))).unwrap_or_default();
    let named = |prefix: &str, name: &str| if name.is_empty() { String::new() } else { format!("{prefix}{}", one_line(name)) };
    let notes = [
        period,
        figure.change.as_ref().map(change).unwrap_or_default(),
        if figure.cumulative { "cumulative".to_owned() } else { String::new() },
        if figure.planned { "planned".to_owned() } else { String::new() },
        total,
        named("to ", &figure.beneficiary),
        named("product ", &figure.product),
        figure.purposes.join(" "),
        figure.segments.join(" "),
        doubts(&figure.uncertain_fields),
    ];
    let notes: Vec<String> = notes.into_iter().filter(|note| !note.is_empty()).collect();
    Row {
        surface: clip(&one_line(&figure.text), SURFACE_COLUMNS),
        value: value(figure),
        metric: words(figure.metric.code()),
        label: clip(&one_line(&figure.label), LABEL_COLUMNS),
        notes: notes.join(", "),
    }
}

/// `over 400,000,000 CNY`.
fn value(figure: &Figure) -> String {
    let qualifier = match figure.qualifier {
        Qualifier::Exact => String::new(),
        other => format!("{} ", words(other.code())),
    };
    let upper = if figure.upper_value.is_empty() { String::new() } else { format!("–{}", grouped(&figure.upper_value)) };
    format!("{qualifier}{}{upper} {}", grouped(&figure.value), figure.unit)
}

/// A decimal with commas between thousands.
fn grouped(value: &str) -> String {
    let (whole, fraction) = value.split_once('.').map_or((value, None), |(whole, fraction)| (whole, Some(fraction)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut out = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        let _ = write!(out, ".{fraction}");
    }
    out
}

fn days(period: &Period) -> String {
    match (period.start.as_str(), period.end.as_str()) {
        ("", "") => one_line(&period.text),
        ("", end) => format!("to {end}"),
        (start, "") => format!("from {start}"),
        (start, end) if start == end => format!("on {start}"),
        (start, end) => format!("{start} to {end}"),
    }
}

fn change(change: &Change) -> String {
    let arrow = match change.direction {
        ChangeDirection::Increase => "up",
        ChangeDirection::Decrease => "down",
    };
    if change.baseline.is_empty() { arrow.to_owned() } else { format!("{arrow} since {}", change.baseline) }
}

/// What a person should look at first.
fn doubts(fields: &[String]) -> String {
    if fields.is_empty() { String::new() } else { format!("in doubt: {}", fields.join(" ")) }
}

/// A code in words: `LOAN_BALANCE` is `loan balance`.
fn words(code: &str) -> String {
    code.to_lowercase().replace('_', " ")
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn or_nothing(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let cases = [("58350000", "58,350,000"), ("-1234.5678", "-1,234.5678"), ("100", "100"), ("0.06", "0.06")];
        for (plain, apart) in cases {
            assert_eq!(grouped(plain), apart);
        }
    }
}
