//! Hits to mentions: numbers with their units, dates, institutions.

mod amount;
mod calendar;
#[cfg(test)]
mod cases;
pub mod date;
mod date_parts;
mod date_words;
pub mod fraction;
pub mod institution;
mod literal;
mod marker;
pub mod name;
mod numeral;
pub mod openers;
mod qualifier;
pub mod quantity;
mod unit;
mod view;
