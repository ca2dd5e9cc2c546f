//! What of a figure is in doubt: a field that rests on a default, on a word no table knows, or that two ways of reading
//! settle differently.

/// A field of a figure, by the contract's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// What it measures.
    Metric,
    /// The text's words for what is counted.
    Label,
    /// Whose it is.
    Institution,
}

impl Field {
    const ALL: &'static [Self] = &[Self::Metric, Self::Label, Self::Institution];

    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::Label => "label",
            Self::Institution => "institution",
        }
    }
}

/// A set of fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Doubts(u16);

impl Doubts {
    /// Adds a field if `doubtful`.
    pub const fn add(&mut self, field: Field, doubtful: bool) {
        self.0 |= (doubtful as u16) << field as u16;
    }

    /// The names of the fields, in the contract's order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Field::ALL.iter().filter(move |field| self.0 & 1 << **field as u16 != 0).map(|field| field.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_names_what_was_added_in_order() {
        let mut doubts = Doubts::default();
        doubts.add(Field::Label, true);
        assert_eq!(doubts.names().collect::<Vec<_>>(), ["label"]);
        doubts.add(Field::Metric, true);
        doubts.add(Field::Metric, false);
        assert_eq!(doubts.names().collect::<Vec<_>>(), ["metric", "label"]);
    }
}
