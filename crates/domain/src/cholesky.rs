//! Cholesky factorisation of small symmetric positive definite matrices (the Hessians of the logistic fit, p ≤ ~20).

use thiserror::Error;

/// The lower factor `L` of `A = L Lᵀ`, row-major `n × n`.
#[derive(Debug, Clone)]
pub struct Cholesky {
    n: usize,
    lower: Vec<f64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("matrix is not positive definite at pivot {pivot}")]
pub struct NotPositiveDefinite {
    pub pivot: usize,
}

impl Cholesky {
    /// Factors the symmetric matrix whose lower triangle `a` holds (row-major, `n × n`; the upper is not read).
    pub fn factor(a: &[f64], n: usize) -> Result<Self, NotPositiveDefinite> {
        assert_eq!(a.len(), n * n, "a Cholesky input is square");
        let mut lower = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let dot: f64 = (0..j).map(|k| lower[i * n + k] * lower[j * n + k]).sum();
                let rest = a[i * n + j] - dot;
                lower[i * n + j] = if i == j {
                    // The negated test also catches NaN.
                    if rest.is_nan() || rest <= 0.0 {
                        return Err(NotPositiveDefinite { pivot: i });
                    }
                    rest.sqrt()
                } else {
                    rest / lower[j * n + j]
                };
            }
        }
        Ok(Self { n, lower })
    }

    /// Solves `A x = b`.
    pub fn solve(&self, b: &[f64]) -> Vec<f64> {
        let n = self.n;
        let mut x = b.to_vec();
        for i in 0..n {
            let dot: f64 = (0..i).map(|k| self.lower[i * n + k] * x[k]).sum();
            x[i] = (x[i] - dot) / self.lower[i * n + i];
        }
        for i in (0..n).rev() {
            let dot: f64 = (i + 1..n).map(|k| self.lower[k * n + i] * x[k]).sum();
            x[i] = (x[i] - dot) / self.lower[i * n + i];
        }
        x
    }

    /// The diagonal of `A⁻¹`: the variances behind standard errors.
    pub fn inverse_diagonal(&self) -> Vec<f64> {
        (0..self.n)
            .map(|j| {
                let mut unit = vec![0.0; self.n];
                unit[j] = 1.0;
                self.solve(&unit)[j]
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn indefinite_matrix_names_its_pivot() {
        let error = Cholesky::factor(&[1.0, 0.0, 2.0, 1.0], 2).unwrap_err();
        assert_eq!(error, NotPositiveDefinite { pivot: 1 });
        assert!(Cholesky::factor(&[f64::NAN], 1).is_err());
    }

    #[test]
    fn inverse_diagonal_of_a_known_matrix() {
        let factor = Cholesky::factor(&[4.0, 2.0, 2.0, 3.0], 2).unwrap();
        let diagonal = factor.inverse_diagonal();
        assert!((diagonal[0] - 3.0 / 8.0).abs() < 1e-15);
        assert!((diagonal[1] - 4.0 / 8.0).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn solution_satisfies_the_system(cells in prop::collection::vec(-3.0f64..3.0, 25), b in prop::collection::vec(-5.0f64..5.0, 5)) {
            let n = 5;
            // M Mᵀ + I is positive definite for any M.
            let mut a = vec![0.0; n * n];
            for i in 0..n {
                for j in 0..n {
                    let dot: f64 = (0..n).map(|k| cells[i * n + k] * cells[j * n + k]).sum();
                    a[i * n + j] = dot + if i == j { 1.0 } else { 0.0 };
                }
            }
            let x = Cholesky::factor(&a, n).unwrap().solve(&b);
            for i in 0..n {
                let left: f64 = (0..n).map(|j| a[i * n + j] * x[j]).sum();
                prop_assert!((left - b[i]).abs() < 1e-9);
            }
        }
    }
}
