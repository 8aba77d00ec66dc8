//! A packed run, or a box with what a big collection has, in one word
//!
//! The lowest two bits of the pointer, which blocks and boxes leave free, say which: 0 and 1 are runs, of the
//! two kinds that a collection may have; 2 is a box.
#![expect(unsafe_code, reason = "a pointer with a tag has to be taken apart")]

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr::null_mut;

use super::{Packed, Run};

const TAGS: usize = 3;
const BIG: usize = 2;

/// Which of a collection's two kinds of runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    First = 0,
    Second = 1,
}

/// Invariant: with the tag [`BIG`] the rest of the word is a pointer from `Box::into_raw` that this word owns;
/// with any other tag it is one from `Packed::into_raw`, whose run this word owns.
pub(crate) struct Word<T>(*mut u8, PhantomData<Box<T>>);

// SAFETY: a word owns a run, which is plain bytes, or a box, which may go where its content may.
unsafe impl<T: Send> Send for Word<T> {}
// SAFETY: shared access only reads.
unsafe impl<T: Sync> Sync for Word<T> {}

/// What is in a word.
pub(crate) enum View<'a, T> {
    Run(Run<'a>, Kind),
    Big(&'a T),
}

/// What is in a word, to be changed.
pub(crate) enum ViewMut<'a, T> {
    Run(RunMut<'a, T>, Kind),
    Big(&'a mut T),
}

/// A run that is out of its word as long as it is being changed.
pub(crate) struct RunMut<'a, T> {
    word: &'a mut Word<T>,
    run: ManuallyDrop<Packed<false>>,
    kind: Kind,
}

impl<T> Word<T> {
    const ALIGNED: () = assert!(align_of::<T>() > TAGS);

    /// An empty run of the first kind; holds no heap memory.
    pub(crate) const fn new() -> Self {
        Word(null_mut(), PhantomData)
    }

    pub(crate) fn of_run(run: Packed<false>, kind: Kind) -> Self {
        Word(run.into_raw().map_addr(|address| address | kind as usize), PhantomData)
    }

    pub(crate) fn of_big(big: Box<T>) -> Self {
        let () = Self::ALIGNED;
        Word(Box::into_raw(big).cast::<u8>().map_addr(|address| address | BIG), PhantomData)
    }

    fn untagged(&self) -> *mut u8 {
        self.0.map_addr(|address| address & !TAGS)
    }

    fn kind(&self) -> Option<Kind> {
        match self.0.addr() & TAGS {
            0 => Some(Kind::First),
            1 => Some(Kind::Second),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn view(&self) -> View<'_, T> {
        match self.kind() {
            // SAFETY: by the invariant; the run stays as it is while `self` is borrowed.
            Some(kind) => View::Run(unsafe { Packed::<false>::run_of_raw(self.untagged()) }, kind),
            // SAFETY: by the invariant; the box stays as it is while `self` is borrowed.
            None => View::Big(unsafe { &*self.untagged().cast::<T>() }),
        }
    }

    #[inline]
    pub(crate) fn view_mut(&mut self) -> ViewMut<'_, T> {
        match self.kind() {
            Some(kind) => {
                let raw = self.untagged();
                self.0 = null_mut();
                // SAFETY: by the invariant, and the word owns it no more.
                let run = ManuallyDrop::new(unsafe { Packed::from_raw(raw) });
                ViewMut::Run(RunMut { word: self, run, kind }, kind)
            }
            // SAFETY: by the invariant, and the borrow of `self` is exclusive.
            None => ViewMut::Big(unsafe { &mut *self.untagged().cast::<T>() }),
        }
    }
}

impl<T> Drop for Word<T> {
    fn drop(&mut self) {
        match self.kind() {
            // SAFETY: by the invariant; nobody uses the word any more.
            Some(_) => drop(unsafe { Packed::<false>::from_raw(self.untagged()) }),
            // SAFETY: by the invariant; nobody uses the word any more.
            None => drop(unsafe { Box::from_raw(self.untagged().cast::<T>()) }),
        }
    }
}

impl<T: Clone> Clone for Word<T> {
    fn clone(&self) -> Self {
        match self.view() {
            View::Run(run, kind) => Self::of_run(Packed::from_run(run.bytes, run.count), kind),
            View::Big(big) => Self::of_big(Box::new(big.clone())),
        }
    }
}

impl<T> Deref for RunMut<'_, T> {
    type Target = Packed<false>;

    fn deref(&self) -> &Packed<false> {
        &self.run
    }
}

impl<T> DerefMut for RunMut<'_, T> {
    fn deref_mut(&mut self) -> &mut Packed<false> {
        &mut self.run
    }
}

impl<T> Drop for RunMut<'_, T> {
    fn drop(&mut self) {
        // SAFETY: taken once, here; the word holds nothing meanwhile.
        let run = unsafe { ManuallyDrop::take(&mut self.run) };
        *self.word = Word::of_run(run, self.kind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::Item;

    fn items(word: &Word<u64>) -> Vec<Vec<u8>> {
        match word.view() {
            View::Run(run, _) => run.iter().map(Item::to_vec).collect(),
            View::Big(big) => vec![big.to_string().into_bytes()],
        }
    }

    #[test]
    fn runs_of_both_kinds_and_boxes_survive_in_a_word() {
        assert_eq!(size_of::<Word<u64>>(), 8);
        for kind in [Kind::First, Kind::Second] {
            let mut word = Word::<u64>::of_run(Packed::new(), kind);
            for text in ["a", "17", "bc"] {
                let ViewMut::Run(mut run, found) = word.view_mut() else { panic!("a run") };
                assert_eq!(found, kind);
                run.push_back(Item::parse(text.as_bytes()));
            }
            assert_eq!(items(&word), [&b"a"[..], b"17", b"bc"]);
            let copy = word.clone();
            word = Word::of_big(Box::new(5));
            let ViewMut::Big(big) = word.view_mut() else { panic!("a box") };
            *big += 1;
            assert_eq!(
                (items(&word), items(&word.clone())),
                (vec![b"6".to_vec()], vec![b"6".to_vec()])
            );
            assert!(
                matches!(copy.view(), View::Run(run, found) if found == kind && run.count == 3)
            );
        }
    }

    #[test]
    fn a_run_out_of_its_word_is_put_back_by_an_unwinding_panic() {
        let mut word = Word::<u64>::new();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let ViewMut::Run(mut run, _) = word.view_mut() else { return };
            run.push_back(Item::Int(1));
            panic!("in the middle");
        }));
        assert!(outcome.is_err());
        assert_eq!(items(&word), [b"1"]);
    }
}
