use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use keyspace::Digits;
use resp::Writer;
use value::Kind;

/// `LCS key1 key2 [options]`
pub const LCS: Spec = Spec {
    name: "lcs",
    arity: -3,
    flags: Flags::READONLY,
    group: Group::String,
    keys: &[KeySpec::range(1, 1, 1, KeyFlags::READ)],
    since: "7.0.0",
    summary: "Finds the longest common subsequence of two strings.",
    complexity: "O(N*M) for strings of N and M bytes.",
    syntax: "key1:key@0 key2:key@0 [LEN] [IDX] [MINMATCHLEN len:integer] [WITHMATCHLEN]",
    run: lcs,
    ..Spec::BASE
};

const NOT_STRINGS: Error = Error::fixed("ERR The specified keys must contain string values");
const LEN_AND_IDX: Error =
    Error::fixed("ERR If you want both the length and indexes, please just use IDX.");
const TOO_LONG: Error = Error::fixed("ERR String too long for LCS");
const OVER_LIMIT: Error =
    Error::fixed("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
const NO_MEMORY: Error =
    Error::fixed("ERR Insufficient memory, failed allocating transient memory for LCS");

#[derive(Default)]
struct Options {
    len: bool,
    idx: bool,
    with_match_len: bool,
    min_match_len: u64,
}

impl Options {
    fn parse(args: Args<'_>) -> Result<Self, Error> {
        let mut options = Self::default();
        let mut index = 3;
        while index < args.len() {
            if args.is(index, "IDX") {
                options.idx = true;
            } else if args.is(index, "LEN") {
                options.len = true;
            } else if args.is(index, "WITHMATCHLEN") {
                options.with_match_len = true;
            } else if args.is(index, "MINMATCHLEN") && index + 1 < args.len() {
                index += 1;
                options.min_match_len = args.integer(index)?.max(0) as u64;
            } else {
                return Err(Error::SYNTAX);
            }
            index += 1;
        }
        if options.len && options.idx { Err(LEN_AND_IDX) } else { Ok(options) }
    }
}

fn lcs(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (a, b) = (copy(ctx, args, 1), copy(ctx, args, 2));
    let (a, b) = (a?, b?);
    let options = Options::parse(args)?;
    let table = Lengths::new(&a, &b, ctx.config.proto_max_bulk_len)?;
    if options.idx {
        reply_ranges(&mut ctx.reply, &table, &options);
    } else if options.len {
        ctx.reply.integer(table.total().into());
    } else {
        let mut common = Vec::with_capacity(table.total() as usize);
        table.walk_back(|step| {
            if let Step::Match(i, _) = step {
                common.extend(a.get(i));
            }
        });
        common.reverse();
        ctx.reply.bulk(&common);
    }
    Ok(())
}

fn copy(ctx: &mut Ctx<'_>, args: Args<'_>, index: usize) -> Result<Vec<u8>, Error> {
    let mut digits = Digits::new();
    match ctx.db.get(args.key(index)) {
        None => Ok(Vec::new()),
        Some(entry) if entry.kind() != Kind::String => Err(NOT_STRINGS),
        Some(entry) => Ok(entry.value().text(&mut digits).unwrap_or_default().to_vec()),
    }
}

/// Lengths of the longest common subsequences of all prefixes of two strings.
struct Lengths<'a> {
    a: &'a [u8],
    b: &'a [u8],
    /// A row for every prefix of `a`, a column for every prefix of `b`.
    cells: Vec<u32>,
}

/// One step from the strings' ends towards their starts.
enum Step {
    /// The bytes at these places are the same and belong to the common subsequence.
    Match(usize, usize),
    /// A byte of one string does not.
    Skip,
}

impl<'a> Lengths<'a> {
    /// Computes the table, which may take up to `limit` bytes.
    fn new(a: &'a [u8], b: &'a [u8], limit: u64) -> Result<Self, Error> {
        if a.len() >= u32::MAX as usize - 1 || b.len() >= u32::MAX as usize - 1 {
            return Err(TOO_LONG);
        }
        let (rows, columns) = (a.len() + 1, b.len() + 1);
        let count = rows.checked_mul(columns).ok_or(NO_MEMORY)?;
        let bytes = count.checked_mul(size_of::<u32>()).ok_or(NO_MEMORY)?;
        if bytes as u64 > limit {
            return Err(OVER_LIMIT);
        }
        let mut cells = Vec::new();
        cells.try_reserve_exact(count).map_err(|_| NO_MEMORY)?;
        cells.resize(count, 0u32);
        let mut rows = cells.chunks_exact_mut(columns);
        let mut above = rows.next().unwrap_or_default();
        for (byte, row) in a.iter().zip(rows) {
            let mut left = 0;
            let upper = above.iter().zip(above.iter().skip(1));
            for ((other, (corner, up)), cell) in b.iter().zip(upper).zip(row.iter_mut().skip(1)) {
                left = if byte == other { corner + 1 } else { left.max(*up) };
                *cell = left;
            }
            above = row;
        }
        Ok(Self { a, b, cells })
    }

    fn at(&self, i: usize, j: usize) -> u32 {
        self.cells.get(i * (self.b.len() + 1) + j).copied().unwrap_or_default()
    }

    fn total(&self) -> u32 {
        self.at(self.a.len(), self.b.len())
    }

    /// Follows the common subsequence from its end. Where both ways lead to one of the same length,
    /// the second string is shortened first.
    fn walk_back(&self, mut visit: impl FnMut(Step)) {
        let (mut i, mut j) = (self.a.len(), self.b.len());
        while i > 0 && j > 0 {
            if self.a.get(i - 1) == self.b.get(j - 1) {
                i -= 1;
                j -= 1;
                visit(Step::Match(i, j));
            } else {
                if self.at(i - 1, j) > self.at(i, j - 1) {
                    i -= 1;
                } else {
                    j -= 1;
                }
                visit(Step::Skip);
            }
        }
    }
}

/// Bytes in a row that are the same in both strings: first place in each, and how many.
#[derive(Clone, Copy)]
struct Run {
    a: usize,
    b: usize,
    len: u64,
}

fn reply_ranges(reply: &mut Writer<'_>, table: &Lengths<'_>, options: &Options) {
    reply.map(2);
    reply.bulk(b"matches");
    let header = reply.deferred();
    let mut count = 0;
    let mut run: Option<Run> = None;
    let mut emit = |run: Option<Run>| {
        let Some(run) = run.filter(|run| run.len >= options.min_match_len) else { return };
        count += 1;
        reply.array(if options.with_match_len { 3 } else { 2 });
        for start in [run.a as i64, run.b as i64] {
            reply.array(2);
            reply.integer(start);
            reply.integer(start + run.len as i64 - 1);
        }
        if options.with_match_len {
            reply.integer(run.len as i64);
        }
    };
    table.walk_back(|step| match (step, run) {
        (Step::Match(i, j), Some(before)) if before.a == i + 1 && before.b == j + 1 => {
            run = Some(Run { a: i, b: j, len: before.len + 1 });
        }
        (Step::Match(i, j), before) => {
            emit(before);
            run = Some(Run { a: i, b: j, len: 1 });
        }
        (Step::Skip, before) => {
            emit(before);
            run = None;
        }
    });
    emit(run);
    reply.finish_array(header, count);
    reply.bulk(b"len");
    reply.integer(table.total().into());
}
