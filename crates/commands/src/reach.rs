//! How much of a value a call touches, for declarations (`Spec::reach`).

use command::{Args, Target};

/// The elements between the places in words `at` and `at + 1`, both included, counted from the end when
/// negative. What is no number is refused before anything is touched.
pub(crate) fn ranks(args: Args<'_>, target: Target<'_>, at: usize) -> usize {
    match (args.integer(at), args.integer(at + 1)) {
        (Ok(start), Ok(stop)) => span(start, stop, target),
        _ => 0,
    }
}

/// The elements from `start` to `stop`, both included and counted from the end when negative.
pub(crate) fn span(start: i64, stop: i64, target: Target<'_>) -> usize {
    if let (Target::Unknown, false) = (target, (start < 0) == (stop < 0)) {
        return usize::MAX;
    }
    let len = target.elements();
    let place = |index: i64| match index {
        _ if (start < 0) == (stop < 0) => i128::from(index),
        0.. => i128::from(index),
        _ => i128::from(index) + len as i128,
    };
    usize::try_from(place(stop) - place(start) + 1).unwrap_or(0).min(len)
}

/// As many elements as word `at` says, of either sign; one without that word.
pub(crate) fn count(args: Args<'_>, target: Target<'_>, at: usize) -> usize {
    if at >= args.len() {
        return 1;
    }
    let count = args.integer(at).map_or(0, |count| count.unsigned_abs());
    usize::try_from(count).unwrap_or(usize::MAX).min(target.elements())
}

/// As many elements as the word behind `name` says; all without it.
pub(crate) fn option(args: Args<'_>, target: Target<'_>, name: &str) -> usize {
    option_or(args, target, name, usize::MAX)
}

/// As many elements as the last word says if `name` stands before it; `otherwise` without.
pub(crate) fn option_or(args: Args<'_>, target: Target<'_>, name: &str, otherwise: usize) -> usize {
    let last = args.len().saturating_sub(1);
    let given = args.is(last.saturating_sub(1), name).then(|| count(args, target, last));
    given.unwrap_or(otherwise).min(target.elements())
}

#[cfg(test)]
mod tests {
    use super::*;
    use value::list::{List, ListLimits};
    use value::{Item, Object};

    fn list(len: usize) -> Object {
        let mut list = List::new();
        let limits = ListLimits::new(-2);
        (0..len).for_each(|_| list.push_back(Item::Int(1), limits));
        Object::List(list)
    }

    #[test]
    fn a_short_span_is_short_whatever_the_value() {
        assert_eq!(span(0, 99, Target::Unknown), 100);
        assert_eq!(span(-100, -1, Target::Unknown), 100);
        assert_eq!(span(5, 4, Target::Unknown), 0);
        assert_eq!(span(0, -1, Target::Unknown), usize::MAX);
        assert_eq!(span(i64::MIN, i64::MAX, Target::Unknown), usize::MAX);
    }

    #[test]
    fn a_span_never_exceeds_the_value() {
        let list = list(10);
        let of = |start, stop| span(start, stop, Target::Value(list.view()));
        assert_eq!((of(0, -1), of(2, -3), of(-4, -1), of(0, 1_000_000)), (10, 6, 4, 10));
        assert_eq!((of(9, -9), of(i64::MIN, i64::MAX)), (0, 10));
        assert_eq!(span(0, -1, Target::Small), 0);
    }
}
