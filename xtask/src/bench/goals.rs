//! What Rubrica has promised, as data. Nothing else in the benchmark holds a limit.

/// A limit that a row's value for Rubrica is held to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Goal {
    /// At most this share of the row's first column.
    Ratio(f64),
    /// At most this much, in the row's unit.
    Value(f64),
}

/// Row names with their goals; a row that is not here is only shown.
const GOALS: &[(&str, &str, Goal)] = &[
    ("cpu", "GET, pipeline 1, 50 clients", Goal::Ratio(1.0)),
    ("cpu", "SET, pipeline 1, 50 clients", Goal::Ratio(1.0)),
    ("cpu", "GET, pipeline 1, 500 clients", Goal::Ratio(0.8)),
    ("cpu", "SET, pipeline 1, 500 clients", Goal::Ratio(0.8)),
    ("cpu", "GET, pipeline 16, 50 clients", Goal::Ratio(0.45)),
    ("cpu", "SET, pipeline 16, 50 clients", Goal::Ratio(0.45)),
    ("cpu", "GET, pipeline 100, 50 clients", Goal::Ratio(0.22)),
    ("cpu", "SET, pipeline 100, 50 clients", Goal::Ratio(0.22)),
    ("cpu", "EVAL, pipeline 1, 50 clients", Goal::Ratio(1.0)),
    ("cpu", "EVAL, pipeline 16, 50 clients", Goal::Ratio(1.0)),
    ("cpu", "MULTI, pipeline 16, 50 clients", Goal::Ratio(0.6)),
    ("bytes", "string, 16 B key, 16 B value", Goal::Ratio(0.45)),
    ("bytes", "the first, with a TTL", Goal::Ratio(0.42)),
    ("bytes", "hash of 10 small fields", Goal::Value(220.0)),
    ("workers", "GET, pipeline 16, 50 clients, a core each", Goal::Ratio(1.10)),
    ("workers", "SET, pipeline 16, 50 clients, a core each", Goal::Ratio(1.10)),
    ("workers", "GET, pipeline 100, 50 clients, a core each", Goal::Ratio(1.10)),
    ("workers", "GET, pipeline 1, 50 clients, on one core", Goal::Ratio(1.10)),
    ("workers", "SET, pipeline 1, 50 clients, on one core", Goal::Ratio(1.10)),
    ("push", "PUBLISH to 1,000, 1 unanswered", Goal::Ratio(0.5)),
    ("push", "PUBLISH to 1,000, 4 unanswered", Goal::Ratio(0.5)),
    ("push", "PUBLISH to 1,000, 16 unanswered", Goal::Ratio(0.5)),
    ("push", "PUBLISH to 1,000, 64 unanswered", Goal::Ratio(0.5)),
    ("tracking", "SET, pipeline 1, 10,000 clients cache", Goal::Ratio(1.5)),
    ("tracking", "SET, pipeline 16, 10,000 clients cache", Goal::Ratio(1.5)),
    ("tls", "GET over TLS, pipeline 1, 50 clients", Goal::Ratio(1.0)),
    ("pauses", "longest wait while keys are inserted", Goal::Value(5.0)),
    ("pauses", "longest wait during a full SCAN", Goal::Value(5.0)),
    ("pauses", "longest wait while keys expire", Goal::Value(5.0)),
    ("pauses", "expired keys gone after the last one's time", Goal::Value(1000.0)),
    ("civil", "SMEMBERS of 2 M", Goal::Value(5.0)),
    ("civil", "HGETALL of 2 M", Goal::Value(5.0)),
    ("civil", "SORT of 2 M", Goal::Value(5.0)),
    ("civil", "ZRANGE of 5 M", Goal::Value(5.0)),
    ("civil", "ZRANGEBYSCORE of 5 M", Goal::Value(5.0)),
    ("civil", "LRANGE of 5 M", Goal::Value(5.0)),
    ("civil", "LREM in 5 M", Goal::Value(5.0)),
    ("civil", "LTRIM of 5 M to 4 M", Goal::Value(5.0)),
    ("civil", "ZUNIONSTORE of 5 M", Goal::Value(5.0)),
    ("civil", "SINTERSTORE of 2 M", Goal::Value(5.0)),
    ("civil", "COPY of 2 M", Goal::Value(5.0)),
    ("civil", "DUMP of 2 M", Goal::Value(5.0)),
    ("civil", "ZREMRANGEBYRANK of 4 M", Goal::Value(5.0)),
    ("civil", "XRANGE of 2 M", Goal::Value(5.0)),
    ("civil", "XTRIM of 2 M", Goal::Value(5.0)),
    ("civil", "SETBIT makes 500 MB", Goal::Value(5.0)),
    ("civil", "GET of 500 MB", Goal::Value(5.0)),
    ("civil", "APPEND to 500 MB", Goal::Value(5.0)),
    ("civil", "MEMORY USAGE of 5 M", Goal::Value(5.0)),
    ("civil", "RENAME over 2 M", Goal::Value(5.0)),
    ("civil", "SET over 2 M", Goal::Value(5.0)),
    ("civil", "EXPIRE of 2 M at once", Goal::Value(5.0)),
    ("civil", "DEL of 5 M, sorted set", Goal::Value(5.0)),
    ("civil", "DEL of 4 M, list", Goal::Value(5.0)),
    ("civil", "UNLINK of 2 M, set", Goal::Value(5.0)),
    ("civil", "FLUSHALL", Goal::Value(5.0)),
    ("types", "LPUSH, 1 k lists", Goal::Ratio(0.5)),
    ("types", "RPOP, 1 k lists", Goal::Ratio(0.5)),
    ("types", "SADD, 1 k sets", Goal::Ratio(0.5)),
    ("types", "SPOP, 1 k sets", Goal::Ratio(0.5)),
    ("types", "HSET, 1 k hashes", Goal::Ratio(0.5)),
    ("types", "ZADD, 1 k sorted sets", Goal::Ratio(0.5)),
    ("types", "ZPOPMIN, 1 k sorted sets", Goal::Ratio(0.5)),
    ("types", "XADD, 1 k streams", Goal::Ratio(0.5)),
    ("types", "XADD, a new stream each", Goal::Ratio(0.5)),
    ("types", "ZADD, 1 M members", Goal::Ratio(0.5)),
    ("types", "ZRANK, 1 M members", Goal::Ratio(0.5)),
    ("types", "ZRANGEBYSCORE, 1 M members", Goal::Ratio(0.5)),
    ("types", "ZRANGE of 100, 1 M members", Goal::Ratio(0.5)),
    ("types", "ZPOPMIN, 1 M members", Goal::Ratio(0.5)),
    ("types", "ZUNIONSTORE of two with 1 M", Goal::Ratio(0.5)),
    ("types", "SINTERSTORE of two with 1 M", Goal::Ratio(0.5)),
    ("types", "ZADD, 1 M over 10 k", Goal::Value(2.0)),
    ("types", "ZRANK, 1 M over 10 k", Goal::Value(2.0)),
    ("types", "ZRANGEBYSCORE, 1 M over 10 k", Goal::Value(2.0)),
    ("durability", "BGSAVE under writes, extra memory", Goal::Value(5.0)),
    ("durability", "BGSAVE under writes, p99.9 beside idle", Goal::Value(2.0)),
    ("durability", "BGSAVE under writes, longest wait", Goal::Value(5.0)),
    ("durability", "sorted set saved, extra memory", Goal::Value(5.0)),
    ("durability", "sorted set saved, p99.9 beside idle", Goal::Value(2.0)),
    ("durability", "sorted set saved, longest wait", Goal::Value(5.0)),
    ("durability", "save of strings", Goal::Ratio(0.667)),
    ("durability", "load of strings", Goal::Ratio(0.5)),
    ("durability", "appendfsync always, a SET", Goal::Ratio(0.2)),
    ("durability", "everysec's share of the throughput between rewrites", Goal::Value(15.0)),
];

pub(super) fn of(table: &str, row: &str) -> Option<Goal> {
    GOALS.iter().find(|(in_table, name, _)| *in_table == table && *name == row).map(|goal| goal.2)
}

/// All the rows of a table that have a goal; a test holds them against the rows that exist.
#[cfg(test)]
pub(super) fn rows(table: &str) -> Vec<&'static str> {
    GOALS.iter().filter(|(in_table, ..)| *in_table == table).map(|(_, row, _)| *row).collect()
}
