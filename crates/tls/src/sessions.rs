//! Sessions that clients may resume, with a bound on their number and their age.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustls::server::StoresServerSessions;

/// Remembers sessions.
pub struct Sessions {
    most: usize,
    lifetime: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sessions: HashMap<Vec<u8>, (Instant, Vec<u8>)>,
    /// In the order in which they came; those taken stand here until their turn.
    order: VecDeque<(Instant, Vec<u8>)>,
}

impl Sessions {
    /// Remembers no more than `most` sessions (0: no limit) for no longer than `lifetime_s` seconds.
    pub fn new(most: usize, lifetime_s: u64) -> Self {
        let most = if most == 0 { usize::MAX } else { most };
        Self { most, lifetime: Duration::from_secs(lifetime_s), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_fresh(&self, since: Instant) -> bool {
        since.elapsed() < self.lifetime
    }
}

impl StoresServerSessions for Sessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        let mut state = self.state();
        while let Some((since, oldest)) = state.order.front() {
            if self.is_fresh(*since) && state.order.len() < self.most {
                break;
            }
            // The same key may have come again since.
            if state.sessions.get(oldest).is_some_and(|(kept, _)| kept == since) {
                let oldest = oldest.clone();
                state.sessions.remove(&oldest);
            }
            state.order.pop_front();
        }
        let now = Instant::now();
        state.order.push_back((now, key.clone()));
        state.sessions.insert(key, (now, value));
        true
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        let state = self.state();
        state
            .sessions
            .get(key)
            .filter(|(since, _)| self.is_fresh(*since))
            .map(|(_, one)| one.clone())
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        let (since, value) = self.state().sessions.remove(key)?;
        self.is_fresh(since).then_some(value)
    }

    fn can_cache(&self) -> bool {
        true
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("most", &self.most).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_sessions_make_room() {
        let sessions = Sessions::new(2, 60);
        for key in 0..3 {
            assert!(sessions.put(vec![key], vec![key]));
        }
        assert_eq!(sessions.get(&[0]), None);
        assert_eq!(sessions.take(&[1]), Some(vec![1]));
        assert_eq!(sessions.take(&[1]), None);
        assert_eq!(sessions.get(&[2]), Some(vec![2]));
    }

    #[test]
    fn old_sessions_are_forgotten() {
        let sessions = Sessions::new(0, 0);
        sessions.put(vec![1], vec![1]);
        assert_eq!(sessions.get(&[1]), None);
        sessions.put(vec![2], vec![2]);
        assert_eq!(sessions.state().sessions.len(), 1);
    }
}
