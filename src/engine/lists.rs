//! What is asked of long lists again and again, in ways that a processor is quick at.

/// How many at the head of a list `belong`, where those that do come first and are few.
pub fn ahead<T>(list: &[T], belongs: impl Fn(&T) -> bool) -> usize {
    let mut reach = 1;
    while list.get(reach - 1).is_some_and(&belongs) {
        reach *= 2;
    }
    let sure = reach / 2;
    sure + list.get(sure..list.len().min(reach)).unwrap_or_default().partition_point(belongs)
}

/// What `look` makes of each value and its place, where it says that this is to be kept. Each is written and only those
/// that count are kept, so that there is no branch to be guessed.
pub fn marked<T>(values: impl ExactSizeIterator<Item = T>, look: impl Fn(u32, T) -> (u32, bool)) -> Vec<u32> {
    let mut kept = vec![0; values.len() + 1];
    let mut count = 0;
    for (value, at) in values.zip(0..) {
        let (seen, mark) = look(at, value);
        if let Some(place) = kept.get_mut(count) {
            *place = seen;
        }
        count += usize::from(mark);
    }
    kept.truncate(count);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_list_is_counted_wherever_it_ends() {
        for length in 0..20 {
            let list: Vec<usize> = (0..length).collect();
            for end in 0..=length {
                assert_eq!(ahead(&list, |&at| at < end), end, "{end} of {length}");
            }
        }
    }

    #[test]
    fn only_what_is_marked_is_kept() {
        let values = |marks: &[bool]| marked(marks.iter(), |at, &mark| (at + 7, mark));
        assert_eq!(values(&[true, false, true]), [7, 9]);
        assert!(values(&[false, false]).is_empty());
        assert_eq!(values(&[true, true]), [7, 8]);
        assert!(values(&[]).is_empty());
    }
}
