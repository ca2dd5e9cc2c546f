//! What a request must satisfy before the engine sees it.

use super::pb;
use super::status::{Refusal, Violation, quoted};
use jianbao_engine::Bulletin;
use jianbao_engine::report::OffsetEncoding;

/// Longest `bulletin.id`, in bytes.
pub const MAX_ID_BYTES: usize = 256;
/// Longest `bulletin.publisher`, in bytes.
pub const MAX_PUBLISHER_BYTES: usize = 1024;
/// Longest `bulletin.source_uri`, in bytes.
pub const MAX_SOURCE_URI_BYTES: usize = 2048;

/// The request in the engine's terms, or every rule that it breaks.
///
/// # Errors
/// A [`Refusal`] that names each field at fault with its limit.
pub fn request(request: pb::ExtractReportRequest, max_text_bytes: usize) -> Result<(Bulletin, OffsetEncoding), Refusal> {
    let bulletin = request.bulletin.unwrap_or_default();
    let encoding = request.options.unwrap_or_default().offset_encoding;
    let known = pb::OffsetEncoding::try_from(encoding).ok();
    let checks = [
        text(&bulletin.text, max_text_bytes),
        length("bulletin.id", &bulletin.id, MAX_ID_BYTES),
        length("bulletin.publisher", &bulletin.publisher, MAX_PUBLISHER_BYTES),
        length("bulletin.source_uri", &bulletin.source_uri, MAX_SOURCE_URI_BYTES),
        published_on(&bulletin.published_on),
        known.is_none().then(|| unknown_encoding(encoding)),
    ];
    let violations: Vec<_> = checks.into_iter().flatten().collect();
    match known {
        Some(known) if violations.is_empty() => Ok((into_engine(bulletin), known.into())),
        _ => Err(Refusal::invalid(violations)),
    }
}

fn into_engine(bulletin: pb::Bulletin) -> Bulletin {
    Bulletin {
        id: bulletin.id,
        text: bulletin.text,
        publisher: bulletin.publisher,
        published_on: bulletin.published_on,
        source_uri: bulletin.source_uri,
    }
}

fn text(text: &str, max_bytes: usize) -> Option<Violation> {
    if text.is_empty() {
        return Some(violation("bulletin.text", "must not be empty".to_owned()));
    }
    length("bulletin.text", text, max_bytes)
}

fn length(field: &'static str, value: &str, max_bytes: usize) -> Option<Violation> {
    let found = value.len();
    (found > max_bytes).then(|| violation(field, format!("must be at most {max_bytes} bytes of UTF-8, has {found}")))
}

fn published_on(value: &str) -> Option<Violation> {
    let description = || format!("must be a date YYYY-MM-DD from 1900-01-01 to 2199-12-31, is {}", quoted(value));
    (!value.is_empty() && !is_date(value)).then(|| violation("bulletin.published_on", description()))
}

fn unknown_encoding(number: i32) -> Violation {
    violation("options.offset_encoding", format!("must be an OffsetEncoding from 0 to 3, is {number}"))
}

const fn violation(field: &'static str, description: String) -> Violation {
    Violation { field, description }
}

/// Whether this is a day of the Gregorian calendar, written `YYYY-MM-DD`.
fn is_date(value: &str) -> bool {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = value.as_bytes() else { return false };
    let number =
        |digits: &[u8]| digits.iter().try_fold(0_u32, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')));
    match (number(&[y1, y2, y3, y4]), number(&[m1, m2]), number(&[d1, d2])) {
        (Some(year), Some(month), Some(day)) => (1900..2200).contains(&year) && (1..=days_in(year, month)).contains(&day),
        _ => false,
    }
}

const fn days_in(year: u32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::is_date;

    #[test]
    fn dates_are_days_of_the_calendar() {
        for good in ["2020-02-29", "2000-02-29", "2020-12-31", "1900-01-01", "2199-12-31"] {
            assert!(is_date(good), "{good}");
        }
        let bad = [
            "2019-02-29",
            "1900-02-29",
            "2020-13-01",
            "2020-00-10",
            "2020-04-31",
            "2020-4-3",
            "2020/04/03",
            "20200403",
            "2020-04-03T00:00",
            "２０２０-01-01",
            "0000-01-01",
            "2200-01-01",
            "+020-01-01",
        ];
        for bad in bad {
            assert!(!is_date(bad), "{bad}");
        }
    }
}
