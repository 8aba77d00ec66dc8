//! x
use crate::lua::{Lua, Native};
pub(crate) const CMSGPACK: &[(&str, Native)] = &[];
pub(crate) fn add_constants(_: Lua<'_>) {}
