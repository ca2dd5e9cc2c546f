//! Hits to mentions: numbers with their units, dates, institutions.

mod calendar;
#[cfg(test)]
mod cases;
pub mod date;
mod date_parts;
mod date_words;
pub mod institution;
mod marker;
mod numeral;
mod qualifier;
pub mod quantity;
mod unit;
