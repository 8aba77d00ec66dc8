use proptest::prelude::*;

use super::*;

fn of(n: u32, sparse_max: usize) -> Vec<u8> {
    let mut buf = new();
    for i in 0..n {
        add(&mut buf, format!("element:{i}").as_bytes(), sparse_max).unwrap();
    }
    buf
}

#[test]
fn estimates_are_within_three_standard_errors() {
    for n in [0, 1, 10, 100, 1000, 10_000, 200_000] {
        let counted = count(&of(n, 3000)).unwrap() as f64;
        assert!(
            (counted - f64::from(n)).abs() <= 0.0244 * f64::from(n),
            "{n} counted as {counted}"
        );
    }
}

#[test]
fn both_encodings_have_the_same_registers() {
    let (sparse, dense) = (of(500, 3000), of(500, 0));
    assert!(!is_dense(&sparse) && is_dense(&dense));
    assert_eq!(registers(&sparse), registers(&dense));
    let mut converted = sparse;
    assert_eq!(to_dense(&mut converted), Ok(true));
    assert_eq!(converted, dense);
}

#[test]
fn the_cache_holds_until_a_register_changes() {
    let mut buf = of(100, 3000);
    assert_eq!(cached(&buf), None);
    let (count, computed) = count_cached(&mut buf).unwrap();
    assert!(computed);
    assert_eq!(count_cached(&mut buf), Ok((count, false)));
    assert_eq!(add(&mut buf, b"element:5", 3000), Ok(false));
    assert_eq!(cached(&buf), Some(count));
    assert_eq!(add(&mut buf, b"another", 3000), Ok(true));
    assert_eq!(cached(&buf), None);
}

#[test]
fn a_merge_counts_the_union() {
    let mut target = of(300, 3000);
    merge(&mut target, [&of(600, 3000)[..], &of(10, 3000)], 3000).unwrap();
    assert_eq!(registers(&target), registers(&of(600, 3000)));
    merge(&mut target, [&of(10, 0)[..]], 3000).unwrap();
    assert!(is_dense(&target));
}

proptest! {
    #[test]
    fn damaged_bytes_are_refused_or_read_but_never_a_panic(
        n in 0u32..300, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(), dense in any::<bool>(), truncate in any::<bool>(),
    ) {
        let mut buf = of(n, if dense { 0 } else { 3000 });
        for (at, byte) in changes {
            let at = at.index(buf.len());
            buf[at] = byte;
        }
        if truncate {
            buf.truncate(cut.index(buf.len()));
        }
        let _ = count(&buf);
        let _ = count_cached(&mut buf.clone());
        let _ = sparse_runs(&buf);
        let _ = to_dense(&mut buf.clone());
        let _ = merge(&mut of(5, 3000), [&buf[..]], 3000);
        for i in 0..200u32 {
            let _ = add(&mut buf, &i.to_le_bytes(), 3000);
        }
    }
}
