//! Whether what a place of the text names is done: not denied, meant, hoped for, what for, or somebody else's.
//!
//! One walk over the words of each sentence, from left to right; each word of a mood marks the glyphs it reaches over.

use super::lexicon::{Class, Classes, Hit, Hits, In, Lexicon, Role};
use super::lists::Placed;
use super::outline::Outline;
use super::recognize::institution::InstitutionMention;
use super::source::{Glyphs, SourceText};

/// How the text speaks of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mood {
    /// 未发放, 没有走访: not done.
    Denied = 1,
    /// 拟, 计划, 下一步: meant, and no act.
    Meant = 2,
    /// 预计可省下: an effect that has not come about yet.
    Expected = 4,
    /// 将于月底推出: an act that will be done.
    Coming = 8,
    /// 为缩短时间, 在走访的基础上, 荣获宣传先进单位: named, and no act.
    Named = 16,
    /// 县财政局给予贴息: done by somebody who is no institution.
    Others = 32,
}

/// The moods of each glyph of a text.
#[derive(Clone, Debug, Default)]
pub struct Moods {
    bits: Vec<u8>,
}

/// What the walk looks at.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a, 't> {
    /// The normalised text.
    pub source: &'a SourceText<'t>,
    /// The words found.
    pub hits: &'a Hits,
    /// The words in force.
    pub lexicon: &'a Lexicon,
    /// Sentences and clauses.
    pub outline: &'a Outline,
    /// Institutions by place.
    pub institutions: &'a Placed<'a, InstitutionMention>,
}

/// The classes that the walk stops at.
const STOPS: Classes = Classes::of(&[
    Class::Negation,
    Class::Aiming,
    Class::Projecting,
    Class::Ensuring,
    Class::Expecting,
    Class::Target,
    Class::Planning,
    Class::Done,
    Class::Purposive,
    Class::Focusing,
    Class::Award,
    Class::Outsider,
    Class::Circumstance,
    Class::Outcome,
    Class::Plain,
]);
/// Classes that may stand between a word of a mood and the verb it is about.
const BETWEEN: Classes = Classes::of(&[Class::Adverb, Class::Time, Class::Vague]);

impl Moods {
    /// Whether a glyph is in a mood.
    #[must_use]
    pub fn has(&self, at: usize, mood: Mood) -> bool {
        self.bits.get(at).is_some_and(|bits| bits & mood as u8 != 0)
    }

    /// Whether what stands at a glyph is named and not done, nor about to be.
    #[must_use]
    pub fn is_no_act(&self, at: usize) -> bool {
        const NONE: u8 = Mood::Denied as u8 | Mood::Meant as u8 | Mood::Expected as u8 | Mood::Named as u8 | Mood::Others as u8;
        self.bits.get(at).is_some_and(|bits| bits & NONE != 0)
    }

    /// Whether what stands at a glyph is meant, expected or to come.
    #[must_use]
    pub fn is_planned(&self, at: usize) -> bool {
        const PLANNED: u8 = Mood::Meant as u8 | Mood::Expected as u8 | Mood::Coming as u8;
        self.bits.get(at).is_some_and(|bits| bits & PLANNED != 0)
    }

    fn mark(&mut self, range: Glyphs, mood: Mood) {
        self.bits.get_mut(range).unwrap_or_default().iter_mut().for_each(|bits| *bits |= mood as u8);
    }

    /// Reads the moods of a text.
    #[must_use]
    pub fn find(text: Text<'_, '_>) -> Self {
        let mut moods = Self { bits: vec![0; text.source.len()] };
        let mut plan_in = None;
        for sentence in &text.outline.sentences {
            let goes_on = plan_in == Some(sentence.paragraph);
            let walk = Walk {
                text,
                sentence: sentence.range.clone(),
                goes_on,
                planned: false,
                heads_a_list: false,
                open: None,
                moods: &mut moods,
            };
            plan_in = walk.sentence().then_some(sentence.paragraph);
        }
        moods
    }
}

/// The part of a clause that a word at `at` reaches.
fn within_reach(clause: &Glyphs, at: usize) -> Glyphs {
    /// How far a word of a mood reaches inside its clause, in glyphs.
    const REACH: usize = 120;
    clause.start.max(at.saturating_sub(REACH))..clause.end.min(at + REACH)
}

/// The walk over one sentence.
struct Walk<'w, 'a, 't> {
    text: Text<'a, 't>,
    sentence: Glyphs,
    /// The sentence before, in the same paragraph, told of plans.
    goes_on: bool,
    /// This one does.
    planned: bool,
    /// What is open was said before a colon.
    heads_a_list: bool,
    /// What is meant or to come until something is said to be done, and from where.
    open: Option<(usize, Mood)>,
    moods: &'w mut Moods,
}

impl Walk<'_, '_, '_> {
    /// Marks the moods of the sentence; whether it tells of plans.
    fn sentence(mut self) -> bool {
        let mut start = self.sentence.start;
        while start < self.sentence.end {
            let end = self.text.outline.clause_breaks.from(start).unwrap_or(self.sentence.end).min(self.sentence.end);
            if end > start {
                self.clause(start..end);
            }
            // A list under a head is all to come: 将做好三件事:一是…;二是….
            match self.text.source.at(end) {
                ':' => self.heads_a_list |= self.open.is_some(),
                ';' if !self.heads_a_list => self.close(end),
                _ => {}
            }
            start = end + 1;
        }
        self.close(self.sentence.end);
        self.planned
    }

    fn close(&mut self, end: usize) {
        self.heads_a_list = false;
        if let Some((from, mood)) = self.open.take() {
            self.moods.mark(from..end, mood);
        }
    }

    fn clause(&mut self, clause: Glyphs) {
        if self.ends_with(&clause, Class::Verdict) || self.gives_an_account(&clause) || self.is(clause.start, &[Class::Background]) {
            self.moods.mark(clause.clone(), Mood::Named);
        }
        let mut at = clause.start;
        while at < clause.end {
            // No word crosses the end of a name: 银行|将.
            if let Some(named) = self.text.institutions.starting_in(&(at..at + 1)).first() {
                at = named.range.end.max(at + 1);
                continue;
            }
            let Some((hit, classes)) = self.word(at, STOPS).filter(|(hit, _)| hit.end() <= clause.end) else {
                match self.text.source.at(at) {
                    '将' => self.coming(at, &within_reach(&clause, at)),
                    '为' => self.purpose(at, &within_reach(&clause, at)),
                    _ => {}
                }
                at += 1;
                continue;
            };
            if !classes.has(Class::Plain) {
                self.stop(hit, classes, &within_reach(&clause, hit.start()));
            }
            at = hit.end();
        }
    }

    /// The longest word at a place that is in one of these classes.
    fn word(&self, at: usize, classes: Classes) -> Option<(Hit, Classes)> {
        let known = self.text.hits.at(at).iter().map(|hit| (*hit, self.text.lexicon.classes(*hit)));
        known.filter(|(_, of)| of.has(Class::Plain) || of.meets(classes)).max_by_key(|(hit, _)| hit.end())
    }

    fn is(&self, at: usize, classes: &[Class]) -> bool {
        self.text.hits.at(at).iter().any(|hit| self.text.lexicon.classes(*hit).meets(Classes::of(classes)))
    }

    /// The place of the verb behind `at`: behind adverbs and times.
    fn verb(&self, at: usize, end: usize) -> usize {
        /// The most words between a word of a mood and its verb.
        const WORDS: usize = 6;
        let mut at = at;
        for _ in 0..WORDS {
            if at >= end || self.is(at, &[Class::Deed]) {
                break;
            }
            let between = self.text.hits.at(at).iter().find(|hit| self.text.lexicon.classes(**hit).meets(BETWEEN));
            let Some(hit) = between else { break };
            at = hit.end();
        }
        at.min(end)
    }

    fn is_deed(&self, at: usize) -> bool {
        self.is(at, &[Class::Deed]) || self.text.hits.at(at).iter().any(|hit| hit.is_in(In::CATEGORIES))
    }

    fn stop(&mut self, hit: Hit, classes: Classes, clause: &Glyphs) {
        let rest = hit.end()..clause.end;
        if classes.has(Class::Done) {
            // 计划累计发放 is meant all the same.
            if self.open.is_some_and(|(from, _)| from < clause.start) {
                self.close(clause.start);
            }
        } else if classes.has(Class::Planning) {
            if hit.start() <= clause.start + 6 && self.open.is_none() {
                self.open = Some((hit.start(), Mood::Meant));
                self.planned = true;
            }
        } else if classes.has(Class::Negation) {
            self.denied(&hit, rest);
        } else if classes.has(Class::Aiming)
            || classes.has(Class::Projecting) && (self.follows_a_subject(hit.start(), clause) || self.intends(rest.clone()))
        {
            self.open = self.open.or(Some((hit.start(), Mood::Meant)));
            self.planned |= self.goes_on;
        } else if classes.has(Class::Ensuring) {
            self.moods.mark(rest, Mood::Expected);
        } else if classes.has(Class::Expecting) {
            self.moods.mark(hit.start()..clause.end, Mood::Expected);
        } else if classes.has(Class::Target) {
            self.target(&hit, clause);
        } else if classes.has(Class::Purposive) || classes.has(Class::Award) {
            self.moods.mark(rest, Mood::Named);
        } else if classes.has(Class::Focusing) {
            let end = self.given(self.verb(hit.end(), clause.end), clause.end);
            self.moods.mark(hit.end()..end, Mood::Named);
        } else if classes.has(Class::Outsider) {
            self.outsider(&hit, clause);
        } else if classes.has(Class::Outcome) {
            self.moods.mark(hit.start().saturating_sub(4).max(clause.start)..hit.start(), Mood::Named);
        } else if classes.has(Class::Circumstance) {
            let from = (clause.start..hit.start()).rev().find(|&at| self.text.source.at(at) == '在');
            self.moods.mark(from.unwrap_or(hit.start())..hit.end(), Mood::Named);
        }
    }

    /// Whether a verb, an adjunct or a number follows: 复工复产计划 is a plan, and intends nothing.
    fn intends(&self, rest: Glyphs) -> bool {
        let verb = self.verb(rest.start, rest.end);
        verb > rest.start || self.is_deed(verb) || self.is(verb, &[Class::Preposition]) || self.text.source.at(verb).is_ascii_digit()
    }

    /// Whether a clause's start, a name or an adverb stands right before `at`.
    fn follows_a_subject(&self, at: usize, clause: &Glyphs) -> bool {
        let named = self.text.institutions.starting_in(&(clause.start..at)).last().is_some_and(|named| named.range.end == at);
        let adverb =
            |from: usize| self.text.hits.at(from).iter().any(|hit| hit.end() == at && self.text.lexicon.classes(*hit).meets(BETWEEN));
        at == clause.start || named || (1..=4).any(|back| at >= clause.start + back && adverb(at - back))
    }

    /// 未发放, 没有走访: a negation right before a deed, to the end of its phrase. 审批未发放 is approved.
    fn denied(&mut self, hit: &Hit, rest: Glyphs) {
        let mut deed = self.verb(rest.start, rest.end);
        // 未向企业发放: to whom stands between.
        if matches!(self.text.source.at(deed), '向' | '对' | '为' | '给' | '与') {
            deed = (deed + 1..rest.end).find(|&at| self.is(at, &[Class::Deed])).unwrap_or(rest.end);
        }
        let stands_alone = hit.start() == 0 || !(1..=2).any(|back| hit.start() >= back && self.ends_deed(hit.start() - back, hit.start()));
        if deed < rest.end && self.is_deed(deed) && stands_alone {
            let end = (deed..rest.end).find(|&at| self.text.source.at(at) == '的').unwrap_or(rest.end);
            self.moods.mark(deed..end, Mood::Denied);
        }
    }

    fn ends_deed(&self, start: usize, end: usize) -> bool {
        self.text.hits.at(start).iter().any(|hit| hit.end() == end && self.text.lexicon.classes(*hit).has(Class::Deed))
    }

    /// 投放目标为10亿元, 10亿元的目标; 以降低成本为目标 is what for.
    fn target(&mut self, hit: &Hit, clause: &Glyphs) {
        let source = self.text.source;
        let digit = |within: Glyphs| within.clone().any(|at| source.at(at).is_ascii_digit());
        let is = matches!(source.at(hit.end()), '是' | '为');
        let ahead = source.before(hit.start()) == '的' && digit(clause.start..hit.start());
        let reached = ahead && (clause.start..hit.start()).any(|at| self.is(at, &[Class::Achieving]));
        if source.before(hit.start()) == '为' {
            if let Some(from) = (clause.start..hit.start()).find(|&at| source.at(at) == '以') {
                self.moods.mark(from..hit.end(), Mood::Named);
            }
        } else if (is || ahead || digit(hit.end()..clause.end.min(hit.end() + 3))) && !reached {
            self.moods.mark(clause.start..clause.end, Mood::Meant);
        }
    }

    /// An institution named between an outsider and the act takes it over.
    fn outsider(&mut self, hit: &Hit, clause: &Glyphs) {
        /// How far into a clause its subject may end, in glyphs.
        const SUBJECT: usize = 10;
        let ahead = self.text.institutions.starting_in(&(clause.start..hit.start()));
        let subject = hit.start() <= clause.start + SUBJECT && !self.is(clause.start, &[Class::Preposition]);
        let told = || self.text.hits.within(clause.start..hit.start(), In::roles(&[Role::Anaphor])).next().is_some();
        if ahead.is_empty() && subject && !told() {
            let end = self.text.institutions.starting_in(&(hit.end()..clause.end)).first().map_or(clause.end, |named| {
                let reached = matches!(self.text.source.before(named.range.start), '到' | '赴' | '在' | '对' | '向' | '来' | '与' | '为');
                if !reached && named.range.start > hit.end() + 1 && self.is_deed(named.range.end) { named.range.start } else { clause.end }
            });
            self.moods.mark(hit.end()..end, Mood::Others);
        }
    }

    /// 将于月底推出: 将 before a verb, an adverb or an adjunct; before a noun it is 把.
    fn coming(&mut self, at: usize, clause: &Glyphs) {
        let source = self.text.source;
        if source.starts_with(at, "将近") || self.open.is_some() {
            return;
        }
        let behind = at + 1;
        let adjunct = matches!(source.at(behind), '于' | '在' | '对' | '为' | '向' | '以' | '从' | '按' | '与' | '由' | '会' | '有');
        let opens = adjunct || self.is(behind, &[Class::Vague]) || {
            let verb = self.verb(behind, clause.end);
            let noun = self.is(verb, &[Class::VerbalNoun]);
            self.is(verb, &[Class::Deed]) && !self.is_moved(verb + 2..clause.end, noun) || verb > behind
        };
        if !opens {
            return;
        }
        let mut next = behind;
        while self.is(next, &[Class::Adverb]) && !self.is(next, &[Class::Vague]) && next < clause.end {
            next = self.verb(next, clause.end).max(next + 1);
        }
        let vague = self.is(behind, &[Class::Vague]) || self.is(next, &[Class::Vague]);
        self.planned |= vague || self.goes_on;
        self.open = Some((at, if vague || self.goes_on { Mood::Meant } else { Mood::Coming }));
    }

    /// 将审批权限下放至支行: whether a verb behind what looks like one takes it as its object.
    fn is_moved(&self, rest: Glyphs, noun: bool) -> bool {
        rest.clone().any(|at| {
            let deed = self.text.hits.at(at).iter().find(|hit| {
                let classes = self.text.lexicon.classes(**hit);
                classes.has(Class::Deed) && !classes.has(Class::VerbalNoun)
            });
            let ends = |hit: &Hit| hit.end() == rest.end || matches!(self.text.source.at(hit.end()), '至' | '到' | '为' | '给' | '于');
            deed.is_some_and(|hit| noun || ends(hit))
        })
    }

    /// 为缩短时间: what for, to the verb that gives; 为企业 is for whom.
    fn purpose(&mut self, at: usize, clause: &Glyphs) {
        let verb = self.verb(at + 1, clause.end);
        let acts = |at: usize| self.is(at, &[Class::Deed]) && !self.is(at, &[Class::VerbalNoun]);
        let hurried = verb > at + 1 && self.is_deed(verb);
        let behind_name = |named: &InstitutionMention| named.range.end == at;
        let named_before = self.text.institutions.starting_in(&(clause.start..at)).last().is_some_and(behind_name);
        let opens = at == clause.start || named_before || !self.is_word_before(at);
        if opens && verb < clause.end && (acts(verb) || hurried) {
            let end = self.given(verb, clause.end);
            self.moods.mark(at..end, Mood::Named);
        }
    }

    /// Whether 为 ends a word: 作为, 分别为.
    fn is_word_before(&self, at: usize) -> bool {
        at > 0 && self.text.hits.at(at - 1).iter().any(|hit| hit.end() == at + 1)
    }

    /// Where what is given begins, behind the verb at `from` and the verbs that go with it.
    fn given(&self, from: usize, end: usize) -> usize {
        let mut at = from;
        // 加快推出: verbs side by side are one.
        while let Some(hit) =
            self.text.hits.at(at).iter().find(|hit| self.text.lexicon.classes(**hit).meets(Classes::of(&[Class::Deed, Class::Adverb])))
        {
            at = hit.end();
        }
        (at.max(from + 1)..end).find(|&at| self.is(at, &[Class::Giving])).unwrap_or(end)
    }

    /// Whether a clause ends with a word of a class: 成效显著.
    fn ends_with(&self, clause: &Glyphs, class: Class) -> bool {
        let near = clause.end.saturating_sub(6).max(clause.start)..clause.end;
        near.clone().any(|at| self.text.hits.at(at).iter().any(|hit| hit.end() == clause.end && self.text.lexicon.classes(*hit).has(class)))
    }

    /// 介绍了减费让利情况: what is told of, behind a word for saying.
    fn gives_an_account(&self, clause: &Glyphs) -> bool {
        self.ends_with(clause, Class::Recounting) && (clause.start..clause.end).any(|at| self.is(at, &[Class::Saying]))
    }
}
