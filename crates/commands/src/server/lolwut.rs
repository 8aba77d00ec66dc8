use command::{Args, Ctx, Error, Flags, Group, Outcome, RUBRICA_VERSION, Spec};
use env::RngCore;

/// `LOLWUT`
pub const LOLWUT: Spec = Spec {
    name: "lolwut",
    arity: -1,
    flags: Flags::READONLY.union(Flags::FAST),
    group: Group::Server,
    since: "5.0.0",
    summary: "Draws a picture, and tells the version.",
    syntax: "[VERSION version:integer]",
    run: lolwut,
    ..Spec::BASE
};

const COLUMNS: usize = 64;
const ROWS: usize = 16;

fn lolwut(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.len() >= 3 && args.is(1, "version") {
        codec::number::parse_i64(args.at(2)).ok_or(Error::NOT_AN_INTEGER)?;
    }
    let seed = ctx.random.next_u64();
    let text = format!("{}\nRubrica ver. {RUBRICA_VERSION}\n", initial(seed));
    ctx.reply.verbatim("txt", text.as_bytes());
    Ok(())
}

/// What a rubricator might have put at the head of a page: an ornament of a cellular automaton's rows,
/// mirrored at its middle. The rule is among those that keep growing from random beginnings.
fn initial(seed: u64) -> String {
    const RULES: [u8; 6] = [30, 45, 73, 105, 110, 150];
    let rule = RULES[(seed % RULES.len() as u64) as usize];
    let half = COLUMNS / 2;
    let mut cells: Vec<bool> = (0..half).map(|column| seed >> (column % 64) & 1 == 1).collect();
    let border = format!("+{}+\n", "=".repeat(COLUMNS));
    let mut text = border.clone();
    for row in 0..ROWS {
        let ink = if row % 2 == 0 { ['.', '#'] } else { ['\'', '%'] };
        let left: String = cells.iter().map(|&cell| ink[usize::from(cell)]).collect();
        let right: String = left.chars().rev().collect();
        text.push_str(&format!("|{left}{right}|\n"));
        let at = |index: usize| u8::from(cells[index % half]);
        let next = |index: usize| {
            let around = at(index + half - 1) << 2 | at(index) << 1 | at(index + 1);
            rule >> around & 1 == 1
        };
        cells = (0..half).map(next).collect();
    }
    text + &border
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_picture_has_the_same_width() {
        for seed in [0, 1, u64::MAX, 0x1234_5678_9abc_def0] {
            let picture = initial(seed);
            assert_eq!(picture.lines().count(), ROWS + 2);
            assert!(picture.lines().all(|line| line.chars().count() == COLUMNS + 2));
        }
    }
}
