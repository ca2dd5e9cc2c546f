//! What tells one group of institutions from another: its trade and its scope.

use serde::Deserialize;

/// The trade of a group of institutions. `name.toml` lists the nouns of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trade {
    /// 银行业保险业, 银行保险机构.
    BankingAndInsurance,
    /// 银行业, 银行业金融机构.
    Banking,
    /// 金融机构: as a rule those that lend.
    Finance,
    /// 金融业: all of them.
    FinancialIndustry,
    /// 保险业.
    Insurance,
    /// 财险公司.
    PropertyInsurance,
    /// 寿险公司.
    LifeInsurance,
    /// 地方法人金融机构.
    LocalLegalPersons,
    /// 中小银行.
    SmallBanks,
    /// 国有大型银行.
    LargeBanks,
    /// 股份制银行.
    JointStockBanks,
    /// 商业银行.
    CommercialBanks,
    /// 城商行.
    CityBanks,
    /// 农村商业银行, 农信系统.
    RuralInstitutions,
    /// 村镇银行.
    VillageBanks,
    /// 融资担保机构.
    Guarantee,
    /// 小额贷款公司.
    MicroLoans,
    /// 消费金融公司.
    ConsumerFinance,
    /// 金融租赁公司.
    Leasing,
    /// 信托公司.
    Trust,
    /// 理财公司.
    WealthManagement,
    /// 证券公司, 期货公司.
    Securities,
    /// 政策性银行.
    PolicyBanks,
    /// 外资银行.
    ForeignBanks,
    /// 中资银行.
    ChineseBanks,
    /// 民营银行.
    PrivateBanks,
    /// 地方金融组织.
    LocalFinance,
    /// 会员单位.
    Members,
    /// 非银行金融机构.
    NonBanks,
}

impl Trade {
    /// Whether a group of this trade insures.
    #[must_use]
    pub const fn insures(self) -> bool {
        matches!(self, Self::Insurance | Self::PropertyInsurance | Self::LifeInsurance)
    }

    /// Whether it means all lenders, or all institutions, of a place.
    #[must_use]
    pub const fn is_general(self) -> bool {
        matches!(self, Self::BankingAndInsurance | Self::Banking | Self::Finance | Self::FinancialIndustry)
    }

    /// Whether a group of this trade holds those of the other.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        match self {
            _ if self == other => true,
            Self::BankingAndInsurance | Self::FinancialIndustry => !matches!(other, Self::Members),
            Self::Banking | Self::Finance => {
                other.is_general() && !matches!(other, Self::BankingAndInsurance | Self::FinancialIndustry)
                    || matches!(other, Self::LocalLegalPersons | Self::SmallBanks | Self::LargeBanks | Self::CommercialBanks)
            }
            Self::Insurance => other.insures(),
            _ => false,
        }
    }
}

/// How far a scope word reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// 全国.
    Nation,
    /// 全省: the text's own province.
    Province,
    /// 全市, 全州: its own prefecture, or a city that is a province or a county.
    City,
    /// 全县: its own county.
    County,
    /// 全区: its own autonomous region, or district.
    District,
    /// 辖内, 本地: its own area, of whatever level.
    Own,
    /// 各家: each of a group.
    Each,
    /// 多家: some of a group.
    Some,
}

impl Scope {
    /// Whether it is the text's own area.
    #[must_use]
    pub const fn is_own(self) -> bool {
        matches!(self, Self::Province | Self::City | Self::County | Self::District | Self::Own)
    }

    /// Whether the region with this code may be meant.
    #[must_use]
    pub fn may_be(self, code: &str) -> bool {
        let level = if code.ends_with("0000") { 0 } else { u8::from(!code.ends_with("00")) + 1 };
        match self {
            Self::Nation => false,
            Self::Province => level == 0,
            Self::City => level > 0 || matches!(code, "110000" | "120000" | "310000" | "500000"),
            Self::County => level == 2,
            Self::District => level != 1,
            Self::Own | Self::Each | Self::Some => true,
        }
    }
}
