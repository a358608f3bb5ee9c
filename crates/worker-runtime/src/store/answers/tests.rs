use proptest::prelude::*;
use yoi_protocol::Timestamp;

use super::Answers;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(ms)
}

fn key(number: u8) -> [u8; 32] {
    [number; 32]
}

#[test]
fn only_those_before_the_time_are_dropped_in_whatever_order_they_came() {
    let mut answers = Answers::default();
    for ms in [30, 10, 40, 20] {
        answers.insert(key(ms), at(i64::from(ms)), ms);
    }
    assert_eq!(answers.expire(at(10)), 4, "at the time is not before it");
    assert_eq!(answers.expire(at(30)), 2);
    let found = [10, 20, 30, 40].map(|ms| answers.get(&key(ms)).copied());
    assert_eq!(found, [None, None, Some(30), Some(40)]);
    assert_eq!(answers.expire(at(0)), 2, "nothing comes back");
    assert_eq!(answers.expire(at(41)), 0);
}

#[test]
fn one_that_is_given_anew_has_its_new_time() {
    let mut answers = Answers::default();
    answers.insert(key(1), at(10), "old");
    answers.insert(key(1), at(30), "new");
    assert_eq!(answers.expire(at(20)), 1);
    assert_eq!(answers.get(&key(1)), Some(&"new"));
    // Also when the clock was set back meanwhile.
    answers.insert(key(1), at(5), "newest");
    assert_eq!(answers.get(&key(1)), Some(&"newest"));
    assert_eq!(answers.expire(at(20)), 0);
}

proptest! {
    #[test]
    fn it_holds_what_a_plain_list_would(
        steps in prop::collection::vec((any::<bool>(), 0u8..8, 0i64..20), 0..60),
    ) {
        let mut answers = Answers::default();
        let mut list: Vec<(u8, i64, usize)> = Vec::new();
        for (number, (inserts, name, ms)) in steps.into_iter().enumerate() {
            if inserts {
                answers.insert(key(name), at(ms), number);
                list.retain(|(held, ..)| *held != name);
                list.push((name, ms, number));
            } else {
                list.retain(|(_, given, _)| *given >= ms);
                prop_assert_eq!(answers.expire(at(ms)), list.len() as u64);
            }
            for name in 0..8 {
                let expected = list.iter().find(|(held, ..)| *held == name);
                prop_assert_eq!(answers.get(&key(name)), expected.map(|(.., number)| number));
            }
            prop_assert_eq!(answers.held.len(), answers.by_time.len());
        }
    }
}
