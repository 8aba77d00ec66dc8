//! CPU per operation of the types' own commands: on many collections of ordinary size, and on one of a million.

use super::Bench;
use super::load::field;
use super::report::{self, Cell, Row};
use super::server::{Program, Server};
use anyhow::Result;

/// A command as the load generator takes it (`#` is a number below a thousand, `@` one below `members`), and how often it
/// is called: before that, `filled` is called by `fills`.
struct Call {
    name: &'static str,
    filled: &'static str,
    fills: u64,
    call: &'static str,
    count: u64,
    members: u64,
    pipeline: usize,
}

const KEYS: u64 = 1000;

const fn call(name: &'static str, call: &'static str) -> Call {
    Call { name, filled: "", fills: 0, call, count: 600_000, members: 1_000_000, pipeline: 16 }
}

impl Call {
    const fn after(self, filled: &'static str, fills: u64) -> Self {
        Self { filled, fills, ..self }
    }

    const fn times(self, count: u64) -> Self {
        Self { count, ..self }
    }

    const fn members(self, members: u64) -> Self {
        Self { members, ..self }
    }

    /// One at a time, for what takes long.
    const fn alone(self, count: u64) -> Self {
        Self { count, pipeline: 1, ..self }
    }
}

/// Each row's data stay for those behind it.
const CALLS: &[Call] = &[
    call("LPUSH, 1 k lists", "LPUSH,l:#,value"),
    call("RPOP, 1 k lists", "RPOP,l:#"),
    call("SADD, 1 k sets", "SADD,s:#,member:@"),
    call("SPOP, 1 k sets", "SPOP,s:#"),
    call("HSET, 1 k hashes", "HSET,h:#,field:@,value").members(50),
    call("HGET, 1 k hashes", "HGET,h:#,field:@").members(50),
    call("ZADD, 1 k sorted sets", "ZADD,z:#,@,member:@").members(60),
    call("ZPOPMIN, 1 k sorted sets", "ZPOPMIN,zp:#").after("ZADD,zp:#,@,member:@", 800_000),
    call("XADD, 1 k streams", "XADD,x:#,*,field,value"),
    call("XADD, a new stream each", "XADD,xn:@,*,field,value").times(200_000),
    call("ZADD, 10 k members", "ZADD,k,@,member:@")
        .after("ZADD,k,@,member:@", 100_000)
        .members(10_000),
    call("ZRANK, 10 k members", "ZRANK,k,member:@").members(10_000),
    call("ZRANGEBYSCORE, 10 k members", "ZRANGEBYSCORE,k,@,+inf,LIMIT,0,10").members(10_000),
    call("ZADD, 1 M members", "ZADD,m,@,member:@").after("ZADD,m,@,member:@", 3_000_000),
    call("ZRANK, 1 M members", "ZRANK,m,member:@"),
    call("ZRANGEBYSCORE, 1 M members", "ZRANGEBYSCORE,m,@,+inf,LIMIT,0,10"),
    call("ZRANGE of 100, 1 M members", "ZRANGE,m,0,99").times(60_000),
    call("ZPOPMIN, 1 M members", "ZPOPMIN,m").times(200_000),
    call("ZUNIONSTORE of two with 1 M", "ZUNIONSTORE,d,2,m,m2")
        .after("ZADD,m2,@,member:@", 3_000_000)
        .alone(3),
    call("SINTER of two with 1 M, first", "SADD,sa,member:@").times(3_000_000),
    call("SINTERSTORE of two with 1 M", "SINTERSTORE,d,sa,sb")
        .after("SADD,sb,member:@", 3_000_000)
        .alone(3),
];

/// Commands whose cost at a million members is held against that at ten thousand.
const GROWTH: &[(&str, &str, &str)] = &[
    ("ZADD, 1 M over 10 k", "ZADD, 1 M members", "ZADD, 10 k members"),
    ("ZRANK, 1 M over 10 k", "ZRANK, 1 M members", "ZRANK, 10 k members"),
    ("ZRANGEBYSCORE, 1 M over 10 k", "ZRANGEBYSCORE, 1 M members", "ZRANGEBYSCORE, 10 k members"),
];

pub(super) fn types(bench: &Bench) -> Result<Vec<Row>> {
    let cells = || bench.programs.iter().map(|program| Cell::new(&program.column, program.ours));
    let new = |name: &str, unit| Row { cells: cells().collect(), ..Row::new("types", name, unit) };
    let mut rows: Vec<Row> = CALLS.iter().map(|call| new(call.name, "us")).collect();
    for _ in 0..bench.type_rounds {
        for (at, program) in bench.programs.iter().enumerate() {
            let values = measure(bench, program)?;
            rows.iter_mut().zip(values).for_each(|(row, value)| row.cells[at].values.push(value));
        }
    }
    let median = |name: &str, at: usize| {
        rows.iter().find(|row| row.name == name).and_then(|row| row.cells.get(at)?.median())
    };
    let mut growth: Vec<Row> = GROWTH.iter().map(|(name, ..)| new(name, "times")).collect();
    for (row, (_, large, small)) in growth.iter_mut().zip(GROWTH) {
        for (at, cell) in row.cells.iter_mut().enumerate() {
            let pair = median(large, at).zip(median(small, at));
            cell.values.extend(pair.map(|(large, small)| large / small));
        }
    }
    rows.extend(growth);
    report::print("types: server CPU per operation, us", &rows);
    Ok(rows)
}

/// Microseconds of CPU for each call, in order.
fn measure(bench: &Bench, program: &Program) -> Result<Vec<f64>> {
    let mut server = Server::start(program, &bench.server_cores, bench.port)?;
    let mut drive = |op: &str, call: &Call, count: u64, pipeline: usize| {
        let (members, pid) = (call.members, server.pid());
        let clients = if pipeline == 1 { 1 } else { 50 };
        let words = format!(
            "drive --op {op} --clients {clients} --pipeline {pipeline} --keys {KEYS} --members \
             {members} --count {count} --pid {pid}"
        );
        bench.load.run(&mut server, &words)
    };
    // A quick run does a tenth of what leaves the data as they should be.
    let share = if bench.quick { 10 } else { 1 };
    let mut out = Vec::new();
    for call in CALLS {
        if call.fills > 0 {
            drive(call.filled, call, call.fills, 100)?;
        }
        let count = if call.pipeline == 1 { call.count } else { call.count / share };
        let report = drive(call.call, call, count, call.pipeline)?;
        out.push(field(&report, "server_cpu_us_per_operation")?);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::goals;
    use super::*;

    #[test]
    fn every_goal_names_a_row_that_is_measured() {
        let growth = GROWTH.iter().map(|(name, ..)| *name);
        let names: Vec<&str> = CALLS.iter().map(|call| call.name).chain(growth).collect();
        for goal in goals::rows("types") {
            assert!(names.contains(&goal), "{goal}");
        }
    }
}
