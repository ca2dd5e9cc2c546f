//! The engine's report as the wire's: field by field, strings moved and not copied.

use super::pb;
use jianbao_engine::report as engine;

impl From<engine::Report> for pb::Report {
    fn from(report: engine::Report) -> Self {
        Self {
            bulletin_id: report.bulletin_id,
            title: report.title,
            publisher: report.publisher,
            published_on: report.published_on,
            institutions: all(report.institutions),
            quantities: all(report.quantities),
            findings: all(report.findings),
            engine: Some(pb::EngineInfo { version: report.engine.version, lexicon_digest: report.engine.lexicon_digest }),
            text_sha256: report.text_sha256,
        }
    }
}

impl From<engine::InstitutionReport> for pb::InstitutionReport {
    fn from(report: engine::InstitutionReport) -> Self {
        Self {
            institution: Some(report.institution.into()),
            heading: report.heading,
            sections: all(report.sections),
            measures: all(report.measures),
            figures: all(report.figures),
        }
    }
}

impl From<engine::Institution> for pb::Institution {
    fn from(institution: engine::Institution) -> Self {
        Self {
            name: institution.name,
            canonical_name: institution.canonical_name,
            r#type: institution.kind.map_or(0, engine::InstitutionType::number),
            head_office: institution.head_office,
            region_code: institution.region_code,
            region_name: institution.region_name,
            register_id: institution.register_id,
            mentions: all(institution.mentions),
        }
    }
}

impl From<engine::Measure> for pb::Measure {
    fn from(measure: engine::Measure) -> Self {
        Self {
            category: measure.category.number(),
            text: measure.text,
            span: Some(measure.span.into()),
            purposes: measure.purposes,
            segments: measure.segments,
            product: measure.product,
            figures: all(measure.figures),
            planned: measure.planned,
            uncertain_fields: measure.uncertain_fields,
        }
    }
}

impl From<engine::Figure> for pb::Figure {
    fn from(figure: engine::Figure) -> Self {
        Self {
            metric: figure.metric.number(),
            label: figure.label,
            value: figure.value,
            upper_value: figure.upper_value,
            kind: figure.kind.number(),
            unit: figure.unit,
            qualifier: figure.qualifier.number(),
            cumulative: figure.cumulative,
            period: figure.period.map(Into::into),
            change: figure.change.map(Into::into),
            beneficiary: figure.beneficiary,
            product: figure.product,
            purposes: figure.purposes,
            segments: figure.segments,
            part_of: figure.part_of,
            id: figure.id,
            quantity_index: figure.quantity_index,
            text: figure.text,
            span: Some(figure.span.into()),
            planned: figure.planned,
            uncertain_fields: figure.uncertain_fields,
        }
    }
}

impl From<engine::Period> for pb::Period {
    fn from(period: engine::Period) -> Self {
        Self { start: period.start, end: period.end, text: period.text }
    }
}

impl From<engine::Change> for pb::Change {
    fn from(change: engine::Change) -> Self {
        Self { direction: change.direction.number(), baseline: change.baseline, text: change.text }
    }
}

impl From<engine::Quantity> for pb::Quantity {
    fn from(quantity: engine::Quantity) -> Self {
        Self {
            text: quantity.text,
            span: Some(quantity.span.into()),
            kind: quantity.kind.number(),
            numeral: quantity.numeral,
            value: quantity.value,
            upper_value: quantity.upper_value,
            unit: quantity.unit,
            qualifier: quantity.qualifier.number(),
            role: quantity.role.number(),
        }
    }
}

impl From<engine::Finding> for pb::Finding {
    fn from(finding: engine::Finding) -> Self {
        Self {
            code: finding.code.number(),
            severity: finding.severity.number(),
            message: finding.message,
            spans: all(finding.spans),
            stated: finding.stated,
            expected: finding.expected,
        }
    }
}

impl From<engine::Span> for pb::Span {
    /// Texts are bounded far below 4 GiB, so offsets fit.
    fn from(span: engine::Span) -> Self {
        let offset = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: offset(span.start), end: offset(span.end) }
    }
}

impl From<pb::OffsetEncoding> for engine::OffsetEncoding {
    fn from(encoding: pb::OffsetEncoding) -> Self {
        match encoding {
            pb::OffsetEncoding::Unspecified | pb::OffsetEncoding::Utf32 => Self::Utf32,
            pb::OffsetEncoding::Utf16 => Self::Utf16,
            pb::OffsetEncoding::Utf8 => Self::Utf8,
        }
    }
}

fn all<A, B: From<A>>(items: Vec<A>) -> Vec<B> {
    items.into_iter().map(Into::into).collect()
}
