//! The data types: a folder per type, a file per encoding; knows no keys, clock or locks.
#![deny(unsafe_code)]

pub mod cut;
pub mod geo;
pub mod hash;
pub mod hyperloglog;
pub mod item;
pub mod list;
mod object;
mod packed;
mod seed;
pub mod set;
pub mod stream;
mod timed;
#[allow(unsafe_code, reason = "members are blocks that the index and the tree both point to")]
pub mod zset;

pub use item::Item;
pub use object::{Kind, Object, ObjectMut, ObjectRef, Typed};
pub use packed::{Corrupt, listpack};

#[cfg(test)]
mod tests {
    #[test]
    fn values_can_be_dropped_on_another_thread_and_are_a_word_or_two() {
        fn check<T: Send + Sync + Clone>(words: usize) {
            assert_eq!(size_of::<T>(), 8 * words);
        }
        check::<super::list::List>(2);
        check::<super::set::Set>(2);
        check::<super::hash::Hash>(1);
    }
}
