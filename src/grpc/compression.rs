//! gzip and zstd, with a bound on what comes out.

use std::io::{Read, Write as _};

use bytes::Bytes;
use http::HeaderMap;
use ruzstd::decoding::StreamingDecoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// Every encoding of messages the server reads and writes, as the `grpc-accept-encoding` header has it.
pub const ACCEPTED: &str = "identity,gzip,zstd";

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

    /// What the bytes hold, if it is no longer than `limit`.
    ///
    /// # Errors
    /// [`InflateError`].
    pub fn inflate(self, bytes: &[u8], limit: usize) -> Result<Bytes, InflateError> {
        match self {
            Self::Gzip => read_bounded(flate2::read::MultiGzDecoder::new(bytes), limit),
            Self::Zstd => {
                let decoder = StreamingDecoder::new(bytes).map_err(|_| InflateError::Corrupt)?;
                read_bounded(decoder, limit)
            }
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
            Self::Zstd => Some(compress_to_vec(bytes, CompressionLevel::Fastest)),
        }
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
