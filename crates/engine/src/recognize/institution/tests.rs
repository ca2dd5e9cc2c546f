//! The cases of `tests/cases/institution.toml`.

use super::{InstitutionMention, NameForm, group_nouns, institutions};
use crate::lexicon::Lexicon;
use crate::source::SourceText;

#[derive(serde::Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    text: String,
    mentions: Vec<String>,
}

fn read(lexicon: &Lexicon, text: &str) -> Vec<InstitutionMention> {
    let source = SourceText::new(text);
    institutions(&source, &lexicon.scan(&source), lexicon)
}

fn line(mention: &InstitutionMention) -> String {
    let canonical = if mention.canonical == mention.name { "=" } else { &mention.canonical };
    let form = match (mention.form, mention.alias_of) {
        (_, Some(index)) => format!("= {index}"),
        (NameForm::HeadOffice, _) => "head office".to_owned(),
        (NameForm::Fragment, _) => "fragment".to_owned(),
        (NameForm::Sector, _) => "sector".to_owned(),
        (NameForm::Proper, _) if !mention.parent.is_empty() => format!("outlet of {}", mention.parent),
        (NameForm::Proper, _) if mention.outlet => "outlet".to_owned(),
        (NameForm::Proper, _) => String::new(),
    };
    let cells = [mention.name.as_str(), canonical, mention.kind.code(), &mention.head_office, &mention.region_code, &form];
    cells.join(" | ").trim_end_matches([' ', '|']).to_owned()
}

#[test]
fn cases_give_their_mentions() {
    let lexicon = Lexicon::load().unwrap();
    let cases: Cases = toml::from_str(include_str!("../../../../../tests/cases/institution.toml")).unwrap();
    let mut wrong = String::new();
    for case in &cases.case {
        let found: Vec<String> = read(&lexicon, &case.text).iter().map(line).collect();
        let wanted: Vec<String> = case.mentions.iter().map(|m| m.trim_end_matches([' ', '|']).to_owned()).collect();
        if found != wanted {
            wrong.extend([case.text.as_str(), &format!("\n  want {wanted:#?}\n  got {found:#?}\n")]);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(cases.case.len() >= 80);
}

#[test]
fn mentions_do_not_overlap_and_lie_in_the_text() {
    let lexicon = Lexicon::load().unwrap();
    for text in ["", "支行", "银行", "全省", "以下简称(简称)", "联社(以下简称", "农行农行农行(下称农行)", "(简称“”)工行"]
    {
        let mentions = read(&lexicon, text);
        assert!(mentions.iter().zip(mentions.iter().skip(1)).all(|(mention, next)| mention.range.end <= next.range.start), "{text}");
        assert!(
            mentions.iter().all(|mention| !mention.range.is_empty() && mention.alias_of.is_none_or(|index| index < mentions.len())),
            "{text}"
        );
    }
}

#[test]
fn group_nouns_are_those_without_a_scope() {
    let lexicon = Lexicon::load().unwrap();
    let source = SourceText::new("全省金融机构让利,相关银行机构响应。");
    let nouns = group_nouns(&source, &lexicon.scan(&source), &lexicon);
    assert_eq!(nouns.iter().map(|noun| noun.name.as_str()).collect::<Vec<_>>(), ["相关银行机构"]);
}
