use command::{Args, Ctx, Error};

/// The same for a timeout in whole milliseconds.
pub fn deadline_from_ms(ctx: &Ctx<'_>, args: Args<'_>, index: usize) -> Result<Option<i64>, Error> {
    const NO_INTEGER: Error = Error::fixed("ERR timeout is not an integer or out of range");
    match args.integer(index) {
        Err(_) => Err(NO_INTEGER),
        Ok(..0) => Err(Error::fixed("ERR timeout is negative")),
        Ok(0) => Ok(None),
        Ok(ms) => {
            let out_of_range = Error::fixed("ERR timeout is out of range");
            ctx.now_ms().checked_add(ms).map(Some).ok_or(out_of_range)
        }
    }
}

/// When a blocking command gives up whose timeout in seconds, fractions allowed, is the word at `index`;
/// `None` when it never does.
pub fn deadline(ctx: &Ctx<'_>, args: Args<'_>, index: usize) -> Result<Option<i64>, Error> {
    const OUT_OF_RANGE: Error = Error::fixed("ERR timeout is out of range");
    let seconds = codec::number::parse_f64(args.at(index))
        .ok_or(Error::fixed("ERR timeout is not a float or out of range"))?;
    let ms = (seconds * 1000.0).ceil();
    if ms > i64::MAX as f64 {
        return Err(OUT_OF_RANGE);
    }
    if ms < 0.0 {
        return Err(Error::fixed("ERR timeout is negative"));
    }
    if ms == 0.0 {
        return Ok(None);
    }
    // The check above leaves 2^63 itself, which the conversion saturates.
    ctx.now_ms().checked_add(ms as i64).map(Some).ok_or(OUT_OF_RANGE)
}
