//! A line chart as inline SVG: axes, ticks, lines told apart by dashes as well as by colour, so that print shows them.

use maud::{Markup, html};

use crate::significant::significant;

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 330.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 46.0;

/// Ticks wanted on an axis; the steps are 1, 2 or 5 times a power of ten.
const TICKS: f64 = 5.0;

pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    pub(super) x_label: &'a str,
    pub(super) y_label: &'a str,
    pub(super) x: (f64, f64),
    pub(super) y: (f64, f64),
    pub(super) lines: Vec<Line>,
}

/// One line. `style` is a class of the page's style sheet.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) style: &'static str,
    pub(super) points: Vec<(f64, f64)>,
    /// Share of the rows behind each point, for points that are drawn as dots of that area and not joined.
    pub(super) dots: Option<Vec<f64>>,
}

impl Chart<'_> {
    pub(super) fn draw(&self) -> Markup {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        html! {
            figure {
                figcaption { (self.title) }
                svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(self.title) {
                    @for (tick, label) in ticks(self.x) {
                        @let at = format!("{:.1}", self.across(tick));
                        line.grid x1=(at) x2=(at) y1=(TOP) y2=(bottom) {}
                        text.tick x=(at) y=(bottom + 14.0) text-anchor="middle" { (label) }
                    }
                    @for (tick, label) in ticks(self.y) {
                        @let at = format!("{:.1}", self.up(tick));
                        line.grid x1=(LEFT) x2=(right) y1=(at) y2=(at) {}
                        text.tick x=(LEFT - 6.0) y=(at) dy="0.32em" text-anchor="end" { (label) }
                    }
                    rect.frame x=(LEFT) y=(TOP) width=(right - LEFT) height=(bottom - TOP) {}
                    text.label x=((LEFT + right) / 2.0) y=(HEIGHT - 12.0) text-anchor="middle" { (self.x_label) }
                    text.label x="14" y=((TOP + bottom) / 2.0) text-anchor="middle"
                        transform=(format!("rotate(-90 14 {})", (TOP + bottom) / 2.0)) { (self.y_label) }
                    @for line in &self.lines {
                        @match &line.dots {
                            None => polyline class=(line.style) points=(self.path(line)) {},
                            Some(shares) => @for ((x, y), share) in line.points.iter().zip(shares) {
                                circle class=(line.style) cx=(format!("{:.1}", self.across(*x)))
                                    cy=(format!("{:.1}", self.up(*y))) r=(format!("{:.1}", radius(*share))) {}
                            },
                        }
                    }
                }
                p.legend {
                    @for line in self.lines.iter().filter(|line| !line.name.is_empty()) {
                        span {
                            svg viewBox="0 0 28 8" width="28" height="8" aria-hidden="true" {
                                line class=(line.style) x1="0" x2="28" y1="4" y2="4" {}
                            }
                            " " (line.name)
                        }
                    }
                }
            }
        }
    }

    fn path(&self, line: &Line) -> String {
        let points = line.points.iter();
        let points = points.map(|(x, y)| format!("{:.1},{:.1}", self.across(*x), self.up(*y)));
        points.collect::<Vec<_>>().join(" ")
    }

    fn across(&self, x: f64) -> f64 {
        LEFT + share(x, self.x) * (WIDTH - LEFT - RIGHT)
    }

    fn up(&self, y: f64) -> f64 {
        HEIGHT - BOTTOM - share(y, self.y) * (HEIGHT - TOP - BOTTOM)
    }
}

/// The smallest dot can still be seen.
fn radius(share: f64) -> f64 {
    1.5 + 7.0 * share.sqrt()
}

/// Where `v` lies in a range, 0 to 1; the middle of a range without width.
fn share(v: f64, (low, high): (f64, f64)) -> f64 {
    if high > low {
        ((v - low) / (high - low)).clamp(0.0, 1.0)
    } else {
        0.5
    }
}

/// A range narrower than this part of its greatest value has no round numbers that floats could tell apart.
const NARROWEST: f64 = 1e-12;

/// A tick that misses the end of the range by this part of a step is still drawn.
const SLACK: f64 = 1e-6;

/// No more ticks than this are drawn, whatever rounding does.
const MOST_TICKS: usize = 12;

/// Ticks with their labels, no two alike.
fn ticks((low, high): (f64, f64)) -> Vec<(f64, String)> {
    let width = high - low;
    let greatest = low.abs().max(high.abs());
    let rough = width / TICKS;
    let power = 10f64.powf(rough.log10().floor());
    let is_told_apart = width > greatest * NARROWEST && width.is_finite() && power.is_normal();
    if !is_told_apart {
        return labelled(vec![low, high.max(low)], significant);
    }
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|times| times * power)
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(10.0 * power);
    let first = (low / step - SLACK).ceil() as i64;
    let last = (high / step + SLACK).floor() as i64;
    let at = (first..=last).take(MOST_TICKS);
    labelled(at.map(|at| at as f64 * step).collect(), |tick| {
        label(tick, step)
    })
}

fn labelled(ticks: Vec<f64>, label: impl Fn(f64) -> String) -> Vec<(f64, String)> {
    let labels = ticks.into_iter().map(|tick| (tick, label(tick)));
    let mut ticks: Vec<(f64, String)> = labels.collect();
    ticks.dedup_by(|b, a| a.1 == b.1);
    ticks
}

/// Labels with more places than this are written with an exponent.
const MOST_PLACES: f64 = 12.0;

/// A tick to the digit in which it differs from the next, without the dust of its multiplication.
fn label(tick: f64, step: f64) -> String {
    let last = step.log10().floor();
    if tick == 0.0 {
        return "0".into();
    }
    if -last > MOST_PLACES || tick.abs() >= 1e15 {
        let digits = (tick.abs().log10().floor() - last).max(0.0) as usize;
        return format!("{tick:.digits$e}");
    }
    let places = (-last).max(0.0) as usize;
    let text = format!("{tick:.places$}");
    if places == 0 {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(range: (f64, f64)) -> Vec<String> {
        ticks(range).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_numbers_within_the_range() {
        assert_eq!(labels((0.0, 1.0)), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(labels((0.0, 7.3)), ["0", "2", "4", "6"]);
        assert_eq!(labels((1.1, 1.4)), ["1.1", "1.2", "1.3", "1.4"]);
        assert_eq!(labels((300.0, 900.0)), ["400", "600", "800"]);
        assert_eq!(labels((3.0, 3.0)), ["3"]);
    }

    #[test]
    fn narrow_ranges_have_a_few_ticks_within_them_and_labels_that_differ() {
        assert_eq!(
            labels((0.5, 0.500_000_1)),
            [
                "0.5",
                "0.50000002",
                "0.50000004",
                "0.50000006",
                "0.50000008",
                "0.5000001"
            ]
        );
        assert_eq!(labels((600.0, 600.000_01)).len(), 6);
        assert_eq!(
            labels((0.0, 5e-20)),
            ["0", "1e-20", "2e-20", "3e-20", "4e-20", "5e-20"]
        );
        for (low, width) in [
            (0.5, 1e-6),
            (0.5, 1e-11),
            (-0.3, 1e-9),
            (1e6, 1e-5),
            (-1e17, 1e8),
            (1e17, 3e8),
            (1e-9, 7e-12),
        ] {
            let range = (low, low + width);
            let ticks = ticks(range);
            assert!((3..=11).contains(&ticks.len()), "{range:?}: {ticks:?}");
            for pair in ticks.windows(2) {
                assert!(pair[0].1 != pair[1].1, "{range:?}: {ticks:?}");
            }
            let near = |tick: f64| tick >= low - width * 1e-3 && tick <= range.1 + width * 1e-3;
            assert!(ticks.iter().all(|(tick, _)| near(*tick)), "{ticks:?}");
        }
    }

    #[test]
    fn ranges_without_round_numbers_show_their_ends() {
        assert_eq!(labels((0.5, 0.5 + f64::EPSILON)), ["0.5"]);
        assert_eq!(labels((0.0, 5e-324)).len(), 2);
        assert_eq!(labels((-1e308, 1e308)), ["-1.0000e308", "1.0000e308"]);
    }
}
