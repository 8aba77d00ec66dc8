//! Values other than short strings, as they lie in their entry: the type's own handle, of 8 to 40 bytes.

use std::ptr::NonNull;

use value::hash::Hash;
use value::list::List;
use value::set::Set;
use value::stream::Stream;
use value::zset::Zset;
use value::{Kind, Object, ObjectMut, ObjectRef};

/// What handles are aligned to.
pub(super) const ALIGN: usize = 8;

/// Bytes of a value's handle, a multiple of [`ALIGN`].
pub(super) const fn size(kind: Kind) -> usize {
    match kind {
        Kind::String => size_of::<Vec<u8>>(),
        Kind::List => size_of::<List>(),
        Kind::Set => size_of::<Set>(),
        Kind::Hash => size_of::<Hash>(),
        Kind::SortedSet => size_of::<Zset>(),
        Kind::Stream => size_of::<Box<Stream>>(),
    }
}

const _: () = {
    assert!(align_of::<Vec<u8>>() == ALIGN && align_of::<Box<Stream>>() == ALIGN);
    assert!(align_of::<List>() == ALIGN && align_of::<Set>() == ALIGN);
    assert!(align_of::<Hash>() == ALIGN && align_of::<Zset>() == ALIGN);
};

/// Moves a value into an entry.
///
/// # Safety
/// There is room for the [`size`] of its kind, aligned to [`ALIGN`].
pub(super) unsafe fn write(at: NonNull<u8>, object: Object) {
    // SAFETY: by the contract.
    unsafe {
        match object {
            Object::String(bytes) => at.cast().write(bytes),
            Object::List(list) => at.cast().write(list),
            Object::Set(set) => at.cast().write(set),
            Object::Hash(hash) => at.cast().write(hash),
            Object::SortedSet(zset) => at.cast().write(zset),
            Object::Stream(stream) => at.cast().write(stream),
        }
    }
}

/// Moves a value out of an entry.
///
/// # Safety
/// [`write()`] put a value of this kind there, and nobody uses what is left.
pub(super) unsafe fn take(at: NonNull<u8>, kind: Kind) -> Object {
    // SAFETY: by the contract.
    unsafe {
        match kind {
            Kind::String => Object::String(at.cast().read()),
            Kind::List => Object::List(at.cast().read()),
            Kind::Set => Object::Set(at.cast().read()),
            Kind::Hash => Object::Hash(at.cast().read()),
            Kind::SortedSet => Object::SortedSet(at.cast().read()),
            Kind::Stream => Object::Stream(at.cast().read()),
        }
    }
}

/// A value in an entry.
///
/// # Safety
/// [`write()`] put a value of this kind there, which stays unchanged for `'a`.
pub(super) unsafe fn view<'a>(at: NonNull<u8>, kind: Kind) -> ObjectRef<'a> {
    // SAFETY: by the contract.
    unsafe {
        match kind {
            Kind::String => ObjectRef::String(at.cast().as_ref()),
            Kind::List => ObjectRef::List(at.cast().as_ref()),
            Kind::Set => ObjectRef::Set(at.cast().as_ref()),
            Kind::Hash => ObjectRef::Hash(at.cast().as_ref()),
            Kind::SortedSet => ObjectRef::SortedSet(at.cast().as_ref()),
            Kind::Stream => ObjectRef::Stream(at.cast::<Box<Stream>>().as_ref()),
        }
    }
}

/// A value in an entry, to be changed.
///
/// # Safety
/// [`write()`] put a value of this kind there, and nobody else reads or writes it for `'a`.
pub(super) unsafe fn view_mut<'a>(at: NonNull<u8>, kind: Kind) -> ObjectMut<'a> {
    // SAFETY: by the contract.
    unsafe {
        match kind {
            Kind::String => ObjectMut::String(at.cast().as_mut()),
            Kind::List => ObjectMut::List(at.cast().as_mut()),
            Kind::Set => ObjectMut::Set(at.cast().as_mut()),
            Kind::Hash => ObjectMut::Hash(at.cast().as_mut()),
            Kind::SortedSet => ObjectMut::SortedSet(at.cast().as_mut()),
            Kind::Stream => ObjectMut::Stream(at.cast::<Box<Stream>>().as_mut()),
        }
    }
}
