//! One test per case file, and the tests of what the cases cover.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use suite::server::Program;
use suite::{case, coverage, runner};

fn main() -> ExitCode {
    let args = Arguments::from_args();
    let mut trials = Vec::new();
    match case::all_paths() {
        Ok(paths) => {
            for path in paths {
                let file = case::cases_dir();
                let name = path.strip_prefix(&file).unwrap_or(&path).with_extension("");
                let name = name.to_string_lossy().replace('/', "::");
                trials.push(Trial::test(name, move || check(&path)));
            }
        }
        Err(e) => trials.push(Trial::test("case_files_can_be_listed", move || {
            Err(Failed::from(format!("{e:#}")))
        })),
    }
    trials.push(Trial::test("every_served_command_has_a_case", every_command_has_a_case));
    trials.push(Trial::test("missing_commands_are_listed_exactly", missing_is_exact));
    libtest_mimic::run(&args, trials).exit_code()
}

fn failed(e: anyhow::Error) -> Failed {
    Failed::from(format!("{e:#}"))
}

fn check(path: &Path) -> Result<(), Failed> {
    let file = case::load(path).map_err(failed)?;
    let tested = Program::tested().map_err(failed)?;
    let reference = Program::reference();
    if reference.is_none() {
        println!("no redis-server on PATH: only the written expectations are checked");
    }
    let missing = coverage::missing_for(&tested).map_err(failed)?;
    let (failures, counts) =
        runner::check_file(&file, &tested, reference.as_ref(), &missing).map_err(failed)?;
    println!("{} run, {} left out", counts.run, counts.skipped);
    if failures.is_empty() { Ok(()) } else { Err(Failed::from(failures.join("\n\n"))) }
}

fn every_command_has_a_case() -> Result<(), Failed> {
    let tested = Program::tested().map_err(failed)?;
    let missing = coverage::missing_for(&tested).map_err(failed)?;
    if missing.contains("command") {
        return Ok(());
    }
    let served = coverage::served_by(&tested).map_err(failed)?;
    let exercised = coverage::commands_exercised().map_err(failed)?;
    let elsewhere = coverage::read_list("elsewhere.txt").map_err(failed)?;
    let bare: Vec<&String> =
        served.iter().filter(|c| !exercised.contains(*c) && !elsewhere.contains(*c)).collect();
    if bare.is_empty() { Ok(()) } else { Err(format!("without a case: {bare:?}").into()) }
}

fn missing_is_exact() -> Result<(), Failed> {
    let tested = Program::tested().map_err(failed)?;
    let Some(reference) = Program::reference().filter(|_| !tested.foreign) else {
        return Ok(());
    };
    let wanted = coverage::wanted(&reference).map_err(failed)?;
    let known = coverage::known_to(&tested, &wanted).map_err(failed)?;
    let missing = coverage::read_list("missing.txt").map_err(failed)?;
    let served: Vec<&String> = missing.intersection(&known).collect();
    let unlisted: Vec<&String> =
        wanted.iter().filter(|c| !known.contains(*c) && !missing.contains(*c)).collect();
    if served.is_empty() && unlisted.is_empty() {
        return Ok(());
    }
    let how = "run `cargo run -p suite -- missing`";
    Err(format!("{how}\nlisted but served: {served:?}\nneither: {unlisted:?}").into())
}
