//! Values change at random while they are taken in parts: what is shown is what they had at the cut, each once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use proptest::prelude::{ProptestConfig, any, proptest};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use value::cut::{Element, Scribe};
use value::hash::{Hash, HashLimits, Ttl};
use value::list::{List, ListLimits};
use value::set::{Set, SetLimits};
use value::zset::{Zset, ZsetLimits};
use value::{Item, Kind, Object};

/// Chunks of ten entries, so that there are some.
const LIST: ListLimits = ListLimits::new(10);

/// Takes down what it is shown, as text.
#[derive(Default)]
struct Notes {
    lines: Mutex<Vec<String>>,
    rest: Mutex<Option<Object>>,
    is_over: AtomicBool,
}

impl Notes {
    fn note(&self, element: Element<'_>) {
        self.lines.lock().push(format!("{element:?}"));
    }
}

impl Scribe for Notes {
    fn see(&self, element: Element<'_>) -> bool {
        if self.is_over.load(Ordering::Relaxed) {
            return false;
        }
        self.note(element);
        true
    }

    fn placed(&self, _database: usize, _key: &[u8]) {}

    fn inherit(&self, rest: Object) {
        *self.rest.lock() = Some(rest);
    }
}

fn elements(object: &Object) -> Vec<String> {
    let text = |element: Element<'_>| format!("{element:?}");
    let mut lines: Vec<String> = match object {
        Object::List(list) => {
            (1..).zip(list.nodes()).map(|(turn, node)| text(Element::Node(turn, node))).collect()
        }
        Object::Set(set) => set.iter().map(|item| text(Element::Item(item))).collect(),
        Object::Hash(hash) => {
            hash.iter().map(|field| text(Element::Field(field.name, field.value))).collect()
        }
        Object::SortedSet(zset) => {
            zset.iter().map(|(member, score)| text(Element::Scored(member, score))).collect()
        }
        _ => Vec::new(),
    };
    lines.sort_unstable();
    lines
}

/// A large value.
fn large(kind: Kind, members: u32) -> Object {
    let names = (0..members).map(name);
    match kind {
        Kind::List => {
            let mut list = List::new();
            list.before_growth(members as usize, members as usize * 10, LIST);
            names.for_each(|name| list.push_back(Item::parse(&name), LIST));
            Object::List(list)
        }
        Kind::Set => {
            let mut set = Set::new();
            for name in names {
                set.insert(Item::parse(&name), SetLimits::default());
            }
            Object::Set(set)
        }
        Kind::Hash => {
            let mut hash = Hash::new();
            for (member, name) in (0..).zip(names) {
                hash.set(Item::parse(&name), Item::Int(member), Ttl::Clear, HashLimits::default());
            }
            Object::Hash(hash)
        }
        _ => {
            let mut zset = Zset::new();
            for (member, name) in (0..).zip(names) {
                zset.insert(&name, f64::from(member % 97), ZsetLimits::default());
            }
            Object::SortedSet(zset)
        }
    }
}

/// Half of them are integers.
fn name(member: u32) -> Vec<u8> {
    match member % 2 {
        0 => member.to_string().into_bytes(),
        _ => format!("member:{member}").into_bytes(),
    }
}

fn change(object: &mut Object, members: u32, random: &mut SmallRng) {
    let member = name(random.random_range(0..members * 2));
    let item = Item::parse(&member);
    let what = random.random_range(0..8);
    match object {
        Object::List(list) => change_list(list, item, random),
        Object::Set(set) => match what {
            0..5 => {
                set.insert(item, SetLimits::default());
            }
            5 => {
                set.pop_random(random.random(), |_| ());
            }
            6 => {
                set.set_deadline(item, Some(random.random_range(1..100)));
            }
            _ => {
                set.remove(item);
            }
        },
        Object::Hash(hash) => match what {
            0..4 => {
                let value = vec![b'x'; random.random_range(0..100)];
                hash.set(item, Item::Bytes(&value), Ttl::Keep, HashLimits::default());
            }
            4 => {
                hash.set_deadline(item, Some(random.random_range(1..100)));
            }
            5 => {
                hash.expire_due(random.random_range(1..50), 3, |_| ());
            }
            _ => {
                hash.remove(item);
            }
        },
        Object::SortedSet(zset) => match what {
            0..5 => {
                let unit = [1.0, 0.1][random.random_range(0..2)];
                let score = f64::from(random.random_range(-50..150)) * unit;
                zset.insert(&member, score, ZsetLimits::default());
            }
            5 => drop(zset.pop_min()),
            6 => {
                zset.remove(&member);
            }
            _ => {
                let start = random.random_range(0..zset.len().max(1));
                zset.remove_range(start..start + random.random_range(0..20), |_, _| ());
            }
        },
        _ => {}
    }
}

fn change_list(list: &mut List, item: Item<'_>, random: &mut SmallRng) {
    let at = random.random_range(0..list.len() + 1);
    match random.random_range(0..40) {
        0..6 => list.push_front(item, LIST),
        6..12 => list.push_back(item, LIST),
        12..18 => drop(list.pop_front(LIST, |_| ())),
        18..24 => drop(list.pop_back(LIST, |_| ())),
        24..30 => {
            list.set(at, item, LIST);
        }
        30..36 => {
            list.insert(at, item, LIST);
        }
        36 => {
            list.remove(item, random.random_range(-2..3), LIST);
        }
        37 => list.drop_front(random.random_range(0..20), LIST),
        38 => list.drop_back(random.random_range(0..20), LIST),
        _ => list.trim(random.random_range(0..10), list.len() - list.len() / 100, LIST),
    }
}

/// Takes a value in parts while it changes, or leaves that unfinished after so many steps.
fn take_in_parts(object: &mut Option<Object>, members: u32, random: &mut SmallRng, steps: usize) {
    let Some(value) = object else { return };
    value.view_mut().expire_due(i64::MAX, usize::MAX, |_| ());
    if !value.view().has_parts() {
        // So little is left of a list that it is small.
        return;
    }
    let expected = elements(value);
    let notes = Arc::new(Notes::default());
    value.view_mut().begin_cut(Arc::clone(&notes) as Arc<dyn Scribe>);
    let drop_at = random.random_range(0..60);
    let mut is_done = false;
    for step in 0..steps {
        if is_done {
            break;
        }
        if step == drop_at && random.random_range(0..3) == 0 {
            *object = None;
        }
        let show = &mut |element: Element<'_>| notes.note(element);
        let most = random.random_range(1..40);
        is_done = match object {
            Some(value) => {
                for _ in 0..random.random_range(0..30) {
                    change(value, members, random);
                }
                value.view_mut().show_some(most, show)
            }
            None => {
                let mut rest = notes.rest.lock().take().expect("it was given what is left");
                let is_done = rest.view_mut().show_some(most, show);
                *notes.rest.lock() = Some(rest);
                is_done
            }
        };
    }
    notes.is_over.store(true, Ordering::Relaxed);
    if is_done {
        let mut shown = std::mem::take(&mut *notes.lines.lock());
        shown.sort_unstable();
        assert_eq!(shown, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn what_is_shown_of_a_changing_value_is_what_it_had_at_the_cut(
        seed in any::<u64>(), members in 1000u32..5000, kind in 0usize..4
    ) {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut object = Some(large([Kind::List, Kind::Set, Kind::Hash, Kind::SortedSet][kind], members));
        for _ in 0..12 {
            let steps = if random.random_range(0..6) > 0 { 10 } else { usize::MAX };
            take_in_parts(&mut object, members, &mut random, steps);
        }
        take_in_parts(&mut object, members, &mut random, usize::MAX);
    }
}
