//! What every actor can do: ask, ask again, hang up, and remember what it was told.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use handel_domain::{Code, id::CheckoutId, refusal::Kind};

use super::shown::{Shown, Verdict};
use crate::{
    dice::Dice,
    door::{Answer, Call, Door, Money, Reply, Request, Who},
    world::{Patience, World},
};

/// How long a patient caller waits.
const PATIENCE: Duration = Duration::from_secs(45);

/// Somebody who calls the shop.
pub struct Caller {
    pub world: Arc<World>,
    pub dice: Dice,
    pub name: String,
    /// The door that this one comes through.
    pub door: Door,
    keys: Mutex<BTreeMap<String, Told>>,
    keys_made: Mutex<u64>,
    shown: Mutex<Shown>,
}

/// The first final reply to a key, and what was asked.
struct Told {
    request: String,
    words: String,
}

impl Caller {
    /// Somebody of that name, with dice of their own, who comes through one of some doors. None if all of them
    /// are shut.
    pub fn new(world: Arc<World>, name: String, doors: &[Door]) -> Option<Self> {
        let dice = Dice::new(world.seed, &name);
        let open = world.doors.among(doors);
        let door = *open.get(dice.index(open.len()))?;
        Some(Self::at(world, dice, name, door))
    }

    /// Somebody of the house, for whom there is always a way in.
    pub fn of_house(world: Arc<World>, name: String) -> Self {
        let dice = Dice::new(world.seed, &name);
        Self::at(world, dice, name, Door::Engine)
    }

    fn at(world: Arc<World>, dice: Dice, name: String, door: Door) -> Self {
        let (keys, keys_made, shown) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { world, dice, name, door, keys, keys_made, shown }
    }

    /// Several requests about a checkout are about to be under way at once.
    pub fn doubt(&self, checkout: CheckoutId) {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).doubt(checkout);
    }

    /// A key that was not used before, and too long to be guessed.
    pub fn fresh_key(&self) -> String {
        let mut made = self.keys_made.lock().unwrap_or_else(PoisonError::into_inner);
        *made += 1;
        format!("the-key-of-{}-{made}", self.name)
    }

    /// A key, or none: not everybody sends one where it is not demanded.
    pub fn perhaps_key(&self) -> Option<String> {
        self.dice.percent(60).then(|| self.fresh_key())
    }

    /// Waits as people do.
    pub async fn think(&self, low_ms: u64, high_ms: u64) {
        self.world.sleep(self.dice.millis(low_ms, high_ms)).await;
    }

    /// Asks once. Some hang up in the middle.
    pub async fn ask(&self, request: &Request) -> Answer {
        let patience = match self.dice.below(100) {
            0..6 => Patience::Steps(self.dice.below(40)),
            6..9 => Patience::Time(self.dice.millis(1, 3_000)),
            _ => Patience::Time(PATIENCE),
        };
        self.ask_with(request, patience).await
    }

    /// Asks once, with that much patience.
    pub async fn ask_with(&self, request: &Request, patience: Patience) -> Answer {
        let world = &self.world;
        world.trace.count("calls");
        world.trace.count(request.door.calls());
        let answer = world.call(request.clone(), patience).await;
        let key = request.key.as_deref().unwrap_or("no key");
        world.trace.note(format!(
            "{} {} [{key}]: {}",
            self.name,
            request.call.name(),
            answer.words()
        ));
        if matches!(answer, Answer::Lost) {
            world.trace.count("calls without an answer");
        }
        world.judge(request, &answer);
        self.compare(request, &answer);
        self.agree(request, &answer);
        answer
    }

    /// Asks until there is an answer, or patience ends: the same request with the same key.
    pub async fn insist(&self, request: &Request) -> Answer {
        let tries = self.dice.range(1, 7);
        let mut answer = self.ask(request).await;
        for round in 0..tries {
            if !may_change(&answer) || self.world.is_closing() {
                break;
            }
            let wait_ms = if self.dice.percent(3) { 4_000_000 } else { 400 << round };
            self.think(wait_ms / 2, wait_ms).await;
            answer = self.ask(request).await;
        }
        answer
    }

    /// A request of this caller.
    pub fn request(&self, who: Who, key: Option<String>, call: Call) -> Request {
        Request { who, door: self.door, key, call }
    }

    /// Holds what was charged against what was shown last.
    fn agree(&self, request: &Request, answer: &Answer) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        match shown.see(request, answer) {
            Verdict::Nothing => {}
            Verdict::Agreed => self.world.trace.count("totals charged as they were shown"),
            Verdict::Charged { shown_minor, charged_minor } => self.world.trace.violation(format!(
                "{} was shown {shown_minor:?} and charged {charged_minor}: {request:?}",
                self.name
            )),
        }
        if matches!(answer, Answer::Refused(no) if no.code == Code::TotalsChanged) {
            self.world.trace.count("totals that moved");
        }
    }

    /// Holds an answer against what was said before to the same key.
    fn compare(&self, request: &Request, answer: &Answer) {
        let Some(key) = &request.key else { return };
        let asked = format!("{request:?}");
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let trace = &self.world.trace;
        match (keys.get(key), answer) {
            (None, Answer::Ok(said)) if is_final(&said.reply) => {
                keys.insert(key.clone(), Told { request: asked, words: said.words.clone() });
            }
            (Some(told), Answer::Ok(said)) if told.request == asked => {
                trace.count("replies repeated");
                if told.words != said.words {
                    let (first, then) = parted(&told.words, &said.words);
                    trace.violation(format!("key {key}: first told {first}, then {then}"));
                }
            }
            (Some(_), Answer::Ok(_)) => {
                trace.violation(format!("key {key} was taken for another request"));
            }
            (Some(_), Answer::Refused(refusal)) if is_passing(refusal.code) => {}
            (Some(told), Answer::Refused(refusal)) if told.request == asked => {
                trace.violation(format!("key {key}: told before, then refused: {refusal}"));
            }
            (Some(_), Answer::Refused(refusal)) => {
                trace.count("keys reused");
                if refusal.code != Code::IdempotencyConflict {
                    trace.violation(format!("key {key} for another request: {refusal}"));
                }
            }
            _ => {}
        }
    }
}

/// Two texts from shortly before the place where they part.
fn parted<'t>(first: &'t str, then: &'t str) -> (&'t str, &'t str) {
    let same = first.chars().zip(then.chars()).take_while(|(one, other)| one == other).count();
    let rest = |text: &'t str| {
        let begin = text.char_indices().nth(same.saturating_sub(40)).map_or(0, |(at, _)| at);
        let end = text.char_indices().nth(same + 200).map_or(text.len(), |(at, _)| at);
        &text[begin..end]
    };
    (rest(first), rest(then))
}

/// Whether the same request may be answered otherwise later.
fn may_change(answer: &Answer) -> bool {
    match answer {
        Answer::Lost => true,
        Answer::Refused(refusal) => is_passing(refusal.code),
        Answer::Ok(_) => false,
    }
}

fn is_passing(code: Code) -> bool {
    code.kind() == Kind::Unavailable
        || matches!(code, Code::WriteConflict | Code::IdempotencyInFlight | Code::PaymentInProgress)
}

/// A charge that was never sent leaves its key free: the same request makes another attempt.
fn is_final(reply: &Reply) -> bool {
    let Reply::Purchase(purchase) = reply else { return true };
    purchase.money != Money::Declined(Code::ProviderUnavailable)
}
