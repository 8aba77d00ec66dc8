use std::sync::Arc;

use parking_lot::Mutex;
use resp::{Protocol, Writer};

use super::*;

/// A worker that keeps what it is sent.
#[derive(Default)]
struct MailBox {
    mail: Mutex<Vec<Delivery>>,
}

impl Post for MailBox {
    fn deliver(&self, delivery: Delivery) {
        self.mail.lock().push(delivery);
    }
}

fn server(workers: usize) -> (PubSub, Vec<Arc<MailBox>>) {
    let pubsub = PubSub::default();
    let boxes: Vec<Arc<MailBox>> = (0..workers).map(|_| Arc::default()).collect();
    for (number, one) in boxes.iter().enumerate() {
        pubsub.join(number, Arc::clone(one) as Arc<dyn Post>);
    }
    (pubsub, boxes)
}

fn on(worker: usize, client: u64) -> Subscriber {
    Subscriber { client, worker, place: client as usize }
}

#[test]
fn a_message_is_one_letter_for_each_worker_with_subscribers() {
    let (pubsub, boxes) = server(3);
    for client in 1..=10 {
        pubsub.subscribe(Kind::Channel, b"c", on((client % 2) as usize, client));
    }
    assert_eq!(pubsub.publish(b"c", b"hello"), 10);
    let mail: Vec<usize> = boxes.iter().map(|one| one.mail.lock().len()).collect();
    assert_eq!(mail, [1, 1, 0]);
    let first = boxes[0].mail.lock()[0].clone();
    assert_eq!(first.members.len(), 5);
    assert_eq!(&*first.bytes, b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$5\r\nhello\r\n");
    assert!(Arc::ptr_eq(&first.bytes, &boxes[1].mail.lock()[0].bytes));
}

#[test]
fn channel_subscribers_come_before_those_of_patterns_and_shards_are_apart() {
    let (pubsub, boxes) = server(1);
    pubsub.subscribe(Kind::Pattern, b"c*", on(0, 1));
    pubsub.subscribe(Kind::Pattern, b"x*", on(0, 1));
    pubsub.subscribe(Kind::Channel, b"c", on(0, 1));
    pubsub.subscribe(Kind::ShardChannel, b"c", on(0, 2));
    assert_eq!(pubsub.publish(b"c", b"m"), 2);
    assert_eq!(pubsub.publish_to_shard(b"c", b"m"), 1);
    let kinds: Vec<Kind> = boxes[0].mail.lock().iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [Kind::Channel, Kind::Pattern, Kind::ShardChannel]);
}

#[test]
fn a_message_under_way_keeps_its_receivers_when_they_change() {
    let (pubsub, boxes) = server(1);
    pubsub.subscribe(Kind::Channel, b"c", on(0, 1));
    pubsub.publish(b"c", b"1");
    pubsub.subscribe(Kind::Channel, b"c", on(0, 2));
    pubsub.unsubscribe(Kind::Channel, b"c", 1);
    pubsub.publish(b"c", b"2");
    let mail = boxes[0].mail.lock();
    let receivers: Vec<Vec<u64>> =
        mail.iter().map(|one| one.members.iter().map(|member| member.client).collect()).collect();
    assert_eq!(receivers, [vec![1], vec![2]]);
}

#[test]
fn counts_follow_subscriptions_and_their_ends() {
    let (pubsub, _) = server(1);
    let who = on(0, 7);
    assert_eq!(pubsub.subscribe(Kind::Channel, b"a", who).told(Kind::Channel), 1);
    assert_eq!(pubsub.subscribe(Kind::Channel, b"a", who).told(Kind::Channel), 1);
    assert_eq!(pubsub.subscribe(Kind::Pattern, b"p", who).told(Kind::Pattern), 2);
    assert_eq!(pubsub.subscribe(Kind::ShardChannel, b"s", who).told(Kind::ShardChannel), 1);
    assert_eq!(pubsub.unsubscribe(Kind::Channel, b"zz", 7).told(Kind::Channel), 2);
    assert_eq!(pubsub.unsubscribe(Kind::Channel, b"a", 7).told(Kind::Channel), 1);
    assert!(!pubsub.is_idle());
    pubsub.leave(7);
    assert!(pubsub.is_idle());
    assert_eq!(pubsub.publish(b"a", b""), 0);
    assert!(pubsub.topics_of(Kind::Pattern, 7).is_empty());
}

#[test]
fn topics_are_listed_by_pattern() {
    let (pubsub, _) = server(1);
    for name in [&b"news"[..], b"nets", b"old"] {
        pubsub.subscribe(Kind::Channel, name, on(0, 1));
    }
    let mut found = pubsub.topics(Kind::Channel, Some(b"ne*"));
    found.sort();
    assert_eq!(found, [Arc::from(&b"nets"[..]), Arc::from(&b"news"[..])]);
    assert_eq!(pubsub.len(Kind::Channel), 3);
    assert_eq!(pubsub.subscribers(Kind::Channel, b"news"), 1);
}

#[test]
fn a_confirmation_without_topic_has_the_null_of_its_protocol() {
    for (protocol, expected) in [
        (Protocol::Resp2, &b"*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n"[..]),
        (Protocol::Resp3, b">3\r\n$11\r\nunsubscribe\r\n_\r\n:0\r\n"),
    ] {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, protocol);
        confirmation(&mut writer, Kind::Channel, false, None, 0);
        assert_eq!(bytes, expected);
    }
}
