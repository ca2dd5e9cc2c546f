//! The walk through the text that notes where the talk turns to another institution.

use super::role::Role;
use super::{Discourse, Entity, Parallel, is_whole, oversees, sector_key};
use crate::lexicon::{Hit, Hits, In, Lexicon, Role as WordRole, Sense};
use crate::outline::{Outline, ParagraphKind, inside, is_bullet, is_numbered};
use crate::recognize::date::DateMention;
use crate::recognize::institution::{InstitutionMention, NameForm};
use crate::recognize::name::Borrower;
use crate::report::InstitutionType;
use crate::source::{Glyphs, SourceText};
use crate::words::{Words, words};

/// Scopes that stand for the sector of a place.
const SCOPES: &Words = words![
    "全省",
    "全市",
    "全区",
    "全县",
    "全疆",
    "全国",
    "全州",
    "全盟",
    "全旗",
    "全辖",
    "辖内",
    "辖区",
    "我省",
    "我市",
    "我区",
    "我县",
    "全自治区",
];

/// What a sector as a whole has: 贷款余额, 保费收入.
const AGGREGATES: &Words = words![
    "贷款余额",
    "存款余额",
    "各项贷款",
    "各项存款",
    "社会融资规模",
    "信贷",
    "存贷款",
    "贷款同比",
    "贷款增",
    "保费收入",
    "不良贷款",
    "普惠小微贷款",
    "贷款",
    "保险业",
    "支付手续费",
    "外汇",
    "签约额",
    "跨境",
    "结售汇",
    "利率",
    "存贷",
    "首贷",
    "赔付",
    "风险保障",
    "保险",
    "续贷",
    "授信",
    "再贷款",
    "再贴现",
    "还本付息",
];

/// What makes 保险 the state's, no insurer's: 失业保险.
const SOCIAL: &Words = words!["失业", "社会", "医疗", "工伤", "生育", "基本养老", "职工养老"];

/// Walks the text and notes where the talk turns to another institution.
pub(super) struct Turns<'a, 't> {
    /// The text.
    pub(super) source: &'a SourceText<'t>,
    /// Words found in it.
    pub(super) hits: &'a Hits,
    /// The words.
    pub(super) lexicon: &'a Lexicon,
    /// Sections and sentences.
    pub(super) outline: &'a Outline,
    /// Mentions by place, nouns of groups among them.
    pub(super) mentions: &'a [&'a InstitutionMention],
    /// The entity of each mention.
    pub(super) entity_of: &'a [Option<usize>],
    /// Borrowers, by place.
    pub(super) borrowers: &'a [Borrower],
    /// Dates, by place.
    pub(super) dates: &'a [DateMention],
    /// What each mention does in its clause.
    pub(super) roles: Vec<Role>,
    /// The sector that scopes stand for, once known.
    pub(super) sector: Option<usize>,
    /// Who was told of last.
    pub(super) told: Told,
    /// Where the turns are noted.
    pub(super) out: &'a mut Discourse,
}

/// The last turns to some kinds of institutions: where, and to which.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// To a body, or to a sector.
    overseer: Option<(usize, usize)>,
    /// To a sector that is not the insurers'.
    lenders: Option<(usize, usize)>,
}

impl Turns<'_, '_> {
    /// Walks the whole text.
    pub(super) fn run(&mut self) {
        let mut mention = 0;
        let mut current = None;
        let mut section = None;
        // The institution whose name opens the paragraph, and that paragraph.
        let mut topic = None;
        let mut paragraph = 0;
        // The last institution was named in a row of a table.
        let mut in_rows = false;
        let is_sector = |e: &Entity| e.kind == InstitutionType::BankingSector;
        let named = self.out.entities.len();
        let first_sector = self.out.entities.iter().position(is_sector);
        for sentence in &self.outline.sentences {
            let own = self.outline.section_index_at(sentence.range.start);
            let owner = own.and_then(|i| self.out.section_owner.get(i).copied());
            if own != section {
                section = own;
                current = owner;
            }
            let bank_section = owner.and_then(|o| self.out.entities.get(o)).is_some_and(|e| !oversees(e.kind));
            if bank_section && !self.opens_with_anaphor(sentence.range.start) {
                current = topic.filter(|&(_, paragraph)| paragraph == sentence.paragraph).map(|(entity, _)| entity).or(owner);
            }
            if sentence.paragraph != paragraph {
                paragraph = sentence.paragraph;
                current = self.lenders_again(paragraph, current).or_else(|| self.sector_again(paragraph, current)).or(current);
            }
            // 引导银行机构…: behind a bank's example the body goes on that guides.
            if !bank_section && words!["引导", "指导", "督促", "督导", "推动"].start_at(self.source, sentence.range.start) {
                current = self.guide_again(current).or(current);
            }
            if sentence.row && words!["合计", "总计", "小计"].start_at(self.source, sentence.range.start) && in_rows {
                // A sector that the text names by its scope alone has been added since.
                let added = || (named..self.out.entities.len()).find(|&i| self.out.entities.get(i).is_some_and(is_sector));
                current = first_sector.or_else(added);
            }
            self.turn(sentence.range.start, current);
            while let Some(m) = self.mentions.get(mention).filter(|m| m.range.start < sentence.range.end) {
                if m.range.start >= sentence.range.start
                    && let Some(entity) = self.entity_of.get(mention).copied().flatten()
                    && self.is_subject(mention, bank_section, owner)
                {
                    current = Some(entity);
                    in_rows = sentence.row;
                    if self.opens_paragraph(m, sentence.paragraph) && (!oversees(m.kind) || self.is_bodys_own(m, sentence.paragraph, owner))
                    {
                        topic = Some((entity, sentence.paragraph));
                    }
                    self.turn(m.range.start, current);
                    self.parallel(mention, sentence.range.end);
                }
                mention += 1;
            }
            if !bank_section {
                self.implied_sector(sentence.range.clone(), &mut current);
            }
        }
        self.fill_start();
    }

    /// The sector of lenders told of before that of insurers, where a paragraph says nothing of insurance.
    fn lenders_again(&self, paragraph: usize, current: Option<usize>) -> Option<usize> {
        let sector = self.out.entities.get(current?).filter(|e| e.kind == InstitutionType::BankingSector)?;
        if sector_key(&sector.name) != "保险" {
            return None;
        }
        let range = self.outline.paragraphs.get(paragraph)?.range.clone();
        let insures = range.clone().any(|i| matches!(self.source.at(i), '险' | '赔')) || words!["保费", "保单"].lie_in(self.source, range);
        self.told.lenders.filter(|_| !insures).map(|(_, lenders)| lenders)
    }

    /// The body or sector told of last before some bank of it.
    fn guide_again(&self, current: Option<usize>) -> Option<usize> {
        self.told.overseer.filter(|_| current.is_some_and(|entity| !self.oversees(entity))).map(|(_, overseer)| overseer)
    }

    /// The same, told of in the paragraph before, where a point with a number of its own opens: (二)减费让利。
    fn sector_again(&self, paragraph: usize, current: Option<usize>) -> Option<usize> {
        let start = |paragraph: usize| self.outline.paragraphs.get(paragraph).map(|paragraph| paragraph.range.start);
        let (before, here) = (start(paragraph.checked_sub(1)?)?, start(paragraph)?);
        let turns = &self.out.turns;
        let &(since, _) = turns.get(turns.partition_point(|&(at, _)| at <= before).saturating_sub(1))?;
        let near = self.told.overseer.is_some_and(|(at, _)| at >= since);
        self.guide_again(current).filter(|_| near && is_numbered(self.source, here))
    }

    fn oversees(&self, entity: usize) -> bool {
        self.out.entities.get(entity).is_some_and(|e| oversees(e.kind))
    }

    fn opens_paragraph(&self, mention: &InstitutionMention, paragraph: usize) -> bool {
        let start = mention.range.start;
        self.outline.paragraphs.get(paragraph).is_some_and(|paragraph| paragraph.range.start == start) || self.opens_item(start)
    }

    /// Whether nothing but a bullet stands before a glyph in its paragraph.
    fn opens_item(&self, at: usize) -> bool {
        let bullet = at.checked_sub(1).filter(|&bullet| is_bullet(self.source, bullet));
        bullet.is_some_and(|bullet| self.outline.paragraph_at(at).is_some_and(|paragraph| paragraph.range.start == bullet))
    }

    /// Whether a paragraph of a body's own stands in a bank's section: it opens with the body and does not speak of the bank.
    fn is_bodys_own(&self, mention: &InstitutionMention, paragraph: usize, owner: Option<usize>) -> bool {
        let Some(range) = self.outline.paragraphs.get(paragraph).map(|paragraph| &paragraph.range) else { return false };
        let named = self.entity_of.get(inside(self.mentions, range, |m| &m.range)).unwrap_or_default();
        let anaphor = self.hits.within(range.clone(), const { In::roles(&[WordRole::Anaphor]) }).next().is_some();
        mention.form == NameForm::Proper && mention.range.start == range.start && !named.contains(&owner) && !anaphor
    }

    fn turn(&mut self, at: usize, owner: Option<usize>) {
        if self.out.turns.last().is_none_or(|&(_, last)| last != owner) {
            self.out.turns.push((at, owner));
            self.note(at, owner);
        }
    }

    /// Notes who is told of from a glyph on, unless a later turn has been noted.
    fn note(&mut self, at: usize, owner: Option<usize>) {
        let Some((entity, of)) = owner.and_then(|entity| Some((entity, self.out.entities.get(entity)?))) else { return };
        let lenders = of.kind == InstitutionType::BankingSector && sector_key(&of.name) != "保险";
        for (last, is_one) in [(&mut self.told.overseer, oversees(of.kind)), (&mut self.told.lenders, lenders)] {
            if is_one && last.is_none_or(|(place, _)| place <= at) {
                *last = Some((at, entity));
            }
        }
    }

    /// What stands before the first subject belongs to the first institution named.
    fn fill_start(&mut self) {
        let first = self
            .out
            .turns
            .iter()
            .find_map(|&(_, owner)| owner)
            .or_else(|| {
                self.mentions
                    .iter()
                    .zip(self.entity_of)
                    .find(|(m, _)| m.form != NameForm::Sector && !oversees(m.kind))
                    .and_then(|(_, e)| *e)
            })
            .or_else(|| self.entity_of.iter().flatten().next().copied());
        let in_body = self.outline.paragraphs.iter().any(|p| p.kind == ParagraphKind::Body);
        if let Some(first) = first.filter(|_| in_body) {
            for turn in &mut self.out.turns {
                if turn.1.is_none() {
                    turn.1 = Some(first);
                }
            }
        }
    }

    fn opens_with_anaphor(&self, at: usize) -> bool {
        let anaphor = |hit: &Hit| hit.has_role(WordRole::Anaphor);
        self.hits.at(at).iter().any(anaphor)
            || self.source.at(at) == '其' && !self.source.starts_with(at, "其中") && !self.source.starts_with(at, "其他")
            || (at..at + 14)
                .take_while(|&i| self.source.at(i) != '。')
                .any(|i| matches!(self.source.before(i), ',' | '。') && self.hits.at(i).iter().any(anaphor))
    }

    /// Whether a mention is what its clause is about, not an object or an adjunct.
    fn is_subject(&self, index: usize, bank_section: bool, owner: Option<usize>) -> bool {
        let Some(m) = self.mentions.get(index) else { return false };
        let (at, after) = (m.range.start, m.range.end);
        if m.form == NameForm::Sector && bank_section {
            return false;
        }
        let before = self.source.before(at);
        let speaks_for_itself = m.form == NameForm::Sector || !oversees(m.kind);
        match self.roles.get(index) {
            Some(Role::Subject) => {}
            Some(Role::Source) if speaks_for_itself => {}
            _ => return false,
        }
        if bank_section && self.entity_of.get(index).copied().flatten() != owner {
            // Inside a bank's own section another body must open its clause.
            let opens = matches!(before, ',' | '。' | ';' | ':' | '\n' | '“') || self.opens_item(at);
            let other_body = if oversees(m.kind) { matches!(before, '。' | '\n') && m.form == NameForm::Proper } else { opens };
            return other_body && !self.source.starts_with(after, "的");
        }
        true
    }

    /// A、B、C分别…: several owners of the figures that follow.
    fn parallel(&mut self, first: usize, sentence_end: usize) {
        let mut owners: Vec<usize> = self.entity_of.get(first).copied().flatten().into_iter().collect();
        let mut last = first;
        while let (Some(m), Some(next)) = (self.mentions.get(last), self.mentions.get(last + 1)) {
            let joined = next.range.start == m.range.end + 1 && matches!(self.source.at(m.range.end), '、' | '和' | '与' | '及');
            if !joined || next.range.end > sentence_end {
                break;
            }
            owners.extend(self.entity_of.get(last + 1).copied().flatten());
            last += 1;
        }
        let Some(end) = self.mentions.get(last).map(|m| m.range.end) else { return };
        let stop = |c: char| matches!(c, '。' | ';' | '！' | '？' | '\n');
        if owners.len() < 2 {
            return;
        }
        let respectively =
            (end..(end + 30).min(sentence_end)).take_while(|&i| !stop(self.source.at(i))).find(|&i| self.source.starts_with(i, "分别"));
        if let Some(start) = respectively {
            let close = (start..sentence_end).find(|&i| stop(self.source.at(i))).unwrap_or(sentence_end);
            self.out.parallels.push(Parallel { range: start..close, owners });
        }
    }

    /// 全省涉农贷款余额…: a scope without an institution means the scope's sector.
    fn implied_sector(&mut self, range: Glyphs, current: &mut Option<usize>) {
        let mut at = range.start;
        while at < range.end {
            let dated = || {
                let i = self.dates.partition_point(|d| d.range.end < at);
                self.dates.get(i).is_some_and(|d| d.range.end == at)
            };
            let opens =
                matches!(self.source.before(at), ',' | '。' | ';' | ':' | '\n' | '“' | '！' | '？' | '全') || at == range.start || dated();
            let scope_end = |at: usize| SCOPES.end_at(self.source, at);
            let scope = if opens { scope_end(at).or_else(|| self.region_at(at).map(|end| scope_end(end).unwrap_or(end))) } else { None };
            if let Some(end) = scope {
                // 白朗县某合作社获得贷款: the region is part of somebody's name.
                let covers = |range: Option<&Glyphs>| range.is_some_and(|range| at < range.end);
                let last = |count: usize| count.checked_sub(1);
                let institution = last(self.mentions.partition_point(|m| m.range.start <= at)).and_then(|i| self.mentions.get(i));
                let borrower = last(self.borrowers.partition_point(|b| b.range.start <= at)).and_then(|i| self.borrowers.get(i));
                let named = covers(institution.map(|m| &m.range)) || covers(borrower.map(|b| &b.range));
                let window: Vec<usize> = (end..(end + 18).min(range.end))
                    .take_while(|&i| !matches!(self.source.at(i), ',' | '。' | ';' | '为' | '向' | '加' | '各'))
                    .collect();
                let aggregate = !named
                    && !window.is_empty()
                    && window.iter().any(|&i| AGGREGATES.start_at(self.source, i) && !SOCIAL.end_before(self.source, i))
                    && self.counts_soon(end, range.end);
                if aggregate {
                    let sector = self.sector_for(at..end);
                    *current = Some(sector);
                    self.insert_turn(at, sector);
                    return;
                }
            }
            at += 1;
        }
    }

    /// Whether a number stands in the clause, so that it states something.
    fn counts_soon(&self, from: usize, end: usize) -> bool {
        (from..end.min(from + 40)).take_while(|&i| !matches!(self.source.at(i), '。' | ';')).any(|i| self.source.at(i).is_ascii_digit())
    }

    fn region_at(&self, at: usize) -> Option<usize> {
        self.hits.at(at).iter().find(|hit| self.lexicon.senses(**hit).iter().any(|s| matches!(s, Sense::Region(_)))).map(|hit| hit.end())
    }

    /// The sector entity a scope word stands for: the one the text names, or a new one under the scope's own name.
    fn sector_for(&mut self, scope: Glyphs) -> usize {
        if self.sector.is_none() {
            self.sector = self.out.entities.iter().position(|e| {
                e.kind == InstitutionType::BankingSector && (sector_key(&e.name) == "金融机构" && is_whole(&e.name) || e.implied)
            });
        }
        self.sector.unwrap_or_else(|| {
            let name = self.source.text(scope.clone());
            let region = self.hits.at(scope.start).iter().find_map(|hit| {
                let named = self.lexicon.senses(*hit).iter().filter_map(|s| match s {
                    Sense::Region(i) => self.lexicon.tables().regions.get(*i as usize),
                    _ => None,
                });
                // 河北 is the province before it is a district.
                named.min_by_key(|r| r.level()).map(|r| (r.code.clone(), r.name.clone()))
            });
            self.out.entities.push(Entity {
                name: name.to_owned(),
                canonical: name.to_owned(),
                kind: InstitutionType::BankingSector,
                head_office: String::new(),
                region: region.unwrap_or_default(),
                mentions: vec![scope],
                implied: true,
                register: None,
            });
            self.out.entities.len() - 1
        })
    }

    /// Adds a turn inside the sentence just walked, before later turns of it.
    fn insert_turn(&mut self, at: usize, owner: usize) {
        let index = self.out.turns.partition_point(|&(start, _)| start < at);
        if self.out.turns.get(index).is_some_and(|&(start, _)| start == at) {
            if let Some(turn) = self.out.turns.get_mut(index) {
                turn.1 = Some(owner);
            }
        } else {
            self.out.turns.insert(index, (at, Some(owner)));
        }
        self.note(at, Some(owner));
    }
}
