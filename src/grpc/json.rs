//! Messages in proto3 JSON, by the contract's own descriptors.

use std::sync::LazyLock;

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};

use super::{DESCRIPTORS, pb};

/// Longest complaint about a request, in characters.
const MAX_COMPLAINT_CHARS: usize = 200;

/// The descriptors of the messages; none would mean that the build is broken, which a test would tell.
static MESSAGES: LazyLock<Option<[MessageDescriptor; 2]>> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(DESCRIPTORS).ok()?;
    Some([pool.get_message_by_name("jianbao.v1.ExtractReportRequest")?, pool.get_message_by_name("jianbao.v1.ExtractReportResponse")?])
});

/// The request that a text stands for.
///
/// # Errors
/// What is wrong with it, and where.
pub fn read(text: &[u8]) -> Result<pb::ExtractReportRequest, String> {
    let Some([request, _]) = &*MESSAGES else { return Err("the descriptors are missing".to_owned()) };
    let complaint = |error: serde_json::Error| error.to_string().chars().take(MAX_COMPLAINT_CHARS).collect::<String>();
    let mut text = serde_json::Deserializer::from_slice(text);
    let message = DynamicMessage::deserialize(request.clone(), &mut text).map_err(complaint)?;
    text.end().map_err(complaint)?;
    message.transcode_to().map_err(|error| error.to_string())
}

/// A response as text.
pub fn write(response: &pb::ExtractReportResponse) -> Vec<u8> {
    let Some([_, descriptor]) = &*MESSAGES else { return Vec::new() };
    let mut text = serde_json::Serializer::new(Vec::new());
    let message = DynamicMessage::decode(descriptor.clone(), response.encode_to_vec().as_slice());
    // What was made of the contract's messages is one, and a vector takes everything.
    let _ = message.map(|message| message.serialize_with_options(&mut text, &SerializeOptions::new()));
    text.into_inner()
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
    fn what_is_no_request_is_told_with_its_place() {
        for text in
            ["", "[]", "{\"bulletin\":1}", "{\"bulletins\":{}}", "{} {}", "{\"bulletin\":{\"text\":\"\\ud800\"}}", &"[".repeat(100_000)]
        {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(error.contains("line 1") && error.chars().count() <= MAX_COMPLAINT_CHARS, "{error}");
        }
    }
}
