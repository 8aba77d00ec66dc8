//! An array of buckets: one table without resizing.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::{NonNull, null_mut};

use crate::POSITIONS;
use crate::bucket::{Bucket, EMPTY, LANES};
use crate::{prefetch, sizes};

/// Owns `buckets` buckets, the first `ready` of which are initialised.
///
/// They lie in two allocations, as the sum of two of the allocator's sizes comes closer to what is needed:
/// the first `split` at `base`, the others from `rest + split` on, which is so that one comparison finds a
/// bucket. Without others, `split == buckets`.
///
/// `ready == buckets` but in the target of a resize under way, which is initialised as it fills:
/// clearing a huge array at once would be a pause. With no buckets, `base` is [`EMPTY`], and `split` 1.
pub(crate) struct Array {
    base: NonNull<Bucket>,
    rest: *mut Bucket,
    split: u32,
    buckets: u32,
    ready: u32,
    len: usize,
}

impl Default for Array {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl Drop for Array {
    fn drop(&mut self) {
        if self.buckets == 0 {
            return;
        }
        let others = self.rest.wrapping_add(self.split as usize);
        // SAFETY: `with_buckets` allocated both with these layouts, and buckets need no drop.
        unsafe {
            dealloc(self.base.as_ptr().cast(), layout(self.split));
            if self.split < self.buckets {
                dealloc(others.cast(), layout(self.buckets - self.split));
            }
        }
    }
}

fn layout(buckets: u32) -> Layout {
    Layout::array::<Bucket>(buckets as usize).expect("2^32 buckets are 2^38 bytes")
}

/// Memory for so many buckets, at least one.
fn allocate(buckets: u32) -> NonNull<Bucket> {
    let layout = layout(buckets);
    // SAFETY: the layout has a size, as there is at least one bucket.
    let memory = unsafe { alloc(layout) };
    NonNull::new(memory.cast::<Bucket>()).unwrap_or_else(|| handle_alloc_error(layout))
}

/// The home of a position among so many buckets: monotone, and below their number (0 when there is none).
#[inline(always)]
pub(crate) fn home(position: u32, buckets: u32) -> u32 {
    debug_assert!(position < POSITIONS);
    ((u64::from(position) * u64::from(buckets)) >> 24) as u32
}

impl Array {
    pub(crate) const EMPTY: Self = Self {
        base: NonNull::from_ref(&EMPTY),
        rest: null_mut(),
        split: 1,
        buckets: 0,
        ready: 0,
        len: 0,
    };

    /// `buckets` buckets (at least one), of which the first `ready` are initialised now.
    pub(crate) fn with_buckets(buckets: u32, ready: u32) -> Self {
        assert!(0 < ready && ready <= buckets);
        let split = sizes::first_part(buckets);
        let base = allocate(split);
        let rest = match buckets - split {
            0 => null_mut(),
            others => allocate(others).as_ptr().wrapping_sub(split as usize),
        };
        let mut array = Self { base, rest, split, buckets, ready: 0, len: 0 };
        array.initialise_to(ready);
        array
    }

    /// Where a bucket lies; the home of no buckets is [`EMPTY`].
    #[inline(always)]
    fn address(&self, bucket: u32) -> *mut Bucket {
        let start = if bucket < self.split { self.base.as_ptr() } else { self.rest };
        start.wrapping_add(bucket as usize)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn buckets(&self) -> u32 {
        self.buckets
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len == self.buckets as usize * LANES
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.buckets as usize * size_of::<Bucket>()
    }

    /// Initialises the buckets below `end`, at most `buckets`.
    fn initialise_to(&mut self, end: u32) {
        debug_assert!(end <= self.buckets);
        for bucket in self.ready..end {
            // SAFETY: `bucket < end <= buckets`: inside the allocations, which are ours to write.
            unsafe { self.address(bucket).write(Bucket::EMPTY) }
        }
        self.ready = self.ready.max(end);
    }

    /// Initialises the homes of all positions below `boundary`; everything at its end.
    pub(crate) fn make_ready(&mut self, boundary: u32) {
        let end = if boundary >= POSITIONS { self.buckets } else { self.home(boundary) + 1 };
        self.initialise_to(end);
    }

    /// The home bucket of a position.
    #[inline(always)]
    fn home(&self, position: u32) -> u32 {
        home(position, self.buckets)
    }

    /// Where the two parts lie, as bucket 0 of each would.
    pub(crate) fn parts(&self) -> (*const Bucket, *const Bucket) {
        (self.base.as_ptr(), self.rest)
    }

    /// The number of buckets in the first part, and of all.
    pub(crate) fn sizes(&self) -> (u32, u32) {
        (self.split, self.buckets)
    }

    /// The first position whose home is `bucket` or a later one.
    pub(crate) fn home_start(&self, bucket: u32) -> u32 {
        (u64::from(bucket) << 24).div_ceil(u64::from(self.buckets)) as u32
    }

    /// The end (exclusive) of the positions that share the home of this one.
    pub(crate) fn home_end(&self, position: u32) -> u32 {
        self.home_start(self.home(position) + 1)
    }

    #[inline]
    pub(crate) fn home_address(&self, position: u32) -> *const Bucket {
        self.address(self.home(position))
    }

    #[inline(always)]
    fn after(&self, bucket: u32) -> u32 {
        if bucket + 1 == self.buckets { 0 } else { bucket + 1 }
    }

    #[inline(always)]
    fn bucket(&self, bucket: u32) -> &Bucket {
        debug_assert!(bucket < self.ready.max(1));
        // SAFETY: every caller passes an initialised bucket: the home of a position that is in
        // this array (`make_ready`), one that the counter before it says an entry moved on to
        // (`place` initialised it), one below `ready`; or bucket 0 of no buckets, which is EMPTY.
        unsafe { &*self.address(bucket) }
    }

    #[inline(always)]
    fn bucket_mut(&mut self, bucket: u32) -> &mut Bucket {
        assert!(bucket < self.ready);
        // SAFETY: inside the initialised part of allocations that `&mut self` owns; EMPTY, which
        // is shared, has `ready == 0`.
        unsafe { &mut *self.address(bucket) }
    }

    /// How many buckets are initialised, from the first on.
    pub(crate) fn ready(&self) -> usize {
        self.ready as usize
    }

    /// A bucket, if it is initialised.
    pub(crate) fn ready_bucket(&self, bucket: usize) -> Option<&Bucket> {
        (bucket < self.ready()).then(|| self.bucket(bucket as u32))
    }

    /// The initialised buckets.
    pub(crate) fn ready_buckets(&self) -> impl Iterator<Item = &Bucket> {
        (0..self.ready).map(|bucket| self.bucket(bucket))
    }

    /// Asks for the blocks that a bucket's entries point to, if it is initialised.
    #[inline]
    pub(crate) fn prefetch_blocks(&self, bucket: usize) {
        let pointers = self.ready_bucket(bucket).into_iter().flat_map(Bucket::pointers);
        pointers.filter(|pointer| pointer.addr().get() & 1 == 0).for_each(|pointer| {
            prefetch::read(pointer.as_ptr());
        });
    }

    /// Bucket, lane and pointer of the first entry at `position` for which `eq` says yes.
    #[inline(always)]
    pub(crate) fn find(
        &self,
        position: u32,
        mut eq: impl FnMut(NonNull<u8>) -> bool,
    ) -> Option<(u32, u8, NonNull<u8>)> {
        let home = self.home(position);
        let mut at = home;
        loop {
            let bucket = self.bucket(at);
            let mut matches = bucket.tag_matches(position);
            while matches != 0 {
                let lane = (matches.trailing_zeros() / 8) as usize;
                if let Some(pointer) = bucket.pointer_at(lane, position)
                    && eq(pointer)
                {
                    return Some((at, lane as u8, pointer));
                }
                matches &= matches - 1;
            }
            if !bucket.overflowed() {
                return None;
            }
            at = self.after(at);
            if at == home {
                return None;
            }
        }
    }

    #[inline]
    pub(crate) fn get(&self, bucket: u32, lane: u8) -> NonNull<u8> {
        assert!(bucket < self.ready, "the slot is not stale");
        self.bucket(bucket).pointer(usize::from(lane)).expect("the slot is not stale")
    }

    pub(crate) fn replace(&mut self, bucket: u32, lane: u8, pointer: NonNull<u8>) -> NonNull<u8> {
        let old = self.get(bucket, lane);
        let bucket = self.bucket_mut(bucket);
        let position = bucket.position(usize::from(lane));
        bucket.set(usize::from(lane), position, pointer);
        old
    }

    /// Puts an entry into the first bucket with room from its home on. There must be room.
    #[inline]
    pub(crate) fn place(&mut self, position: u32, pointer: NonNull<u8>) -> (u32, u8) {
        debug_assert!(!self.is_full());
        let mut at = self.home(position);
        loop {
            if at >= self.ready {
                self.initialise_to(at + 1);
            }
            let bucket = self.bucket_mut(at);
            if let Some(lane) = bucket.free_lane() {
                bucket.set(lane, position, pointer);
                self.len += 1;
                return (at, lane as u8);
            }
            bucket.count_passer();
            at = self.after(at);
        }
    }

    /// A copy of `self` with so many buckets, which must suffice.
    pub(crate) fn resized(&self, buckets: u32) -> Self {
        let mut target = Self::with_buckets(buckets, buckets);
        // How full each bucket is, so that nothing written a moment ago is read back in other
        // sizes (the processor would wait for its stores to drain, for every entry).
        let mut filled = vec![0_u8; buckets as usize];
        for bucket in self.ready_buckets() {
            for lane in 0..LANES {
                if bucket.is_free(lane) {
                    continue;
                }
                let mut at = target.home(bucket.position(lane));
                loop {
                    let filled = &mut filled[at as usize];
                    let to = target.bucket_mut(at);
                    if usize::from(*filled) < LANES {
                        to.copy(usize::from(*filled), bucket, lane);
                        *filled += 1;
                        break;
                    }
                    to.count_passer();
                    at = target.after(at);
                }
            }
        }
        target.len = self.len;
        target
    }

    pub(crate) fn remove(&mut self, bucket: u32, lane: u8) -> NonNull<u8> {
        let pointer = self.get(bucket, lane);
        let mut at = self.home(self.bucket(bucket).position(usize::from(lane)));
        self.bucket_mut(bucket).clear(usize::from(lane));
        self.len -= 1;
        while at != bucket {
            self.bucket_mut(at).uncount_passer();
            at = self.after(at);
        }
        pointer
    }

    /// Visits the entries with positions in `start..end`, which share one home.
    pub(crate) fn visit(&self, start: u32, end: u32, mut visit: impl FnMut(NonNull<u8>)) {
        let home = self.home(start);
        let mut at = home;
        loop {
            let bucket = self.bucket(at);
            for (position, pointer) in bucket.entries() {
                if (start..end).contains(&position) {
                    visit(pointer);
                }
            }
            at = self.after(at);
            if !bucket.overflowed() || at == home {
                return;
            }
        }
    }

    /// Moves the entries with positions in `start..end`, which are one home's, to `target`.
    pub(crate) fn move_home(&mut self, start: u32, end: u32, target: &mut Filler<'_>) {
        if start == end {
            return;
        }
        let home = self.home(start);
        let mut at = home;
        loop {
            for lane in 0..LANES {
                let bucket = self.bucket(at);
                let position = bucket.position(lane);
                if bucket.pointer(lane).is_some() && (start..end).contains(&position) {
                    target.place(position, self.remove(at, lane as u8));
                }
            }
            // The removals uncounted entries before this bucket, never in it.
            let more = self.bucket(at).overflowed();
            at = self.after(at);
            if !more || at == home {
                return;
            }
        }
    }
}

/// Places many entries in the order of their positions, like [`Array::place`] one by one, but
/// reads which lanes are free once per bucket: reading words back right after they were written
/// one by one makes the processor wait for its stores to drain.
pub(crate) struct Filler<'a> {
    array: &'a mut Array,
    /// A bucket and its occupied lanes.
    known: (u32, u32),
}

impl<'a> Filler<'a> {
    pub(crate) fn new(array: &'a mut Array) -> Self {
        let occupied = array.ready_bucket(0).map_or(0, Bucket::occupied);
        Self { array, known: (0, occupied) }
    }

    fn place(&mut self, position: u32, pointer: NonNull<u8>) {
        debug_assert!(!self.array.is_full());
        let mut at = self.array.home(position);
        loop {
            if at != self.known.0 {
                if at >= self.array.ready {
                    self.array.initialise_to(at + 1);
                }
                self.known = (at, self.array.bucket(at).occupied());
            }
            let lane = self.known.1.trailing_ones();
            let bucket = self.array.bucket_mut(at);
            if (lane as usize) < LANES {
                bucket.set(lane as usize, position, pointer);
                self.known.1 |= 1 << lane;
                self.array.len += 1;
                return;
            }
            bucket.count_passer();
            at = self.array.after(at);
        }
    }
}

#[cfg(test)]
impl Array {
    pub(crate) fn entries(&self) -> impl Iterator<Item = (u32, NonNull<u8>)> + '_ {
        self.ready_buckets().flat_map(|bucket| bucket.entries())
    }

    /// Panics unless the counters and the length say what the lanes hold.
    pub(crate) fn check(&self) {
        let mut passers = vec![0_usize; self.buckets as usize];
        let mut len = 0;
        for (at, bucket) in self.ready_buckets().enumerate() {
            for (position, _) in bucket.entries() {
                len += 1;
                let mut passed = self.home(position);
                while passed as usize != at {
                    passers[passed as usize] += 1;
                    passed = self.after(passed);
                }
            }
        }
        assert_eq!(len, self.len);
        for (bucket, passers) in self.ready_buckets().zip(passers) {
            let counter = usize::from(bucket.counter());
            assert!(counter == 255 || counter == passers, "counter {counter}, passers {passers}");
        }
    }

    pub(crate) fn saturated(&self) -> usize {
        self.ready_buckets().filter(|bucket| bucket.counter() == 255).count()
    }
}
