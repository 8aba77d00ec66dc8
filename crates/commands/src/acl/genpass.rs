use command::{Args, Ctx, Error, Outcome, Spec};

use crate::help;

/// `ACL GENPASS [bits]`
pub const GENPASS: Spec = Spec {
    name: "genpass",
    arity: -2,
    flags: super::COMMON,
    summary: "Makes a password that nobody can guess.",
    complexity: "O(1)",
    syntax: "[bits:integer]",
    run: genpass,
    ..super::BASE
};

const BITS_DEFAULT: i64 = 256;
const BITS_MAX: i64 = 4096;

const WRONG_SIZE: Error = Error::fixed(
    "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number \
     up to 4096",
);

fn genpass(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.len() > 3 {
        return Err(help::wrong_number(args));
    }
    let bits = args.get(2).map_or(Ok(BITS_DEFAULT), |_| args.integer(2))?;
    if !(1..=BITS_MAX).contains(&bits) {
        return Err(WRONG_SIZE);
    }
    // Four to a digit.
    let digits = bits.unsigned_abs().div_ceil(4) as usize;
    let mut bytes = vec![0; digits.div_ceil(2)];
    env::fill_secret(&mut bytes).map_err(|error| Error::new(format!("ERR {error}")))?;
    let mut text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    text.truncate(digits);
    ctx.reply.bulk(text.as_bytes());
    Ok(())
}
