//! Classes of words: what stages that read structure ask of a word. A class is a name, its forms and examples in a table;
//! a word may be in several.

use serde::Deserialize;

/// Declares the classes; the tables write them in snake case.
macro_rules! classes {
    ($($(#[$doc:meta])* $class:ident,)+) => {
        /// A class of words. The tables list the words of each, with examples for and against.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Class { $($(#[$doc])* $class,)+ }

        impl Class {
            /// Every class.
            pub const ALL: &'static [Self] = &[$(Self::$class),+];
        }
    };
}

classes! {
    /// 向 对 按照 通过: what follows is an adjunct of its clause.
    Preposition,
    /// 由: what follows does the act.
    Agent,
    /// 是 系: what follows is said of the subject.
    Copula,
    /// 表示 显示 获悉: what is said follows, a clause of its own.
    Saying,
    /// 推动 引导 督促: what follows does what it is guided to; the act is the guide's.
    Guiding,
    /// 高于 不如: what follows is compared with.
    Comparing,
    /// 收到 领到: what follows gives.
    Receiving,
    /// 走访 加入 组建: another verb that may take an institution as its object.
    Governing,
    /// 已 累计 分别: may stand between a subject and its verb.
    Adverb,
    /// 贷款 支持 监管: reads as a verb, and is a noun beside nouns.
    VerbalNoun,
    /// 今年 上半年 目前: when.
    Time,
    /// 以来 末 期间 后: ends an expression of time.
    TimeEnd,
    /// 行长 负责人 司长: an officer, who speaks for the body named before.
    Officer,
    /// 数据 通报 年度报告: a publication of the body named before.
    Publication,
    /// 贷款余额 保费 不良: what a sector has in sum.
    Aggregate,
    /// 印发 召开: an act of a body that says nothing of its sector.
    Issuing,
    /// 网点 大厅 现场: where an institution receives people.
    Premises,
    /// 信用 成为 应对: a word that holds a glyph of another class and is none of it.
    Word,
    /// 该行 我行 本行: the bank told of.
    AnaphorBank,
    /// 该联社 该社: the cooperative told of.
    AnaphorCooperative,
    /// 该分公司 我司: the insurer told of.
    AnaphorInsurer,
    /// 该局 我局: the regulator told of.
    AnaphorRegulator,
    /// 该中心支行: the central bank told of.
    AnaphorCentralBank,
    /// 协会 该协会: the association told of.
    AnaphorAssociation,
    /// 该公司 公司: the company told of, an insurer, a guarantor, a broker or a lender that is no bank.
    AnaphorCompany,
    /// 全行 全系统: whoever is told of.
    AnaphorWhole,
    /// 走进 来到 图为: who is visited is told of next.
    Visiting,
    /// 保险行业协会 保监局: a body of insurers.
    OfInsurers,
    /// 融资担保协会: a body of guarantors.
    OfGuarantors,
    /// 小额贷款公司协会: a body of small lenders.
    OfMicroLenders,
    /// 银保监 金融监管分局: in a regulator's name, that of banks.
    BankingRegulator,
    /// 地方金融 证监 外汇: in a regulator's name, another one.
    OtherRegulator,
    /// 办理 申请: what is got at the place named before.
    Obtaining,
    /// 组建 设立 开业: what is founded is told of next.
    Founding,
    /// 保费 赔付: a sum of insurers.
    InsuranceSum,
    /// 失业 医疗: makes 保险 the state's.
    SocialInsurance,
    /// 网点 业务: behind a noun of a group, makes something else of it.
    NoGroup,
    /// 由 共 数: behind a noun of a group, counts it.
    CountsGroup,
    /// 拟 计划 将: intended, not done.
    Intending,
    /// 合计 总计: a row of sums.
    SumRow,
    /// 其中: a part follows.
    Among,
    /// LPR 国债 央票: a market's rate or paper, which a term is part of the name of.
    Benchmark,
    /// 占 比重 份额: what part of a whole a number is, follows.
    Share,
    /// 级 档 期 届: a classifier that numbers things as well as it counts them.
    Rank,
    /// 半成品 半年: a word that begins with 半 and is no half of the unit before.
    HalfWord,
    /// 贷款 贷款余额 授信: what grows when more is lent.
    Loans,
    /// 增势强劲 持续加大: that it grew, without a number.
    Growing,
    /// 方案 意见 办法: what a body issues for its sector.
    PolicyPaper,
    /// 银行 机构 单位: what institutions are counted as.
    Institutions,
    /// 讯 电: behind a day, who reports begins.
    Dateline,
    /// 通报 发布: behind a day, somebody announces.
    Announcing,
    /// 记者: who asks and hears.
    Reporter,
    /// 获悉 了解到: what a reporter has heard.
    Learnt,
    /// 担保 在保: a sum of guarantors.
    GuaranteeSum,
    /// 投放 发放: gives out what is lent.
    Lending,
    /// 投诉 培训 再贷款: what a body counts of its own, not of its sector.
    BodysOwn,
    /// 发放 走访 推出: the verb of an act.
    Deed,
    /// 发放 提供 成立: a deed that ends a purpose named before it.
    Giving,
    /// 未 没有 暂不: the act named behind it is not done.
    Negation,
    /// 拟 力争: what is named behind it is meant to be done.
    Aiming,
    /// 计划: as a verb, means to do what is named behind it.
    Projecting,
    /// 确保 努力: what is named behind it, in its clause, is to come about.
    Ensuring,
    /// 预计 可望: what is named behind it is an effect that has not come about yet.
    Expecting,
    /// 目标: a sum beside it is aimed at.
    Target,
    /// 完成 达成: what was aimed at is reached.
    Achieving,
    /// 情况 做法: ends a clause that gives an account of acts.
    Recounting,
    /// 下一步 今后: opens what is intended.
    Planning,
    /// 继续 进一步: behind 将, an intention and no concrete act.
    Vague,
    /// 已 累计 截至: what was intended ends before it.
    Done,
    /// 以便 旨在: what for.
    Purposive,
    /// 围绕 聚焦: what an act is about.
    Focusing,
    /// 荣获 被评为: an honour that somebody else gives.
    Award,
    /// 成效显著 不停步: ends a clause that tells of no act.
    Verdict,
    /// 记者 企业代表 县领导: somebody who is not the institution.
    Outsider,
    /// 前提下 过程中: ends a phrase with 在 that says under what an act is done.
    Circumstance,
    /// 由于 受疫情: opens a clause that says why.
    Background,
    /// 结果 排名: ends a noun phrase that names the outcome of an appraisal.
    Outcome,
    /// 投诉 拦截 起诉: a wrong and what is done about it, counted and no act.
    Wrong,
    /// 贷 授信: what is counted beside it is counted for lending.
    Credit,
    /// 票面利率: the price of a bond.
    Coupon,
    /// 资本充足率 存贷比: a ratio of how an institution stands, and no act.
    StandingRatio,
    /// 获利 赚了 纯收入: what a borrower makes of the loan.
    Earning,
    /// 岁: counts the years of a life.
    CountsAges,
    /// 批复 核定: grants to one borrower.
    Granting,
    /// 未来 模拟 信贷计划: holds a glyph of a mood and shows none.
    Plain,
    /// 企业 农户 车主: who is served, lent to, insured, visited.
    Customer,
    /// 客户经理 志愿者 突击队: who works for the institution.
    OwnStaff,
    /// 网点 POS机 服务站: where and with what customers are served.
    Outlet,
    /// 讲座 对接会: what is held and takes a time.
    Event,
    /// 行政村 乡镇: an area.
    Place,
    /// 项目 工程: a project.
    Project,
    /// 产品 险种: what is offered.
    Ware,
    /// 申请 报案: what customers hand in.
    Application,
    /// 投诉 案件 协议: what is counted and has no metric of its own.
    Case,
    /// 账户 卡 钱包: what a customer has at a bank, and is not counted by.
    Account,
    /// 银行 机构 媒体: whom one works with; a customer where it is served.
    Partner,
    /// 浏览 点击: how often something was looked at.
    PageView,
    /// 农机 耕地 生猪: goods, stock, land, buildings.
    Goods,
    /// 存贷款: one word for deposits and loans.
    DepositsAndLoans,
    /// 补贴 消费券: is handed out and not lent.
    Handout,
    /// 小微贷 信贷: ends what is lent.
    LoanWord,
    /// 资产: stands for all one has.
    AssetWord,
    /// 最高 最多: right before a sum makes it a limit.
    Limiting,
    /// 户数 人数: how many were served.
    NumberOfPeople,
    /// 笔数: how many loans.
    NumberOfDeals,
    /// 户 家 名: counts firms, households, people.
    CountsPeople,
    /// 名 位 人次: counts people, no firms.
    CountsPersons,
    /// 场 期 次: counts what is held.
    CountsEvents,
    /// 头 台 辆: counts goods.
    CountsGoods,
    /// 村 镇: an area that counts itself.
    CountsPlaces,
    /// 网点 点位: an outlet that counts itself.
    CountsOutlets,
    /// 笔 单: counts loans, payments, policies.
    CountsDeals,
    /// 款: counts what is offered.
    CountsWares,
    /// 选派 派出: sends one's own people.
    Sending,
    /// 布放 设立: puts outlets and machines in place.
    Placing,
    /// 高于 超: what precedes has more than what follows.
    Above,
    /// 低于 慢于: what precedes has less than what follows.
    Below,
    /// 金额 时间 率: what is done gives it its name.
    MeasureNoun,
    /// 资金 费用: a sum, named by what it is for.
    MoneyNoun,
    /// 其他 各项: stands before a noun and is part of its phrase.
    Determiner,
    /// 接到 受理: takes in what customers hand in.
    TakingIn,
    /// 向 惠及 帮扶: serves those who follow.
    Serving,
    /// 抵押 质押: gives as security.
    Pledging,
    /// 签下 举办 拦截: acts on what follows.
    Acting,
    /// 减免 免收 免除: takes a charge off somebody.
    Relieving,
    /// 手续费 服务费 评估费: what a bank charges for a service.
    Charge,
    /// 罚息 逾期利息 复利: what a late borrower owes beside.
    Penalty,
    /// 简化 精简 压缩: makes a procedure shorter.
    Simplifying,
    /// 手续 流程 环节: what a customer goes through.
    Procedure,
    /// 创设 研发 首创: makes something that was not there.
    Inventing,
    /// 贷款产品 信贷产品 保险产品: something that an institution can invent.
    Novelty,
    /// 成立 组建 设立: sets up a body or an office.
    SettingUp,
    /// 布放 投放 安装: puts machines where customers are served.
    Installing,
    /// 小组 工作组 领导小组: a body inside an institution.
    Team,
    /// 服务站 服务点 分中心: where customers are served.
    Outpost,
    /// 举办 开展 组织: holds an event.
    Holding,
    /// 知识讲座 金融讲座 讲座: an event that teaches the public.
    Lesson,
    /// 讲解 宣讲 普及: tells the public what it does not know.
    Teaching,
    /// 防骗知识 金融知识 理财知识: what the public is told.
    Knowledge,
    /// 对接会 洽谈会 推介会: an event for customers.
    Meeting,
    /// 会议 部署会 培训: an event for one's own people.
    StaffMeeting,
    /// 介绍 推介 讲解: tells customers of one's own.
    Briefing,
    /// 贷款手续 贷款政策 信贷政策: what an institution has to offer.
    Offer,
    /// 采集 收集 录入: learns from customers.
    Gathering,
    /// 信用信息 农户信息 客户信息: what is learnt from customers.
    CustomerFacts,
    /// 延长 推迟 顺延: puts off.
    Deferring,
    /// 还款期限 还款期 还款日: when a loan is to be repaid.
    Due,
    /// 给予 提供 加大: gives or directs.
    Providing,
    /// 信贷支持 信贷重点支持 信贷资金支持: credit as a support.
    CreditSupport,
    /// 信贷资金 信贷资源 贷款资金: what is lent.
    LoanMoney,
    /// 投向 流向 投到: says where what is lent goes, or how fast.
    Directing,
    /// 备足 备好 调拨: sees to it that there is cash.
    Stocking,
    /// 库存现金 现金 现钞: cash.
    Cash,
    /// 安排 单列 设立: sets aside.
    Allotting,
    /// 专项额度 专项规模 专项资金额度: a sum set aside.
    Quota,
    /// 揭牌 开业 投用: opens or is put into use.
    Opening,
    /// 开辟 开通 启动: opens a way.
    Clearing,
    /// 信贷通道 理赔通道 直通车: a way for what is urgent.
    FastLane,
    /// 下放 交给 赋予: gives away power.
    Delegating,
    /// 审批权限 审批权 定价权: the power to approve.
    Authority,
    /// 下调 降低 压降: makes cheaper.
    Lowering,
    /// 贷款利率 利息 资金成本: what borrowed money costs.
    Price,
    /// 分担 共担 分摊: bears together.
    Sharing,
    /// 风险 损失: what may be lost.
    Risk,
}

/// How many times 64 classes a set can hold.
const WORDS: usize = 4;
const _: () = assert!(Class::ALL.len() <= 64 * WORDS, "each class has a bit of its own");

/// A set of classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Classes([u64; WORDS]);

impl Classes {
    /// These classes.
    #[must_use]
    pub const fn of(classes: &[Class]) -> Self {
        let (mut set, mut rest) = (Self([0; WORDS]), classes);
        while let [class, others @ ..] = rest {
            set.add(*class);
            rest = others;
        }
        set
    }

    /// The classes of both.
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "both arrays are as long as the count")]
    pub const fn or(mut self, other: Self) -> Self {
        let mut at = 0;
        while at < WORDS {
            self.0[at] |= other.0[at];
            at += 1;
        }
        self
    }

    /// Whether a class is among them.
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "each class has a bit of its own, by the assertion above")]
    pub const fn has(self, class: Class) -> bool {
        self.0[class as usize / 64] & (1 << (class as usize % 64)) != 0
    }

    /// Whether the two sets share a class.
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        self.0.iter().zip(&other.0).any(|(own, other)| own & other != 0)
    }

    /// Adds a class.
    #[allow(clippy::indexing_slicing, reason = "each class has a bit of its own, by the assertion above")]
    pub const fn add(&mut self, class: Class) {
        self.0[class as usize / 64] |= 1 << (class as usize % 64);
    }
}

/// A row of classes: `[[class]]` in any table.
#[derive(Clone, Debug, Deserialize)]
pub struct ClassRow {
    /// The class.
    pub name: Class,
    /// Its words.
    pub forms: Vec<String>,
}

/// Nouns of what is counted.
pub const NOUNS: Classes = Classes::of(&[
    Class::Customer,
    Class::OwnStaff,
    Class::Outlet,
    Class::Event,
    Class::Place,
    Class::Project,
    Class::Ware,
    Class::Application,
    Class::Goods,
    Class::Case,
    Class::Account,
    Class::Partner,
    Class::PageView,
]);
