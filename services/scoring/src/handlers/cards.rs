//! Cards and rules to score with on the spot, ready made. A version's card never changes; which card and which rules are
//! active does, and that is known at once in the process that changed it, and after [`FRESH`] elsewhere.

use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use kycc_domain::card::{CompiledCard, Scorecard};
use kycc_domain::reasons::ReferenceMeans;
use kycc_domain::rules::RuleSet;
use kycc_lake::Recent;
use kycc_proto::scorecards::v1::GetVersionRequest;
use kycc_proto::scorecards::v1::scorecard_service_client::ScorecardServiceClient;
use kycc_rpc::ApiError;
use kycc_runtime::Changed;
use tonic::Status;
use tonic::transport::Channel;

use super::in_force;

/// How long what is active is taken to be still.
const FRESH: Duration = Duration::from_secs(1);
/// Cards held by name.
const NAMED: usize = 32;

/// A card, and the rules in force.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) card: Arc<ReadyCard>,
    pub(super) rules: Arc<RuleSet>,
}

#[derive(Debug)]
pub(super) struct ReadyCard {
    pub(super) card: Scorecard,
    pub(super) compiled: CompiledCard,
    /// Who reasons compare with, where the card brings them.
    pub(super) reference: Option<ReferenceMeans>,
}

/// Who has the cards and the rules.
#[tonic::async_trait]
pub(crate) trait CardSource: std::fmt::Debug + Send + Sync {
    /// A card by its version or hash; the active one where it is empty.
    async fn card(&self, version: &str) -> Result<Scorecard, Status>;
    /// The active ones.
    async fn rules(&self) -> Result<RuleSet, Status>;
}

/// The scorecards service.
#[tonic::async_trait]
impl CardSource for Channel {
    async fn card(&self, version: &str) -> Result<Scorecard, Status> {
        let request = GetVersionRequest {
            version: version.to_owned(),
        };
        let mut client = ScorecardServiceClient::new(self.clone());
        let found = client.get_version(request).await?.into_inner().version;
        let json = found.map(|version| version.card_json).unwrap_or_default();
        Ok(serde_json::from_str(&json).map_err(|error| ApiError::internal(&error))?)
    }

    async fn rules(&self) -> Result<RuleSet, Status> {
        in_force::rules(self).await
    }
}

/// What is active, held as long as it is known to be.
#[derive(Debug)]
struct Active<T> {
    changed: Changed,
    held: RwLock<Option<Held<T>>>,
    /// One asks for all.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Held<T> {
    value: Arc<T>,
    /// How far changes had come before it was asked for.
    changes: u64,
    asked: Instant,
}

impl<T> Active<T> {
    fn new(changed: Changed) -> Self {
        Self {
            changed,
            held: RwLock::new(None),
            asking: tokio::sync::Mutex::new(()),
        }
    }

    async fn get<F: Future<Output = Result<T, Status>>>(
        &self,
        ask: impl FnOnce() -> F,
    ) -> Result<Arc<T>, Status> {
        if let Some(held) = self.fresh() {
            return Ok(held);
        }
        let _asking = self.asking.lock().await;
        if let Some(held) = self.fresh() {
            return Ok(held);
        }
        // Taken before asking: what changes meanwhile is asked for again.
        let (changes, asked) = (self.changed.settled(), Instant::now());
        let value = Arc::new(ask().await?);
        if let Some(changes) = changes {
            let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
            *held = Some(Held {
                value: Arc::clone(&value),
                changes,
                asked,
            });
        }
        Ok(value)
    }

    fn fresh(&self) -> Option<Arc<T>> {
        let changes = self.changed.settled()?;
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let held = held.as_ref()?;
        let fresh = held.changes == changes && held.asked.elapsed() < FRESH;
        fresh.then(|| Arc::clone(&held.value))
    }
}

#[derive(Debug)]
pub(crate) struct Cards {
    source: Arc<dyn CardSource>,
    active: Active<ReadyCard>,
    rules: Active<RuleSet>,
    named: Recent<String, ReadyCard>,
}

impl ReadyCard {
    fn new(card: Scorecard) -> Self {
        Self {
            compiled: card.compile(),
            reference: ReferenceMeans::frozen(&card),
            card,
        }
    }
}

impl Cards {
    pub(crate) fn new(source: Arc<dyn CardSource>, changed: Changed) -> Self {
        Self {
            source,
            active: Active::new(changed.clone()),
            rules: Active::new(changed),
            named: Recent::new(NAMED, 1),
        }
    }

    /// A card by its version or hash, the active one where it is empty; with the active rules.
    pub(super) async fn get(&self, name: &str) -> Result<Ready, Status> {
        let card = match name {
            "" | "active" => self.active.get(|| self.ask("")).await?,
            name => {
                let name = name.to_owned();
                self.named.get(&name, |_| 1, || self.ask(&name)).await?
            }
        };
        let rules = self.rules.get(|| self.source.rules()).await?;
        Ok(Ready { card, rules })
    }

    async fn ask(&self, version: &str) -> Result<ReadyCard, Status> {
        Ok(ReadyCard::new(self.source.card(version).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    use kycc_domain::card::Provenance;
    use kycc_domain::expert::expert_card;
    use kycc_domain::rules::default_rules;

    /// Says which card is active, and counts how often it was asked.
    #[derive(Debug)]
    struct Says(Mutex<(String, usize)>);

    #[tonic::async_trait]
    impl CardSource for Says {
        async fn card(&self, version: &str) -> Result<Scorecard, Status> {
            let mut says = self.0.lock().unwrap();
            says.1 += 1;
            let version = match version {
                "" => says.0.clone(),
                "gone" => return Err(ApiError::not_found("scorecard version", version).into()),
                named => named.to_owned(),
            };
            let content = expert_card().content().clone();
            Ok(Scorecard::new(&version, content, Provenance::default()).unwrap())
        }

        async fn rules(&self) -> Result<RuleSet, Status> {
            Ok(RuleSet::compile(&default_rules()).unwrap())
        }
    }

    impl Says {
        fn activate(&self, version: &str) {
            self.0.lock().unwrap().0 = version.to_owned();
        }

        fn asked(&self) -> usize {
            self.0.lock().unwrap().1
        }
    }

    fn cards() -> (Cards, Arc<Says>, Changed) {
        let says = Arc::new(Says(Mutex::new(("1.0".to_owned(), 0))));
        let changed = Changed::default();
        let source = Arc::clone(&says) as Arc<dyn CardSource>;
        (Cards::new(source, changed.clone()), says, changed)
    }

    async fn active(cards: &Cards) -> String {
        cards.get("").await.unwrap().card.card.version().to_owned()
    }

    #[tokio::test]
    async fn the_active_card_is_known_as_soon_as_its_activation_is_answered() {
        let (cards, says, changed) = cards();
        assert_eq!(active(&cards).await, "1.0");
        for version in ["2.0", "3.0", "2.0"] {
            let under_way = changed.under_way();
            says.activate(version);
            // Neither answer is wrong now, and neither may be held.
            active(&cards).await;
            changed.raise();
            drop(under_way);
            assert_eq!(active(&cards).await, version);
        }
    }

    #[tokio::test]
    async fn those_who_ask_at_once_ask_once() {
        let (cards, says, _) = cards();
        let all = (0..20).map(|_| cards.get(""));
        for found in futures::future::join_all(all).await {
            found.unwrap();
        }
        // A machine that stands still for a second in between may make it more.
        assert!(says.asked() < 20, "{}", says.asked());
    }

    #[tokio::test]
    async fn a_named_card_is_asked_for_once_and_an_unknown_one_every_time() {
        let (cards, says, changed) = cards();
        for _ in 0..3 {
            let found = cards.get("2.0-abc").await.unwrap();
            assert_eq!(found.card.card.version(), "2.0-abc");
            changed.raise();
        }
        assert_eq!(says.asked(), 1, "a version never changes");
        for _ in 0..2 {
            cards.get("gone").await.unwrap_err();
        }
        assert_eq!(says.asked(), 3);
    }
}
