//! Whole bulletins as drawings: the text with its numbers in brackets, and under each line what was
//! read in it. A figure stands in ⟦ ⟧, any other number in ⟨ ⟩.
//!
//! `JIANBAO_DRAW=1 cargo test --test it bulletins` draws them anew; look at the difference before keeping it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use jianbao_engine::report::{Figure, InstitutionReport, Measure, QuantityRole, Report, Span};

use super::invariants::{hold, report};
use super::texts::texts;

#[test]
fn bulletins_read_as_drawn() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/bulletins");
    let anew = std::env::var_os("JIANBAO_DRAW").is_some();
    let mut differ = String::new();
    let mut drawn = 0;
    for (name, text) in texts(&folder) {
        if folder.join(format!("{name}.gold.json")).exists() {
            continue;
        }
        hold(&text).unwrap_or_else(|broken| panic!("{name}: {broken}"));
        let drawing = draw(&text, &report(&text));
        let path = folder.join(format!("{name}.drawn"));
        if anew {
            fs::write(&path, &drawing).expect("the drawing can be kept");
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        drawn += 1;
        let at = kept
            .lines()
            .zip(drawing.lines())
            .position(|(kept, now)| kept != now)
            .unwrap_or_else(|| kept.lines().count().min(drawing.lines().count()));
        if kept != drawing {
            let line = |text: &str| text.lines().nth(at).unwrap_or_default().to_owned();
            let _ = writeln!(differ, "{name}.drawn, line {}:\n  kept {}\n  now  {}", at + 1, line(&kept), line(&drawing));
        }
    }
    assert!(drawn >= 4);
    assert!(differ.is_empty(), "{differ}");
}

/// The drawing of a text and its report, whose spans are bytes.
fn draw(text: &str, report: &Report) -> String {
    let mut out = format!("title {:?}, publisher {:?}, published on {:?}\n", report.title, report.publisher, report.published_on);
    for InstitutionReport { institution: i, heading, .. } in &report.institutions {
        let kind = i.kind.map(|kind| format!("{kind:?}")).unwrap_or_default();
        let _ = writeln!(
            out,
            "institution {:?} = {:?}, {kind}, of {:?}, {} {}, under {heading:?}",
            i.name, i.canonical_name, i.head_office, i.region_code, i.region_name
        );
    }
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let here = Span::new(start, start + line.len());
        start = here.end;
        let _ = writeln!(out, "\n| {}", bracketed(line.trim_end_matches(['\n', '\r']), here.start, report));
        for (institution, measure) in report
            .institutions
            .iter()
            .flat_map(|i| i.measures.iter().map(move |m| (i, m)))
            .filter(|(_, m)| (here.start..here.end).contains(&m.span.start))
        {
            draw_measure(&mut out, institution, measure);
        }
        for (institution, figure) in
            report.institutions.iter().flat_map(|i| i.figures.iter().map(move |f| (i, f))).filter(|(_, f)| here.contains(f.span))
        {
            let _ = writeln!(out, "  no act · {}", institution.institution.name);
            draw_figure(&mut out, figure);
        }
        for finding in report.findings.iter().filter(|f| f.spans.first().is_some_and(|span| here.contains(*span))) {
            let _ = writeln!(
                out,
                "  {:?} {:?}: {}, stated {:?}, expected {:?}",
                finding.severity, finding.code, finding.message, finding.stated, finding.expected
            );
        }
    }
    out
}

/// A line that begins at byte `start`, with the numbers of the ledger in brackets.
fn bracketed(line: &str, start: usize, report: &Report) -> String {
    let mut out = String::new();
    let mut at = 0;
    for quantity in report.quantities.iter().filter(|q| q.span.start >= start && q.span.end <= start + line.len()) {
        let (from, to) = (quantity.span.start - start, quantity.span.end - start);
        let (open, close) = if quantity.role == QuantityRole::Figure { ('⟦', '⟧') } else { ('⟨', '⟩') };
        let _ = write!(out, "{}{open}{}{close}", &line[at..from], &line[from..to]);
        at = to;
    }
    out + &line[at..]
}

fn draw_measure(out: &mut String, institution: &InstitutionReport, measure: &Measure) {
    let _ = write!(out, "  {:?} · {} · {}", measure.category, institution.institution.name, one_line(&measure.text));
    listed(out, "for", &measure.purposes);
    listed(out, "to", &measure.segments);
    named(out, "product", &measure.product);
    if measure.planned {
        out.push_str(", planned");
    }
    out.push('\n');
    for figure in &measure.figures {
        draw_figure(out, figure);
    }
}

fn draw_figure(out: &mut String, figure: &Figure) {
    let _ = write!(out, "    {} ⟦{}⟧ {:?} {:?} = {}", figure.id, one_line(&figure.text), figure.metric, figure.label, figure.value);
    if !figure.upper_value.is_empty() {
        let _ = write!(out, " to {}", figure.upper_value);
    }
    let _ = write!(out, " {:?}", figure.kind);
    named(out, "in", &figure.unit);
    let _ = write!(out, ", {:?}", figure.qualifier);
    if figure.cumulative {
        out.push_str(", cumulative");
    }
    if figure.planned {
        out.push_str(", planned");
    }
    if let Some(period) = &figure.period {
        let _ = write!(out, ", {}..{}", period.start, period.end);
    }
    if let Some(change) = &figure.change {
        let _ = write!(out, ", {:?} since {:?}", change.direction, change.baseline);
    }
    named(out, "part of", &figure.part_of);
    named(out, "got by", &figure.beneficiary);
    named(out, "product", &figure.product);
    listed(out, "for", &figure.purposes);
    listed(out, "to", &figure.segments);
    out.push('\n');
}

fn named(out: &mut String, what: &str, name: &str) {
    if !name.is_empty() {
        let _ = write!(out, ", {what} {name}");
    }
}

fn listed(out: &mut String, what: &str, codes: &[String]) {
    if !codes.is_empty() {
        let _ = write!(out, ", {what} {}", codes.join("+"));
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], "⏎")
}
