use proptest::prelude::*;
use std::sync::LazyLock;

use super::*;

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::load().unwrap());

fn tokens(source: &SourceText<'_>, fixed: Fixed) -> Tokens {
    Tokens::new(source, &LEXICON.scan(source), &LEXICON, fixed)
}

/// The words of a text without fixed ones, with a stroke between two.
fn tiled(text: &str) -> String {
    let source = SourceText::new(text);
    let words: Vec<&str> = tokens(&source, Fixed::default()).all().iter().map(|token| source.text(token.range())).collect();
    words.join("|")
}

#[test]
fn texts_are_tiled_by_whole_words() {
    for expected in [
        // A word hides what is in it, and two words what lies across them.
        "购买|农机具|的|农户",
        "收到|回执|意向书",
        "制止|违法|行为",
        "提高|授信|额度",
        "发放|贷款|500",
        // Words of the tables that others make up are no words.
        "发放|贷款|余额",
        "压缩|至",
        "新|发放",
        "该|企业",
        "信用村",
        "不良率",
        // Letters and digits that no number has stay together; a mark stands alone.
        "POS机|ABC123|号",
        "、|”|。",
        // No word has these glyphs.
        "龘|䶮|贷款",
        "",
    ] {
        assert_eq!(tiled(&expected.replace('|', "")), expected);
    }
}

#[test]
fn fixed_words_stand_as_they_are() {
    let source = SourceText::new("清河农机具公司贷款");
    let fixed = || Fixed::default().with([0..7, 2..4].into_iter(), Pos::Organisation).with(std::iter::once(2..5), Pos::Number);
    let tokens = tokens(&source, fixed());
    assert_eq!(
        tokens.all().iter().map(|token| (token.range(), token.pos)).collect::<Vec<_>>(),
        [(0..7, Pos::Organisation), (7..9, Pos::VerbalNoun)]
    );
    assert_eq!(tokens.at(6), tokens.all().first().copied());
    assert_eq!((tokens.at(8).map(Token::start), tokens.at(9)), (Some(7), None));
    assert_eq!(tokens.starting_in(&(1..9)).len(), 1);
    assert!(tokens.are_whole(&(7..9)) && !tokens.are_whole(&(6..9)) && !tokens.are_whole(&(7..8)));
}

/// Whether a word of the tables stands in a text, and whether it is a head there.
fn standing(text: &str, word: &str) -> (bool, bool) {
    let source = SourceText::new(text);
    let hits = LEXICON.scan(&source);
    let tokens = tokens(&source, Fixed::default());
    let mut found = hits.inside(0..source.len()).filter(|hit| source.text(hit.range()) == word);
    let around = Around { source: &source, hits: &hits };
    found.next().map(|hit| (tokens.stands(around, hit), tokens.is_head(around, hit))).expect("the tables have the word")
}

#[test]
fn a_word_stands_where_it_is_whole() {
    for (text, word, expected) in [
        ("布放机具20台", "机具", (true, true)),
        ("购买农机具20台", "机具", (false, false)),
        ("发放贷款", "放贷", (false, false)),
        ("同意向企业放款", "意向", (false, false)),
        ("支小再贷款", "再贷款", (true, true)),
        ("两家子公司", "公司", (false, true)),
        ("具有代表性", "代表", (false, false)),
    ] {
        assert_eq!(standing(text, word), expected, "{word} in {text}");
    }
}

#[test]
fn a_stretch_without_marks_may_be_long() {
    let source_text = "贷款".repeat(5_000);
    let source = SourceText::new(&source_text);
    let tokens = tokens(&source, Fixed::default());
    assert_eq!(tokens.all().len(), 5_000);
    let text = "A".repeat(3_000);
    assert_eq!(self::tokens(&SourceText::new(&text), Fixed::default()).all().len(), 3);
}

proptest! {
    /// Tokens lie one behind the other over the whole text, whatever it is and whatever is fixed.
    #[test]
    fn tokens_tile_every_text(text in "([一-龥]{0,9}|贷款|[A-Za-z0-9]{0,5}|[,。、 \n])*", fixed in prop::collection::vec((0..90usize, 0..9usize), 0..6)) {
        let source = SourceText::new(&text);
        let length = source.len();
        let ranges: Vec<Glyphs> = fixed.iter().map(|&(start, width)| start.min(length)..(start + width).min(length)).collect();
        let tokens = tokens(&source, Fixed::default().with(ranges.into_iter(), Pos::Number));
        let mut end = 0;
        for token in tokens.all() {
            prop_assert_eq!(token.start(), end);
            prop_assert!(token.end() > end);
            end = token.end();
            prop_assert!(tokens.are_whole(&token.range()) && tokens.at(token.start()) == Some(*token));
        }
        prop_assert_eq!(end, length);
    }
}
