use command::{Args, Error};

use super::pattern::Pattern;

/// What SORT is asked.
pub(super) struct Request<'a> {
    /// Whether the elements are to be sorted; not with a constant BY, whatever the word is.
    pub(super) sorts: bool,
    /// What they are compared by, if not by themselves.
    pub(super) by: Option<Pattern<'a>>,
    /// Whether they are compared as texts, not as numbers.
    pub(super) alpha: bool,
    /// Whether the last comes first.
    pub(super) descending: bool,
    /// What is returned of each; the element itself when there is none.
    pub(super) gets: Vec<Pattern<'a>>,
    /// The word that names the key for the result.
    pub(super) destination: Option<usize>,
    offset: i64,
    count: i64,
}

impl<'a> Request<'a> {
    /// Reads the options, of which the last of a kind counts; STORE only where it `may_store`.
    ///
    /// # Errors
    /// When an option is unknown, incomplete or no number.
    pub(super) fn parse(args: Args<'a>, may_store: bool) -> Result<Self, Error> {
        let mut request = Self {
            sorts: true,
            by: None,
            alpha: false,
            descending: false,
            gets: Vec::new(),
            destination: None,
            offset: 0,
            count: -1,
        };
        let mut at = 2;
        while at < args.len() {
            let left = args.len() - at - 1;
            if args.is(at, "ASC") {
                request.descending = false;
            } else if args.is(at, "DESC") {
                request.descending = true;
            } else if args.is(at, "ALPHA") {
                request.alpha = true;
            } else if args.is(at, "LIMIT") && left >= 2 {
                (request.offset, request.count) = (args.integer(at + 1)?, args.integer(at + 2)?);
                at += 2;
            } else if args.is(at, "STORE") && left >= 1 && may_store {
                at += 1;
                request.destination = Some(at);
            } else if args.is(at, "BY") && left >= 1 {
                at += 1;
                let text = args.at(at);
                // Once constant, always unsorted: a later pattern does not bring sorting back.
                request.sorts &= text.contains(&b'*');
                request.by = Some(Pattern::parse(text));
            } else if args.is(at, "GET") && left >= 1 {
                at += 1;
                request.gets.push(Pattern::parse(args.at(at)));
            } else {
                return Err(Error::SYNTAX);
            }
            at += 1;
        }
        Ok(request)
    }

    /// Compares the elements themselves, as texts.
    pub(super) fn sort_by_text(&mut self) {
        (self.sorts, self.alpha, self.by) = (true, true, None);
    }

    /// The number of values returned for each element.
    pub(super) fn columns(&self) -> usize {
        self.gets.len().max(1)
    }

    /// Whether keys are read whose names are made from the elements.
    pub(super) fn reaches_other_keys(&self) -> bool {
        let by = self.by.iter().filter(|_| self.sorts);
        by.chain(&self.gets).any(Pattern::names_keys)
    }

    /// Which of `len` elements in order are asked for.
    pub(super) fn window(&self, len: usize) -> std::ops::Range<usize> {
        let start = usize::try_from(self.offset.max(0)).unwrap_or(usize::MAX).min(len);
        let count = usize::try_from(self.count).unwrap_or(usize::MAX);
        start..start.saturating_add(count).min(len)
    }
}
