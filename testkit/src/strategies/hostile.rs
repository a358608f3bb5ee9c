//! What nobody should say, and somebody will.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A text that is no id: empty, too long, with a wrong beginning, or with a character that no id
/// has.
///
/// ```
/// use proptest::prelude::*;
/// use yoi_protocol::WorkerId;
/// use yoi_testkit::strategies::hostile;
///
/// proptest!(|(text in hostile::not_an_id())| prop_assert!(WorkerId::parse(&text).is_err()));
/// ```
pub fn not_an_id() -> impl Strategy<Value = String> + Clone {
    let misfit = any::<char>().prop_filter("a character that no id has", |one| !is_of_id(*one));
    let spoiled = ("[a-z0-9][a-z0-9._-]{0,30}", any::<Index>(), misfit).prop_map(
        |(mut text, place, misfit)| {
            // All of it is ASCII, so every place is one.
            text.insert(place.index(text.len() + 1), misfit);
            text
        },
    );
    prop_oneof![
        1 => Just(String::new()),
        2 => "[._-][a-z0-9._-]{0,63}",
        2 => "[a-z0-9][a-z0-9._-]{64,80}",
        4 => spoiled,
    ]
}

fn is_of_id(one: char) -> bool {
    one.is_ascii_lowercase() || one.is_ascii_digit() || "._-".contains(one)
}

/// A text in the place of an opaque token: anything at all, or one of `genuine` with a fault in
/// it, never one of `genuine` itself. Never empty, because an empty parameter is an absent one.
///
/// # Panics
/// When `genuine` is empty, or has an empty text in it.
///
/// ```
/// use proptest::prelude::*;
/// use yoi_protocol::Cursor;
/// use yoi_testkit::strategies::hostile;
///
/// let genuine = vec!["AQIDBA".to_owned()];
/// proptest!(|(text in hostile::token(genuine.clone()))| {
///     prop_assert!(!genuine.contains(&text));
///     let _ = Cursor::parse(&text);
/// });
/// ```
pub fn token(genuine: Vec<String>) -> impl Strategy<Value = String> + Clone {
    let known = genuine.clone();
    prop_oneof![
        2 => vec(any::<char>(), 1..=40).prop_map(String::from_iter),
        1 => "[ -~]{1,300}",
        2 => "[A-Za-z0-9_-]{1,256}",
        1 => "[A-Za-z0-9._~-]{250,600}",
        8 => spoiled(genuine),
    ]
    .prop_filter("not a genuine one", move |text| {
        !text.is_empty() && !known.contains(text)
    })
}

/// A genuine text that was cut, lengthened, put together with another, or changed in one place.
fn spoiled(genuine: Vec<String>) -> impl Strategy<Value = String> + Clone {
    let genuine = select(genuine);
    // Mostly a change of one letter: it alone leaves the length what it was.
    let harm = prop_oneof![1 => Just(0_u8), 1 => Just(1), 4 => Just(2), 1 => Just(3), 2 => Just(4)];
    let harms = (harm, any::<Index>(), "[A-Za-z0-9_-]");
    (genuine.clone(), genuine, harms).prop_map(|(text, other, (harm, place, letter))| {
        let mut letters: Vec<char> = text.chars().collect();
        let at = place.index(letters.len());
        match harm {
            0 => letters.truncate(at),
            1 => letters.extend(letter.chars()),
            2 => letters.splice(at..=at, letter.chars()).for_each(drop),
            3 => letters.splice(at..at, letter.chars()).for_each(drop),
            _ => letters.splice(at.., other.chars().skip(at)).for_each(drop),
        }
        letters.into_iter().collect()
    })
}
