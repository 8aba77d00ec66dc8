//! x
use crate::lua::{Lua, Native};
pub(crate) const CJSON: &[(&str, Native)] = &[];
pub(crate) fn add_constants(_: Lua<'_>) {}
#[derive(Default)]
pub(crate) struct JsonConfig;
