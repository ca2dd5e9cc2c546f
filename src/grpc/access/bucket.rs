//! A rate with a burst, by the time at which the next is due (GCRA).

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lets so many through in a second, and so many at once.
#[derive(Debug)]
pub struct Bucket {
    each: Duration,
    ahead: Duration,
    due: Mutex<Option<Instant>>,
}

impl Bucket {
    /// So many a second, and at most so many at once; both at least one.
    #[must_use]
    pub fn new(per_second: u32, burst: u32) -> Self {
        let each = Duration::from_secs(1) / per_second.max(1);
        Self { each, ahead: each * burst.max(1).saturating_sub(1), due: Mutex::new(None) }
    }

    /// Takes one.
    ///
    /// # Errors
    /// None is to be had yet: how long to wait.
    pub fn take(&self, now: Instant) -> Result<(), Duration> {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let next = due.unwrap_or(now).max(now);
        let early = (next - now).saturating_sub(self.ahead);
        if early > Duration::ZERO {
            return Err(early);
        }
        *due = Some(next + self.each);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_at_once_and_then_the_rate_holds() {
        let bucket = Bucket::new(10, 3);
        let start = Instant::now();
        assert!((0..3).all(|_| bucket.take(start).is_ok()));
        assert_eq!(bucket.take(start), Err(Duration::from_millis(100)));
        let later = start + Duration::from_millis(100);
        assert!(bucket.take(later).is_ok());
        assert_eq!(bucket.take(later), Err(Duration::from_millis(100)));
        let rested = start + Duration::from_secs(60);
        assert!((0..3).all(|_| bucket.take(rested).is_ok()));
        assert!(bucket.take(rested).is_err());
    }
}
