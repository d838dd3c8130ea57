//! A payment provider that fails when it is told to.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use handel_domain::{Code, Refusal, id::AttemptId, payment::Report};
use handel_ports::{
    Charge, PaymentProvider, Refund, RefundOutcome, Secret, WebhookEvent, WebhookRejected,
};
use http::HeaderMap;
use tokio::sync::Semaphore;

use crate::tasks::in_time;

/// Holds a call in the middle, so that a test can act while it is under way.
#[derive(Clone)]
pub struct Gate(Arc<Ends>);

struct Ends {
    reached: Semaphore,
    open: Semaphore,
}

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new(Ends { reached: Semaphore::new(0), open: Semaphore::new(0) }))
    }
}

impl Gate {
    /// Waits until a call stands before the gate.
    pub async fn reached(&self) {
        in_time("a call before the gate", self.0.reached.acquire()).await.expect("open").forget();
    }

    /// Lets one call pass, also one that comes later. A gate that is never opened is a provider that hangs.
    pub fn open(&self) {
        self.0.open.add_permits(1);
    }

    /// Stands before the gate until it is opened.
    pub(crate) async fn pass(&self) {
        self.0.reached.add_permits(1);
        self.0.open.acquire().await.expect("a gate is never closed for good").forget();
    }
}

/// What goes wrong with one call.
#[derive(Clone)]
pub enum Fault {
    /// The request gets lost on its way, and the caller learns nothing.
    LostBefore,
    /// The provider does what it was asked, and the answer gets lost.
    LostAfter,
    /// The request surely never left.
    NotSent,
    /// The provider says no, and books nothing.
    Declined(Code),
    /// The provider takes this many minor units more, or fewer, and says so.
    OtherAmount(i64),
    /// The request arrives twice, as when a proxy repeats it.
    Twice,
    /// The call stops before the provider hears of it.
    HoldBefore(Gate),
    /// The call stops after the provider has done it, before the answer.
    HoldAfter(Gate),
}

/// How often the provider was called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// To take money.
    pub charges: usize,
    /// To say what became of a charge.
    pub finds: usize,
    /// To give money back.
    pub refunds: usize,
}

/// Another provider with faults. Faults are used up call by call, in the order in which they were
/// planned; calls without a fault go through.
pub struct FaultyPayments {
    inner: Arc<dyn PaymentProvider>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: Calls,
    charges: VecDeque<Fault>,
    finds: VecDeque<Fault>,
    refunds: VecDeque<Fault>,
    is_down: bool,
}

impl FaultyPayments {
    /// A provider without faults.
    pub fn new(inner: Arc<dyn PaymentProvider>) -> Self {
        Self { inner, state: Mutex::default() }
    }

    /// Plans what happens to a charge.
    pub fn fail_charge(&self, fault: Fault) {
        self.state().charges.push_back(fault);
    }

    /// Plans what happens to a question about a charge.
    pub fn fail_find(&self, fault: Fault) {
        self.state().finds.push_back(fault);
    }

    /// Plans what happens to a refund.
    pub fn fail_refund(&self, fault: Fault) {
        self.state().refunds.push_back(fault);
    }

    /// Stops a charge before the provider hears of it.
    pub fn hold_before_charge(&self) -> Gate {
        let gate = Gate::default();
        self.fail_charge(Fault::HoldBefore(gate.clone()));
        gate
    }

    /// Stops a charge after the provider has booked it.
    pub fn hold_after_charge(&self) -> Gate {
        let gate = Gate::default();
        self.fail_charge(Fault::HoldAfter(gate.clone()));
        gate
    }

    /// Lets every call get lost, or none any more.
    pub fn set_down(&self, is_down: bool) {
        self.state().is_down = is_down;
    }

    /// How often it was called.
    pub fn calls(&self) -> Calls {
        self.state().calls
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call and takes its fault.
    fn enter(
        &self,
        count: fn(&mut Calls) -> &mut usize,
        plan: fn(&mut State) -> &mut VecDeque<Fault>,
    ) -> Option<Fault> {
        let mut state = self.state();
        *count(&mut state.calls) += 1;
        let planned = plan(&mut state).pop_front();
        planned.or_else(|| state.is_down.then_some(Fault::LostBefore))
    }
}

#[async_trait]
impl PaymentProvider for FaultyPayments {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn check_token(&self, token: &Secret<String>) -> Result<(), Refusal> {
        self.inner.check_token(token)
    }

    async fn charge(&self, mut charge: Charge) -> Report {
        match self.enter(|calls| &mut calls.charges, |state| &mut state.charges) {
            Some(Fault::LostBefore) => return Report::Unknown,
            Some(Fault::NotSent) => return Report::NotSent,
            Some(Fault::Declined(code)) => return Report::Declined { reference: None, code },
            Some(Fault::LostAfter) => {
                self.inner.charge(charge).await;
                return Report::Unknown;
            }
            Some(Fault::OtherAmount(more_minor)) => charge.amount.amount_minor += more_minor,
            Some(Fault::Twice) => {
                self.inner.charge(charge.clone()).await;
            }
            Some(Fault::HoldBefore(gate)) => gate.pass().await,
            Some(Fault::HoldAfter(gate)) => {
                let report = self.inner.charge(charge).await;
                gate.pass().await;
                return report;
            }
            None => {}
        }
        self.inner.charge(charge).await
    }

    async fn find(&self, key: AttemptId) -> Report {
        match self.enter(|calls| &mut calls.finds, |state| &mut state.finds) {
            Some(Fault::HoldBefore(gate)) => gate.pass().await,
            Some(Fault::HoldAfter(gate)) => {
                let report = self.inner.find(key).await;
                gate.pass().await;
                return report;
            }
            Some(Fault::Twice) | None => {}
            Some(_) => return Report::Unknown,
        }
        self.inner.find(key).await
    }

    async fn refund(&self, refund: Refund) -> RefundOutcome {
        match self.enter(|calls| &mut calls.refunds, |state| &mut state.refunds) {
            Some(Fault::Declined(_)) => return RefundOutcome::Refused,
            Some(Fault::LostAfter) => {
                self.inner.refund(refund).await;
                return RefundOutcome::Unknown;
            }
            Some(Fault::HoldBefore(gate)) => gate.pass().await,
            Some(Fault::HoldAfter(gate)) => {
                let outcome = self.inner.refund(refund).await;
                gate.pass().await;
                return outcome;
            }
            Some(Fault::Twice) => {
                self.inner.refund(refund.clone()).await;
            }
            Some(Fault::LostBefore | Fault::NotSent | Fault::OtherAmount(_)) => {
                return RefundOutcome::Unknown;
            }
            None => {}
        }
        self.inner.refund(refund).await
    }

    fn read_webhook(
        &self,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<WebhookEvent, WebhookRejected> {
        self.inner.read_webhook(headers, body)
    }
}
