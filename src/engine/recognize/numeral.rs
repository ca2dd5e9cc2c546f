//! Numbers as written: ASCII, full-width, Chinese numerals and mixtures of them.
