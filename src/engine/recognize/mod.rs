//! Hits to mentions: numbers with their units, dates, institutions.

mod calendar;
pub mod date;
mod date_parts;
mod date_words;
pub mod institution;
pub mod name;
mod marker;
mod numeral;
mod qualifier;
pub mod quantity;
mod unit;
