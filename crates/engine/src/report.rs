//! Plain data with the contract's names: what the engine returns.
//!
//! Spans are half-open byte offsets into the original UTF-8 text; the edge
//! re-encodes them with [`Report::encode_offsets`]. Numbers are plain decimal
//! strings, dates ISO 8601 strings; an empty string means "not stated".

use std::ops::Range;

use serde::ser::{Serialize, SerializeMap as _, Serializer};

/// Declares a closed vocabulary: the variants, their wire numbers and their
/// wire names (without the enum's prefix).
macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident, $prefix:literal, {
        $($(#[$doc:meta])* $variant:ident = $number:literal $code:literal,)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(i32)]
        pub enum $name { $($(#[$doc])* $variant = $number,)+ }

        impl $name {
            /// Every value, in wire order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The prefix of this enum's values on the wire.
            pub const PREFIX: &'static str = $prefix;

            /// The value's name as the contract writes it, without the prefix.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The value's name on the wire, with the prefix.
            #[must_use]
            pub const fn wire_name(self) -> &'static str {
                match self { $(Self::$variant => concat!($prefix, $code),)+ }
            }

            /// The value's number on the wire.
            #[must_use]
            pub const fn number(self) -> i32 { self as i32 }

            /// The value with this name (without the prefix).
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|v| v.code() == code)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.wire_name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let code = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::from_code(code.strip_prefix($prefix).unwrap_or(&code))
                    .ok_or_else(|| serde::de::Error::custom(format!("`{code}` is no {}", stringify!($name))))
            }
        }
    };
}

vocabulary! {
    /// What kind of body an institution is.
    InstitutionType, "INSTITUTION_TYPE_", {
        /// A policy bank: 国家开发银行, 进出口银行, 农业发展银行.
        PolicyBank = 1 "POLICY_BANK",
        /// One of the six large state banks: 工农中建交邮储.
        LargeCommercialBank = 2 "LARGE_COMMERCIAL_BANK",
        /// A nation-wide joint-stock bank.
        JointStockBank = 3 "JOINT_STOCK_BANK",
        /// A city commercial bank.
        CityCommercialBank = 4 "CITY_COMMERCIAL_BANK",
        /// A private bank licensed since 2014.
        PrivateBank = 5 "PRIVATE_BANK",
        /// A foreign bank.
        ForeignBank = 6 "FOREIGN_BANK",
        /// A rural commercial bank: 农商银行.
        RuralCommercialBank = 7 "RURAL_COMMERCIAL_BANK",
        /// A rural cooperative bank: 农合行.
        RuralCooperativeBank = 8 "RURAL_COOPERATIVE_BANK",
        /// A rural credit cooperative or its union: 农信社, 联社, 省联社.
        RuralCreditCooperative = 9 "RURAL_CREDIT_COOPERATIVE",
        /// A village bank: 村镇银行.
        VillageBank = 10 "VILLAGE_BANK",
        /// A lender that is no bank: 小贷, 消金, 租赁, 信托, 财务公司.
        NonBankLender = 11 "NON_BANK_LENDER",
        /// A financing guarantee company.
        GuaranteeCompany = 12 "GUARANTEE_COMPANY",
        /// An insurer.
        Insurer = 13 "INSURER",
        /// A securities firm.
        SecuritiesFirm = 14 "SECURITIES_FIRM",
        /// The central bank or a branch of it.
        CentralBank = 15 "CENTRAL_BANK",
        /// A financial regulator.
        Regulator = 16 "REGULATOR",
        /// An association of institutions.
        Association = 17 "ASSOCIATION",
        /// An aggregate of institutions: 全市银行业金融机构.
        BankingSector = 18 "BANKING_SECTOR",
        /// None of these.
        Other = 19 "OTHER",
    }
}

vocabulary! {
    /// What kind of quantity a number is.
    QuantityKind, "QUANTITY_KIND_", {
        /// A sum; the unit is an ISO 4217 code.
        Money = 1 "MONEY",
        /// A percentage; the unit is `%`.
        Percent = 2 "PERCENT",
        /// A difference of percentages; the unit is `pp`.
        PercentagePoint = 3 "PERCENTAGE_POINT",
        /// A count; the unit is the classifier as written.
        Count = 4 "COUNT",
        /// A length of time: `s` `min` `h` `d` `wk` `mo` `a`.
        Duration = 5 "DURATION",
        /// A mass: `t` or `kg`.
        Mass = 6 "MASS",
        /// An area: `m2`, `ha` or `mu`.
        Area = 7 "AREA",
        /// A length: `m` or `km`.
        Length = 8 "LENGTH",
        /// A date or span of dates.
        Date = 9 "DATE",
        /// A time of day.
        Time = 10 "TIME",
        /// A multiple: 倍, 番.
        Multiple = 11 "MULTIPLE",
        /// A place in an order: 第一, 一是, (三).
        Ordinal = 12 "ORDINAL",
        /// A number inside a name, code, telephone or document number.
        Identifier = 13 "IDENTIFIER",
        /// A bare number.
        Number = 14 "NUMBER",
    }
}

vocabulary! {
    /// How exactly a quantity is stated.
    Qualifier, "QUALIFIER_", {
        /// As it stands.
        Exact = 1 "EXACT",
        /// 约 左右 上下.
        About = 2 "ABOUT",
        /// 余 多 超 逾 突破.
        Over = 3 "OVER",
        /// 近 将近 接近 不足 不到.
        Nearly = 4 "NEARLY",
        /// 以上 不低于 至少.
        AtLeast = 5 "AT_LEAST",
        /// 以下 以内 内 不超过 最多 最高 最长.
        AtMost = 6 "AT_MOST",
    }
}

vocabulary! {
    /// What part a quantity plays in the bulletin.
    QuantityRole, "QUANTITY_ROLE_", {
        /// A figure of an institution.
        Figure = 1 "FIGURE",
        /// A date, time or period.
        Date = 2 "DATE",
        /// A list marker, or a count of the text's own items.
        Enumeration = 3 "ENUMERATION",
        /// A number inside a name or code.
        Identifier = 4 "IDENTIFIER",
        /// A number in a heading that the body states again.
        Heading = 5 "HEADING",
        /// Written as a number, not one: 一手抓.
        Idiom = 6 "IDIOM",
        /// A quantity of someone else: a borrower, a market.
        Context = 7 "CONTEXT",
        /// A financial quantity whose institution could not be found.
        Unattributed = 8 "UNATTRIBUTED",
    }
}

vocabulary! {
    /// What a figure measures.
    Metric, "METRIC_", {
        /// Money lent in a period.
        LoanDisbursed = 1 "LOAN_DISBURSED",
        /// Loans outstanding at a date.
        LoanBalance = 2 "LOAN_BALANCE",
        /// Loans committed and not said to be paid out.
        LoanApproved = 3 "LOAN_APPROVED",
        /// Credit lines granted.
        CreditLine = 4 "CREDIT_LINE",
        /// Financing that is neither lending, balance nor credit line.
        FinancingProvided = 5 "FINANCING_PROVIDED",
        /// Loans renewed.
        LoanRenewed = 6 "LOAN_RENEWED",
        /// Repayments put off.
        RepaymentDeferred = 7 "REPAYMENT_DEFERRED",
        /// Loans repaid or recovered.
        LoanRepaid = 8 "LOAN_REPAID",
        /// Projects and demand in store.
        PipelineAmount = 9 "PIPELINE_AMOUNT",
        /// Interest, penalties or fees given up.
        ConcessionAmount = 10 "CONCESSION_AMOUNT",
        /// Overdue records adjusted.
        OverdueRecordAdjusted = 11 "OVERDUE_RECORD_ADJUSTED",
        /// Non-performing loans.
        NonPerformingLoan = 12 "NON_PERFORMING_LOAN",
        /// Non-performing ratio.
        NonPerformingRatio = 13 "NON_PERFORMING_RATIO",
        /// Deposits outstanding.
        DepositBalance = 14 "DEPOSIT_BALANCE",
        /// Total assets.
        TotalAssets = 15 "TOTAL_ASSETS",
        /// Revenue, profit or tax.
        RevenueOrProfit = 16 "REVENUE_OR_PROFIT",
        /// Relending and rediscount of the central bank.
        CentralBankFunding = 17 "CENTRAL_BANK_FUNDING",
        /// Bonds issued, underwritten or held.
        BondAmount = 18 "BOND_AMOUNT",
        /// Bills discounted or accepted.
        BillAmount = 19 "BILL_AMOUNT",
        /// Settlement and payment volumes.
        PaymentVolume = 20 "PAYMENT_VOLUME",
        /// Donations.
        DonationAmount = 21 "DONATION_AMOUNT",
        /// Insurance premiums.
        Premium = 22 "PREMIUM",
        /// Sums insured.
        InsuredAmount = 23 "INSURED_AMOUNT",
        /// Insurance claims paid.
        ClaimPaid = 24 "CLAIM_PAID",
        /// Interest rates and their reductions.
        InterestRate = 25 "INTEREST_RATE",
        /// Shares, coverage and other ratios.
        Share = 26 "SHARE",
        /// Households, firms or people served.
        CustomerCount = 27 "CUSTOMER_COUNT",
        /// Loans by number.
        LoanCount = 28 "LOAN_COUNT",
        /// Applications by number.
        ApplicationCount = 29 "APPLICATION_COUNT",
        /// Projects by number.
        ProjectCount = 30 "PROJECT_COUNT",
        /// Products by number.
        ProductCount = 31 "PRODUCT_COUNT",
        /// Outlets and machines by number.
        OutletCount = 32 "OUTLET_COUNT",
        /// Staff by number.
        StaffCount = 33 "STAFF_COUNT",
        /// Events by number.
        EventCount = 34 "EVENT_COUNT",
        /// Villages, townships and the like by number.
        AdminUnitCount = 35 "ADMIN_UNIT_COUNT",
        /// How long something takes.
        ProcessingTime = 36 "PROCESSING_TIME",
        /// The term of a loan.
        LoanTerm = 37 "LOAN_TERM",
        /// Goods, land or stock.
        PhysicalQuantity = 38 "PHYSICAL_QUANTITY",
        /// A limit in a policy, not a result.
        Condition = 39 "CONDITION",
        /// None of these.
        Other = 40 "OTHER",
    }
}

vocabulary! {
    /// What an institution did.
    MeasureCategory, "MEASURE_CATEGORY_", {
        /// New money, balances, credit lines, financing.
        Lending = 1 "LENDING",
        /// Repayments put off.
        RepaymentDeferral = 2 "REPAYMENT_DEFERRAL",
        /// Loans renewed.
        LoanRenewal = 3 "LOAN_RENEWAL",
        /// Loans restructured.
        LoanRestructuring = 4 "LOAN_RESTRUCTURING",
        /// Credit not withdrawn.
        NoCreditWithdrawal = 5 "NO_CREDIT_WITHDRAWAL",
        /// Interest rates lowered.
        RateReduction = 6 "RATE_REDUCTION",
        /// Fees lowered or borne.
        FeeReduction = 7 "FEE_REDUCTION",
        /// Penalties waived.
        PenaltyRelief = 8 "PENALTY_RELIEF",
        /// Credit records protected.
        CreditRecordRelief = 9 "CREDIT_RECORD_RELIEF",
        /// Lending on credit alone.
        UnsecuredLending = 10 "UNSECURED_LENDING",
        /// New kinds of collateral.
        CollateralInnovation = 11 "COLLATERAL_INNOVATION",
        /// New products.
        ProductLaunch = 12 "PRODUCT_LAUNCH",
        /// A fast lane.
        PriorityChannel = 13 "PRIORITY_CHANNEL",
        /// Shorter procedures.
        ProcessSimplification = 14 "PROCESS_SIMPLIFICATION",
        /// Approval passed down.
        ApprovalDelegation = 15 "APPROVAL_DELEGATION",
        /// Service on line.
        OnlineService = 16 "ONLINE_SERVICE",
        /// Customers visited and surveyed.
        CustomerOutreach = 17 "CUSTOMER_OUTREACH",
        /// Credit lines raised.
        CreditLineIncrease = 18 "CREDIT_LINE_INCREASE",
        /// A quota of its own.
        DedicatedQuota = 19 "DEDICATED_QUOTA",
        /// Terms made to measure.
        DifferentiatedPolicy = 20 "DIFFERENTIATED_POLICY",
        /// Organisation inside the institution.
        InternalManagement = 21 "INTERNAL_MANAGEMENT",
        /// Central bank money used.
        CentralBankFunding = 22 "CENTRAL_BANK_FUNDING",
        /// Risk shared by guarantee or compensation.
        RiskSharing = 23 "RISK_SHARING",
        /// Outlets, payments, cash.
        ServiceAccess = 24 "SERVICE_ACCESS",
        /// Donations and volunteering.
        PublicWelfare = 25 "PUBLIC_WELFARE",
        /// Financial education.
        FinancialEducation = 26 "FINANCIAL_EDUCATION",
        /// Insurance cover and claims.
        InsuranceProtection = 27 "INSURANCE_PROTECTION",
        /// Bonds, equity, investment.
        DirectFinancing = 28 "DIRECT_FINANCING",
    }
}

vocabulary! {
    /// Which way a change goes.
    ChangeDirection, "CHANGE_DIRECTION_", {
        /// Up.
        Increase = 1 "INCREASE",
        /// Down.
        Decrease = 2 "DECREASE",
    }
}

vocabulary! {
    /// What a finding is about.
    FindingCode, "FINDING_CODE_", {
        /// A part is larger than its total.
        PartExceedsTotal = 1 "PART_EXCEEDS_TOTAL",
        /// The parts do not add up to their total.
        PartsDoNotSum = 2 "PARTS_DO_NOT_SUM",
        /// Balance, change and growth rate disagree beyond rounding.
        ChangeMismatch = 3 "CHANGE_MISMATCH",
        /// One metric, label and period, two values.
        ConflictingFigures = 4 "CONFLICTING_FIGURES",
        /// A damaged date was repaired.
        DateRepaired = 5 "DATE_REPAIRED",
        /// A date that cannot be, or lies after publication.
        DateImplausible = 6 "DATE_IMPLAUSIBLE",
        /// Money without its unit.
        UnitMissing = 7 "UNIT_MISSING",
        /// Two qualifiers that contradict each other.
        ContradictoryQualifier = 8 "CONTRADICTORY_QUALIFIER",
        /// A quantity without an institution.
        UnattributedQuantity = 9 "UNATTRIBUTED_QUANTITY",
        /// Heading and body state different values.
        HeadingMismatch = 10 "HEADING_MISMATCH",
        /// No institution was found.
        NoInstitutionFound = 11 "NO_INSTITUTION_FOUND",
        /// Mojibake or replacement characters.
        TextSuspect = 12 "TEXT_SUSPECT",
    }
}

vocabulary! {
    /// How much a finding matters.
    Severity, "SEVERITY_", {
        /// Good to know.
        Info = 1 "INFO",
        /// Worth a look.
        Warning = 2 "WARNING",
        /// Something is wrong in the text.
        Error = 3 "ERROR",
    }
}

/// Longest string that is copied from the text into more than one place, in characters.
pub const COPIED_CHARS: usize = 64;

/// Cuts a string to what may be copied from the text into more than one place: what a table's column or a heading says
/// stands again in each of its figures.
pub fn clip(text: &mut String) {
    if text.len() > COPIED_CHARS
        && let Some((end, _)) = text.char_indices().nth(COPIED_CHARS)
    {
        text.truncate(end);
        text.truncate(text.trim_end().len());
    }
}

/// A half-open range of offsets into the bulletin's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct Span {
    /// First offset.
    pub start: usize,
    /// Offset after the last.
    pub end: usize,
}

impl Span {
    /// The span from `start` to `end`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// Whether `other` lies inside this span.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// Everything the engine read in one bulletin.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The caller's identifier, echoed.
    pub bulletin_id: String,
    /// The bulletin's title.
    pub title: String,
    /// Who published it.
    pub publisher: String,
    /// When it was published, `YYYY-MM-DD`.
    pub published_on: String,
    /// One entry for each institution that reports.
    pub institutions: Vec<InstitutionReport>,
    /// The ledger: every number of the text, in order of place.
    pub quantities: Vec<Quantity>,
    /// What does not add up, in order of place.
    pub findings: Vec<Finding>,
    /// Which engine and word lists read the text.
    pub engine: EngineInfo,
    /// SHA-256 of the text as UTF-8, in hexadecimal digits: which text this report is about.
    pub text_sha256: String,
}

/// What one institution did and reported.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InstitutionReport {
    /// Who it is.
    pub institution: Institution,
    /// The heading of its section as written, empty if it has none.
    pub heading: String,
    /// The stretches of text that are about it.
    pub sections: Vec<Span>,
    /// What it did, in order of place.
    pub measures: Vec<Measure>,
    /// Figures that belong to no act of its own.
    pub figures: Vec<Figure>,
}

/// An institution by its names, kind and region.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Institution {
    /// The fullest form in the text.
    pub name: String,
    /// The name with its abbreviations expanded.
    pub canonical_name: String,
    /// What kind of body it is.
    #[serde(rename = "type")]
    pub kind: Option<InstitutionType>,
    /// The head office of a branch; empty for a legal person of its own.
    pub head_office: String,
    /// GB/T 2260 code of the region in the name, empty if unknown.
    pub region_code: String,
    /// Full name of that region.
    pub region_name: String,
    /// Identifier in the operator's own register.
    pub register_id: String,
    /// Where it is named.
    pub mentions: Vec<Span>,
}

/// One act of an institution (措施).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Measure {
    /// What kind of act.
    pub category: MeasureCategory,
    /// The words that show it.
    pub text: String,
    /// Where they stand.
    pub span: Span,
    /// Purpose codes of its figures and its own.
    pub purposes: Vec<String>,
    /// Customer segment codes of its figures and its own.
    pub segments: Vec<String>,
    /// The named product, if any.
    pub product: String,
    /// Its figures, in order of place.
    pub figures: Vec<Figure>,
    /// Whether it is said to be intended, not done: 将 with a concrete act.
    pub planned: bool,
    /// Names of the fields above that are in doubt.
    pub uncertain_fields: Vec<String>,
    /// Why it is here: the words that show it, in bytes of `text`.
    #[serde(skip)]
    pub cue: Range<usize>,
}

/// One figure of an institution.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figure {
    /// Identifier within the report.
    pub id: String,
    /// What it measures.
    pub metric: Metric,
    /// The text's own words for what is counted.
    pub label: String,
    /// The value, a plain decimal.
    pub value: String,
    /// The upper end of a range, else empty.
    pub upper_value: String,
    /// What kind of quantity.
    pub kind: QuantityKind,
    /// Its unit.
    pub unit: String,
    /// How exactly it is stated.
    pub qualifier: Qualifier,
    /// Whether the text calls it cumulative.
    pub cumulative: bool,
    /// The period it is about, if stated.
    pub period: Option<Period>,
    /// The change it is, if it is one.
    pub change: Option<Change>,
    /// Who got it, if named.
    pub beneficiary: String,
    /// The named product, if any.
    pub product: String,
    /// Purpose codes.
    pub purposes: Vec<String>,
    /// Customer segment codes.
    pub segments: Vec<String>,
    /// The `id` of the total it is a part of, else empty.
    pub part_of: String,
    /// Its entry in the ledger.
    pub quantity_index: u32,
    /// The figure as written.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    /// Whether it is said to be intended, aimed at or expected, not done: 拟 计划 力争 预计 目标 将.
    pub planned: bool,
    /// Names of the fields above, and `institution`, that are in doubt.
    pub uncertain_fields: Vec<String>,
    /// Why it reads so: the rules and the words.
    #[serde(skip)]
    pub derivation: Derivation,
}

/// Why a fact is in the report: rule names and the words that gave them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Derivation {
    /// Rule and evidence, in the order they applied.
    pub steps: Vec<(&'static str, String)>,
}

/// A period as dates and as written.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Period {
    /// First day, empty if open.
    pub start: String,
    /// Last day, empty if open.
    pub end: String,
    /// As written.
    pub text: String,
}

/// A change against a baseline.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Change {
    /// Up or down.
    pub direction: ChangeDirection,
    /// The day compared with, empty if not stated.
    pub baseline: String,
    /// As written.
    pub text: String,
}

/// One entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Quantity {
    /// As written.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    /// What kind of quantity.
    pub kind: QuantityKind,
    /// The number with its 万 or 亿, before any unit.
    pub numeral: String,
    /// The value; for a date its first day.
    pub value: String,
    /// The upper end; for a date its last day.
    pub upper_value: String,
    /// Its unit.
    pub unit: String,
    /// How exactly it is stated.
    pub qualifier: Qualifier,
    /// What part it plays.
    pub role: QuantityRole,
}

/// Something that does not add up.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// What it is about.
    pub code: FindingCode,
    /// How much it matters.
    pub severity: Severity,
    /// A sentence for a person.
    pub message: String,
    /// Where.
    pub spans: Vec<Span>,
    /// What the text states.
    pub stated: String,
    /// What was expected instead.
    pub expected: String,
}

/// Which engine and word lists read the text.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EngineInfo {
    /// The engine's version.
    pub version: String,
    /// Hash of every rule and word list in force.
    pub lexicon_digest: String,
}

/// The unit of the offsets a caller wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OffsetEncoding {
    /// Unicode code points.
    #[default]
    Utf32,
    /// UTF-16 code units.
    Utf16,
    /// UTF-8 bytes.
    Utf8,
}

impl Report {
    /// Re-encodes every span from bytes of `text` to `encoding`.
    pub fn encode_offsets(&mut self, text: &str, encoding: OffsetEncoding) {
        if encoding == OffsetEncoding::Utf8 {
            return;
        }
        let mut table = Vec::with_capacity(text.len() + 1);
        let mut at = 0;
        for ch in text.chars() {
            table.extend(std::iter::repeat_n(at, ch.len_utf8()));
            at += if encoding == OffsetEncoding::Utf16 { ch.len_utf16() } else { 1 };
        }
        let encode = |byte: usize| table.get(byte).copied().unwrap_or(at);
        self.for_each_span(|span| *span = Span::new(encode(span.start), encode(span.end)));
    }

    fn for_each_span(&mut self, mut f: impl FnMut(&mut Span)) {
        for inst in &mut self.institutions {
            inst.institution.mentions.iter_mut().chain(&mut inst.sections).for_each(&mut f);
            for measure in &mut inst.measures {
                f(&mut measure.span);
                measure.figures.iter_mut().for_each(|figure| f(&mut figure.span));
            }
            inst.figures.iter_mut().for_each(|figure| f(&mut figure.span));
        }
        self.quantities.iter_mut().for_each(|q| f(&mut q.span));
        self.findings.iter_mut().flat_map(|finding| &mut finding.spans).for_each(&mut f);
    }
}

impl Serialize for Derivation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.steps.len()))?;
        for (rule, words) in &self.steps {
            map.serialize_entry(rule, words)?;
        }
        map.end()
    }
}
