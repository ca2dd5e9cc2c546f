//! A small bulletin, a report written by hand, and what changes when either does.

use super::*;
use jianbao_engine::report::{
    Derivation, Figure, Finding, FindingCode, Institution, InstitutionReport, InstitutionType, Measure, MeasureCategory, Metric, Qualifier,
    Quantity, QuantityKind, QuantityRole, Severity, Span,
};

const TEXT: &str = "洛川县支行累计发放果业贷款800万元,惠及果农近95户。";
const GOLD: &str = r#"{"institutions": [{"name": "洛川县支行", "canonical_name": "洛川县支行", "type": "OTHER", "region_code": "610629",
    "aliases": ["洛川支行"], "section_start": "洛川县支行",
    "measures": [{"category": "LENDING", "anchor": "发放果业贷款"}],
    "figures": [
        {"text": "800万元", "metric": "LOAN_DISBURSED", "value": "8000000", "kind": "MONEY", "unit": "CNY", "cumulative": true,
         "label": "果业贷款", "category": "LENDING", "purposes": ["agriculture"]},
        {"text": "近95户", "metric": "CUSTOMER_COUNT", "value": "95", "kind": "COUNT", "unit": "户", "qualifier": "NEARLY", "cumulative": true,
         "label": "果农", "category": "LENDING", "purposes": "*", "segments": ["farmer"]}]}],
    "findings": [{"code": "UNIT_MISSING", "anchor": "果农"}]}"#;

fn cut(span: Span) -> String {
    TEXT.chars().skip(span.start).take(span.end - span.start).collect()
}

fn figure(index: u32, span: Span, metric: Metric, value: &str, label: &str) -> Figure {
    let money = metric == Metric::LoanDisbursed;
    Figure {
        id: format!("f{index}"),
        metric,
        label: label.to_owned(),
        value: value.to_owned(),
        upper_value: String::new(),
        kind: if money { QuantityKind::Money } else { QuantityKind::Count },
        unit: if money { "CNY" } else { "户" }.to_owned(),
        qualifier: if money { Qualifier::Exact } else { Qualifier::Nearly },
        cumulative: true,
        period: None,
        change: None,
        beneficiary: String::new(),
        product: String::new(),
        purposes: vec!["agriculture".to_owned()],
        segments: if money { Vec::new() } else { vec!["farmer".to_owned()] },
        part_of: String::new(),
        quantity_index: index,
        text: cut(span),
        span,
        planned: false,
        uncertain_fields: Vec::new(),
        derivation: Derivation::default(),
    }
}

fn entry(figure: &Figure) -> Quantity {
    Quantity {
        text: figure.text.clone(),
        span: figure.span,
        kind: figure.kind,
        numeral: figure.value.clone(),
        value: figure.value.clone(),
        upper_value: String::new(),
        unit: figure.unit.clone(),
        qualifier: figure.qualifier,
        role: QuantityRole::Figure,
    }
}

/// A report that agrees with the gold in everything.
fn report() -> Report {
    let figures = vec![
        figure(0, Span::new(13, 18), Metric::LoanDisbursed, "8000000", "果业贷款"),
        figure(1, Span::new(23, 27), Metric::CustomerCount, "95", "果农"),
    ];
    let act = Span::new(5, 18);
    let measure = Measure {
        category: MeasureCategory::Lending,
        text: cut(act),
        span: act,
        purposes: Vec::new(),
        segments: Vec::new(),
        product: String::new(),
        figures: figures.clone(),
        planned: false,
        uncertain_fields: Vec::new(),
        cue: 0..0,
    };
    let institution = Institution {
        name: "洛川支行".to_owned(),
        canonical_name: "洛川县支行".to_owned(),
        kind: Some(InstitutionType::Other),
        region_code: "610629".to_owned(),
        ..Institution::default()
    };
    let unit_missing = Finding {
        code: FindingCode::UnitMissing,
        severity: Severity::Info,
        message: String::new(),
        spans: vec![Span::new(22, 24)],
        stated: String::new(),
        expected: String::new(),
    };
    Report {
        institutions: vec![InstitutionReport {
            institution,
            sections: vec![Span::new(0, 28)],
            measures: vec![measure],
            ..InstitutionReport::default()
        }],
        quantities: figures.iter().map(entry).collect(),
        findings: vec![unit_missing],
        ..Report::default()
    }
}

/// Scores after a change to the report.
fn after(change: impl FnOnce(&mut Report)) -> Tally {
    let (mut report, mut tally) = (report(), Tally::default());
    change(&mut report);
    let gold = Gold::parse(GOLD, TEXT).unwrap();
    score(TEXT, &gold, &report, &mut tally);
    tally
}

fn first(report: &mut Report) -> &mut Figure {
    &mut report.institutions[0].measures[0].figures[0]
}

fn read(tally: &Tally, key: &str) -> String {
    tally.scores().get(key).unwrap().fixed(4)
}

#[test]
fn agreement_is_full_but_for_the_name() {
    let tally = after(|_| ());
    assert_eq!(tally.broken, [""; 0]);
    assert_eq!(tally.mistakes, ["洛川县支行: institution.name want `洛川县支行` got `洛川支行`"]);
    for key in ["institutions", "figures", "strict", "measures", "findings", "attributes.label"] {
        assert_eq!(read(&tally, key), "1.0000", "{key}");
    }
}

#[test]
fn a_wrong_metric_costs_the_strict_score_alone() {
    let tally = after(|report| first(report).metric = Metric::LoanBalance);
    assert_eq!(
        (read(&tally, "figures"), read(&tally, "strict"), read(&tally, "attributes.metric")),
        ("1.0000".into(), "0.5000".into(), "0.5000".into())
    );
}

#[test]
fn a_plan_is_scored_where_the_gold_says_whether_it_is_one() {
    assert!(after(|_| ()).scores().get("attributes.planned").is_none());
    for (stated, right) in [("true", "0.0000"), ("false", "1.0000"), ("null", "1.0000")] {
        let gold = GOLD.replacen("\"cumulative\": true", &format!("\"cumulative\": true, \"planned\": {stated}"), 1);
        let mut tally = Tally::default();
        score(TEXT, &Gold::parse(&gold, TEXT).unwrap(), &report(), &mut tally);
        assert_eq!((read(&tally, "attributes.planned"), read(&tally, "strict")), (right.into(), "1.0000".into()), "{stated}");
    }
}

#[test]
fn a_wrapped_text_has_its_measures_in_sentences_over_line_breaks() {
    let text = "洛川县支行累计发放果业贷款八百万元,并且对果农\n延期还本。";
    let wrapped = |width: &str| {
        let json = format!("{{\"wrapped\": {width}, \"institutions\": []}}");
        Gold::parse(&json, text).unwrap()
    };
    let mut report = Report::default();
    let span = Span::new(20, 28);
    let words = text.chars().skip(20).take(8).collect();
    let measure =
        Measure { category: MeasureCategory::RepaymentDeferral, text: words, span, ..self::report().institutions[0].measures[0].clone() };
    let measure = Measure { figures: Vec::new(), ..measure };
    report.institutions.push(InstitutionReport {
        sections: vec![Span::new(0, 29)],
        measures: vec![measure],
        ..InstitutionReport::default()
    });
    let broken = |gold: &Gold| {
        let mut tally = Tally::default();
        score(text, gold, &report, &mut tally);
        tally.broken
    };
    assert_eq!(broken(&wrapped("22")), [""; 0]);
    assert_eq!(broken(&wrapped("null")).len(), 1);
}

#[test]
fn a_wrong_purpose_costs_no_strict_score_and_an_open_one_nothing() {
    let tally = after(|report| report.institutions[0].measures[0].figures.iter_mut().for_each(|figure| figure.purposes.clear()));
    assert_eq!((read(&tally, "strict"), read(&tally, "attributes.purposes")), ("1.0000".into(), "0.0000".into()));
}

#[test]
fn a_span_may_be_four_wider_and_must_hold_the_numeral() {
    let moved = |span: Span| read(&after(|report| first(report).span = span), "figures");
    assert_eq!(moved(Span::new(9, 22)), "1.0000");
    assert_eq!(moved(Span::new(8, 18)), "0.5000");
    assert_eq!(moved(Span::new(14, 18)), "0.5000");
}

#[test]
fn labels_agree_from_three_characters_in_five() {
    let label = |text: &str| read(&after(|report| text.clone_into(&mut first(report).label)), "attributes.label");
    // Three of 4 + 6 characters are common twice over: 6 of 10.
    assert_eq!(label("果业贷的增量"), "1.0000");
    assert_eq!(label("果业贷的总增量"), "0.5000");
}

#[test]
fn a_figure_under_no_measure_has_no_category() {
    let tally = after(|report| {
        let moved = std::mem::take(&mut report.institutions[0].measures[0].figures);
        report.institutions[0].figures = moved;
    });
    assert_eq!((read(&tally, "figures"), read(&tally, "attributes.category")), ("1.0000".into(), "0.0000".into()));
}

#[test]
fn a_measures_product_holds_for_its_figures() {
    let tally = after(|report| report.institutions[0].measures[0].product = "苹果贷".to_owned());
    assert_eq!(read(&tally, "attributes.product"), "0.0000");
}

#[test]
fn measures_count_once_to_a_sentence_and_are_lost_with_their_owner() {
    let tally = after(|report| {
        report.institutions[0].institution.name = "洛南县支行".to_owned();
        report.institutions[0].institution.canonical_name = String::new();
    });
    for (key, value) in [("institutions", "0.0000"), ("measures", "0.0000"), ("figures", "1.0000"), ("attributes.institution", "0.0000")] {
        assert_eq!(read(&tally, key), value, "{key}");
    }
}

#[test]
fn findings_agree_by_code_and_nearness() {
    let near = |start: usize, end: usize| read(&after(|report| report.findings[0].spans = vec![Span::new(start, end)]), "findings");
    // The gold's words stand at 21..23.
    assert_eq!((near(24, 25), near(25, 26)), ("1.0000".into(), "0.0000".into()));
    assert_eq!(read(&after(|report| report.findings[0].code = FindingCode::DateRepaired), "findings"), "0.0000");
    assert_eq!(read(&after(|report| report.findings[0].code = FindingCode::UnattributedQuantity), "findings.precision"), "1.0000");
}

#[test]
fn tallies_add_up() {
    let (mut sum, one) = (Tally::default(), after(|report| first(report).metric = Metric::LoanBalance));
    sum.add(&one);
    sum.add(&after(|_| ()));
    assert_eq!((read(&sum, "strict"), read(&sum, "figures.gold")), ("0.7500".into(), "4.0000".into()));
}

#[test]
fn scores_have_names() {
    let scores = after(|_| ()).scores();
    assert!(["figures.recall", "attributes.metric", "invariants_broken"].iter().all(|key| scores.get(key).is_some()));
    assert!(["", "figure", "figures.f2", "attributes.nothing"].iter().all(|key| scores.get(key).is_none()));
}
