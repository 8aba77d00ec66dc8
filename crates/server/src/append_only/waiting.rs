use aof::Awaiting;
use command::Letter;
use resp::Writer;

use super::AppendOnly;

/// Milliseconds until a client is given up that does not wait.
const PATIENCE_MS: i64 = 1000;

impl AppendOnly {
    /// Answers the clients of WAITAOF whose wait is over; says whether others are left.
    pub(super) fn answer_waiting(&self) -> bool {
        let mut awaiting = self.services.aof.awaiting();
        if awaiting.is_empty() {
            return false;
        }
        let now_ms = self.services.clock.unix_ms();
        let durable = self.services.log.durable();
        awaiting.retain(|one| !self.is_settled(one, durable, now_ms));
        !awaiting.is_empty()
    }

    fn is_settled(&self, one: &Awaiting, durable: u64, now_ms: i64) -> bool {
        let parked = &self.services.parked;
        // It asks before it is entered as one that waits; it is gone when its connection is.
        let Some(waiting) = parked.of_client(one.client) else {
            return now_ms - one.asked_ms > PATIENCE_MS;
        };
        if waiting.command.name != "waitaof" {
            return true;
        }
        if !one.is_over(durable, now_ms) {
            return false;
        }
        if waiting.finish() {
            parked.leave(waiting.ticket);
            let mut reply = Vec::new();
            let mut writer = Writer::new(&mut reply, waiting.protocol);
            writer.array(2);
            writer.integer(i64::from(one.seq <= durable && self.services.log.is_on()));
            writer.integer(0);
            let (client, ticket) = (one.client, waiting.ticket);
            waiting.client.post(Letter::Served { client, ticket, reply });
        }
        true
    }
}
