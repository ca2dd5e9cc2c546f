//! Facts and acts to a report: the ledger, sections, institutions.

use std::mem::take;

use rust_decimal::Decimal;

use super::attribute::{Attribution, Fact, iso};
use super::audit::{self, Case, Restated};
use super::discourse::Entity;
use super::measure::{Act, Cue, acts};
use super::reading::Reading;
use super::recognize::date::{DateMention, DateShape};
use super::recognize::quantity::QuantityMention;
use super::report::{
    COPIED_CHARS, ChangeDirection, Figure, Institution, InstitutionReport, Measure, MeasureCategory, Metric, Qualifier, Quantity,
    QuantityKind, QuantityRole, Report, Span, clip,
};
use super::source::Glyphs;

/// Fills a report from what was read.
pub fn assemble(reading: &Reading<'_, '_>, mut attribution: Attribution, cues: &[Cue], report: &mut Report) {
    let restated = Restated::new(reading, &attribution.roles);
    headings(reading, &restated, &mut attribution);
    for fact in &attribution.facts {
        if let Some(role) = attribution.roles.get_mut(fact.quantity) {
            *role = if fact.owner.is_some() { QuantityRole::Figure } else { QuantityRole::Unattributed };
        }
    }
    let index_of = ledger(reading, &attribution.roles, report);
    let acts = acts(reading, cues, &attribution.facts);
    let reporters = reporters(reading, &attribution.facts, &acts);
    let case =
        Case { reading, restated: &restated, facts: &attribution.facts, roles: &attribution.roles, reporters: !reporters.is_empty() };
    report.findings = audit::audit(&case);
    let mut writer = Writer { reading, facts: attribution.facts, acts: &acts, index_of: &index_of };
    report.institutions = reporters.iter().map(|owned| writer.institution(owned)).collect();
}

/// A number in a heading that the body does not state again is a figure.
fn headings(reading: &Reading<'_, '_>, restated: &Restated<'_>, attribution: &mut Attribution) {
    let lone: Vec<usize> = attribution
        .roles
        .iter()
        .enumerate()
        .filter(|(i, role)| {
            **role == QuantityRole::Heading && reading.quantities.get(*i).is_some_and(|q| restated.find(reading, q, *i).is_none())
        })
        .map(|(i, _)| i)
        .collect();
    for index in lone {
        let states = reading.quantities.get(index).is_some_and(|q| matches!(q.kind, QuantityKind::Money) && q.value.is_some());
        let Some(heading) = reading.quantities.get(index).and_then(|q| reading.outline.paragraph_at(q.core.start)).filter(|_| states)
        else {
            continue;
        };
        let section = reading.outline.section_index_at(heading.range.start);
        let Some(owner) = section.and_then(|s| reading.discourse.section_owner.get(s)).copied() else { continue };
        if let Some(fact) = super::attribute::in_heading(reading, index, &heading.range, owner) {
            attribution.facts.push(fact);
        }
    }
}

/// Writes the ledger; the entry of each quantity.
fn ledger(reading: &Reading<'_, '_>, roles: &[QuantityRole], report: &mut Report) -> Vec<u32> {
    let mut entries: Vec<(Quantity, Option<usize>)> = Vec::with_capacity(reading.quantities.len() + reading.dates.len());
    let mut dates = reading.dates.iter().peekable();
    for (index, (q, role)) in reading.quantities.iter().zip(roles).enumerate() {
        while let Some(date) = dates.next_if(|date| date.range.start < q.range.start) {
            entries.push((dated(reading, date), None));
        }
        entries.push((entry(reading, q, *role), Some(index)));
    }
    entries.extend(dates.map(|date| (dated(reading, date), None)));
    sweep(reading, &mut entries);
    let mut index_of = vec![0; reading.quantities.len()];
    for (place, (_, index)) in entries.iter().enumerate() {
        if let Some(slot) = index.and_then(|i| index_of.get_mut(i)) {
            *slot = u32::try_from(place).unwrap_or(u32::MAX);
        }
    }
    report.quantities = entries.into_iter().map(|(q, _)| q).collect();
    index_of
}

/// The ledger entry of a date or time.
fn dated(reading: &Reading<'_, '_>, date: &DateMention) -> Quantity {
    Quantity {
        text: reading.source.original_text(date.range.clone()).to_owned(),
        span: reading.source.span(date.range.clone()),
        kind: if date.shape == DateShape::Time { QuantityKind::Time } else { QuantityKind::Date },
        numeral: String::new(),
        value: date.start.map(iso).unwrap_or_default(),
        upper_value: date.end.map(iso).unwrap_or_default(),
        unit: String::new(),
        qualifier: Qualifier::Exact,
        role: QuantityRole::Date,
    }
}

/// The ledger entry of a number.
fn entry(reading: &Reading<'_, '_>, q: &QuantityMention, role: QuantityRole) -> Quantity {
    let plain = |d: Option<Decimal>| d.map(plain).unwrap_or_default();
    Quantity {
        text: reading.source.original_text(q.range.clone()).to_owned(),
        span: reading.source.span(q.range.clone()),
        kind: q.kind,
        numeral: plain(q.numeral),
        value: plain(q.value),
        upper_value: plain(q.upper),
        unit: q.unit.clone(),
        qualifier: q.qualifier,
        role,
    }
}

/// Adds an entry for each run of digits that no entry holds yet.
fn sweep(reading: &Reading<'_, '_>, entries: &mut Vec<(Quantity, Option<usize>)>) {
    let mut missed: Vec<Span> = Vec::new();
    let mut next = 0;
    for (glyph, _) in reading.source.glyphs().iter().enumerate().filter(|(_, c)| c.is_ascii_digit()) {
        let span = reading.source.span(glyph..glyph + 1);
        while entries.get(next).is_some_and(|(q, _)| q.span.end <= span.start) {
            next += 1;
        }
        if entries.get(next).is_some_and(|(q, _)| q.span.start <= span.start) {
            continue;
        }
        match missed.last_mut() {
            Some(last) if last.end == span.start => last.end = span.end,
            _ => missed.push(span),
        }
    }
    missed.extend(reading.source.passed_over());
    if missed.is_empty() {
        return;
    }
    entries.extend(missed.into_iter().map(|span| {
        let text = reading.source.original().get(span.start..span.end).unwrap_or_default().to_owned();
        let value: String = text.chars().map(super::source::normalise).collect();
        let value = value.trim_start_matches('0').to_owned();
        let value = if value.is_empty() { "0".to_owned() } else { value };
        (
            Quantity {
                text,
                span,
                kind: QuantityKind::Identifier,
                numeral: value.clone(),
                value,
                upper_value: String::new(),
                unit: String::new(),
                qualifier: Qualifier::Exact,
                role: QuantityRole::Identifier,
            },
            None,
        )
    }));
    entries.sort_by_key(|(q, _)| (q.span.start, q.span.end));
}

/// An exact number as the contract writes it: no exponent, no trailing zeros.
fn plain(value: Decimal) -> String {
    let value = value.normalize();
    // Most have few digits, and those are quickly written.
    let Ok(mantissa) = u64::try_from(value.mantissa()) else { return value.to_string() };
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(mantissa);
    let scale = value.scale() as usize;
    if scale == 0 {
        return digits.to_owned();
    }
    let (whole, decimals) = digits.split_at_checked(digits.len().saturating_sub(scale)).unwrap_or(("", digits));
    let mut plain = String::with_capacity(scale + whole.len().max(1) + 1);
    plain.push_str(if whole.is_empty() { "0" } else { whole });
    plain.push('.');
    plain.extend(std::iter::repeat_n('0', scale - decimals.len()));
    plain.push_str(decimals);
    plain
}

/// What one entity owns, as indices.
#[derive(Clone, Debug, Default)]
struct Owned {
    entity: usize,
    sections: Vec<usize>,
    acts: Vec<usize>,
    /// Facts of no act of its own.
    alone: Vec<usize>,
    /// Its first glyph: of its first mention, section, act or fact.
    first: Option<usize>,
}

/// The institutions that report anything or own a section, in order of the text.
fn reporters(reading: &Reading<'_, '_>, facts: &[Fact], acts: &[Act]) -> Vec<Owned> {
    let mut owned: Vec<Owned> = (0..reading.discourse.entities.len()).map(|entity| Owned { entity, ..Owned::default() }).collect();
    let mut own = |entity: usize, at: usize, add: &dyn Fn(&mut Owned)| {
        if let Some(owned) = owned.get_mut(entity) {
            owned.first = Some(owned.first.map_or(at, |first| first.min(at)));
            add(owned);
        }
    };
    for (index, entity) in reading.discourse.section_owner.iter().enumerate() {
        let at = reading.outline.sections.get(index).map_or(0, |section| section.range.start);
        own(*entity, at, &|o| o.sections.push(index));
    }
    let mut in_act = vec![false; facts.len()];
    for (index, act) in acts.iter().enumerate() {
        own(act.owner, act.range.start, &|o| o.acts.push(index));
        for &fact in act.facts.iter().filter(|&&i| facts.get(i).is_some_and(|f| f.owner == Some(act.owner))) {
            if let Some(slot) = in_act.get_mut(fact) {
                *slot = true;
            }
        }
    }
    for (index, (fact, in_act)) in facts.iter().zip(in_act).enumerate() {
        if let Some(entity) = fact.owner {
            own(entity, fact.window.left.start, &|o| {
                if !in_act {
                    o.alone.push(index);
                }
            });
        }
    }
    owned.retain(|o| o.first.is_some());
    let mentioned = |o: &Owned| reading.discourse.entities.get(o.entity).and_then(|e| e.mentions.first()).map(|m| m.start);
    owned.sort_by_key(|o| (o.first.min(mentioned(o).or(o.first)), o.entity));
    owned
}

/// Writes institutions; each fact is moved into its figure.
struct Writer<'a, 't> {
    reading: &'a Reading<'a, 't>,
    facts: Vec<Fact>,
    acts: &'a [Act],
    index_of: &'a [u32],
}

impl Writer<'_, '_> {
    fn institution(&mut self, owned: &Owned) -> InstitutionReport {
        let reading = self.reading;
        let mut out = InstitutionReport::default();
        if let Some(e) = reading.discourse.entities.get(owned.entity) {
            out.institution = identity(reading, e);
        }
        let mut sections: Vec<Glyphs> = Vec::new();
        for section in owned.sections.iter().filter_map(|&s| reading.outline.sections.get(s)) {
            if out.heading.is_empty() {
                out.heading = in_short(reading, &section.heading);
            }
            sections.push(section.range.clone());
        }
        let own = sections.len();
        for act in owned.acts.iter().filter_map(|&a| self.acts.get(a)) {
            let heads = sections.get(..own).unwrap_or_default();
            let inside = heads
                .partition_point(|s| s.start <= act.range.start)
                .checked_sub(1)
                .and_then(|i| heads.get(i))
                .is_some_and(|s| act.range.end <= s.end);
            if !inside {
                sections.push(sentence_around(reading, act));
            }
            let figures: Vec<Figure> = act.facts.iter().filter_map(|&i| self.figure(i)).collect();
            out.measures.push(measure(reading, act, figures));
        }
        out.figures.extend(owned.alone.iter().filter_map(|&fact| self.figure(fact)));
        out.sections = merged(sections).into_iter().map(|s| reading.source.span(s)).collect();
        out
    }

    /// The figure a fact makes, once.
    fn figure(&mut self, index: usize) -> Option<Figure> {
        let fact = self.facts.get_mut(index)?;
        let q = self.reading.quantities.get(fact.quantity)?;
        // 较年初-8% is a decrease by 8 %.
        let falls = fact.change.as_ref().is_some_and(|change| change.direction == ChangeDirection::Decrease);
        [&mut fact.label, &mut fact.beneficiary, &mut fact.product].into_iter().for_each(clip);
        let stated = |value: Decimal| plain(if falls { value.abs() } else { value });
        let bounds = fact.metric == Metric::Condition && q.qualifier == Qualifier::Exact;
        Some(Figure {
            id: figure_id(index),
            metric: fact.metric,
            value: q.value.map(stated)?,
            upper_value: q.upper.map(stated).unwrap_or_default(),
            label: take(&mut fact.label),
            kind: fact.kind,
            unit: take(&mut fact.unit),
            qualifier: if bounds { Qualifier::AtMost } else { q.qualifier },
            cumulative: fact.cumulative,
            period: fact.period.take(),
            change: fact.change.take(),
            beneficiary: take(&mut fact.beneficiary),
            product: take(&mut fact.product),
            purposes: take(&mut fact.purposes),
            segments: take(&mut fact.segments),
            part_of: fact.part_of.map(figure_id).unwrap_or_default(),
            quantity_index: self.index_of.get(fact.quantity).copied()?,
            text: self.reading.source.original_text(q.range.clone()).to_owned(),
            span: self.reading.source.span(q.range.clone()),
            planned: fact.planned,
            uncertain_fields: fact.doubts.names().map(str::to_owned).collect(),
            derivation: take(&mut fact.derivation),
        })
    }
}

/// A range in one line, and of a long one its beginning.
pub fn in_short(reading: &Reading<'_, '_>, range: &Glyphs) -> String {
    let mut text = reading.source.in_one_line(range.start..range.end.min(range.start + COPIED_CHARS));
    clip(&mut text);
    text
}

/// The identifier of the figure that a fact makes.
fn figure_id(fact: usize) -> String {
    let mut buffer = itoa::Buffer::new();
    let number = buffer.format(fact + 1);
    let mut id = String::with_capacity(number.len() + 1);
    id.push('f');
    id.push_str(number);
    id
}

/// Who an entity is.
fn identity(reading: &Reading<'_, '_>, e: &Entity) -> Institution {
    let registered = e.register.and_then(|row| reading.lexicon.tables().register.row(row));
    let region = registered.filter(|row| !row.region.is_empty()).map(|row| (row.region.clone(), row.region_name.clone()));
    let (region_code, region_name) = region.unwrap_or_else(|| e.region.clone());
    let mut institution = Institution {
        name: original_name(reading, &e.name, &e.mentions),
        canonical_name: registered.map_or(&e.canonical, |row| &row.name).clone(),
        kind: registered.and_then(|row| row.kind).or(Some(e.kind)),
        head_office: registered.map_or(&e.head_office, |row| &row.head_office).clone(),
        region_code,
        region_name,
        register_id: registered.map(|row| row.id.clone()).unwrap_or_default(),
        mentions: e.mentions.iter().map(|m| reading.source.span(m.clone())).collect(),
    };
    [&mut institution.name, &mut institution.canonical_name, &mut institution.head_office].into_iter().for_each(clip);
    institution
}

/// The stretch of an act's sentence that is about its owner.
fn sentence_around(reading: &Reading<'_, '_>, act: &Act) -> Glyphs {
    let at = act.range.start;
    let sentence =
        reading.outline.sentences.partition_point(|s| s.range.start <= at).checked_sub(1).and_then(|i| reading.outline.sentences.get(i));
    let range = sentence.map_or(act.range.clone(), |s| s.range.clone());
    range.start.min(act.range.start)..range.end.max(act.range.end)
}

/// Overlapping and adjoining ranges as one.
fn merged(mut ranges: Vec<Glyphs>) -> Vec<Glyphs> {
    ranges.sort_by_key(|r| (r.start, r.end));
    let mut out: Vec<Glyphs> = Vec::new();
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.start <= last.end + 1 => last.end = last.end.max(range.end),
            _ => out.push(range),
        }
    }
    out
}

/// The name as the original writes it.
fn original_name(reading: &Reading<'_, '_>, name: &str, mentions: &[Glyphs]) -> String {
    mentions
        .iter()
        .find(|m| reading.source.starts_with(m.start, name) && name.chars().count() == m.len())
        .map_or_else(|| name.to_owned(), |m| reading.source.original_text(m.clone()).chars().filter(|c| !c.is_whitespace()).collect())
}

fn measure(reading: &Reading<'_, '_>, act: &Act, figures: Vec<Figure>) -> Measure {
    let span = reading.source.span(act.range.clone());
    let cue = reading.source.span(act.words.clone());
    let own = super::attribute::codes_in(reading, act.words.clone());
    let union = |mut codes: Vec<String>, of: fn(&Figure) -> &[String]| {
        for figure in &figures {
            for code in of(figure) {
                if !codes.contains(code) {
                    codes.push(code.clone());
                }
            }
        }
        codes
    };
    let launched = (act.category == MeasureCategory::ProductLaunch).then(|| reading.products_in(&act.range).first()).flatten();
    let product = launched.map_or_else(String::new, |p| in_short(reading, &p.range));
    Measure {
        category: act.category,
        text: reading.source.original().get(span.start..span.end).unwrap_or_default().to_owned(),
        span,
        purposes: union(own.purposes, |f| &f.purposes),
        segments: union(own.segments, |f| &f.segments),
        product: if figures.iter().all(|f| f.product.is_empty()) && !figures.is_empty() { String::new() } else { product },
        figures,
        planned: act.planned,
        uncertain_fields: Vec::new(),
        cue: cue.start.saturating_sub(span.start)..cue.end.saturating_sub(span.start),
    }
}

/// Title and publisher as the text writes them.
pub fn masthead(reading: &Reading<'_, '_>, report: &mut Report) {
    let text = |range: &Glyphs| reading.source.in_one_line(range.clone());
    report.title = reading.outline.title.as_ref().map(text).unwrap_or_default();
    if report.publisher.is_empty() {
        report.publisher = reading.outline.publisher.as_ref().map(text).unwrap_or_default();
    }
    if report.published_on.is_empty() {
        report.published_on = reading.published.map(iso).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_decimals_write_them() {
        let mantissas = [0, 1, 7, 10, 12, 305, 1000, 123_456_789, i128::from(u64::MAX), i128::from(u64::MAX) + 1, 1 << 95];
        for mantissa in mantissas.into_iter().flat_map(|mantissa| [mantissa, -mantissa]) {
            for scale in 0..=28 {
                let value = Decimal::try_from_i128_with_scale(mantissa, scale).expect("it fits");
                assert_eq!(plain(value), value.normalize().to_string(), "{mantissa} with {scale} decimals");
            }
        }
        assert_eq!((figure_id(0), figure_id(99)), ("f1".to_owned(), "f100".to_owned()));
    }
}
