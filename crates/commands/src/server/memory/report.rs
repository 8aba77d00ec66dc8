use command::{Ctx, MemoryFigures};
use keyspace::SHARDS;

/// Where the memory goes, as INFO and MEMORY STATS tell it.
pub struct Report {
    /// What allocator and system say.
    pub figures: MemoryFigures,
    /// Connections: their state and buffers, bytes.
    pub clients_bytes: u64,
    /// Databases that have keys.
    pub databases: Vec<Database>,
}

/// One database.
#[derive(Clone, Debug, Default)]
pub struct Database {
    /// Its number.
    pub number: usize,
    /// Keys in it.
    pub keys: u64,
    /// Those that have a deadline.
    pub volatile: u64,
    /// Those with fields or members that have a deadline.
    pub timed: u64,
    /// Sum of the deadlines of keys, milliseconds since the epoch.
    pub deadlines_ms: i128,
    /// Bytes of its tables and of the index of its deadlines.
    pub tables_bytes: u64,
}

impl Database {
    /// Milliseconds that a key with a deadline lives on average.
    pub fn average_ttl_ms(&self, now_ms: i64) -> i64 {
        if self.volatile == 0 {
            return 0;
        }
        let mean = self.deadlines_ms / i128::from(self.volatile) - i128::from(now_ms);
        i64::try_from(mean.max(0)).unwrap_or(i64::MAX)
    }
}

/// Walks over all shards and sums up each database that has keys.
pub fn databases(ctx: &mut Ctx<'_>) -> Vec<Database> {
    let keyspace = ctx.db.held().keyspace();
    let mut by_number: Vec<Database> = (0..keyspace.databases())
        .map(|number| Database { number, ..Database::default() })
        .collect();
    let mut numbers = vec![0; keyspace.databases()];
    for number in 0..keyspace.databases() {
        if let Some(place) = numbers.get_mut(keyspace.resolve(number)) {
            *place = number;
        }
    }
    for shard in 0..SHARDS {
        ctx.db.held().visit(shard, |shard| {
            for (physical, db) in shard.dbs() {
                let number = numbers.get(physical).copied().unwrap_or(physical);
                let Some(sum) = by_number.get_mut(number) else { continue };
                sum.keys += db.len() as u64;
                sum.volatile += db.volatile() as u64;
                sum.timed += db.timed() as u64;
                sum.deadlines_ms += db.deadlines_ms();
                sum.tables_bytes += db.overhead_bytes() as u64;
            }
        });
    }
    by_number.retain(|database| database.keys > 0);
    by_number
}

impl Report {
    /// Takes stock.
    pub fn take(ctx: &mut Ctx<'_>) -> Self {
        let clients = ctx.services.clients.all();
        Self {
            figures: ctx.services.host.memory(),
            clients_bytes: clients.iter().map(|one| one.figures.memory_bytes.get()).sum(),
            databases: databases(ctx),
        }
    }

    /// What is not keys and values: the process at its start, connections, tables.
    pub fn overhead(&self) -> u64 {
        let tables: u64 = self.databases.iter().map(|database| database.tables_bytes).sum();
        (self.figures.startup + self.clients_bytes + tables).min(self.figures.allocated)
    }

    /// Bytes of keys and values.
    pub fn dataset(&self) -> u64 {
        self.figures.allocated.saturating_sub(self.overhead())
    }

    /// What was allocated since the start; at least 1.
    pub fn net(&self) -> u64 {
        self.figures.allocated.saturating_sub(self.figures.startup).max(1)
    }

    /// Keys in all databases.
    pub fn keys(&self) -> u64 {
        self.databases.iter().map(|database| database.keys).sum()
    }

    /// Share of the data set in what was allocated since the start, percent.
    pub fn dataset_percent(&self) -> f64 {
        self.dataset() as f64 * 100.0 / self.net() as f64
    }

    /// Share of what is allocated now in the most that ever was, percent.
    pub fn peak_percent(&self) -> f64 {
        self.figures.allocated as f64 * 100.0 / self.figures.peak.max(1) as f64
    }
}

/// `over` / `under`, and what the first exceeds the second by.
pub fn excess(over: u64, under: u64) -> (f64, i64) {
    let difference = i128::from(over) - i128::from(under);
    (over as f64 / under.max(1) as f64, i64::try_from(difference).unwrap_or(i64::MAX))
}

/// The largest query buffer and the largest output buffer of all clients, bytes.
pub fn largest_buffers(ctx: &Ctx<'_>) -> (u64, u64) {
    ctx.services.clients.all().iter().fold((0, 0), |(input, output), client| {
        let figures = &client.figures;
        let query = figures.query_bytes.get() + figures.query_free.get();
        (input.max(query), output.max(figures.output_bytes.get()))
    })
}

/// The number of clients that wait in a blocking command.
pub fn blocked_clients(ctx: &Ctx<'_>) -> usize {
    ctx.services.parked.len()
}
