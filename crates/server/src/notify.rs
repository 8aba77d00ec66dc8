//! Keyspace notifications: what happened to keys, as messages.

use command::{Event, Services};
use config::{Config, KeyspaceEvents};

/// The classes of events to be collected: none if nobody would hear of them.
pub fn wanted(services: &Services, config: &Config) -> KeyspaceEvents {
    let events = config.notify_keyspace_events;
    let is_published =
        events.contains(KeyspaceEvents::KEYSPACE) || events.contains(KeyspaceEvents::KEYEVENT);
    if is_published && !services.pubsub.is_idle() { events } else { KeyspaceEvents::default() }
}

/// Publishes events in their order. The locks of their keys are still held, so what is told of a key comes
/// in the order in which it happened, and whoever looks at the key thereafter finds it so.
#[cold]
pub fn publish(services: &Services, config: &Config, events: impl Iterator<Item = Event>) {
    for event in events {
        publish_one(services, config, event.name, &event.key, event.database);
    }
}

/// Publishes that something happened to a key.
pub fn publish_one(services: &Services, config: &Config, name: &str, key: &[u8], database: usize) {
    if config.notify_keyspace_events.contains(KeyspaceEvents::KEYSPACE) {
        let channel = [format!("__keyspace@{database}__:").as_bytes(), key].concat();
        services.pubsub.publish(&channel, name.as_bytes());
    }
    if config.notify_keyspace_events.contains(KeyspaceEvents::KEYEVENT) {
        let channel = format!("__keyevent@{database}__:{name}");
        services.pubsub.publish(channel.as_bytes(), key);
    }
}
