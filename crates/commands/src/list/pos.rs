use command::{Args, Ctx, Error, Flags, Outcome, Spec};
use value::Item;
use value::list::List;

use super::LIST;

/// `LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]`
pub const LPOS: Spec = Spec {
    name: "lpos",
    arity: -3,
    flags: Flags::READONLY.union(Flags::LINEAR),
    since: "6.0.6",
    summary: "Returns the indexes at which an element stands in a list.",
    complexity: "O(N) for N elements compared",
    syntax: "key element [RANK rank:integer] [COUNT num-matches:integer] [MAXLEN len:integer]",
    run: lpos,
    ..LIST
};

const NEGATIVE_COUNT: Error = Error::fixed("ERR COUNT can't be negative");
const NEGATIVE_LENGTH: Error = Error::fixed("ERR MAXLEN can't be negative");
const ZERO_RANK: Error = Error::fixed(
    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use \
     negative to start from the end of the list",
);
/// What is looked for beside the element.
struct Options {
    /// Which match is the first to be reported.
    rank: u64,
    /// Whether the search begins at the back.
    backwards: bool,
    /// How many matches are reported; 0 means all, `None` one that is not in an array.
    count: Option<i64>,
    /// Entries compared at most; 0 means all.
    compared: i64,
}

impl Options {
    fn parse(args: Args<'_>) -> Result<Self, Error> {
        let mut options = Self { rank: 1, backwards: false, count: None, compared: 0 };
        let mut at = 3;
        while at < args.len() {
            let value = at + 1;
            if value == args.len() {
                return Err(Error::SYNTAX);
            }
            if args.is(at, "RANK") {
                let rank = args.integer(value)?;
                match rank {
                    0 => return Err(ZERO_RANK),
                    i64::MIN => return Err(Error::BELOW_LEAST),
                    _ => {}
                }
                (options.rank, options.backwards) = (rank.unsigned_abs(), rank < 0);
            } else if args.is(at, "COUNT") {
                options.count = Some(args.integer_in(value, 0..=i64::MAX, NEGATIVE_COUNT)?);
            } else if args.is(at, "MAXLEN") {
                options.compared = args.integer_in(value, 0..=i64::MAX, NEGATIVE_LENGTH)?;
            } else {
                return Err(Error::SYNTAX);
            }
            at += 2;
        }
        Ok(options)
    }

    /// Gives the indexes to be reported to `found`.
    fn search(&self, list: &List, element: Item<'_>, mut found: impl FnMut(usize)) {
        let (forwards, backwards, len) = (list.iter(), list.iter_back_from(list.len()), list.len());
        let entries: &mut dyn Iterator<Item = Item<'_>> =
            if self.backwards { &mut { backwards } } else { &mut { forwards } };
        let compared = if self.compared == 0 { i64::MAX } else { self.compared };
        let skipped = usize::try_from(self.rank - 1).unwrap_or(usize::MAX);
        let reported = match self.count {
            None => 1,
            Some(0) => usize::MAX,
            Some(count) => usize::try_from(count).unwrap_or(usize::MAX),
        };
        entries
            .take(usize::try_from(compared).unwrap_or(usize::MAX))
            .enumerate()
            .filter(|(_, item)| *item == element)
            .map(|(at, _)| if self.backwards { len - 1 - at } else { at })
            .skip(skipped)
            .take(reported)
            .for_each(&mut found);
    }
}

fn lpos(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let options = Options::parse(args)?;
    let element = Item::parse(args.at(2));
    let list = ctx.db.read::<List>(args.key(1))?;
    if options.count.is_none() {
        let mut index = None;
        if let Some(list) = list {
            options.search(list, element, |at| index = Some(at));
        }
        match index {
            Some(index) => ctx.reply.integer(index as i64),
            None => ctx.reply.null(),
        }
        return Ok(());
    }
    let indexes = ctx.reply.deferred();
    let mut count = 0;
    if let Some(list) = list {
        options.search(list, element, |at| {
            ctx.reply.integer(at as i64);
            count += 1;
        });
    }
    ctx.reply.finish_array(indexes, count);
    Ok(())
}
