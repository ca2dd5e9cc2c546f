//! gzip and zstd, with a bound on what comes out, whatever the bytes say of themselves.

use std::io::{Read, Write as _};

use bytes::Bytes;
use http::HeaderMap;

/// Every encoding of messages the server reads and writes, as the `grpc-accept-encoding` header has it.
pub const ACCEPTED: &str = "identity,gzip,zstd";
/// What zstd calls an output that has no room for what comes.
const NO_ROOM: &str = "Destination buffer is too small";
/// How much shorter a text is when it is packed, about.
const LIKELY_RATIO: usize = 4;
/// The level at which zstd is about as fast as gzip's fastest, and packs better.
const ZSTD_LEVEL: i32 = 1;

/// How a message is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// gzip (RFC 1952).
    Gzip,
    /// Zstandard (RFC 8878).
    Zstd,
}

/// The server does not know the encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown;

/// Why a message was not inflated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InflateError {
    /// More than the limit came out.
    TooLarge,
    /// The bytes are no such encoding.
    Corrupt,
}

impl Encoding {
    /// The encoding's name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Zstd, Self::Gzip].into_iter().find(|encoding| encoding.name() == name)
    }

    /// How the caller's messages are compressed, if they are.
    ///
    /// # Errors
    /// [`Unknown`].
    pub fn of_request(headers: &HeaderMap) -> Result<Option<Self>, Unknown> {
        match headers.get("grpc-encoding").map(|value| value.to_str().unwrap_or("")) {
            None | Some("identity") => Ok(None),
            Some(name) => Self::from_name(name).map(Some).ok_or(Unknown),
        }
    }

    /// The best encoding that the caller accepts, if it accepts one.
    #[must_use]
    pub fn for_response(headers: &HeaderMap) -> Option<Self> {
        let accepted = || {
            let values = headers.get_all("grpc-accept-encoding").iter();
            values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim)
        };
        [Self::Zstd, Self::Gzip].into_iter().find(|encoding| accepted().any(|name| name == encoding.name()))
    }

    /// How many bytes will come out, as far as the bytes say so themselves; they may lie.
    #[must_use]
    pub fn expected(self, bytes: &[u8]) -> usize {
        let stated = match self {
            // The last four bytes are the length of what the last member holds.
            Self::Gzip => bytes.last_chunk::<4>().map(|length| u64::from(u32::from_le_bytes(*length))),
            Self::Zstd => zstd_safe::get_frame_content_size(bytes).ok().flatten(),
        };
        let stated = usize::try_from(stated.unwrap_or(0)).unwrap_or(usize::MAX);
        stated.max(bytes.len().saturating_mul(LIKELY_RATIO))
    }

    /// What the bytes hold, if it is no longer than `limit`.
    ///
    /// # Errors
    /// [`InflateError`].
    pub fn inflate(self, bytes: &[u8], limit: usize) -> Result<Bytes, InflateError> {
        match self {
            Self::Gzip => read_bounded(flate2::read::MultiGzDecoder::new(bytes), limit),
            Self::Zstd => unpack(bytes, limit),
        }
    }

    /// The bytes, compressed fast rather than small; none if the encoder fails.
    #[must_use]
    pub fn deflate(self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Gzip => {
                let out = Vec::with_capacity(bytes.len() / 4);
                let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::fast());
                encoder.write_all(bytes).ok()?;
                encoder.finish().ok()
            }
            Self::Zstd => {
                let mut out = Vec::with_capacity(zstd_safe::compress_bound(bytes.len()));
                zstd_safe::compress(&mut out, bytes, ZSTD_LEVEL).ok()?;
                out.shrink_to_fit();
                Some(out)
            }
        }
    }
}

/// In one pass into what the limit allows: so no window is held, however large a frame states its own, and a block that
/// would grow beyond the limit is left off where it does. Memory that nothing is written to costs nothing.
fn unpack(bytes: &[u8], limit: usize) -> Result<Bytes, InflateError> {
    let stated = zstd_safe::get_frame_content_size(bytes).map_err(|_| InflateError::Corrupt)?;
    if stated.is_some_and(|stated| stated > limit as u64) {
        return Err(InflateError::TooLarge);
    }
    let mut out = Vec::with_capacity(limit);
    match zstd_safe::decompress(&mut out, bytes) {
        Ok(_) => {
            out.shrink_to_fit();
            Ok(out.into())
        }
        Err(error) if zstd_safe::get_error_name(error) == NO_ROOM => Err(InflateError::TooLarge),
        Err(_) => Err(InflateError::Corrupt),
    }
}

fn read_bounded(from: impl Read, limit: usize) -> Result<Bytes, InflateError> {
    let mut out = Vec::new();
    from.take(limit as u64 + 1).read_to_end(&mut out).map_err(|_| InflateError::Corrupt)?;
    if out.len() > limit { Err(InflateError::TooLarge) } else { Ok(out.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f1_what_a_zstd_frame_states_of_its_window_and_content_is_not_believed() {
        // A window of 2^31 bytes; the content is 3 bytes.
        let wide = [&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8][..], &[3 << 3 | 2 | 1, 0, 0, b'a']].concat();
        assert_eq!(Encoding::Zstd.inflate(&wide, 2), Err(InflateError::TooLarge));
        // A content of 2^62 bytes.
        let long = [&[0x28, 0xb5, 0x2f, 0xfd, 0xe0][..], &(1_u64 << 62).to_le_bytes(), &[1, 0, 0]].concat();
        assert_eq!(Encoding::Zstd.inflate(&long, 1 << 20), Err(InflateError::TooLarge));
        // Streams of a known writer state a window larger than they need.
        let small = zstd::encode_all(&b"abc"[..], 19).unwrap();
        assert_eq!(Encoding::Zstd.inflate(&small, 3).unwrap(), &b"abc"[..]);
        // Two frames are one content.
        assert_eq!(Encoding::Zstd.inflate(&[&small[..], &small].concat(), 6).unwrap(), &b"abcabc"[..]);
    }

    #[test]
    fn what_is_deflated_inflates_to_the_same_and_not_beyond_the_limit() {
        let text = "截至5月末,累计发放贷款5835万元。".repeat(2_000);
        for encoding in [Encoding::Gzip, Encoding::Zstd] {
            let packed = encoding.deflate(text.as_bytes()).unwrap();
            assert!(packed.len() < text.len() / 10);
            assert_eq!(encoding.inflate(&packed, text.len()).unwrap(), text.as_bytes());
            assert_eq!(encoding.inflate(&packed, text.len() - 1), Err(InflateError::TooLarge));
            assert_eq!(encoding.inflate(&packed[..packed.len() / 2], text.len()), Err(InflateError::Corrupt));
            assert_eq!(encoding.inflate(b"no such thing", text.len()), Err(InflateError::Corrupt));
        }
    }
}
