//! The proto and the engine's vocabulary, held together both ways.

use std::collections::BTreeMap;

use jianbao::grpc::{DESCRIPTORS, pb};
use jianbao_engine::report;
use prost::Message as _;
use prost_types::{FileDescriptorProto, FileDescriptorSet};

fn files() -> Vec<FileDescriptorProto> {
    FileDescriptorSet::decode(DESCRIPTORS).unwrap().file
}

/// Name → number of every value of an enum of the proto.
fn wire(name: &str) -> BTreeMap<String, i32> {
    let files = files();
    let mut enums = files.iter().flat_map(|file| &file.enum_type);
    let found = enums.find(|e| e.name() == name).unwrap_or_else(|| panic!("the proto has no enum {name}"));
    found.value.iter().map(|value| (value.name().to_owned(), value.number())).collect()
}

macro_rules! vocabularies {
    ($($name:ident)+) => {
        #[test]
        fn every_vocabulary_is_the_same_on_the_wire_and_in_the_engine() {
            $(
                let mut engine: BTreeMap<_, _> =
                    report::$name::ALL.iter().map(|v| (v.wire_name().to_owned(), v.number())).collect();
                engine.insert(format!("{}UNSPECIFIED", report::$name::PREFIX), 0);
                assert_eq!(wire(stringify!($name)), engine, stringify!($name));
                for value in report::$name::ALL {
                    assert_eq!(pb::$name::try_from(value.number()).unwrap().as_str_name(), value.wire_name());
                }
            )+
            let known = [$(stringify!($name)),+, "OffsetEncoding"];
            for found in files().iter().flat_map(|file| &file.enum_type) {
                assert!(known.contains(&found.name()), "the engine does not know {}", found.name());
            }
        }
    };
}

vocabularies! {
    InstitutionType QuantityKind Qualifier QuantityRole Metric MeasureCategory ChangeDirection FindingCode Severity
}

/// The names that the contract binds, message by message.
const MESSAGES: &[(&str, &str)] = &[
    ("ExtractReportRequest", "bulletin options"),
    ("Bulletin", "id text publisher published_on source_uri"),
    ("ExtractOptions", "offset_encoding"),
    ("ExtractReportResponse", "report"),
    ("BulkExtractReportsResponse", "bulletin_id sequence report error"),
    ("Report", "bulletin_id title publisher published_on institutions quantities findings engine text_sha256"),
    ("InstitutionReport", "institution heading sections measures figures"),
    ("Institution", "name canonical_name type head_office region_code region_name register_id mentions"),
    ("Measure", "category text span purposes segments product figures planned uncertain_fields"),
    (
        "Figure",
        "metric label value upper_value kind unit qualifier cumulative period change beneficiary product purposes \
         segments part_of id quantity_index text span planned uncertain_fields",
    ),
    ("Period", "start end text"),
    ("Change", "direction baseline text"),
    ("Quantity", "text span kind numeral value upper_value unit qualifier role"),
    ("Finding", "code severity message spans stated expected"),
    ("EngineInfo", "version lexicon_digest"),
    ("Span", "start end"),
];

#[test]
fn every_message_has_the_fields_of_the_contract() {
    let files = files();
    for (name, fields) in MESSAGES {
        let mut messages = files.iter().flat_map(|file| &file.message_type);
        let message = messages.find(|m| m.name() == *name).unwrap_or_else(|| panic!("no message {name}"));
        for field in fields.split_whitespace() {
            assert!(message.field.iter().any(|f| f.name() == field), "{name} has no {field}");
        }
    }
}

#[test]
fn every_part_of_the_contract_has_a_comment() {
    for file in files().iter().filter(|file| file.package() == "jianbao.v1") {
        let info = file.source_code_info.as_ref().expect("comments are kept");
        let commented = |path: &[i32]| {
            let found = info.location.iter().find(|location| location.path == path);
            assert!(found.is_some_and(|l| l.leading_comments().trim().len() > 2), "{}: {path:?}", file.name());
        };
        for (index, message) in (0..).zip(&file.message_type) {
            commented(&[4, index]);
            (0..).zip(&message.field).for_each(|(field, _)| commented(&[4, index, 2, field]));
        }
        for (index, vocabulary) in (0..).zip(&file.enum_type) {
            commented(&[5, index]);
            (0..).zip(&vocabulary.value).for_each(|(value, _)| commented(&[5, index, 2, value]));
        }
        for (index, service) in (0..).zip(&file.service) {
            commented(&[6, index]);
            (0..).zip(&service.method).for_each(|(method, _)| commented(&[6, index, 2, method]));
        }
    }
}
