use vipnode_types::{Account, PaymentMode};

use crate::{
    ChainAnswer, ConnectionId, Core, CoreError, EpochStep, EpochTerms, EpochView, Reply, RequestId, output::Output,
};

impl Core {
    /// How the pool claims on its own; `None` if it does not.
    pub(crate) fn epoch_terms(&self) -> Option<EpochTerms> {
        self.limits.epoch.filter(|_| self.limits.payment == PaymentMode::X402)
    }

    /// The account with whose key the pool claims on its own; `None` if it does not.
    #[must_use]
    pub fn claims_with(&self) -> Option<Account> {
        self.epoch_terms()?;
        Some(self.limits.channel?.receiver_authorizer)
    }

    /// At a start: has the pool claim on its own, if it has the key of the claimer. What was sent and is not final is sent again.
    pub(crate) fn begin_epochs(&mut self, output: &mut Output) {
        let claims = self.epoch_terms().is_some();
        let Self { ledger, limits, .. } = self;
        if let Some(ledger) = ledger.as_mut().filter(|_| claims) {
            ledger.begin_epochs(output, limits);
        }
    }

    /// Goes on with the epoch if that is due. Returns false if it is not.
    pub(crate) fn epoch_due(&mut self, output: &mut Output) -> bool {
        let terms = self.epoch_terms();
        let Self { ledger, limits, .. } = self;
        let (Some(terms), Some(ledger)) = (terms, ledger) else { return false };
        ledger.epoch_due(output, terms, limits)
    }

    /// Answers the operator who asks about the epochs, and cuts one now if that is ordered.
    pub(crate) fn epoch(&mut self, output: &mut Output, (connection, request): (ConnectionId, RequestId), run: bool) {
        let done = if run { self.run_epoch(output) } else { Ok(()) };
        match done.and_then(|()| self.epoch_view().ok_or(CoreError::NoEpochs)) {
            Ok(view) => output.reply_durably(connection, request, Reply::Epoch(Box::new(view))),
            Err(error) => output.reply(connection, request, Err(error.into())),
        }
    }

    fn run_epoch(&mut self, output: &mut Output) -> Result<(), CoreError> {
        self.epoch_terms().ok_or(CoreError::NoEpochs)?;
        let Self { ledger, limits, .. } = self;
        let ledger = ledger.as_mut().ok_or(CoreError::NoEpochs)?;
        match ledger.epoch().map(|row| row.step) {
            Some(EpochStep::Open) => ledger.cut(output, limits, false),
            Some(EpochStep::Halted) => ledger.resume_epoch(output),
            Some(_) => return Err(CoreError::EpochRuns),
            None => return Err(CoreError::NoEpochs),
        }
        Ok(())
    }

    /// The epochs, as the operator sees them; `None` if the pool does not claim on its own.
    #[must_use]
    pub fn epoch_view(&self) -> Option<EpochView> {
        self.ledger.as_ref()?.epoch_view(self.epoch_terms()?, &self.limits)
    }

    /// Takes an answer of the chain to the epoch.
    pub(crate) fn chain_answered(&mut self, output: &mut Output, answer: ChainAnswer) {
        let terms = self.epoch_terms();
        let Self { ledger, limits, .. } = self;
        if let (Some(terms), Some(ledger)) = (terms, ledger) {
            ledger.chain_answered(output, (terms, limits), answer);
        }
    }
}
