//! F2: a report and the work to make it grow no faster than the text, whatever its shape, and what is copied is short.

use std::time::{Duration, Instant};

use jianbao_engine::report::{COPIED_CHARS, Report};

use super::invariants::{figures, report};

/// The most bytes of a report, in JSON with everything in it, for a byte of its text; prose has 15.
const MULTIPLE: usize = 200;
/// What a short text has besides.
const LEAST: usize = 64 << 10;

fn times(piece: &str, size: usize) -> String {
    piece.repeat(size / piece.len() + 1)
}

/// Texts of about so many bytes, of every shape that copies: tables, lists, parts, headings, conflicts, products, rows.
fn shapes(size: usize) -> Vec<(&'static str, String)> {
    let third = |text: &str| times(text, size / 3);
    vec![
        ("columns with long names", format!("机构\t{0}贷款余额(元)\t{0}贷款余额(元)\n{1}", third("甲"), times("农行\t1\t1\n", size / 3))),
        (
            "rows with long names",
            format!("机构\t贷款余额(元)\t存款余额(元)\n{}", times(&format!("农行{}\t1\t1\n", "甲".repeat(2_000)), size)),
        ),
        ("a table of many columns", format!("机构\t{}\n农行\t{}\n", times("贷款余额(元)\t", size / 2), times("1\t", size / 2))),
        ("a row that goes on", format!("清河农商银行服务{}。", times("1户", size))),
        ("a row with commas", format!("清河农商银行服务{}。", times("1户，", size))),
        ("numbers alone", times("1,", size)),
        ("numbers in characters", times("三户，", size)),
        ("parts of a sum", format!("清河农商银行发放贷款100亿元，其中{}。", times("农户1元、", size))),
        ("items of a list", times("一是服务农户1户。\n", size)),
        ("a long heading", format!("{}\n{}", third("清河农商银行加大信贷支持"), times("\n清河农商银行发放贷款1亿元。", size / 2))),
        ("headings on and on", times("一、清河农商银行\n发放贷款1亿元。\n", size)),
        ("institutions on and on", times("清河农商银行、衡山农商银行分别发放贷款1亿元、2亿元。", size)),
        ("a long name", format!("{}农商银行发放贷款{}。", third("甲"), times("1亿元，", size / 2))),
        ("a long product", format!("清河农商银行推出“{}贷”，{}。", third("甲"), times("发放“惠农贷”1亿元，", size / 2))),
        ("products on and on", times("清河农商银行推出“惠农甲贷”，发放1亿元。", size)),
        ("borrowers on and on", times("清河农商银行向清河县丰收农业有限公司发放贷款1亿元。", size)),
        ("conflicts", times("清河农商银行贷款余额1亿元。清河农商银行贷款余额2亿元。", size)),
        ("periods", times("截至2021年6月末，清河农商银行贷款余额1亿元，较年初增长2亿元，增长3%。", size)),
        ("one sentence", times("清河农商银行走访企业1户，开通绿色通道，下调利率1个百分点，", size)),
    ]
}

fn copied(report: &Report) -> impl Iterator<Item = &String> {
    let names = report.institutions.iter().flat_map(|one| {
        let who = &one.institution;
        [&one.heading, &who.name, &who.canonical_name, &who.head_office].into_iter().chain(one.measures.iter().map(|m| &m.product))
    });
    let findings = report.findings.iter().flat_map(|finding| [&finding.stated, &finding.expected]);
    names.chain(findings).chain(figures(report).into_iter().flat_map(|figure| [&figure.label, &figure.beneficiary, &figure.product]))
}

/// A report, and the processor time that it took; others may use the machine too.
fn reading(text: &str) -> (Report, Duration) {
    let (begun, used) = (Instant::now(), processor_time());
    let report = report(text);
    let taken = processor_time().zip(used).map_or_else(|| begun.elapsed(), |(after, before)| after.saturating_sub(before));
    (report, taken)
}

fn processor_time() -> Option<Duration> {
    let nanoseconds = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

#[test]
fn f2_a_report_grows_no_faster_than_its_text_and_what_is_copied_is_short() {
    const SIZE: usize = 24 << 10;
    let bytes = |report: &Report| serde_json::to_vec(report).expect("it can be written").len();
    for ((name, small), (_, large)) in shapes(SIZE).into_iter().zip(shapes(4 * SIZE)) {
        let ((of_small, took_small), (of_large, took_large)) = (reading(&small), reading(&large));
        for text in copied(&of_small).chain(copied(&of_large)) {
            assert!(text.chars().count() <= COPIED_CHARS, "{name}: {text}");
        }
        let (less, more) = (bytes(&of_small), bytes(&of_large));
        eprintln!("{name}: {} and {} bytes a byte, {took_small:?} and {took_large:?}", less / small.len(), more / large.len());
        assert!(more <= large.len() * MULTIPLE + LEAST, "{name}: {more} bytes on a text of {}", large.len());
        assert!(more <= less * 5 + LEAST, "{name}: {less} bytes, then {more}");
        // Four times the text in four times the time, but for a machine that others use too.
        assert!(took_large <= took_small * 10 + Duration::from_millis(200), "{name}: {took_small:?}, then {took_large:?}");
    }
}
