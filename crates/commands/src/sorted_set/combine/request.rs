use command::{Args, Ctx, Error};

use super::Operation;
use super::source::Source;

/// How the scores of a member of several sets become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Aggregate {
    #[default]
    Sum,
    Min,
    Max,
    /// Scores do not matter: the weights are added.
    Count,
}

/// One of the sets.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// The word that is its key.
    pub word: usize,
    pub weight: f64,
    /// Number of members.
    pub len: usize,
}

/// What to combine, and how.
#[derive(Debug)]
pub struct Request {
    /// The smallest first, except for a difference.
    pub inputs: Vec<Input>,
    pub aggregate: Aggregate,
    pub with_scores: bool,
    /// Greatest number that ZINTERCARD counts to.
    pub limit: usize,
}

impl Request {
    /// Reads the request whose number of keys is the word at `at`. Keys of other types are refused
    /// before the options are looked at.
    pub fn parse(
        ctx: &mut Ctx<'_>,
        args: Args<'_>,
        at: usize,
        operation: Operation,
    ) -> Result<Self, Error> {
        let numkeys = args.integer(at)?;
        if numkeys < 1 {
            let name = String::from_utf8_lossy(args.at(0)).to_lowercase();
            let line = format!("ERR at least 1 input key is needed for '{name}' command");
            return Err(Error::new(line));
        }
        let first = at + 1;
        let end = usize::try_from(numkeys).ok().and_then(|n| n.checked_add(first));
        let end = end.filter(|end| *end <= args.len()).ok_or(Error::SYNTAX)?;
        let mut inputs = Vec::with_capacity(end - first);
        for word in first..end {
            let len = Source::get(&mut ctx.db, args.key(word))?.len();
            inputs.push(Input { word, weight: 1.0, len });
        }
        let mut request =
            Self { inputs, aggregate: Aggregate::default(), with_scores: false, limit: usize::MAX };
        request.parse_options(args, end, operation, at == 2)?;
        if operation != Operation::Diff {
            request.inputs.sort_by_key(|input| input.len);
        }
        Ok(request)
    }

    fn parse_options(
        &mut self,
        args: Args<'_>,
        mut word: usize,
        operation: Operation,
        store: bool,
    ) -> Result<(), Error> {
        let combines = matches!(operation, Operation::Union | Operation::Inter);
        while word < args.len() {
            let left = args.len() - word - 1;
            if combines && left >= self.inputs.len() && args.is(word, "WEIGHTS") {
                for input in &mut self.inputs {
                    word += 1;
                    input.weight = args
                        .double(word)
                        .map_err(|_| Error::fixed("ERR weight value is not a float"))?;
                }
            } else if combines && left >= 1 && args.is(word, "AGGREGATE") {
                word += 1;
                self.aggregate = match args.at(word) {
                    name if name.eq_ignore_ascii_case(b"SUM") => Aggregate::Sum,
                    name if name.eq_ignore_ascii_case(b"MIN") => Aggregate::Min,
                    name if name.eq_ignore_ascii_case(b"MAX") => Aggregate::Max,
                    name if name.eq_ignore_ascii_case(b"COUNT") => Aggregate::Count,
                    _ => return Err(Error::SYNTAX),
                };
            } else if !store && operation != Operation::InterCount && args.is(word, "WITHSCORES") {
                self.with_scores = true;
            } else if operation == Operation::InterCount && left >= 1 && args.is(word, "LIMIT") {
                word += 1;
                let limit = args.integer(word).ok().and_then(|n| usize::try_from(n).ok());
                let limit = limit.ok_or(Error::fixed("ERR LIMIT can't be negative"))?;
                self.limit = if limit == 0 { usize::MAX } else { limit };
            } else {
                return Err(Error::SYNTAX);
            }
            word += 1;
        }
        Ok(())
    }
}
