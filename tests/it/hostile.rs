//! What a hostile caller or a damaged file may send, read by whoever reads it first. Each body takes any bytes at all:
//! the fuzz targets (`fuzz/`) feed it what they find, the tests what is kept of that in `tests/fuzz`, and each of those
//! cut short and spoilt.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use jianbao::grpc::budget::{Budget, Level};
use jianbao::grpc::compression::Encoding;
use jianbao::grpc::frame::{Frame, FrameReader, FrameWriter};
use jianbao::grpc::pb;
use jianbao::grpc::work::Desk;
use jianbao_engine::lexicon::{Problems, Register, SourceFile, Tables, addition};
use jianbao_engine::recognize::date::{self, Day};
use jianbao_engine::recognize::openers::Openers;
use jianbao_engine::recognize::quantity;
use jianbao_engine::source::SourceText;
use prost::Message as _;

use super::invariants::{ENGINE, hold};

/// The name of a body, which is that of its fuzz target and of its folder in `tests/fuzz`, and the body.
pub type Body = (&'static str, fn(&[u8]));

/// All bodies.
pub const BODIES: [Body; 5] =
    [("extract", extract), ("readers", readers), ("register", register), ("lexicon", lexicon), ("request", request)];

/// Any text: the contract's invariants hold, and the report is no longer than so many times the text.
pub fn extract(data: &[u8]) {
    /// Bytes of a report, as a message, for a byte of its text, and for a text without any.
    const MULTIPLE: usize = 160;
    const LEAST: usize = 4 << 10;
    let text = String::from_utf8_lossy(data);
    if let Err(broken) = hold(&text) {
        panic!("{broken}");
    }
    let report = pb::Report::from(super::invariants::report(&text));
    let bytes = report.encoded_len();
    assert!(bytes <= text.len() * MULTIPLE + LEAST, "a report of {bytes} bytes on a text of {}", text.len());
}

/// What numbers and dates are written with, a byte for each, so that few bytes make many of them.
const GLYPHS: &str = "0123456789０９零〇一二三四五六七八九十廿百千万亿两半几数余多近约超逾左右以上下不足年月日号季度末初底旬周前后同期去今至到-~—.,，、：:/%％‰元个户笔家成折倍番点基百分之第(（)）美港BP 截其中较增\n\t";

/// Any row of number and date glyphs: readings in order, inside the text, every digit in one of them, days that exist.
pub fn readers(data: &[u8]) {
    let glyphs: Vec<char> = GLYPHS.chars().collect();
    let text: String = data.iter().map(|byte| glyphs[usize::from(*byte) % glyphs.len()]).collect();
    let source = SourceText::new(&text);
    let openers = Openers::find(&source);
    let published = if data.len().is_multiple_of(2) { Day::parse("2024-02-29") } else { None };
    let dates = date::dates(&source, &openers, published);
    let taken: Vec<_> = dates.iter().map(|date| date.range.clone()).collect();
    let hits = ENGINE.lexicon().scan(&source);
    let numbers = quantity::quantities(&source, &openers, &hits, ENGINE.lexicon(), &taken);
    let mut ranges: Vec<_> = taken.into_iter().chain(numbers.iter().map(|number| number.range.clone())).collect();
    ranges.sort_by_key(|range| (range.start, range.end));
    for pair in ranges.windows(2) {
        assert!(pair[0].end <= pair[1].start, "{pair:?} overlap in {text:?}");
    }
    assert!(ranges.iter().all(|range| range.start < range.end && range.end <= source.len()), "{ranges:?} leave {text:?}");
    for day in dates.iter().flat_map(|date| [date.start, date.end]).flatten() {
        let iso = format!("{:04}-{:02}-{:02}", day.year, day.month, day.day);
        assert_eq!(Day::parse(&iso), Some(day), "{iso} in {text:?}");
    }
    for number in &numbers {
        assert!(number.upper.is_none() || number.value.is_some(), "an upper value without a lower in {text:?}");
    }
    hold(&text).unwrap_or_else(|broken| panic!("{broken}"));
}

/// What is wrong with an operator's file is said with its name and a line that it has.
fn told(problems: Result<(), Problems>, file: &SourceFile) {
    let Err(problems) = problems else { return };
    assert!(!problems.is_empty() && problems.count() >= problems.listed().len());
    let lines = file.text.split('\n').count();
    for problem in problems.listed() {
        assert!(problem.line <= lines, "line {} of {lines}: {problem:?}", problem.line);
        assert!(problem.file == file.name || problem.file.is_empty(), "{problem:?}");
        assert!(!problem.message.is_empty());
    }
    assert!(!problems.to_string().is_empty());
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| ENGINE.lexicon().tables().clone());

/// Any register of institutions: CSV or TOML by its first byte.
pub fn register(data: &[u8]) {
    let (name, rest) = match data.split_first() {
        Some((0..0x80, rest)) => ("register.csv", rest),
        Some((_, rest)) => ("register.toml", rest),
        None => ("register.csv", data),
    };
    let file = SourceFile { name: name.to_owned(), text: String::from_utf8_lossy(rest).into_owned() };
    match Register::parse(&file, &TABLES) {
        Ok(register) => {
            for row in register.rows() {
                assert!(!row.id.is_empty() && !row.forms.is_empty(), "{row:?}");
            }
        }
        Err(problems) => told(Err(problems), &file),
    }
}

/// Any table of an operator's lexicon.
pub fn lexicon(data: &[u8]) {
    let file = SourceFile { name: "table.toml".to_owned(), text: String::from_utf8_lossy(data).into_owned() };
    let mut tables = TABLES.clone();
    told(addition::add(&mut tables, std::slice::from_ref(&file)), &file);
}

/// A body of these parts.
struct Parts(VecDeque<Bytes>);

impl http_body::Body for Parts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|part| Ok(http_body::Frame::data(part))))
    }
}

/// Most bytes of a message, as the body below reads them.
const LIMIT: usize = 64 << 10;

/// Any request body, however it is cut, as frames of gRPC and as one message in JSON: each message is answered once, by a report or by an error, and none holds more
/// than a message may have.
pub fn request(data: &[u8]) {
    let (Some((how, rest)), waker) = (data.split_first(), Waker::noop()) else { return };
    let inflate = [None, Some(Encoding::Gzip), Some(Encoding::Zstd)][usize::from(how % 3)];
    let body = || tonic::body::Body::new(Parts(rest.chunks(usize::from(how / 3) + 1).map(Bytes::copy_from_slice).collect()));
    let budget = Budget::new(64 << 20);
    let account = budget.account(vec![Level::of_call(LIMIT)]);
    let mut reader = FrameReader::new(body(), LIMIT, &account);
    let writer = FrameWriter { encoding: None, compress_from_bytes: usize::MAX };
    let (metrics, tally) = Default::default();
    let desk = Desk {
        engine: std::sync::Arc::new(Reader),
        inflate,
        writer,
        max_message_bytes: LIMIT,
        max_text_bytes: LIMIT / 2,
        max_report_bytes: 0,
        most_cost: 64 << 20,
        most_held: 64 << 20,
        metrics,
        tally,
        json: false,
    };
    let mut cx = Context::from_waker(waker);
    for sequence in 0.. {
        match reader.poll_frame(&mut cx) {
            Poll::Ready(Some(Ok(frame))) => {
                assert!(frame.held_bytes() <= LIMIT);
                answered(&desk, frame, sequence);
            }
            Poll::Ready(Some(Err(status))) => {
                assert_eq!(status.code(), tonic::Code::InvalidArgument);
                break;
            }
            Poll::Ready(None) => break,
            Poll::Pending => unreachable!("the parts are all there"),
        }
    }
    drop(reader);
    let mut reader = FrameReader::new(body(), LIMIT, &account).unwrapped();
    let Poll::Ready(Some(Ok(frame))) = reader.poll_frame(&mut cx) else { unreachable!("a body is a message") };
    let _ = Desk { inflate: None, json: true, ..desk }.unary(frame);
    drop(reader);
    assert_eq!(budget.in_use(), (0, 0), "all is given back");
}

/// The engine of all tests, for a [`Desk`].
struct Reader;

impl jianbao::grpc::Extract for Reader {
    fn extract(&self, bulletin: &jianbao_engine::Bulletin) -> jianbao_engine::report::Report {
        ENGINE.extract(bulletin)
    }
}

fn answered(desk: &Desk, frame: Frame, sequence: u64) {
    let answer = desk.item(frame.clone(), sequence);
    let message = answer.get(5..).expect("an answer has a header");
    let item = pb::BulkExtractReportsResponse::decode(message).expect("an answer can be read");
    assert_eq!(item.sequence, sequence);
    match (desk.unary(frame), item.outcome.expect("an answer has an outcome")) {
        (Ok(_), pb::bulk_extract_reports_response::Outcome::Report(_)) => {}
        (Err(_), pb::bulk_extract_reports_response::Outcome::Error(error)) => {
            assert!(![0, tonic::Code::Internal as i32].contains(&error.code), "{error:?}");
        }
        (unary, item) => panic!("the calls disagree: {:?} and {item:?}", unary.is_ok()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::{Duration, Instant};

    use super::*;

    /// What is kept for a body, by name.
    fn kept(body: &str) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz").join(body);
        let mut paths: Vec<_> =
            fs::read_dir(&folder).expect("every body has a folder").map(|entry| entry.expect("its entries can be read").path()).collect();
        paths.sort();
        paths.iter().map(|path| fs::read(path).expect("it can be read")).collect()
    }

    /// Every input kept, whole, cut short and with one byte after the other spoilt.
    #[test]
    fn every_body_holds_for_what_is_kept_and_what_is_near() {
        /// Places at which an input is cut and spoilt.
        const PLACES: usize = 12;
        for (name, body) in BODIES {
            let inputs = kept(name);
            assert!(inputs.len() >= 5, "{name}: {} inputs", inputs.len());
            for input in inputs {
                body(&input);
                for place in 1..PLACES {
                    let at = input.len() * place / PLACES;
                    body(input.get(..at).expect("inside the input"));
                    let mut spoilt = input.clone();
                    if let Some(byte) = spoilt.get_mut(at) {
                        *byte = byte.wrapping_mul(31).wrapping_add(u8::try_from(place).expect("it is small"));
                        body(&spoilt);
                    }
                }
            }
        }
    }

    /// `piece` again and again, as many bytes as `size` holds.
    fn filled(piece: &str, size: usize) -> String {
        piece.repeat(size / piece.len())
    }

    /// The best of two readings, in time.
    fn time(text: &str) -> Duration {
        let read = || {
            let start = Instant::now();
            let report = super::super::invariants::report(text);
            assert!(report.quantities.len() <= text.len());
            start.elapsed()
        };
        read().min(read())
    }

    /// No text takes more than three times what prose of its size does.
    #[test]
    fn hostile_texts_take_at_most_three_times_as_long_as_prose() {
        const SIZE: usize = 512 << 10;
        const NESTED: usize = 100_000;
        let bulletins = super::super::texts::texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bulletins"));
        let prose: String = bulletins.into_iter().map(|(_, text)| text + "\n").collect();
        let sentence = prose.replace(['。', '；', '！', '？', '\n', '\r'], "，");
        let of_prose = time(&filled(&prose, SIZE));
        let nested = format!("{}发放贷款1亿元{}", "（".repeat(NESTED), "）".repeat(NESTED));
        assert!(nested.len() >= SIZE);
        let row = format!("机构\t余额\t户数\n{}\t1\t1\n", filled("1，", SIZE));
        let texts = [
            ("a row of a table", row),
            ("guiding verbs", filled("工商银行泰和支行走访。农业银行泰和支行走访。引导走访。", SIZE)),
            ("insurers and no lenders", filled("工商银行泰和支行走访。全省保险业实现保费收入。\n走访。\n", SIZE)),
            ("digits", filled("1234567890", SIZE)),
            ("brackets", nested),
            ("a sentence", filled(&sentence, SIZE)),
            ("newlines", filled("\n", SIZE)),
            ("一", filled("一", SIZE)),
            ("其中", filled("其中", SIZE)),
        ];
        for (name, text) in texts {
            let taken = time(&text);
            assert!(taken <= of_prose * 3, "{name} took {taken:?}, prose {of_prose:?}");
        }
    }

    #[test]
    fn the_bodies_see_what_is_wrong() {
        let file = |text: &str| SourceFile { name: "register.csv".to_owned(), text: text.to_owned() };
        assert!(Register::parse(&file("id,name\n1,清河农商银行\n"), &TABLES).is_ok());
        assert!(Register::parse(&file("id,name\n1,\n"), &TABLES).is_err());
        assert!(std::panic::catch_unwind(|| told(Err(Problems::default()), &file(""))).is_err());
    }
}
