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

/// Columns of a positive semidefinite matrix, taken in order: those that the earlier ones leave something of, and the
/// rest, each with its coefficients over the former.
#[derive(Debug, Clone, PartialEq)]
pub struct Independence {
    pub independent: Vec<usize>,
    pub dependent: Vec<Dependence>,
}

/// `column = Σ_i coefficients_i · independent_i`.
#[derive(Debug, Clone, PartialEq)]
pub struct Dependence {
    pub column: usize,
    pub coefficients: Vec<f64>,
}

/// Splits the columns of a Gram matrix (lower triangle, row-major `n × n`). A column depends on those before it when
/// they leave at most `tolerance` of its own square.
pub fn independence(a: &[f64], n: usize, tolerance: f64) -> Independence {
    assert_eq!(a.len(), n * n, "a Gram matrix is square");
    let cell = |i: usize, j: usize| a[i.max(j) * n + i.min(j)];
    let mut independent: Vec<usize> = Vec::new();
    let mut dependent = Vec::new();
    // Rows of the factor over the independent columns.
    let mut lower: Vec<Vec<f64>> = Vec::new();
    for column in 0..n {
        let mut line: Vec<f64> = Vec::with_capacity(independent.len() + 1);
        for (earlier, other) in independent.iter().zip(&lower) {
            let dot: f64 = line.iter().zip(other).map(|(x, y)| x * y).sum();
            line.push((cell(column, *earlier) - dot) / other[line.len()]);
        }
        let square = cell(column, column);
        let rest = square - line.iter().map(|x| x * x).sum::<f64>();
        if rest > tolerance * square {
            line.push(rest.sqrt());
            lower.push(line);
            independent.push(column);
        } else {
            dependent.push((column, line));
        }
    }
    let dependent = dependent
        .into_iter()
        .map(|(column, line)| Dependence {
            column,
            coefficients: back_substitute(&lower, line, independent.len()),
        })
        .collect();
    Independence {
        independent,
        dependent,
    }
}

/// Solves `Lᵀ x = y`, where later columns that `y` does not reach have coefficient 0.
fn back_substitute(lower: &[Vec<f64>], mut y: Vec<f64>, n: usize) -> Vec<f64> {
    let reached = y.len();
    for i in (0..reached).rev() {
        let dot: f64 = (i + 1..reached).map(|k| lower[k][i] * y[k]).sum();
        y[i] = (y[i] - dot) / lower[i][i];
    }
    y.resize(n, 0.0);
    y
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

    #[test]
    fn sum_of_two_columns_is_found_with_its_coefficients() {
        // Unit vectors e0, e1, their sum, e2, and the null column.
        let columns = [
            [1.0, 0.0, 0.0],
            [0.0, 1.0, 0.0],
            [1.0, 1.0, 0.0],
            [0.0, 0.0, 1.0],
            [0.0; 3],
        ];
        let mut gram = vec![0.0; 25];
        for i in 0..5 {
            for j in 0..5 {
                gram[i * 5 + j] = (0..3).map(|k| columns[i][k] * columns[j][k]).sum();
            }
        }
        let found = independence(&gram, 5, 1e-10);
        assert_eq!(found.independent, [0, 1, 3]);
        assert_eq!(found.dependent[0].column, 2);
        assert_eq!(found.dependent[0].coefficients, [1.0, 1.0, 0.0]);
        assert_eq!(found.dependent[1].coefficients, [0.0; 3]);
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
