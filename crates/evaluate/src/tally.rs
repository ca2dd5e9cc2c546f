//! Counts, and the scores they make.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ratio::Ratio;

/// What is found and missed of one kind of thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// In the gold and in the report.
    pub hits: u64,
    /// In the report alone.
    pub extras: u64,
    /// In the gold alone.
    pub misses: u64,
}

/// What has been counted so far, over one bulletin or many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub(super) institutions: Count,
    pub(super) figures: Count,
    /// Figures with all their essential attributes right.
    pub(super) strict: Count,
    pub(super) measures: Count,
    pub(super) findings: Count,
    /// How often each attribute was right, and how often it was asked for.
    attributes: BTreeMap<&'static str, (u64, u64)>,
    /// Every disagreement, as a line for a person.
    pub mistakes: Vec<String>,
    /// Every broken invariant of the report, as a line for a person.
    pub broken: Vec<String>,
}

impl Tally {
    /// Counts one attribute and hands the verdict back.
    pub(super) fn attribute(&mut self, name: &'static str, right: bool) -> bool {
        let (rights, seen) = self.attributes.entry(name).or_default();
        *rights += u64::from(right);
        *seen += 1;
        right
    }

    /// Adds what another tally counted.
    pub fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.institutions, other.institutions),
            (&mut self.figures, other.figures),
            (&mut self.strict, other.strict),
            (&mut self.measures, other.measures),
            (&mut self.findings, other.findings),
        ];
        for (sum, count) in pairs {
            sum.hits += count.hits;
            sum.extras += count.extras;
            sum.misses += count.misses;
        }
        for (name, (rights, seen)) in &other.attributes {
            let sum = self.attributes.entry(name).or_default();
            *sum = (sum.0 + rights, sum.1 + seen);
        }
        self.mistakes.extend_from_slice(&other.mistakes);
        self.broken.extend_from_slice(&other.broken);
    }

    /// The scores of what has been counted.
    #[must_use]
    pub fn scores(&self) -> Scores {
        Scores {
            institutions: Score::of(self.institutions),
            figures: Score::of(self.figures),
            strict: Score::of(self.strict),
            measures: Score::of(self.measures),
            findings: Score::of(self.findings),
            attributes: self.attributes.iter().map(|(name, (rights, seen))| (*name, Ratio::of(*rights, *seen))).collect(),
            invariants_broken: u64::try_from(self.broken.len()).unwrap_or(u64::MAX),
        }
    }
}

/// How well one kind of thing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Score {
    /// How much of what the report holds is in the gold.
    pub precision: Ratio,
    /// How much of the gold the report holds.
    pub recall: Ratio,
    /// Their harmonic mean.
    pub f1: Ratio,
    /// How many the gold holds.
    pub gold: u64,
}

impl Score {
    fn of(count: Count) -> Self {
        let precision = Ratio::of(count.hits, count.hits + count.extras);
        let recall = Ratio::of(count.hits, count.hits + count.misses);
        Self { precision, recall, f1: Ratio::f1(precision, recall), gold: count.hits + count.misses }
    }

    fn get(&self, part: &str) -> Option<Ratio> {
        match part {
            "precision" => Some(self.precision),
            "recall" => Some(self.recall),
            "f1" => Some(self.f1),
            "gold" => Some(Ratio::of(self.gold, 1)),
            _ => None,
        }
    }
}

/// All scores of one bulletin or of many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scores {
    /// Institutions that report.
    pub institutions: Score,
    /// Figures by where they stand.
    pub figures: Score,
    /// Figures with owner, metric, value, kind, unit, period and direction all right.
    pub strict: Score,
    /// Measures by owner, category and sentence.
    pub measures: Score,
    /// Findings by code and place.
    pub findings: Score,
    /// Accuracy of each attribute over what was found.
    pub attributes: BTreeMap<&'static str, Ratio>,
    /// Broken invariants of the report.
    pub invariants_broken: u64,
}

impl Scores {
    /// The kinds of things that are found or missed, with their names.
    #[must_use]
    pub const fn kinds(&self) -> [(&'static str, &Score); 5] {
        [
            ("institutions", &self.institutions),
            ("figures", &self.figures),
            ("strict", &self.strict),
            ("measures", &self.measures),
            ("findings", &self.findings),
        ]
    }

    /// The score with a name such as `figures` (its F1), `figures.recall`, `attributes.metric` or
    /// `invariants_broken`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Ratio> {
        if key == "invariants_broken" {
            return Some(Ratio::of(self.invariants_broken, 1));
        }
        let (name, part) = key.split_once('.').unwrap_or((key, "f1"));
        match name {
            "attributes" => self.attributes.get(part).copied(),
            _ => self.kinds().iter().find(|(kind, _)| *kind == name).and_then(|(_, score)| score.get(part)),
        }
    }
}
