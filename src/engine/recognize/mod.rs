//! Hits to mentions: numbers with their units, dates, institutions.

pub mod date;
pub mod institution;
pub mod name;
pub mod numeral;
pub mod quantity;
