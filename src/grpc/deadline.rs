//! The `grpc-timeout` header.

use std::time::{Duration, Instant};

use http::HeaderMap;

/// The timeout header is not of the protocol's form: one to eight digits and one of `HMSmun`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// The instant at which a call's time is up, if it has a limit.
///
/// # Errors
/// [`Malformed`] when the header is there and cannot be read.
pub fn deadline(headers: &HeaderMap, now: Instant) -> Result<Option<Instant>, Malformed> {
    let mut values = headers.get_all("grpc-timeout").iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Malformed);
    }
    // A time too far away to be told is no limit.
    Ok(now.checked_add(timeout(value.as_bytes())?))
}

fn timeout(value: &[u8]) -> Result<Duration, Malformed> {
    let (unit, digits) = value.split_last().ok_or(Malformed)?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Malformed);
    }
    let amount = digits.iter().fold(0_u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    match unit {
        b'H' => Ok(Duration::from_secs(amount * 3_600)),
        b'M' => Ok(Duration::from_secs(amount * 60)),
        b'S' => Ok(Duration::from_secs(amount)),
        b'm' => Ok(Duration::from_millis(amount)),
        b'u' => Ok(Duration::from_micros(amount)),
        b'n' => Ok(Duration::from_nanos(amount)),
        _ => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_the_protocol_writes_them() {
        let cases: &[(&str, Option<Duration>)] = &[
            ("1H", Some(Duration::from_secs(3_600))),
            ("2M", Some(Duration::from_secs(120))),
            ("99999999S", Some(Duration::from_secs(99_999_999))),
            ("5m", Some(Duration::from_millis(5))),
            ("7u", Some(Duration::from_micros(7))),
            ("0n", Some(Duration::ZERO)),
            ("", None),
            ("S", None),
            ("5", None),
            ("-5S", None),
            ("+5S", None),
            ("5 S", None),
            ("5s", None),
            ("1.5S", None),
            ("123456789S", None),
        ];
        for (text, want) in cases {
            assert_eq!(timeout(text.as_bytes()).ok(), *want, "{text}");
        }
    }
}
