//! Where a value ends, without decoding it.

use crate::error::Error;
use crate::input::Input;
use crate::op::Type;
use crate::read::module_name;

/// Moves behind a value of type `kind`.
pub(crate) fn value(kind: Type, input: &mut Input<'_>) -> Result<(), Error> {
    use Type as T;
    match kind {
        T::String
        | T::HashZipmap
        | T::ListZiplist
        | T::SetIntset
        | T::ZsetZiplist
        | T::HashZiplist
        | T::HashListpack
        | T::ZsetListpack
        | T::SetListpack
        | T::HashListpackExPreGa => string(input),
        T::HashListpackEx => input.take(8).and_then(|_| string(input)),
        T::List | T::Set | T::ListQuicklist => each(input, string),
        T::Hash => each(input, |input| string(input).and_then(|()| string(input))),
        T::ListQuicklist2 => each(input, |input| input.number().and_then(|_| string(input))),
        T::Zset => each(input, |input| {
            string(input)?;
            match input.byte()? {
                253.. => Ok(()),
                len => input.take(usize::from(len)).map(drop),
            }
        }),
        T::Zset2 => each(input, |input| string(input).and_then(|()| input.take(8).map(drop))),
        T::HashMetadataPreGa => each(input, field_with_deadline),
        T::HashMetadata => input.take(8).and_then(|_| each(input, field_with_deadline)),
        T::Hash2 => each(input, |input| {
            string(input)?;
            string(input)?;
            input.take(8).map(drop)
        }),
        T::Stream1 | T::Stream2 | T::Stream3 | T::Stream4 | T::Stream5 => stream(kind, input),
        T::ModulePreGa => Err(Error::UnknownType(kind.number())),
        T::Module2 => {
            let module = input.number()?;
            module_data(input, module)
        }
    }
}

/// Moves behind a string.
pub(crate) fn string(input: &mut Input<'_>) -> Result<(), Error> {
    input.text().map(drop)
}

fn each<'a>(
    input: &mut Input<'a>,
    mut one: impl FnMut(&mut Input<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    (0..input.number()?).try_for_each(|_| one(input))
}

fn field_with_deadline(input: &mut Input<'_>) -> Result<(), Error> {
    input.number()?;
    string(input)?;
    string(input)
}

fn stream(kind: Type, input: &mut Input<'_>) -> Result<(), Error> {
    each(input, |input| string(input).and_then(|()| string(input)))?;
    let counters = if kind == Type::Stream1 { 3 } else { 8 };
    (0..counters).try_for_each(|_| input.number().map(drop))?;
    each(input, |input| {
        string(input)?;
        let counters = if kind == Type::Stream1 { 2 } else { 3 };
        (0..counters).try_for_each(|_| input.number().map(drop))?;
        each(input, |input| input.take(16 + 8).and_then(|_| input.number().map(drop)))?;
        each(input, |input| {
            string(input)?;
            input.take(if kind.has_active_times() { 16 } else { 8 })?;
            each(input, |input| input.take(16).map(drop))
        })?;
        match kind {
            Type::Stream5 => each(input, |input| input.take(16).map(drop)),
            _ => Ok(()),
        }
    })?;
    if kind.has_producers() {
        (0..2).try_for_each(|_| input.number().map(drop))?;
        each(input, |input| {
            string(input)?;
            each(input, |input| string(input).and_then(|()| input.id().map(drop)))
        })?;
        (0..2).try_for_each(|_| input.number().map(drop))?;
    }
    Ok(())
}

/// Moves behind what a module wrote, which ends with a mark.
pub(crate) fn module_data(input: &mut Input<'_>, module: u64) -> Result<(), Error> {
    loop {
        match input.number()? {
            0 => return Ok(()),
            1 | 2 => input.number().map(drop)?,
            3 => input.take(4).map(drop)?,
            4 => input.take(8).map(drop)?,
            5 => string(input)?,
            _ => return Err(Error::Module(module_name(module))),
        }
    }
}
