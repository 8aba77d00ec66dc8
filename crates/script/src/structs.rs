//! x
use crate::lua::{Lua, Native};
pub(crate) const STRUCT: &[(&str, Native)] = &[];
pub(crate) fn add_constants(_: Lua<'_>) {}
