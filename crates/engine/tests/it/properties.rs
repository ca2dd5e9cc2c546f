//! What holds for every text: the contract's invariants, over texts made at random.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::LazyLock;

use jianbao_engine::report::{OffsetEncoding, Report, Span};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use super::invariants::{ENGINE, encoded, figures, hold, report};
use super::texts::texts;

/// Pieces that bulletins are made of, and pieces that spoil them.
const PIECES: &[&str] = &[
    "兴和县联社",
    "农发行乌兰察布市分行",
    "中国工商银行",
    "工商银行兰州分行",
    "全市银行业金融机构",
    "全省",
    "辖内法人机构",
    "人民银行",
    "内蒙古银保监局",
    "村镇银行",
    "该行",
    "我行",
    "全行",
    "其",
    "联社",
    "银行业协会",
    "中国人保财险",
    "小额贷款公司",
    "（以下简称“兴和联社”）",
    "某县",
    "鄂尔多斯市",
    "康巴什区",
    "发放",
    "投放",
    "贷款",
    "累计",
    "累计发放",
    "贷款余额",
    "余额",
    "授信",
    "续贷",
    "展期",
    "不抽贷",
    "下调利率",
    "利率",
    "不良率",
    "存款",
    "减免",
    "利息",
    "走访",
    "对接",
    "开通绿色通道",
    "推出",
    "“惠农贷”",
    "线上",
    "支持",
    "向",
    "为",
    "对",
    "其中",
    "其中：",
    "分别",
    "较年初",
    "同比",
    "较上年同期",
    "增加",
    "增长",
    "下降",
    "净增",
    "达到",
    "为主",
    "占比",
    "高于",
    "个百分点",
    "基点",
    "BP",
    "春耕备耕",
    "复工复产",
    "小微企业",
    "农户",
    "合作社",
    "有限公司",
    "公司",
    "医院",
    "项目",
    "该公司",
    "王先生",
    "种粮大户王守田",
    "受疫情影响",
    "为进一步",
    "下一步",
    "将继续",
    "截至",
    "截止",
    "目前",
    "年初",
    "月末",
    "上半年",
    "一季度",
    "前三季度",
    "去年同期",
    "以来",
    "期间到期",
    "1-7月",
    "20203月",
    "68日",
    "2020年",
    "5月末",
    "3月19日",
    "2020-09-02",
    "2020/13/40",
    "16:20",
    "24小时",
    "发布时间：",
    "来源：",
    "第17期",
    "（2020）12号",
    "〔2020〕12号",
    "95588",
    "0471-1234567",
    "www.a1.cn/2020",
    "COVID-19",
    "G20",
    "1",
    "0",
    "00",
    "3.14",
    "1,234",
    "1，234",
    "5000",
    "9999999999999999999999999999999999",
    "0.06",
    ".5",
    "-5",
    "１２",
    "３．５",
    "，",
    ",",
    "、",
    "。",
    "；",
    ";",
    "：",
    "！",
    "？",
    "!",
    "?",
    "｡",
    "“",
    "”",
    "\"",
    "‘",
    "’",
    "（",
    "）",
    "(",
    ")",
    "《",
    "》",
    "【",
    "】",
    "—",
    "——",
    "-",
    "~",
    "·",
    "%",
    "％",
    "‰",
    "万",
    "亿",
    "百",
    "千",
    "十",
    "两",
    "零",
    "半",
    "余",
    "多",
    "近",
    "约",
    "超",
    "逾",
    "左右",
    "以上",
    "以内",
    "不超过",
    "最高",
    "亿元",
    "万元",
    "元",
    "户",
    "笔",
    "家",
    "个",
    "天",
    "小时",
    "吨",
    "亩",
    "斤",
    "倍",
    "成",
    "折",
    "款",
    "人",
    "年",
    "月",
    "日",
    "一",
    "三亿零一百万",
    "二十",
    "三五",
    "七成六",
    "百分之",
    "千分之三",
    "一是",
    "二是",
    "（一）",
    "一、",
    "1.",
    "2、",
    "①",
    "㈠",
    "第一",
    "\n",
    "\n\n",
    "\r\n",
    "\n\u{3000}\u{3000}",
    " ",
    "  ",
    "\t",
    "\u{3000}",
    "\u{a0}",
    "\u{2028}",
    "\u{b}",
    "\u{fffd}",
    "锟斤拷",
    "\u{200b}",
    "\u{feff}",
    "\u{0}",
    "●",
    "◆",
    "u ",
    "\u{f0d8}",
    "<p>",
    "</b>",
    "&nbsp;",
    "<br/>",
    "😀",
    "𠮷",
    "⼀",
    "豈",
    "貸款",
    "發放",
    "abc",
    "LPR",
    "Q1",
    "ﬁ",
    "１万",
    "合计",
    "序号",
    "贷款\t1\t2\n",
    "锦鲤",
    "的",
    "了",
    "和",
    "等",
    "至",
    "到",
    "～",
];

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        24 => prop::sample::select(PIECES).prop_map(str::to_owned),
        3 => (0_u64..100_000_000).prop_map(|n| n.to_string()),
        1 => "[0-9]{1,40}",
        1 => "[０-９]{1,9}",
        1 => "[零一二三四五六七八九十百千万亿两]{1,8}",
        1 => "[0-9.,，:/-]{1,12}",
        1 => prop::char::any().prop_map(String::from),
        1 => prop::char::range('\u{4e00}', '\u{9fff}').prop_map(String::from),
    ]
}

/// A bulletin of the repository with stretches cut out, doubled, moved and spoilt.
fn spoilt_bulletin() -> impl Strategy<Value = String> {
    let cut = (any::<prop::sample::Index>(), 0_usize..200, piece(), 0_u8..4);
    (any::<prop::sample::Index>(), prop::collection::vec(cut, 0..8)).prop_map(|(which, cuts)| {
        let mut text: Vec<char> = which.get(&BULLETINS).chars().collect();
        for (at, length, piece, what) in cuts {
            let start = at.index(text.len() + 1);
            let end = (start + length).min(text.len());
            let stretch: Vec<char> = text[start..end].to_vec();
            let instead: Vec<char> = match what {
                0 => Vec::new(),
                1 => [stretch.clone(), stretch].concat(),
                2 => piece.chars().collect(),
                _ => [piece.chars().collect(), stretch].concat(),
            };
            text.splice(start..end, instead);
        }
        text.into_iter().collect()
    })
}

static BULLETINS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/bulletins");
    texts(&folder).into_iter().map(|(_, text)| text).collect()
});

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => spoilt_bulletin(),
        6 => prop::collection::vec(piece(), 0..60).prop_map(|pieces| pieces.concat()),
        1 => prop::collection::vec(piece(), 1..4).prop_flat_map(|pieces| (Just(pieces.concat()), 1_usize..40)).prop_map(|(unit, times)| unit.repeat(times)),
        1 => any::<String>(),
    ]
}

fn config(cases: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(cases);
    ProptestConfig { cases, failure_persistence: Some(Box::new(FileFailurePersistence::Off)), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(1500))]

    #[test]
    fn invariants_hold_for_arbitrary_text(text in text()) {
        hold(&text).map_err(TestCaseError::fail)?;
    }
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn the_same_text_gives_the_same_report(text in text()) {
        let first = format!("{:?}", report(&text));
        prop_assert_eq!(&first, &format!("{:?}", report(&text)));
    }

    #[test]
    fn full_width_digits_have_the_values_of_half_width_ones(text in text()) {
        // A comma between digits groups them if it is as wide as they are, so the text has none.
        let narrow: String = text.replace([',', '，'], "、").chars().map(|c| if ('０'..='９').contains(&c) { char::from_u32(c as u32 - 0xfee0).unwrap_or(c) } else { c }).collect();
        let wide: String = narrow.chars().map(|c| if c.is_ascii_digit() { char::from_u32(c as u32 + 0xfee0).unwrap_or(c) } else { c }).collect();
        prop_assert_eq!(values(&report(&narrow)), values(&report(&wide)), "{:?}", narrow);
    }

    #[test]
    fn every_encoding_cuts_the_same_text(text in text()) {
        let utf8: Vec<String> = spans(&report(&text)).into_iter().map(|s| text[s.start..s.end].to_owned()).collect();
        let units: Vec<u16> = text.encode_utf16().collect();
        let utf16: Vec<String> = spans(&encoded(&text, OffsetEncoding::Utf16)).into_iter().map(|s| String::from_utf16(&units[s.start..s.end]).expect("no span cuts a surrogate pair")).collect();
        let points: Vec<char> = text.chars().collect();
        let utf32: Vec<String> = spans(&encoded(&text, OffsetEncoding::Utf32)).into_iter().map(|s| points[s.start..s.end].iter().collect()).collect();
        prop_assert_eq!(&utf8, &utf16);
        prop_assert_eq!(&utf8, &utf32);
    }
}

#[test]
fn four_threads_read_as_one_does() {
    let text = PIECES.concat();
    let alone = format!("{:?}", report(&text));
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..4).map(|_| scope.spawn(|| format!("{:?}", report(&text)))).collect();
        for reader in readers {
            assert_eq!(reader.join().expect("the reader ends"), alone);
        }
    });
    assert!(format!("{ENGINE:?}", ENGINE = *ENGINE).contains("digest"));
}

/// The figures of a report by what they say.
fn values(report: &Report) -> Vec<String> {
    figures(report)
        .into_iter()
        .map(|f| {
            format!(
                "{:?} {} {} {} {:?} {:?} {:?}",
                f.metric,
                f.value,
                f.upper_value,
                f.unit,
                f.kind,
                f.qualifier,
                f.change.as_ref().map(|c| c.direction)
            )
        })
        .collect()
}

fn spans(report: &Report) -> Vec<Span> {
    let mut all: Vec<Span> = report.quantities.iter().map(|q| q.span).collect();
    for institution in &report.institutions {
        all.extend(&institution.institution.mentions);
        all.extend(&institution.sections);
        all.extend(institution.measures.iter().map(|m| m.span));
    }
    all.extend(figures(report).into_iter().map(|f| f.span));
    all.extend(report.findings.iter().flat_map(|f| &f.spans));
    all
}

#[test]
fn every_piece_holds_alone_and_beside_every_kind_of_neighbour() {
    let mut broken = String::new();
    for piece in PIECES {
        for (before, after) in [("", ""), ("5", "5"), ("贷款", "元"), ("\n", "\n"), ("兴和县联社发放贷款", "。"), ("一", "一")]
        {
            let text = format!("{before}{piece}{after}");
            if let Err(problem) = hold(&text) {
                let _ = writeln!(broken, "{problem}");
            }
        }
    }
    assert!(broken.is_empty(), "{broken}");
}
