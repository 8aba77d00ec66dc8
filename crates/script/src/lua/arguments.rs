use std::ffi::c_int;

use super::{Fault, Lua, Type};

/// Reading arguments.
impl<'a> Lua<'a> {
    fn wrong_type(self, index: c_int, expected: &str) -> Fault {
        let got = self.kind_name(index);
        Fault::Argument(index, format!("{expected} expected, got {got}"))
    }

    /// A string or a number.
    pub fn string_argument(self, index: c_int) -> Result<&'a [u8], Fault> {
        self.text(index).ok_or_else(|| self.wrong_type(index, "string"))
    }

    pub fn number_argument(self, index: c_int) -> Result<f64, Fault> {
        self.number(index).ok_or_else(|| self.wrong_type(index, "number"))
    }

    /// A number without its fraction, as C converts it.
    pub fn integer_argument(self, index: c_int) -> Result<i64, Fault> {
        self.number_argument(index).map(crate::number::truncate)
    }

    pub fn integer_or(self, index: c_int, default: i64) -> Result<i64, Fault> {
        match self.kind(index) {
            Type::None | Type::Nil => Ok(default),
            _ => self.integer_argument(index),
        }
    }

    pub fn table_argument(self, index: c_int) -> Result<(), Fault> {
        match self.kind(index) {
            Type::Table => Ok(()),
            _ => Err(self.wrong_type(index, "table")),
        }
    }
}
