//! One key with its value: a single heap block for everything small.
//!
//! ```text
//! byte 0      form of the value (low 4 bits): 0 and 1 bytes, 2 to 9 an integer of 1 to 8 bytes, from 10 on an
//!             object of each kind; the lowest 4 bits of the deadline (high 4 bits)
//! byte 1      flags: TTL present, wide key length, wide TTL, members with deadlines; era (high 4 bits, see
//!             `era`)
//! bytes 2-4   access clock, 24 bits (see `Database`)
//! then        key length, 1 or 4 bytes
//!             deadline, milliseconds since the epoch (only with the TTL flag): bits 4 to 43 in 5 bytes; with
//!             the wide flag all of them in 8 bytes
//!             value length, 1 byte in form 0 or 4 bytes in form 1
//!             key
//!             value: the bytes, or those of the integer, or, after up to 7 bytes that align it to 8, the handle
//!             of an object (`object`)
//! ```
//!
//! Nothing else in the block is aligned. A value may be overwritten in place by another when the block's size
//! class stays (see `table::heap`).

use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;

use table::heap;
use value::{Kind, Object, ObjectMut};

mod deadline;
mod object;
mod stored;

pub use stored::{Digits, Value};

/// Strings up to this many bytes live inside their entry.
const INLINE_MAX: usize = 4096;

const TTL: u8 = 1;
const WIDE_KEY: u8 = 2;
const WIDE_TTL: u8 = 4;
const TIMED: u8 = 8;
/// Where the era's number stands among the flags.
const ERA_SHIFT: u32 = 4;
const HEAD: usize = 5;

const FORM: u8 = 15;
const BYTES: u8 = 0;
const WIDE_BYTES: u8 = 1;
/// The form of an integer less its length in bytes.
const INTEGER: u8 = 1;
const INTEGER_MIN: u8 = INTEGER + 1;
/// The form of an object less its kind.
const OBJECT: u8 = 10;

/// What is to be stored under a key.
#[derive(Debug)]
pub enum Payload<'a> {
    /// A string, kept as it is.
    Bytes(&'a [u8]),
    /// A string that is the decimal form of an integer.
    Int(i64),
    /// Any other value.
    Object(Object),
}

impl Payload<'_> {
    /// A string in its most compact form.
    pub fn string(bytes: &[u8]) -> Payload<'_> {
        match codec::number::parse_i64(bytes) {
            Some(number) => Payload::Int(number),
            None => Payload::Bytes(bytes),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Payload::Object(object) => object.kind(),
            _ => Kind::String,
        }
    }
}

/// An entry that nobody else refers to; dropping it frees key and value.
pub struct Entry(NonNull<u8>);

/// Shared access to an entry in a table.
#[derive(Clone, Copy)]
pub struct EntryRef<'a>(NonNull<u8>, PhantomData<&'a [u8]>);

/// Exclusive access to an entry in a table.
pub struct EntryMut<'a>(EntryRef<'a>, PhantomData<&'a mut [u8]>);

// SAFETY: an entry owns its block and the object in it alone, and `Object` is Send.
unsafe impl Send for Entry {}

/// Where the parts of a block lie.
struct Shape {
    key_at: usize,
    key_len: usize,
    value_at: usize,
    value_len: usize,
}

impl Entry {
    /// Allocates an entry; payloads of bytes above the inline limit move to a block of their own.
    ///
    /// # Panics
    /// When the key is 4 GiB or longer, which the protocol's limits exclude.
    pub fn new(key: &[u8], payload: Payload<'_>, deadline_ms: Option<i64>, access: u32) -> Self {
        let payload = match payload {
            Payload::Bytes(bytes) if bytes.len() > INLINE_MAX => {
                Payload::Object(Object::String(bytes.to_vec()))
            }
            other => other,
        };
        let (head, shape) = plan(key, &payload, deadline_ms);
        let entry = Self(heap::allocate(shape.value_at + shape.value_len));
        let mut at = Cursor(entry.0);
        // SAFETY: the block has `value_at + value_len` bytes, which is the sum of all that is
        // written here, in this order (see `plan`).
        unsafe {
            at.put(&head);
            at.back_patch_access(entry.0, access);
            at.put_len(key.len(), head[1] & WIDE_KEY != 0);
            if let Some(deadline) = deadline_ms {
                let (low, rest) = deadline::encode(Some(deadline), head[1] & WIDE_TTL != 0);
                entry.0.write(head[0] | low << 4);
                at.put(&rest[..deadline::len(head[1])]);
            }
            if let Payload::Bytes(bytes) = &payload {
                at.put_len(bytes.len(), head[0] == WIDE_BYTES);
            }
            at.put(key);
            match payload {
                Payload::Bytes(bytes) => at.put(bytes),
                Payload::Int(number) => at.put(&number.to_le_bytes()[..integer_len(number)]),
                // Blocks are aligned as their sizes are, and this one's is a multiple of what it ends with.
                Payload::Object(object) => object::write(entry.0.add(shape.value_at), object),
            }
        }
        entry
    }

    /// The entry's parts.
    pub fn view(&self) -> EntryRef<'_> {
        EntryRef(self.0, PhantomData)
    }

    /// Notes the era that the entry was made in.
    pub(crate) fn in_era(self, era: u8) -> Self {
        let flags = self.view().byte(1) & ((1 << ERA_SHIFT) - 1);
        // SAFETY: byte 1 is in the head of every block, and nobody else refers to this one.
        unsafe { self.0.add(1).write(flags | era << ERA_SHIFT) };
        self
    }

    /// The same key and value in a block that has a deadline.
    pub(crate) fn with_deadline(self, deadline_ms: Option<i64>) -> Self {
        let view = self.view();
        match view.value() {
            Value::Bytes(bytes) => {
                Self::new(view.key(), Payload::Bytes(bytes), deadline_ms, view.access())
            }
            Value::Int(number) => {
                Self::new(view.key(), Payload::Int(number), deadline_ms, view.access())
            }
            Value::Object(_) => {
                let (key, access) = (view.key().to_vec(), view.access());
                let object = self.into_object().expect("the value is an object");
                Self::new(&key, Payload::Object(object), deadline_ms, access)
            }
        }
    }

    /// Gives the block to a table.
    pub(crate) fn into_raw(self) -> NonNull<u8> {
        let block = self.0;
        std::mem::forget(self);
        block
    }

    /// Takes a block back from a table.
    ///
    /// # Safety
    /// `block` came from [`Entry::into_raw`], and nothing else refers to it any more.
    pub(crate) unsafe fn from_raw(block: NonNull<u8>) -> Self {
        Self(block)
    }

    /// Takes the value out, leaving only the key to be freed.
    pub fn into_object(self) -> Option<Object> {
        let (block, size) = (self.0, self.view().block_bytes());
        let (place, kind) = (self.view().object_place(), self.view().kind());
        std::mem::forget(self);
        // SAFETY: the entry was made with a value of this kind there, and is forgotten.
        let object = place.map(|place| unsafe { object::take(place, kind) });
        // SAFETY: the block was allocated with a size of this class, and this entry was its only owner.
        unsafe { heap::free(block, size) }
        object
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let size = self.view().block_bytes();
        if let Some(place) = self.view().object_place() {
            // SAFETY: the entry was made with a value of this kind there; this entry is its only owner.
            drop(unsafe { object::take(place, self.view().kind()) });
        }
        // SAFETY: the block was allocated with a size of this class; this entry is its only owner.
        unsafe { heap::free(self.0, size) }
    }
}

fn plan(key: &[u8], payload: &Payload<'_>, deadline_ms: Option<i64>) -> ([u8; HEAD], Shape) {
    assert!(u32::try_from(key.len()).is_ok(), "key of 4 GiB or more");
    let (form, before, value_len) = match payload {
        Payload::Bytes(bytes) if bytes.len() > u8::MAX as usize => (WIDE_BYTES, 4, bytes.len()),
        Payload::Bytes(bytes) => (BYTES, 1, bytes.len()),
        Payload::Int(number) => {
            let len = integer_len(*number);
            (INTEGER + len as u8, 0, len)
        }
        Payload::Object(object) => (OBJECT + object.kind() as u8, 0, object::size(object.kind())),
    };
    let timed = matches!(payload, Payload::Object(object) if object.view().next_expiry().is_some());
    let flags = deadline::flags(deadline_ms)
        | if timed { TIMED } else { 0 }
        | if key.len() > u8::MAX as usize { WIDE_KEY } else { 0 };
    let key_len_len = if flags & WIDE_KEY != 0 { 4 } else { 1 };
    let key_at = HEAD + key_len_len + deadline::len(flags) + before;
    let value_at = value_at(form, key_at + key.len());
    ([form, flags, 0, 0, 0], Shape { key_at, key_len: key.len(), value_at, value_len })
}

/// Where the value lies behind a key that ends at `key_end`.
fn value_at(form: u8, key_end: usize) -> usize {
    if form < OBJECT { key_end } else { key_end.next_multiple_of(object::ALIGN) }
}

/// Bytes that the integer takes, sign included: 1 to 8.
fn integer_len(number: i64) -> usize {
    let bits = i64::BITS + 1 - (number ^ (number >> 63)).leading_zeros();
    bits.div_ceil(8) as usize
}

/// Writes a block front to back.
struct Cursor(NonNull<u8>);

impl Cursor {
    /// # Safety
    /// The block has room for `bytes` at the cursor.
    unsafe fn put(&mut self, bytes: &[u8]) {
        // SAFETY: by the contract; a fresh block overlaps nothing.
        unsafe {
            self.0.copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len());
            self.0 = self.0.add(bytes.len());
        }
    }

    /// # Safety
    /// As [`Cursor::put`] for 1 or 4 bytes.
    unsafe fn put_len(&mut self, len: usize, wide: bool) {
        // SAFETY: by the contract.
        unsafe { if wide { self.put(&(len as u32).to_ne_bytes()) } else { self.put(&[len as u8]) } }
    }

    /// # Safety
    /// `block` has a head.
    unsafe fn back_patch_access(&mut self, block: NonNull<u8>, access: u32) {
        let bytes = access.to_le_bytes();
        // SAFETY: by the contract: bytes 2 to 4 are in the head.
        unsafe { block.add(2).copy_from_nonoverlapping(NonNull::from(&bytes).cast(), 3) }
    }
}

impl<'a> EntryRef<'a> {
    /// # Safety
    /// `block` came from [`Entry::into_raw`] and stays unchanged for `'a`.
    pub(crate) unsafe fn from_raw(block: NonNull<u8>) -> Self {
        Self(block, PhantomData)
    }

    fn byte(&self, at: usize) -> u8 {
        // SAFETY: private; called with offsets inside the head and the lengths only.
        unsafe { self.0.add(at).read() }
    }

    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        // SAFETY: private; called with offsets of parts that the flags say are there.
        unsafe { self.0.add(at).cast::<[u8; N]>().read_unaligned() }
    }

    fn slice(&self, at: usize, len: usize) -> &'a [u8] {
        // SAFETY: private; called with the key's and the value's place. They stay unchanged for 'a.
        unsafe { std::slice::from_raw_parts(self.0.add(at).as_ptr(), len) }
    }

    fn form(&self) -> u8 {
        self.byte(0) & FORM
    }

    fn has(&self, flag: u8) -> bool {
        self.byte(1) & flag != 0
    }

    fn shape(&self) -> Shape {
        let mut at = HEAD;
        let mut length = |wide: bool| {
            let here = at;
            at += if wide { 4 } else { 1 };
            if wide {
                u32::from_ne_bytes(self.array(here)) as usize
            } else {
                self.byte(here) as usize
            }
        };
        let key_len = length(self.has(WIDE_KEY));
        at += deadline::len(self.byte(1));
        let (key_at, value_len) = match self.form() {
            BYTES => (at + 1, self.byte(at) as usize),
            WIDE_BYTES => (at + 4, u32::from_ne_bytes(self.array(at)) as usize),
            form @ ..OBJECT => (at, usize::from(form - INTEGER)),
            _ => (at, object::size(self.kind())),
        };
        Shape { key_at, key_len, value_at: value_at(self.form(), key_at + key_len), value_len }
    }

    fn deadline_at(&self) -> usize {
        HEAD + if self.has(WIDE_KEY) { 4 } else { 1 }
    }

    fn object_place(&self) -> Option<NonNull<u8>> {
        // SAFETY: the value lies inside the block.
        (self.form() >= OBJECT).then(|| unsafe { self.0.add(self.shape().value_at) })
    }

    /// The key's name.
    pub fn key(&self) -> &'a [u8] {
        let shape = self.shape();
        self.slice(shape.key_at, shape.key_len)
    }

    /// The type of the value.
    pub fn kind(&self) -> Kind {
        match self.form().checked_sub(OBJECT) {
            Some(1) => Kind::List,
            Some(2) => Kind::Set,
            Some(3) => Kind::SortedSet,
            Some(4) => Kind::Hash,
            Some(5) => Kind::Stream,
            _ => Kind::String,
        }
    }

    /// The value.
    pub fn value(&self) -> Value<'a> {
        let shape = self.shape();
        match self.form() {
            BYTES | WIDE_BYTES => Value::Bytes(self.slice(shape.value_at, shape.value_len)),
            ..OBJECT => Value::Int(self.integer(shape.value_at, shape.value_len)),
            // SAFETY: the entry was made with a value of this kind there, and stays unchanged for 'a.
            _ => Value::Object(unsafe { object::view(self.0.add(shape.value_at), self.kind()) }),
        }
    }

    fn integer(&self, at: usize, len: usize) -> i64 {
        let mut bytes = [0; 8];
        bytes[8 - len..].copy_from_slice(self.slice(at, len));
        i64::from_le_bytes(bytes) >> (64 - 8 * len)
    }

    /// When the key expires, in milliseconds since the epoch.
    pub fn deadline_ms(&self) -> Option<i64> {
        if !self.has(TTL) {
            return None;
        }
        let at = self.deadline_at();
        if self.has(WIDE_TTL) {
            return deadline::decode_wide(self.array(at));
        }
        deadline::decode(self.byte(0) >> 4, self.array(at))
    }

    /// Whether the value is known to have, or to have had, fields or members with a deadline.
    pub(crate) fn is_timed(&self) -> bool {
        self.has(TIMED)
    }

    /// From when on a field or member of the value has to go, in milliseconds since the epoch.
    pub(crate) fn members_due_ms(&self) -> Option<i64> {
        if !self.is_timed() {
            return None;
        }
        match self.value() {
            Value::Object(object) => Some(object.next_expiry()?.saturating_add(1)),
            _ => None,
        }
    }

    /// Whether neither the key nor a part of its value has a deadline, or room for one.
    #[inline]
    pub(crate) fn is_timeless(&self) -> bool {
        !self.has(TTL | TIMED)
    }

    /// Whether the key or a part of its value has to go at `now_ms`.
    #[inline]
    pub(crate) fn is_due(&self, now_ms: i64) -> bool {
        self.has(TTL | TIMED) && self.next_due_ms().is_some_and(|at| at <= now_ms)
    }

    /// From when on the key or a part of its value has to go.
    pub(crate) fn next_due_ms(&self) -> Option<i64> {
        [self.deadline_ms(), self.members_due_ms()].into_iter().flatten().min()
    }

    /// The 24-bit access clock.
    pub fn access(&self) -> u32 {
        u32::from_le_bytes([self.byte(2), self.byte(3), self.byte(4), 0])
    }

    /// The era in which the entry was made or last dealt with.
    pub(crate) fn era(&self) -> u8 {
        self.byte(1) >> ERA_SHIFT
    }

    /// Size class of the entry's own block, without what a value has beside it.
    pub fn block_bytes(&self) -> usize {
        let shape = self.shape();
        heap::class(shape.value_at + shape.value_len)
    }

    /// All heap bytes of key and value.
    pub fn heap_bytes(&self) -> usize {
        let object = match self.value() {
            Value::Object(object) => object.heap_bytes(),
            _ => 0,
        };
        self.block_bytes() + object
    }
}

impl<'a> Deref for EntryMut<'a> {
    type Target = EntryRef<'a>;

    fn deref(&self) -> &EntryRef<'a> {
        &self.0
    }
}

impl<'a> EntryMut<'a> {
    /// # Safety
    /// `block` came from [`Entry::into_raw`] and nobody else reads or writes it for `'a`.
    pub(crate) unsafe fn from_raw(block: NonNull<u8>) -> Self {
        // SAFETY: by the contract.
        Self(unsafe { EntryRef::from_raw(block) }, PhantomData)
    }

    fn write(&mut self, at: usize, bytes: &[u8]) {
        // SAFETY: private; called with offsets of parts that the flags say are there, and exclusive.
        unsafe {
            self.0.0.add(at).copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len())
        }
    }

    /// Notes a read at this access clock; writes only when that changes something.
    pub fn touch(&mut self, access: u32) {
        if self.access() != access {
            self.set_access(access);
        }
    }

    /// Notes that the entry was dealt with in this era.
    pub(crate) fn set_era(&mut self, era: u8) {
        let flags = self.byte(1) & ((1 << ERA_SHIFT) - 1);
        self.write(1, &[flags | era << ERA_SHIFT]);
    }

    /// Gives up writing.
    pub fn into_ref(self) -> EntryRef<'a> {
        self.0
    }

    /// Sets the 24-bit access clock.
    pub fn set_access(&mut self, access: u32) {
        self.write(2, &access.to_le_bytes()[..3]);
    }

    /// The value, unless it is a string inside the entry.
    pub fn object_mut(&mut self) -> Option<ObjectMut<'_>> {
        let kind = self.kind();
        // SAFETY: the entry was made with a value of this kind there, and access is exclusive.
        self.object_place().map(|place| unsafe { object::view_mut(place, kind) })
    }

    /// The same for as long as the entry itself is held.
    pub fn into_object_mut(self) -> Option<ObjectMut<'a>> {
        let kind = self.kind();
        // SAFETY: the entry was made with a value of this kind there, and access is exclusive for 'a.
        self.object_place().map(|place| unsafe { object::view_mut(place, kind) })
    }

    /// Notes whether the value has fields or members with a deadline.
    pub(crate) fn set_timed(&mut self, timed: bool) {
        let flags = self.byte(1) & !TIMED | if timed { TIMED } else { 0 };
        self.write(1, &[flags]);
    }

    /// Removes up to `limit` fields or members that are due; returns which.
    pub(crate) fn tidy(&mut self, now_ms: i64, limit: usize) -> Vec<Vec<u8>> {
        let mut gone = Vec::new();
        if self.members_due_ms().is_some_and(|due| due <= now_ms)
            && let Some(object) = self.object_mut()
        {
            object.expire_due(now_ms, limit, |name| gone.push(name.to_vec()));
        }
        gone
    }

    /// Replaces an integer by another in place; false, with nothing changed, when the value is not
    /// kept as an integer or the block has no room for it.
    pub fn set_integer(&mut self, number: i64) -> bool {
        self.overwrite(&Payload::Int(number))
    }

    /// Whether a deadline can be set in place.
    pub(crate) fn has_room_for(&self, deadline_ms: Option<i64>) -> bool {
        deadline_ms.is_none() || deadline::flags(deadline_ms) & !self.byte(1) == 0
    }

    /// Overwrites the deadline in place; false when the entry has no room for one (and one is
    /// needed).
    pub(crate) fn set_deadline(&mut self, deadline_ms: Option<i64>) -> bool {
        if !self.has_room_for(deadline_ms) {
            return false;
        }
        if !self.has(TTL) {
            return true;
        }
        let (low, rest) = deadline::encode(deadline_ms, self.has(WIDE_TTL));
        self.write(0, &[self.form() | low << 4]);
        self.write(self.deadline_at(), &rest[..deadline::len(self.byte(1))]);
        true
    }

    /// Overwrites a string in place when the new one needs a block of the same size class and a length
    /// of the same width; false otherwise, with nothing changed.
    pub(crate) fn overwrite(&mut self, payload: &Payload<'_>) -> bool {
        let shape = self.shape();
        let class = |len| heap::class(shape.value_at + len);
        let same_class = |len| len == shape.value_len || class(len) == class(shape.value_len);
        match (payload, self.form()) {
            (Payload::Int(number), form @ INTEGER_MIN..OBJECT) => {
                let len = integer_len(*number);
                if !same_class(len) {
                    return false;
                }
                self.write(0, &[self.byte(0) - form + INTEGER + len as u8]);
                self.write(shape.value_at, &number.to_le_bytes()[..len]);
                true
            }
            (Payload::Bytes(bytes), form @ (BYTES | WIDE_BYTES)) => {
                let wide = form == WIDE_BYTES;
                let most = if wide { INLINE_MAX } else { u8::MAX as usize };
                if bytes.len() > most || !same_class(bytes.len()) {
                    return false;
                }
                let length_at = self.deadline_at() + deadline::len(self.byte(1));
                if wide {
                    self.write(length_at, &(bytes.len() as u32).to_ne_bytes());
                } else {
                    self.write(length_at, &[bytes.len() as u8]);
                }
                self.write(shape.value_at, bytes);
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
