//! How many repetitions all calls together may still make.

use std::sync::{Mutex, PoisonError};

use crate::RetryOptions;

#[derive(Debug)]
pub(crate) struct Budget {
    most: f64,
    earned: f64,
    left: Mutex<f64>,
}

impl Budget {
    pub(crate) fn new(options: &RetryOptions) -> Self {
        Self {
            most: options.budget,
            earned: options.earned,
            left: Mutex::new(options.budget),
        }
    }

    pub(crate) fn earn(&self) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        *left = (*left + self.earned).min(self.most);
    }

    /// Whether one may be made; it counts as made then.
    pub(crate) fn spend(&self) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let granted = *left >= 1.0;
        if granted {
            *left -= 1.0;
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_end_with_the_budget_and_success_earns_them_back() {
        let budget = Budget::new(&RetryOptions {
            budget: 2.0,
            earned: 0.5,
            ..RetryOptions::default()
        });
        assert!(budget.spend() && budget.spend());
        assert!(!budget.spend());
        budget.earn();
        assert!(!budget.spend(), "a half is not enough");
        budget.earn();
        assert!(budget.spend() && !budget.spend());
        for _ in 0..100 {
            budget.earn();
        }
        assert!(budget.spend() && budget.spend() && !budget.spend());
    }
}
