//! Steps that become ready within a turn are resolved within it, if that is quick: "it succeeded" and "the next one is
//! dispatched" are then one transaction. What takes longer goes on beside the leader and answers by message.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use kycc_domain::ids::{AssetKey, RunId};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::handle::{Message, Resolved};
use super::leader::{Engine, event};
use super::resolve::Resolver;
use super::turn::{Input, Plan};
use crate::core::{Command, RunState};

/// How long a turn waits for answers: a few questions to the store take less, and what waits with it is not slowed down by
/// more than a commit or two.
const PATIENCE: Duration = Duration::from_millis(10);

/// What was begun in a turn.
#[derive(Default)]
pub(super) struct Inline {
    begun: HashSet<(RunId, AssetKey)>,
    until: Option<Instant>,
}

impl Inline {
    /// The effects that are still to be begun.
    pub(super) fn left_of(
        &self,
        effects: Vec<(RunId, Command)>,
    ) -> impl Iterator<Item = (RunId, Command)> {
        effects
            .into_iter()
            .filter(|(run_id, command)| match command {
                Command::ResolveStep { asset } => {
                    !self.begun.contains(&(run_id.clone(), asset.clone()))
                }
                _ => true,
            })
    }
}

impl Engine {
    /// Begins what the plan asks for and was not begun yet; answers what came back in time.
    pub(super) async fn resolve_inline(&mut self, plan: &Plan, inline: &mut Inline) -> Vec<Input> {
        let until = *inline
            .until
            .get_or_insert_with(|| Instant::now() + PATIENCE);
        let states: HashMap<&RunId, &RunState> = plan.states();
        let mut waiting = Vec::new();
        for (run_id, effect) in &plan.effects {
            let Command::ResolveStep { asset } = effect else {
                continue;
            };
            if Instant::now() >= until || !inline.begun.insert((run_id.clone(), asset.clone())) {
                continue;
            }
            waiting.extend(self.begin(run_id, asset, states.get(run_id).copied()));
        }
        let mut answers = Vec::new();
        for mut resolved in waiting {
            let answer = match tokio::time::timeout_at(until, &mut resolved).await {
                Ok(answer) => answer.ok(),
                Err(_) => {
                    // From here on it comes by message, unless it has come just now.
                    resolved.close();
                    resolved.try_recv().ok()
                }
            };
            if let Some(resolved) = answer {
                let (run_id, happened) = resolved.event();
                answers.push(event(run_id, happened));
            }
        }
        answers
    }

    fn begin(
        &mut self,
        run_id: &RunId,
        asset: &AssetKey,
        state: Option<&RunState>,
    ) -> Option<oneshot::Receiver<Resolved>> {
        let run = self.live.get(run_id)?;
        let resolver = Resolver::new(
            &self.parts,
            &self.memos,
            run,
            state.unwrap_or(&run.state),
            asset,
        );
        let (run_id, asset) = (run_id.clone(), asset.clone());
        let to_self = self.to_self.clone();
        let (in_time, resolved) = oneshot::channel();
        self.children.spawn(async move {
            let answer = resolver.resolve().await;
            let resolved = Resolved {
                run_id,
                asset,
                answer,
            };
            if let Err(late) = in_time.send(resolved) {
                let _ = to_self.send(Message::Resolved(late)).await;
            }
        });
        Some(resolved)
    }
}
