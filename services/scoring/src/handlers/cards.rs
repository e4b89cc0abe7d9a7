//! Cards to score with on the spot, ready made. A version's card never changes; which one is active does, and that is known
//! at once in the process that changed it, and after [`FRESH`] elsewhere.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use kycc_domain::card::{CompiledCard, Scorecard};
use kycc_domain::reasons::ReferenceMeans;
use kycc_domain::rules::{RuleSet, default_rules};
use kycc_lake::Recent;
use kycc_proto::scorecards::v1::GetVersionRequest;
use kycc_proto::scorecards::v1::scorecard_service_client::ScorecardServiceClient;
use kycc_rpc::ApiError;
use kycc_runtime::Changed;
use tonic::Status;
use tonic::transport::Channel;

/// How long what is active is taken to be still.
const FRESH: Duration = Duration::from_secs(1);
/// Cards held by name.
const NAMED: usize = 32;

/// A card with the rules that go with it where nobody says otherwise.
#[derive(Debug)]
pub(super) struct ReadyCard {
    pub(super) card: Scorecard,
    pub(super) compiled: CompiledCard,
    pub(super) rules: Arc<RuleSet>,
    /// Who reasons compare with, where the card brings them.
    pub(super) reference: Option<ReferenceMeans>,
}

#[derive(Debug)]
struct Active {
    card: Arc<ReadyCard>,
    /// How far changes had come before the card was asked for.
    changes: u64,
    asked: Instant,
}

#[derive(Debug)]
pub(crate) struct Cards {
    channel: Channel,
    changed: Changed,
    active: RwLock<Option<Active>>,
    /// One asks for all.
    asking: tokio::sync::Mutex<()>,
    named: Recent<String, ReadyCard>,
}

impl ReadyCard {
    fn new(card: Scorecard) -> Result<Self, ApiError> {
        let rules = RuleSet::compile(&default_rules());
        Ok(Self {
            compiled: card.compile(),
            rules: Arc::new(rules.map_err(|error| ApiError::internal(&error))?),
            reference: ReferenceMeans::frozen(&card),
            card,
        })
    }
}

impl Cards {
    pub(crate) fn new(channel: Channel, changed: Changed) -> Self {
        Self {
            channel,
            changed,
            active: RwLock::new(None),
            asking: tokio::sync::Mutex::new(()),
            named: Recent::new(NAMED, 1),
        }
    }

    /// A card by its version or hash; the active one where it is empty.
    pub(super) async fn get(&self, name: &str) -> Result<Arc<ReadyCard>, Status> {
        if !matches!(name, "" | "active") {
            let name = name.to_owned();
            let ask = || self.ask(&name);
            return self.named.get(&name, |_| 1, ask).await;
        }
        if let Some(card) = self.fresh() {
            return Ok(card);
        }
        let _asking = self.asking.lock().await;
        if let Some(card) = self.fresh() {
            return Ok(card);
        }
        // Taken before asking: what changes meanwhile is asked for again.
        let (changes, asked) = (self.changed.settled(), Instant::now());
        let card = Arc::new(self.ask("").await?);
        if let Some(changes) = changes {
            let mut active = self.active.write().unwrap_or_else(PoisonError::into_inner);
            *active = Some(Active {
                card: Arc::clone(&card),
                changes,
                asked,
            });
        }
        Ok(card)
    }

    fn fresh(&self) -> Option<Arc<ReadyCard>> {
        let changes = self.changed.settled()?;
        let active = self.active.read().unwrap_or_else(PoisonError::into_inner);
        let active = active.as_ref()?;
        let fresh = active.changes == changes && active.asked.elapsed() < FRESH;
        fresh.then(|| Arc::clone(&active.card))
    }

    async fn ask(&self, version: &str) -> Result<ReadyCard, Status> {
        let request = GetVersionRequest {
            version: version.to_owned(),
        };
        let mut client = ScorecardServiceClient::new(self.channel.clone());
        let found = client.get_version(request).await?.into_inner().version;
        let json = found.map(|version| version.card_json).unwrap_or_default();
        let card = serde_json::from_str(&json).map_err(|error| ApiError::internal(&error))?;
        Ok(ReadyCard::new(card)?)
    }
}
