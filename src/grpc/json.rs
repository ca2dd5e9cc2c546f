//! Messages in proto3 JSON, by the contract's own descriptors.

use std::io::{self, Write};
use std::sync::LazyLock;

use bytes::Bytes;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};

use super::frame::{self, HEADER_BYTES};
use super::{DESCRIPTORS, pb};
use jianbao_engine::report::Report;

/// Longest complaint about a request, in characters.
const MAX_COMPLAINT_CHARS: usize = 200;

/// The descriptor of a request; none would mean that the build is broken, which a test would tell.
static REQUEST: LazyLock<Option<MessageDescriptor>> =
    LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).ok()?.get_message_by_name("jianbao.v1.ExtractReportRequest"));

/// The request that a text stands for.
///
/// # Errors
/// What is wrong with it, and where.
pub fn read(text: &[u8]) -> Result<pb::ExtractReportRequest, String> {
    let Some(request) = &*REQUEST else { return Err("the descriptors are missing".to_owned()) };
    let complaint = |error: serde_json::Error| error.to_string().chars().take(MAX_COMPLAINT_CHARS).collect::<String>();
    let mut text = serde_json::Deserializer::from_slice(text);
    let message = DynamicMessage::deserialize(request.clone(), &mut text).map_err(complaint)?;
    text.end().map_err(complaint)?;
    message.transcode_to().map_err(|error| error.to_string())
}

/// A report as the text of a response in the frame of gRPC, written once; none if it has more bytes than this.
pub fn write(report: &Report, most: usize) -> Option<Bytes> {
    let mut out = Bounded { bytes: vec![0; HEADER_BYTES], most: most + HEADER_BYTES };
    let mut text = serde_json::Serializer::with_formatter(&mut out, Sparse::default());
    serde::Serialize::serialize(&Response { report }, &mut text).ok()?;
    let mut bytes = out.bytes;
    let header = frame::header(false, bytes.len() - HEADER_BYTES);
    bytes.get_mut(..HEADER_BYTES)?.copy_from_slice(&header);
    Some(bytes.into())
}

/// The engine's own form of a report is that of proto3 JSON.
#[derive(serde::Serialize)]
struct Response<'a> {
    report: &'a Report,
}

/// Writes only the fields that say something, as proto3 JSON has it: no empty strings and lists, noughts and falsehoods.
#[derive(Debug, Default)]
struct Sparse {
    /// For each object that is open, whether a field of it has been written.
    objects: Vec<bool>,
    /// The name of a field of which it is not known yet whether it is written, and what begins its value.
    field: Option<Vec<u8>>,
    in_name: bool,
}

impl Sparse {
    /// The field is written: its name, and what has begun.
    fn flush<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        let Some(field) = self.field.take() else { return Ok(()) };
        if self.objects.last_mut().is_some_and(|written| std::mem::replace(written, true)) {
            out.write_all(b",")?;
        }
        out.write_all(&field)
    }

    /// A value that is all there at once; not written as a field that says nothing.
    fn whole<W: ?Sized + Write>(&mut self, out: &mut W, value: &[u8], says_nothing: bool) -> io::Result<()> {
        if says_nothing && self.field.take().is_some() {
            return Ok(());
        }
        self.flush(out)?;
        out.write_all(value)
    }

    /// Something begins that may turn out to be empty.
    fn begin<W: ?Sized + Write>(&mut self, out: &mut W, mark: u8) -> io::Result<()> {
        match &mut self.field {
            Some(field) => {
                field.push(mark);
                Ok(())
            }
            None => out.write_all(&[mark]),
        }
    }

    fn end<W: ?Sized + Write>(&mut self, out: &mut W, mark: u8) -> io::Result<()> {
        if self.field.take().is_some() { Ok(()) } else { out.write_all(&[mark]) }
    }
}

impl Formatter for Sparse {
    fn write_null<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.whole(out, b"null", true)
    }

    fn write_bool<W: ?Sized + Write>(&mut self, out: &mut W, value: bool) -> io::Result<()> {
        self.whole(out, if value { b"true" } else { b"false" }, !value)
    }

    fn write_u32<W: ?Sized + Write>(&mut self, out: &mut W, value: u32) -> io::Result<()> {
        self.write_u64(out, value.into())
    }

    fn write_u64<W: ?Sized + Write>(&mut self, out: &mut W, value: u64) -> io::Result<()> {
        self.whole(out, value.to_string().as_bytes(), value == 0)
    }

    fn begin_string<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b'"')
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        match &mut self.field {
            Some(field) if self.in_name => {
                field.extend_from_slice(fragment.as_bytes());
                Ok(())
            }
            _ => self.flush(out).and_then(|()| out.write_all(fragment.as_bytes())),
        }
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, out: &mut W, escape: CharEscape) -> io::Result<()> {
        self.flush(out)?;
        CompactFormatter.write_char_escape(out, escape)
    }

    fn end_string<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        if self.in_name { self.begin(out, b'"') } else { self.end(out, b'"') }
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b'[')
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.flush(out)?;
        if first { Ok(()) } else { out.write_all(b",") }
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b']')
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.flush(out)?;
        self.objects.push(false);
        out.write_all(b"{")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, _: &mut W, _: bool) -> io::Result<()> {
        (self.field, self.in_name) = (Some(Vec::with_capacity(24)), true);
        Ok(())
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.in_name = false;
        self.begin(out, b':')
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.objects.pop();
        out.write_all(b"}")
    }
}

struct Bounded {
    bytes: Vec<u8>,
    most: usize,
}

impl Write for Bounded {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + part.len() > self.most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_by_either_name_of_its_fields() {
        for text in [
            r#"{"bulletin":{"id":"a","text":"x","publishedOn":"2021-01-02"}}"#,
            r#"{"bulletin":{"id":"a","text":"x","published_on":"2021-01-02"}}"#,
        ] {
            let bulletin = read(text.as_bytes()).unwrap().bulletin.unwrap();
            assert_eq!((bulletin.id.as_str(), bulletin.text.as_str(), bulletin.published_on.as_str()), ("a", "x", "2021-01-02"));
        }
    }

    #[test]
    fn only_what_says_something_is_written_and_no_more_than_may_be() {
        let value = serde_json::json!({
            "a": "", "b": [], "c": null, "d": false, "e": 0, "f": {"x": ""}, "g": ["", 0, {}, []], "h": "x\"y", "i": 7, "j": true,
            "k": [{"l": "", "m": ["n"]}], "o": "\n"
        });
        let mut out = Vec::new();
        let mut text = serde_json::Serializer::with_formatter(&mut out, Sparse::default());
        serde::Serialize::serialize(&value, &mut text).unwrap();
        let wanted = r#"{"f":{},"g":["",0,{},[]],"h":"x\"y","i":7,"j":true,"k":[{"m":["n"]}],"o":"\n"}"#;
        assert_eq!(String::from_utf8(out).unwrap(), wanted);
        let report = Report { title: "题".repeat(100), ..Report::default() };
        assert!(write(&report, 400).is_some() && write(&report, 300).is_none());
    }

    #[test]
    fn what_is_no_request_is_told_with_its_place() {
        for text in
            ["", "[]", "{\"bulletin\":1}", "{\"bulletins\":{}}", "{} {}", "{\"bulletin\":{\"text\":\"\\ud800\"}}", &"[".repeat(100_000)]
        {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(error.contains("line 1") && error.chars().count() <= MAX_COMPLAINT_CHARS, "{error}");
        }
    }
}
