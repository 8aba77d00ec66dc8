use command::{Args, Categories, Ctx, Error, Outcome, Spec};

/// `COMMAND LIST`
pub const LIST: Spec = Spec {
    name: "list",
    container: Some("command"),
    arity: -2,
    since: "7.0.0",
    summary: "Lists the names of commands and subcommands.",
    complexity: "O(N) in the number of commands",
    syntax: "[FILTERBY filterby=(MODULE module-name | ACLCAT category | PATTERN pattern:pattern)]",
    tips: &["nondeterministic_output_order"],
    run: list,
    ..super::COMMON
};

/// Which commands are listed.
enum Filter<'a> {
    All,
    /// Commands of a module: there are none.
    Module,
    /// `None` when there is no such category.
    Category(Option<Categories>),
    Pattern(&'a [u8]),
}

impl<'a> Filter<'a> {
    fn parse(args: Args<'a>) -> Result<Self, Error> {
        if args.len() == 2 {
            return Ok(Self::All);
        }
        if args.len() != 5 || !args.is(2, "filterby") {
            return Err(Error::SYNTAX);
        }
        let value = args.at(4);
        if args.is(3, "module") {
            Ok(Self::Module)
        } else if args.is(3, "aclcat") {
            let mut named = Categories::named();
            let found = named.find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(value));
            Ok(Self::Category(found.map(|(_, category)| category)))
        } else if args.is(3, "pattern") {
            Ok(Self::Pattern(value))
        } else {
            Err(Error::SYNTAX)
        }
    }

    fn admits(&self, spec: &Spec) -> bool {
        match self {
            Self::All => true,
            Self::Module => false,
            Self::Category(category) => {
                category.is_some_and(|category| spec.all_categories().intersects(category))
            }
            Self::Pattern(pattern) => {
                codec::glob::matches(pattern, spec.full_name().as_bytes(), true)
            }
        }
    }
}

fn list(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let filter = Filter::parse(args)?;
    let found: Vec<String> = ctx
        .services
        .table
        .all()
        .iter()
        .filter(|command| filter.admits(command))
        .map(|command| command.full_name())
        .collect();
    ctx.reply.array(found.len());
    found.iter().for_each(|name| ctx.reply.bulk(name.as_bytes()));
    Ok(())
}
