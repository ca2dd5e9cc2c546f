//! Each stage of the line and the whole of it, in bytes of text per second.
//!
//! The texts are the repository's own bulletins, repeated with other digits, from 1 kB to 3 MB; and the
//! shared compilation, where it is at hand. Every run checks what it counted. Before the measuring starts,
//! ten times the text must take no more than eleven times the time, with room for a busy machine, and no
//! hostile text may take much longer than ten times a tenth of it.

#![allow(
    clippy::expect_used,
    clippy::float_arithmetic,
    clippy::print_stderr,
    clippy::disallowed_types,
    missing_docs,
    reason = "a benchmark reads files, tells the time and may stop"
)]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jianbao_engine::lexicon::Lexicon;
use jianbao_engine::recognize::openers::Openers;
use jianbao_engine::recognize::{date, institution, quantity};
use jianbao_engine::source::{Glyphs, SourceText};
use jianbao_engine::{Bulletin, Engine};

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [usize; 5] = [1_000, 10_000, 100_000, 1_000_000, 3_000_000];
/// How much longer than ten times a tenth a text may take on a machine that others use too.
const BUSY: f64 = 1.8;

/// A text of about `bytes` bytes: the repository's bulletins with their digits turned over at every repetition.
fn text(bytes: usize) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/bulletins");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the bulletins can be read")
        .map(|entry| entry.expect("they have names").path())
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    files.sort();
    let all: String = files.iter().map(|path| fs::read_to_string(path).expect("they are text")).collect();
    let mut out = String::with_capacity(bytes + 4);
    let mut turn = 0;
    while out.len() < bytes {
        for c in all.chars() {
            if out.len() >= bytes {
                break;
            }
            // Not the first digit of a number, so that a date stays one for a while.
            let digit = c.to_digit(10).filter(|_| turn > 0 && out.ends_with(|before: char| before.is_ascii_digit()));
            out.push(digit.and_then(|d| char::from_digit((d + turn) % 10, 10)).unwrap_or(c));
        }
        turn += 1;
    }
    out
}

fn bulletin(text: &str) -> Bulletin {
    Bulletin { text: text.to_owned(), ..Bulletin::default() }
}

/// Quantities, figures and measures of a report.
fn counts(engine: &Engine, bulletin: &Bulletin) -> (usize, usize, usize) {
    let report = engine.extract(bulletin);
    let measures: usize = report.institutions.iter().map(|i| i.measures.len()).sum();
    let figures: usize =
        report.institutions.iter().map(|i| i.figures.len() + i.measures.iter().map(|m| m.figures.len()).sum::<usize>()).sum();
    (report.quantities.len(), figures, measures)
}

/// The time one run takes, the least of three rounds of `runs`: time on a processor where the system tells
/// it, as others may use the machine too.
fn time_of(engine: &Engine, text: &str, runs: u32) -> Duration {
    let bulletin = bulletin(text);
    let on_processor = || fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok().map(Duration::from_nanos);
    let round = || {
        let (start, begun) = (Instant::now(), on_processor());
        for _ in 0..runs {
            black_box(engine.extract(&bulletin));
        }
        let spent = begun.zip(on_processor()).map(|(begun, ended): (Duration, Duration)| ended.saturating_sub(begun));
        spent.unwrap_or_else(|| start.elapsed()) / runs
    };
    (0..3).map(|_| round()).min().unwrap_or_default()
}

/// Ten times the text takes at most eleven times the time.
fn is_linear(engine: &Engine) {
    let (one, ten) = (text(100_000), text(1_000_000));
    let (few, many) = (counts(engine, &bulletin(&one)), counts(engine, &bulletin(&ten)));
    assert!(few.0 > 500 && few.1 > 200 && few.2 > 100, "{few:?}");
    assert!(many.0 > 9 * few.0 && many.0 < 11 * few.0, "{few:?} {many:?}");
    let ratio = time_of(engine, &ten, 2).as_secs_f64() / time_of(engine, &one, 20).as_secs_f64();
    eprintln!("ten times the text: {ratio:.2} times the time");
    assert!(ratio < 11.0 * BUSY, "{ratio}");
}

/// No text, however made, takes more than its length.
fn hostile_texts_are_linear(engine: &Engine) {
    let stops = text(30_000).replace(['。', '！', '？', '；', '，', '\n'], "、");
    let units = [
        "\n",
        "一",
        "其中",
        "7",
        "12345678901234567890,",
        "（",
        "公司",
        "有限公司",
        "贷款1亿元，",
        "贷款1亿元、",
        "贷款1亿元\n",
        "其中，贷款1亿元。",
        "5%",
        "1 ",
        "1\t",
        "中国工商银行、",
        "农商银行",
        "全省贷款余额1亿元，",
        "贷款余额较年初增加1亿元，增长5%，",
        "合计\t1亿元\t2亿元\n",
        "走访",
        "企业培训",
        "兴和县联社\n",
        "兴和县联社\n发放贷款1亿元。\n",
        "该公司贷款1亿元，",
        "“惠农贷”1亿元，",
        "工商银行、农业银行分别发放贷款1亿元、2亿元，",
        "增加",
        "百分之",
        "以下简称",
        "（以下简称甲行）",
        "\u{fffd}",
        "2020年5月末，",
        "2020-01-01\n",
        "12:30 ",
        &stops,
    ];
    for unit in units {
        let of = |bytes: usize| unit.repeat(bytes.div_ceil(unit.len()));
        let (one, ten) = (of(100_000), of(1_000_000));
        let (few, many) = (time_of(engine, &one, 10), time_of(engine, &ten, 1));
        let ratio = many.as_secs_f64() / few.as_secs_f64().max(1e-5);
        eprintln!("{:>7.2} MB/s, ten times {ratio:>5.2}: {:?}", 1.0 / many.as_secs_f64(), unit.chars().take(16).collect::<String>());
        assert!(ratio < 11.0 * 2.5, "{unit:?}: {ratio}");
    }
}

fn stages(criterion: &mut Criterion) {
    let engine = Engine::new().expect("the lexicon loads");
    let lexicon = Lexicon::load().expect("the lexicon loads");
    is_linear(&engine);
    hostile_texts_are_linear(&engine);

    for bytes in SIZES {
        let text = text(bytes);
        let source = SourceText::new(&text);
        let hits = lexicon.scan(&source);
        let id = |stage: &str| BenchmarkId::new(stage, bytes);
        let mut group = criterion.benchmark_group("stage");
        group
            .throughput(Throughput::Bytes(text.len() as u64))
            .sample_size(10)
            .measurement_time(Duration::from_secs(2))
            .warm_up_time(Duration::from_millis(500));
        group.bench_function(id("normalise"), |b| {
            b.iter(|| assert_eq!(SourceText::new(black_box(&text)).len(), source.len()));
        });
        let found = hits.starting_in(0..source.len()).len();
        assert!(found * 8 > source.len());
        group.bench_function(id("scan"), |b| {
            b.iter(|| assert_eq!(lexicon.scan(black_box(&source)).starting_in(0..source.len()).len(), found));
        });
        let recognised = recognise(&lexicon, &source);
        group.bench_function(id("recognise"), |b| {
            b.iter(|| assert_eq!(recognise(&lexicon, black_box(&source)), recognised));
        });
        let bulletin = bulletin(&text);
        let expected = counts(&engine, &bulletin);
        assert!(expected.0 > bytes / 300, "{expected:?}");
        group.bench_function(id("line"), |b| {
            b.iter(|| assert_eq!(counts(&engine, black_box(&bulletin)), expected));
        });
        group.finish();
    }
}

/// Dates, numbers and institutions of a text, counted.
fn recognise(lexicon: &Lexicon, source: &SourceText<'_>) -> [usize; 3] {
    let hits = lexicon.scan(source);
    let openers = Openers::find(source);
    let dates = date::dates(source, &openers, None);
    let taken: Vec<Glyphs> = dates.iter().map(|date| date.range.clone()).collect();
    let quantities = quantity::quantities(source, &openers, &hits, lexicon, &taken);
    [dates.len(), quantities.len(), institution::institutions(source, &hits, lexicon).len()]
}

/// The shared compilation: the floor is 20 MB/s.
fn compilation(criterion: &mut Criterion) {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("JIANBAO_SHARED").map_or(beside, Into::into);
    let Ok(text) = fs::read_to_string(shared.join("bulletins/ulanqab-2020-09.txt")) else {
        eprintln!("skipped: no shared compilation beside the repository");
        return;
    };
    let engine = Engine::new().expect("the lexicon loads");
    let bulletin = bulletin(&text);
    let expected = counts(&engine, &bulletin);
    assert!(expected.0 > 150 && expected.1 > 70 && expected.2 > 150, "{expected:?}");
    let mut group = criterion.benchmark_group("compilation");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("line", |b| b.iter(|| assert_eq!(counts(&engine, black_box(&bulletin)), expected)));
    group.finish();
}

criterion_group!(benches, compilation, stages);
criterion_main!(benches);
